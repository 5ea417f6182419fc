//! Counting attempts of an application, or of all, by time and by event type, and what is
//! configured.
//!
//! Attempts are counted as they are recorded, by the hour and within it by five minutes. Only
//! these counts are added up here: no attempt is looked at, however many there are, so times are
//! whole five minutes.

use crate::encoding::HOUR;
use model::id::ApplicationKey;
use model::name::Name;
use std::ops::Range;

/// How many slots an hour has.
pub const SLOTS: usize = 12;
/// Microseconds of a slot, the shortest time by which attempts are counted: five minutes.
pub const SLOT: i64 = HOUR / SLOTS as i64;
/// The columns in which an hour's slots are counted, by the minute at which each begins.
pub const COLUMNS: [&str; SLOTS] = [
    "m00", "m05", "m10", "m15", "m20", "m25", "m30", "m35", "m40", "m45", "m50", "m55",
];

/// An hour, and which of its slots this is.
pub fn hour_of(slot: i64) -> (i64, usize) {
    let slots = SLOTS as i64;
    let within = slot.rem_euclid(slots);
    let within = usize::try_from(within).expect("it is a remainder");
    (slot.div_euclid(slots), within)
}

/// Which attempts to count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TallyQuery {
    /// To endpoints of this application, also to those that it has no longer; `None`: to all, for
    /// which an index with an entry for each endpoint is walked along.
    pub application: Option<ApplicationKey>,
    /// Recorded in these slots, by their number since the Unix epoch.
    pub slots: Range<i64>,
    /// Of messages of one of these types; `None`: of any.
    pub event_types: Option<Vec<Name>>,
}

/// Attempts, by how they ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    /// Succeeded.
    pub success: u64,
    /// Failed.
    pub failure: u64,
    /// None was made: the delivery was ended.
    pub cancelled: u64,
}

impl Tally {
    /// Counts attempts whose result has this number.
    pub fn add(&mut self, result: u8, attempts: u64) {
        let counter = match result {
            0 => &mut self.success,
            1 => &mut self.failure,
            _ => &mut self.cancelled,
        };
        *counter += attempts;
    }
}

/// Whole hours, or a part of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stretch {
    /// The hours.
    pub hours: Range<i64>,
    /// What counts of each.
    slots: Range<usize>,
}

impl Stretch {
    /// How many attempts of a row of the rollup count, as an expression.
    pub fn counted(&self) -> String {
        if self.slots == (0..SLOTS) {
            return "attempts".to_owned();
        }
        let columns = COLUMNS[self.slots.clone()].iter();
        let counted: Vec<String> = columns.map(|name| format!("coalesce({name}, 0)")).collect();
        counted.join(" + ")
    }
}

impl TallyQuery {
    /// Every hour of which something counts.
    pub fn hours(&self) -> Range<i64> {
        let Range { start, end } = self.slots;
        match start < end {
            true => hour_of(start).0..hour_of(end - 1).0 + 1,
            false => 0..0,
        }
    }

    /// The same as whole hours, and what stands out before and behind them: three at the most.
    pub fn stretches(&self) -> Vec<Stretch> {
        let Range { start, end } = self.slots;
        if start >= end {
            return Vec::new();
        }
        let ((first, from), (last, to)) = (hour_of(start), hour_of(end));
        let stretch = |hours, slots| Stretch { hours, slots };
        if first == last {
            return vec![stretch(first..first + 1, from..to)];
        }
        let whole = match from {
            0 => first..last,
            _ => first + 1..last,
        };
        let all = [
            (from > 0).then(|| stretch(first..first + 1, from..SLOTS)),
            (!whole.is_empty()).then(|| stretch(whole, 0..SLOTS)),
            (to > 0).then(|| stretch(last..last + 1, 0..to)),
        ];
        all.into_iter().flatten().collect()
    }
}

/// Attempts of a query, counted by time.
#[derive(Debug)]
pub struct Timeline {
    slots: Range<i64>,
    width: i64,
    tallies: Vec<Tally>,
}

impl Timeline {
    /// Nothing counted yet. A bucket is so many slots wide; the last one may be cut off.
    pub fn new(query: &TallyQuery, width: u32) -> Self {
        let (slots, width) = (query.slots.clone(), i64::from(width.max(1)));
        let length = (slots.end - slots.start).max(0);
        let buckets = length / width + i64::from(length % width > 0);
        let buckets = usize::try_from(buckets).unwrap_or(0);
        Self {
            slots,
            width,
            tallies: vec![Tally::default(); buckets],
        }
    }

    /// Counts what an hour has in each of its slots, where that is asked for.
    pub fn add(&mut self, hour: i64, result: u8, counted: [u64; SLOTS]) {
        let first = hour * SLOTS as i64;
        for (slot, attempts) in (first..).zip(counted) {
            if self.slots.contains(&slot) {
                let bucket = (slot - self.slots.start) / self.width;
                let bucket = usize::try_from(bucket).expect("it does not lie before the first");
                self.tallies[bucket].add(result, attempts);
            }
        }
    }

    /// The buckets, in their order.
    pub fn end(self) -> Vec<Tally> {
        self.tallies
    }
}

/// How many live endpoints there are, and how many live applications have some.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Headcount {
    /// Endpoints that are enabled.
    pub enabled: u64,
    /// Endpoints that are disabled.
    pub disabled: u64,
    /// Applications that have an endpoint.
    pub applications: u64,
    /// Applications that have one that is enabled.
    pub applications_enabled: u64,
}

impl Headcount {
    /// Without others that are among them.
    pub fn without(self, others: Self) -> Self {
        Self {
            enabled: self.enabled.saturating_sub(others.enabled),
            disabled: self.disabled.saturating_sub(others.disabled),
            applications: self.applications.saturating_sub(others.applications),
            applications_enabled: self
                .applications_enabled
                .saturating_sub(others.applications_enabled),
        }
    }
}

/// What is configured. Of play: endpoints whose URL begins with `https://play.svix.com/`, a public
/// place to look at what arrives; and applications that have no others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Census {
    /// All.
    pub all: Headcount,
    /// What is there for play.
    pub play: Headcount,
}

#[cfg(test)]
mod tests;
