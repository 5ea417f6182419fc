//! Too much at once: what is counted of each subject over a window, beside the most that there was
//! on any day lately. Bounded: of so many subjects; who has not been seen for the longest is
//! forgotten.

use super::StateError;
use super::bytes::{Reader, Writer};
use super::course::{DAY, Moment};
use super::told::{Told, length, many, time};
use super::window::Counted;
use lru::LruCache;
use std::num::NonZeroUsize;

/// So many days are remembered.
const DAYS: usize = 28;
/// The longest name of a subject that is told apart from others that begin alike.
const NAME_BYTES_MAX: usize = 256;

/// Counts for each of many.
pub(super) struct Bursts<C: Counted> {
    of: LruCache<String, Burst<C>>,
}

/// How much is too much.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limit {
    /// Whether anything is said of it. It is learnt in any case.
    pub(super) enabled: bool,
    /// So much, whatever is usual.
    pub(super) least: u64,
    /// And so many times what is usual at most.
    pub(super) times_usual: u64,
    pub(super) within_seconds: u64,
    pub(super) cool_down_seconds: u64,
    /// Whether it rests on what is usual so much that nothing is said while all is new. Then any
    /// day says what is usual; else it takes two, since what went wrong once is not usual.
    pub(super) learns: bool,
    /// What is counted, one of it.
    pub(super) what: &'static str,
}

/// Too much of one subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TooMuch {
    now: u32,
    usual: u32,
    since: i64,
    limit: Words,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Words {
    what: &'static str,
    within_seconds: u64,
}

struct Burst<C> {
    window: Option<C>,
    days: Days,
    told: Told,
}

impl<C: Counted> Bursts<C> {
    /// Of so many subjects.
    pub(super) fn of_most(subjects: usize) -> Self {
        let subjects = NonZeroUsize::new(subjects).expect("a rule is about somebody");
        Self {
            of: LruCache::new(subjects),
        }
    }

    /// Counts, and says whether that is too much now and was not told yet.
    pub(super) fn count(
        &mut self,
        moment: &Moment,
        (subject, what): (&str, u64),
        limit: Limit,
    ) -> Option<TooMuch> {
        let subject = shortened(subject);
        if !self.of.contains(subject) {
            self.of.put(subject.to_owned(), Burst::new());
        }
        let burst = self.of.get_mut(subject).expect("it was just put there");
        let within = i64::try_from(limit.within_seconds).unwrap_or(i64::MAX);
        let window = burst.window.get_or_insert_with(|| C::over(within));
        let count = window.add(moment.now, what);
        let usual = burst.days.usual(moment.now, usize::from(!limit.learns));
        let most = u64::from(usual).saturating_mul(limit.times_usual);
        let only_learns = limit.learns && moment.is_all_new();
        // What is far too much is learnt only so far: else one attack would hide the next.
        let learnt_most = if only_learns {
            u64::MAX
        } else {
            most.max(limit.least)
        };
        burst.days.learn(u64::from(count).min(learnt_most));
        let is_too_much = u64::from(count) >= limit.least && u64::from(count) > most;
        if !is_too_much || !limit.enabled || only_learns {
            return None;
        }
        let is_new = burst.told.tell(moment.now, limit.cool_down_seconds);
        is_new.then(|| TooMuch {
            now: count,
            usual,
            since: window.since(),
            limit: Words {
                what: limit.what,
                within_seconds: limit.within_seconds,
            },
        })
    }

    pub(super) fn save(&self, to: &mut Writer) {
        to.number(self.of.len() as u64);
        // The longest ago first, so that it is the first to be forgotten again.
        for (subject, burst) in self.of.iter().rev() {
            to.text(subject);
            burst.days.save(to);
            burst.told.save(to);
        }
    }

    pub(super) fn restore(&mut self, from: &mut Reader<'_>) -> Result<(), StateError> {
        for _ in 0..from.count(self.of.cap().get())? {
            let subject = from.text()?;
            let burst = Burst {
                window: None,
                days: Days::restore(from)?,
                told: Told::restore(from)?,
            };
            self.of.put(shortened(&subject).to_owned(), burst);
        }
        Ok(())
    }

    /// How many are remembered.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.of.len()
    }
}

impl<C> Burst<C> {
    fn new() -> Self {
        Self {
            window: None,
            days: Days::default(),
            told: Told::default(),
        }
    }
}

impl TooMuch {
    /// Usual, now, since when.
    pub(super) fn explained(&self) -> String {
        let Words {
            what,
            within_seconds,
        } = self.limit;
        let usual = match self.usual {
            0 => "none".to_owned(),
            usual => format!("at most {}", many(usual.into(), what)),
        };
        format!(
            "usual within {}: {usual}; now: {}, since {}",
            length(within_seconds),
            many(self.now.into(), what),
            time(self.since),
        )
    }
}

/// A name that is no longer than what is kept of one.
pub(super) fn shortened(name: &str) -> &str {
    &name[..name.floor_char_boundary(NAME_BYTES_MAX)]
}

/// The most of each of the last days.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Days {
    most: [u32; DAYS],
    today: i64,
}

impl Days {
    /// The most of all days but today, and but so many of the worst. Today becomes this one.
    fn usual(&mut self, now: i64, worst: usize) -> u32 {
        let today = now.div_euclid(DAY);
        // Where the clock was set back by much, what was learnt is of some days before.
        if !(0..=DAYS as i64).contains(&today.saturating_sub(self.today)) && self.today != 0 {
            let is_back = today < self.today;
            self.most = if is_back { self.most } else { [0; DAYS] };
            self.today = today;
        }
        if self.today == 0 {
            self.today = today;
        }
        while self.today < today {
            self.today += 1;
            *self.place() = 0;
        }
        let mut before = self.most;
        before[self.today.rem_euclid(DAYS as i64) as usize] = 0;
        before.sort_unstable();
        before[DAYS - 1 - worst]
    }

    fn learn(&mut self, count: u64) {
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        let place = self.place();
        *place = count.max(*place);
    }

    fn place(&mut self) -> &mut u32 {
        &mut self.most[self.today.rem_euclid(DAYS as i64) as usize]
    }

    fn save(&self, to: &mut Writer) {
        to.seconds(self.today);
        self.most.iter().for_each(|most| to.number((*most).into()));
    }

    fn restore(from: &mut Reader<'_>) -> Result<Self, StateError> {
        let today = from.seconds()?;
        let mut most = [0; DAYS];
        for place in &mut most {
            *place = from.small()?;
        }
        Ok(Self { most, today })
    }
}
