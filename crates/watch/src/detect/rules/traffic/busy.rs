//! What is known of one source or application: its hours, the last hour in parts of five minutes,
//! and what is usual now.

use crate::detect::StateError;
use crate::detect::bytes::{Reader, Writer};
use crate::detect::course::{HOUR, Moment};
use crate::detect::hours::{Hours, SPANS, Spread, plus};
use crate::detect::told::Told;

pub(super) const SLOT_SECONDS: i64 = 300;
const SLOTS: usize = 12;

/// One that is watched.
pub(super) struct Busy {
    hours: Hours,
    so_far: (u64, u64),
    /// In the 23 hours before.
    before: (u64, u64),
    slots: [(u64, u64); SLOTS],
    slot: i64,
    known_since: i64,
    last_at: i64,
    usual: Option<Usual>,
    spread: Option<Spread>,
    pub(super) told_high: Told,
    pub(super) told_low: Told,
    pub(super) told_failing: Told,
}

/// What is usual in this hour.
#[derive(Debug, Clone, Copy)]
struct Usual {
    high: Option<High>,
    /// In the hour before.
    before: Option<High>,
    low: Option<[f64; SPANS.len()]>,
}

/// What is usual, and what is still usual.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct High {
    pub(super) usual: f64,
    pub(super) most: f64,
    /// By the same hour of other weeks.
    pub(super) is_by_week: bool,
}

impl Busy {
    pub(super) fn new(now: i64) -> Self {
        Self {
            hours: Hours::new(now.div_euclid(HOUR)),
            so_far: (0, 0),
            before: (0, 0),
            slots: [(0, 0); SLOTS],
            slot: now.div_euclid(SLOT_SECONDS),
            known_since: now,
            last_at: now,
            usual: None,
            spread: None,
            told_high: Told::default(),
            told_low: Told::default(),
            told_failing: Told::default(),
        }
    }

    pub(super) fn last_at(&self) -> i64 {
        self.last_at
    }

    /// The hour that is now.
    pub(super) fn hour(&self) -> i64 {
        self.hours.now()
    }

    /// There was so much.
    pub(super) fn add(&mut self, now: i64, more: (u64, u64)) {
        self.last_at = now;
        self.so_far = plus(self.so_far, more);
        let slot = self.slot.rem_euclid(SLOTS as i64) as usize;
        self.slots[slot] = plus(self.slots[slot], more);
    }

    /// It is later now. Hours that were not watched from their beginning are unknown.
    pub(super) fn go_on(&mut self, moment: &Moment) {
        let slot = moment.now.div_euclid(SLOT_SECONDS);
        if !(0..SLOTS as i64).contains(&slot.saturating_sub(self.slot)) {
            self.slots = [(0, 0); SLOTS];
            self.slot = slot;
        }
        while self.slot < slot {
            self.slot += 1;
            self.slots[self.slot.rem_euclid(SLOTS as i64) as usize] = (0, 0);
        }
        self.known_since = self.known_since.min(moment.now);
        self.last_at = self.last_at.min(moment.now);
        let hour = moment.now.div_euclid(HOUR);
        if hour == self.hours.now() {
            return;
        }
        let began_at = self.hours.now() * HOUR;
        let is_known = began_at >= self.watched_since(moment) && hour > self.hours.now();
        self.hours.end(is_known.then_some(self.so_far));
        self.so_far = (0, 0);
        self.hours.jump(hour);
    }

    fn watched_since(&self, moment: &Moment) -> i64 {
        self.known_since.max(moment.watching_since)
    }

    /// Whether all of the last so many seconds is known.
    pub(super) fn is_watched_for(&self, moment: &Moment, seconds: i64) -> bool {
        moment.now - self.watched_since(moment) >= seconds
    }

    /// At the beginning of an hour: what is usual in it. Once a day, where it is its turn: how far
    /// from that it was.
    pub(super) fn look_over(&mut self, turn: bool) {
        if turn || self.spread.is_none() {
            self.spread = Some(self.hours.spread());
        }
        self.before = self.hours.last(23);
        let level = self.hours.level();
        self.usual = Some(Usual {
            before: self.usual.and_then(|usual| usual.high),
            high: self.usually_high(level.max(1.0)),
            low: self.usually_low(level.min(1.0)),
        });
    }

    fn usually_high(&self, level: f64) -> Option<High> {
        let by_week = self.hours.usual_about(self.hours.now());
        match (by_week, self.spread?.high) {
            (Some(usual), Some(high)) => Some(High {
                usual: usual * level,
                most: usual * level * high,
                is_by_week: true,
            }),
            _ => self.hours.most().map(|most| High {
                usual: most,
                most,
                is_by_week: false,
            }),
        }
    }

    /// The least that is usual over each span that ends now; of one hour, whichever is less of this
    /// and the one before.
    fn usually_low(&self, level: f64) -> Option<[f64; SPANS.len()]> {
        let mut low = self.spread?.low?;
        let now = self.hours.now();
        for (low, span) in low.iter_mut().zip(SPANS) {
            let hours = (now - span as i64..now).map(|hour| self.hours.usual(hour));
            let mut usual: f64 = hours.sum::<Option<f64>>()?;
            if span == 1 {
                usual = usual.min(self.hours.usual(now)?);
            }
            *low *= usual * level;
        }
        Some(low)
    }

    /// In this hour and in the last sixty minutes: since when, how much there was, and the most
    /// that is usual.
    pub(super) fn highs(&self) -> Option<[(i64, u64, High); 2]> {
        let Usual { high, before, .. } = self.usual?;
        let high = high?;
        let either = before
            .filter(|before| before.most > high.most)
            .unwrap_or(high);
        let hour_ago = (self.slot + 1 - SLOTS as i64) * SLOT_SECONDS;
        Some([
            (self.hours.now() * HOUR, self.so_far.0, high),
            (hour_ago, self.last_hour().0, either),
        ])
    }

    /// The least that is usual over each of [`SPANS`], and what there was. Hours end where they
    /// end; the last one alone is that up to now.
    pub(super) fn low(&self) -> Option<[(f64, u64); SPANS.len()]> {
        let low = self.usual?.low?;
        let mut place = 0;
        Some(low.map(|least| {
            let there_was = match SPANS[place] {
                1 => self.last_hour().0,
                span => self.hours.last(span).0,
            };
            place += 1;
            (least, there_was)
        }))
    }

    /// In the hour before now.
    pub(super) fn last_hour(&self) -> (u64, u64) {
        self.slots.iter().copied().fold((0, 0), plus)
    }

    /// In the day before now.
    pub(super) fn last_day(&self) -> (u64, u64) {
        plus(self.before, self.so_far)
    }

    /// What part fails: usually, and at most.
    pub(super) fn failing(&self) -> Option<(f64, f64)> {
        self.spread?.failed
    }

    pub(super) fn save(&self, to: &mut Writer) {
        self.hours.save(to);
        for (total, failed) in [self.so_far].iter().chain(&self.slots) {
            to.number(*total);
            to.number(*failed);
        }
        for seconds in [self.slot, self.known_since, self.last_at] {
            to.seconds(seconds);
        }
        for told in [&self.told_high, &self.told_low, &self.told_failing] {
            told.save(to);
        }
    }

    pub(super) fn restore(from: &mut Reader<'_>) -> Result<Self, StateError> {
        let mut busy = Self::new(0);
        busy.hours = Hours::restore(from)?;
        busy.so_far = (from.number()?, from.number()?);
        for slot in &mut busy.slots {
            *slot = (from.number()?, from.number()?);
        }
        (busy.slot, busy.known_since) = (from.seconds()?, from.seconds()?);
        busy.last_at = from.seconds()?;
        let told = [
            &mut busy.told_high,
            &mut busy.told_low,
            &mut busy.told_failing,
        ];
        for told in told {
            *told = Told::restore(from)?;
        }
        busy.look_over(true);
        Ok(busy)
    }
}
