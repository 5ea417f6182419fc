//! How fast things come, by whom they are counted for: of each, one point in time is remembered,
//! which moves ahead by a step with each thing, and at the most so far ahead of now. Of those who
//! were heard of, the latest are remembered, so that nobody makes it grow.

use lru::LruCache;
use model::Timestamp;
use std::hash::Hash;
use std::num::NonZeroUsize;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How many are told apart.
pub const TOLD_APART_MAX: NonZeroUsize = NonZeroUsize::new(10_000).expect("not zero");

/// See the file's head.
pub struct Pace<K: Hash + Eq>(Mutex<LruCache<K, Timestamp>>);

/// How many in which time are no more than is allowed.
#[derive(Debug, Clone, Copy)]
pub struct Rate {
    /// How long one takes, evenly.
    pub step: Duration,
    /// How far ahead of that they may be.
    pub ahead: Duration,
}

impl Rate {
    /// So many in such a time, and as many at once.
    pub fn new(most: u32, within: Duration) -> Self {
        Self {
            step: within / most.max(1),
            ahead: within,
        }
    }
}

impl<K: Hash + Eq> Default for Pace<K> {
    fn default() -> Self {
        Self(Mutex::new(LruCache::new(TOLD_APART_MAX)))
    }
}

impl<K: Hash + Eq> Pace<K> {
    /// How long one more would have to wait; `None`: it is welcome.
    pub fn wait(&self, key: &K, now: Timestamp, rate: Rate) -> Option<Duration> {
        let ahead = self.lock().get(key).copied()?;
        over(ahead, now, rate)
    }

    /// Who would have to wait, and for how long: a look at all that are remembered.
    pub fn waiting(&self, now: Timestamp, rate: Rate) -> Vec<(K, Duration)>
    where
        K: Clone,
    {
        let known = self.lock();
        let waits = known.iter().filter_map(|(key, ahead)| {
            let wait = over(*ahead, now, rate)?;
            Some((key.clone(), wait))
        });
        waits.collect()
    }

    /// Counts one, welcome or not.
    pub fn count(&self, key: K, now: Timestamp, rate: Rate) {
        let mut known = self.lock();
        let ahead = known.get(&key).copied().unwrap_or(now).max(now);
        // Neither a flood nor a clock that was set back leads further.
        let most = now.plus(rate.ahead);
        known.put(key, ahead.min(most).plus(rate.step));
    }

    /// Counts one if it is welcome; otherwise tells how long it would have to wait.
    pub fn admit(&self, key: K, now: Timestamp, rate: Rate) -> Result<(), Duration> {
        match self.wait(&key, now, rate) {
            Some(wait) => Err(wait),
            None => {
                self.count(key, now, rate);
                Ok(())
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, LruCache<K, Timestamp>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How much too far ahead of now it is with one more.
fn over(ahead: Timestamp, now: Timestamp, rate: Rate) -> Option<Duration> {
    let lead = ahead.since(now).min(rate.ahead + rate.step) + rate.step;
    let over = lead.checked_sub(rate.ahead)?;
    (!over.is_zero()).then_some(over)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);
    const START: Timestamp = Timestamp::from_seconds(1_764_000_000);

    #[test]
    fn so_many_at_once_and_then_one_by_one() {
        let (pace, rate) = (Pace::default(), Rate::new(4, SECOND));
        for _ in 0..4 {
            assert_eq!(pace.admit("a", START, rate), Ok(()));
        }
        assert_eq!(pace.admit("a", START, rate), Err(SECOND / 4));
        assert_eq!(pace.admit("b", START, rate), Ok(()), "each for itself");
        let later = START.plus(SECOND / 4);
        assert_eq!(pace.admit("a", later, rate), Ok(()));
        assert!(pace.admit("a", later, rate).is_err());
        assert_eq!(pace.admit("a", START.plus(2 * SECOND), rate), Ok(()));
    }

    #[test]
    fn a_flood_waits_no_longer_than_a_step() {
        let (pace, rate) = (Pace::default(), Rate::new(60, 60 * SECOND));
        for _ in 0..1_000 {
            pace.count("a", START, rate);
        }
        assert!(pace.wait(&"a", START, rate).is_some());
        assert_eq!(pace.wait(&"a", START.plus(2 * SECOND), rate), None);
    }

    #[test]
    fn who_has_to_wait_is_told_with_the_wait() {
        let (pace, rate) = (Pace::default(), Rate::new(2, SECOND));
        for who in ["a", "a", "b"] {
            pace.count(who, START, rate);
        }
        assert_eq!(pace.waiting(START, rate), [("a", SECOND / 2)]);
        assert_eq!(pace.waiting(START.plus(SECOND / 2), rate), []);
    }

    #[test]
    fn a_clock_that_was_set_back_keeps_nobody_out_for_long() {
        let (pace, rate) = (Pace::default(), Rate::new(1, SECOND));
        pace.count("a", START.plus(3_600 * SECOND), rate);
        let wait = pace.wait(&"a", START, rate).expect("it is ahead");
        assert!(wait <= 2 * SECOND, "{wait:?}");
        pace.count("a", START, rate);
        assert_eq!(pace.wait(&"a", START.plus(2 * SECOND), rate), None);
    }

    #[test]
    fn who_was_not_heard_of_for_long_is_forgotten() {
        let (pace, rate) = (Pace::default(), Rate::new(1, SECOND));
        for number in 0..=TOLD_APART_MAX.get() {
            pace.count(number, START, rate);
        }
        assert_eq!(pace.wait(&0, START, rate), None);
        assert!(pace.wait(&1, START, rate).is_some());
    }
}
