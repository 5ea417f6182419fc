//! Chains that connections showed, of which a store keeps one row each for all attempts that name
//! it: on which day it was last named, so that it goes when they have gone. Who writes remembers
//! what it has written, so that a chain costs a write once a day and not with each attempt. It
//! knows no database.

use crate::encoding::HOUR;
use lru::LruCache;
use model::Timestamp;
use model::chain_seen::ShownChain;
use model::id::AttemptKey;
use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::sync::Arc;

/// Who has more receivers than that writes some chains again.
const REMEMBERED_MAX: NonZeroUsize = NonZeroUsize::new(4_096).expect("it is not zero");

/// The day of a time, counted from 1970.
pub fn day_of(time: Timestamp) -> i64 {
    time.micros().div_euclid(24 * HOUR)
}

/// What this process has written: a chain's key, and the day.
pub struct WrittenChains(LruCache<i64, i64>);

impl Default for WrittenChains {
    fn default() -> Self {
        Self(LruCache::new(REMEMBERED_MAX))
    }
}

impl WrittenChains {
    /// Chains that were committed.
    pub fn add(&mut self, fresh: &FreshChains) {
        for (key, (day, _)) in &fresh.0 {
            self.0.put(*key, *day);
        }
    }

    fn has(&mut self, key: i64, day: i64) -> bool {
        self.0.get(&key).is_some_and(|written| *written >= day)
    }
}

/// The chains that a transaction writes, by their keys in order.
#[derive(Default)]
pub struct FreshChains(BTreeMap<i64, (i64, Arc<ShownChain>)>);

impl FreshChains {
    /// Adds the chain that an attempt names. Whether there is anything to write for it.
    pub fn name(
        &mut self,
        written: &mut WrittenChains,
        (attempt, chain): (AttemptKey, &Arc<ShownChain>),
    ) -> bool {
        let day = day_of(attempt.time());
        let is_here = self
            .0
            .get(&chain.key)
            .is_some_and(|(known, _)| *known >= day);
        let missing = !is_here && !written.has(chain.key, day);
        if missing {
            self.0.insert(chain.key, (day, chain.clone()));
        }
        missing
    }

    /// Each with the day on which it was named.
    pub fn iter(&self) -> impl Iterator<Item = (i64, &ShownChain)> {
        self.0.values().map(|(day, chain)| (*day, &**chain))
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::id::Key;

    const DAY: i64 = 24 * HOUR;

    fn chain(key: i64) -> Arc<ShownChain> {
        let stored = Vec::new();
        Arc::new(ShownChain { key, stored })
    }

    fn on(day: i64) -> AttemptKey {
        Key::first_at(Timestamp::from_micros(20_000 * DAY + day * DAY + HOUR))
    }

    #[test]
    fn a_chain_is_written_once_a_day() {
        let (mut written, one) = (WrittenChains::default(), chain(1));
        for (day, missing) in [(0, true), (0, false), (1, true), (0, false), (1, false)] {
            let mut fresh = FreshChains::default();
            assert_eq!(fresh.name(&mut written, (on(day), &one)), missing, "{day}");
            assert!(!fresh.name(&mut written, (on(day), &one)), "it is in this");
            assert_eq!(fresh.is_empty(), !missing);
            written.add(&fresh);
        }
    }

    #[test]
    fn what_was_not_committed_is_written_again() {
        let (mut written, one) = (WrittenChains::default(), chain(1));
        for _ in 0..2 {
            let mut lost = FreshChains::default();
            assert!(lost.name(&mut written, (on(0), &one)));
        }
    }

    #[test]
    fn they_are_written_in_the_order_of_their_keys_with_the_last_of_their_days() {
        let mut written = WrittenChains::default();
        let mut fresh = FreshChains::default();
        for (key, day) in [(7, 0), (-2, 1), (7, 1), (5, 0)] {
            assert!(fresh.name(&mut written, (on(day), &chain(key))));
        }
        let all: Vec<_> = fresh.iter().map(|(day, chain)| (chain.key, day)).collect();
        assert_eq!(all, [(-2, 20_001), (5, 20_000), (7, 20_001)]);
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let mut written = WrittenChains::default();
        let many = REMEMBERED_MAX.get() as i64 + 1;
        for key in 0..many {
            let mut fresh = FreshChains::default();
            fresh.name(&mut written, (on(0), &chain(key)));
            written.add(&fresh);
        }
        assert_eq!(written.0.len(), REMEMBERED_MAX.get());
        assert!(!written.has(0, 20_000), "the oldest went");
    }
}
