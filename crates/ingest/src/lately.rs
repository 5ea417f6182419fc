//! How much came to each source of late, hour by hour, for people who look at sources. It is
//! counted in this node's memory alone, and of a bounded number of sources: those that something
//! came to last. Monitoring is told nothing of it, since it would be told of as many sources as
//! there are.

use lru::LruCache;
use model::Timestamp;
use model::id::SourceId;
use model::meter::CameLately;
use std::num::NonZeroUsize;
use std::sync::{Mutex, PoisonError};

/// So many sources are told apart; each takes some 300 bytes.
const SOURCES_MAX: NonZeroUsize = NonZeroUsize::new(10_000).expect("not zero");
/// For so many hours, the one under way among them.
const HOURS: usize = 24;
const HOUR_SECONDS: i64 = 3_600;

/// See the file's head.
pub(crate) struct Lately(Mutex<LruCache<SourceId, Hours>>);

impl Default for Lately {
    fn default() -> Self {
        Self(Mutex::new(LruCache::new(SOURCES_MAX)))
    }
}

impl Lately {
    /// Counts a request to a source.
    pub(crate) fn count(&self, source: SourceId, is_refused: bool, now: Timestamp) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let hours = known.get_or_insert_mut(source, Hours::default);
        let hour = hours.turn_to(now);
        match is_refused {
            true => hour.refused += 1,
            false => hour.accepted += 1,
        }
    }

    /// What came to a source in these hours.
    pub(crate) fn read(&self, source: SourceId, now: Timestamp) -> CameLately {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(hours) = known.peek_mut(&source) else {
            return CameLately::default();
        };
        hours.turn_to(now);
        hours.sum()
    }
}

/// What came in each hour, at the place that the hour's number leaves as its remainder.
#[derive(Default)]
struct Hours {
    latest: i64,
    of: [CameLately; HOURS],
}

impl Hours {
    /// The hour under way, once what is too long ago is forgotten. A clock that was set back counts
    /// for the latest hour.
    fn turn_to(&mut self, now: Timestamp) -> &mut CameLately {
        let hour = now.seconds().div_euclid(HOUR_SECONDS).max(self.latest);
        let over = hour.saturating_sub(self.latest).min(HOURS as i64);
        for ended in 0..over {
            self.of[place(hour - ended)] = CameLately::default();
        }
        self.latest = hour;
        &mut self.of[place(hour)]
    }

    fn sum(&self) -> CameLately {
        let add = |sum: CameLately, one: &CameLately| CameLately {
            accepted: sum.accepted + one.accepted,
            refused: sum.refused + one.refused,
        };
        self.of.iter().fold(CameLately::default(), add)
    }
}

fn place(hour: i64) -> usize {
    usize::try_from(hour.rem_euclid(HOURS as i64)).expect("a remainder is small")
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::id::SourceKey;

    fn source(number: i64) -> SourceId {
        SourceId::new(SourceKey::from_integer(number), [0; 12])
    }

    fn hour(number: i64) -> Timestamp {
        Timestamp::from_seconds(1_764_000_000 + number * HOUR_SECONDS)
    }

    fn came(accepted: u64, refused: u64) -> CameLately {
        CameLately { accepted, refused }
    }

    #[test]
    fn what_came_within_a_day_is_counted_for_each_source() {
        let lately = Lately::default();
        lately.count(source(1), false, hour(0));
        lately.count(source(1), true, hour(1));
        lately.count(source(2), false, hour(1));
        lately.count(source(1), false, hour(23));
        assert_eq!(lately.read(source(1), hour(23)), came(2, 1));
        assert_eq!(lately.read(source(2), hour(23)), came(1, 0));
        assert_eq!(lately.read(source(3), hour(23)), came(0, 0));
        assert_eq!(lately.read(source(1), hour(24)), came(1, 1));
        assert_eq!(lately.read(source(1), hour(25)), came(1, 0));
        assert_eq!(lately.read(source(1), hour(1_000)), came(0, 0));
    }

    #[test]
    fn a_clock_that_was_set_back_forgets_nothing() {
        let lately = Lately::default();
        lately.count(source(1), false, hour(9));
        lately.count(source(1), true, hour(2));
        assert_eq!(lately.read(source(1), hour(3)), came(1, 1));
    }

    #[test]
    fn of_too_many_sources_those_are_forgotten_that_nothing_came_to_for_longest() {
        let lately = Lately::default();
        for number in 0..=SOURCES_MAX.get() as i64 {
            lately.count(source(number), false, hour(0));
        }
        assert_eq!(lately.read(source(0), hour(0)), came(0, 0));
        assert_eq!(lately.read(source(1), hour(0)), came(1, 0));
    }
}
