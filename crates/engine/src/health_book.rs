//! Endpoints' health as this engine has changed it since their applications were last read: the
//! registry in memory does not learn of every failure, and must not be read anew for each.
//!
//! An entry counts until its endpoint is changed; then the row that is read anew has the truth. One
//! change of an endpoint is on its way into the store at a time: two that overtook each other there
//! would leave the last word to the wrong one. What happens meanwhile is left to the next attempt.

use crate::decide::Decision;
use lru::LruCache;
use model::Timestamp;
use model::id::{ApplicationKey, EndpointKey};
use std::num::NonZeroUsize;
use std::sync::{Mutex, MutexGuard};
use store::record::HealthChange;

/// How many endpoints' changes are kept; beyond it, the oldest one's application is read anew.
const ENDPOINTS_MAX: NonZeroUsize = NonZeroUsize::new(16_384).expect("it is not zero");

/// The changes of health that the registry does not show.
pub(crate) struct HealthBook(Mutex<LruCache<EndpointKey, Entry>>);

struct Entry {
    application: ApplicationKey,
    revision: u32,
    since: Option<Timestamp>,
    on_its_way: bool,
}

/// An endpoint as an attempt saw it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Seen {
    pub(crate) application: ApplicationKey,
    pub(crate) endpoint: EndpointKey,
    pub(crate) revision: u32,
    /// What the registry says.
    pub(crate) failing_since: Option<Timestamp>,
}

/// A decision that is to be recorded.
pub(crate) struct Noted<'a> {
    /// The decision; it changes nothing of the health while another change is on its way.
    pub(crate) decision: Decision,
    /// An application whose registry row must be forgotten: its entry was dropped for this one.
    pub(crate) forget: Option<ApplicationKey>,
    /// To be kept until the change is recorded.
    pub(crate) on_its_way: Option<OnItsWay<'a>>,
}

/// Ends, when dropped, the time in which no other change of this endpoint is recorded.
pub(crate) struct OnItsWay<'a> {
    book: &'a HealthBook,
    endpoint: EndpointKey,
}

impl HealthBook {
    pub(crate) fn new() -> Self {
        Self(Mutex::new(LruCache::new(ENDPOINTS_MAX)))
    }

    /// Decides by since when the endpoint has been failing, and takes the change down.
    pub(crate) fn judge(
        &self,
        seen: Seen,
        decide: impl FnOnce(Option<Timestamp>) -> Decision,
    ) -> Noted<'_> {
        let mut entries = self.lock();
        let known = entries
            .get(&seen.endpoint)
            .filter(|entry| entry.revision >= seen.revision);
        let (since, busy, revision) = known
            .map_or((seen.failing_since, false, seen.revision), |entry| {
                (entry.since, entry.on_its_way, entry.revision)
            });
        let mut noted = Noted {
            decision: decide(since),
            forget: None,
            on_its_way: None,
        };
        let since = match noted.decision.health {
            HealthChange::FailingSince(since) => Some(since),
            HealthChange::Works => None,
            HealthChange::None | HealthChange::Disable => return noted,
        };
        if busy {
            noted.decision.health = HealthChange::None;
            return noted;
        }
        let entry = Entry {
            application: seen.application,
            revision,
            since,
            on_its_way: true,
        };
        let dropped = entries.push(seen.endpoint, entry);
        let dropped = dropped.filter(|(endpoint, _)| *endpoint != seen.endpoint);
        noted.forget = dropped.map(|(_, entry)| entry.application);
        noted.on_its_way = Some(OnItsWay {
            book: self,
            endpoint: seen.endpoint,
        });
        noted
    }

    fn lock(&self) -> MutexGuard<'_, LruCache<EndpointKey, Entry>> {
        self.0
            .lock()
            .expect("nothing panics while it holds this lock")
    }
}

impl Drop for OnItsWay<'_> {
    fn drop(&mut self) {
        if let Some(entry) = self.book.lock().peek_mut(&self.endpoint) {
            entry.on_its_way = false;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::attempt::AttemptResult;
    use store::record::Then;

    const NOW: Timestamp = Timestamp::from_seconds(1_000);

    fn seen(revision: u32, failing_since: Option<Timestamp>) -> Seen {
        Seen {
            application: ApplicationKey::from_integer(1),
            endpoint: EndpointKey::from_integer(2),
            revision,
            failing_since,
        }
    }

    fn decision(health: HealthChange) -> Decision {
        Decision {
            result: AttemptResult::Failure,
            then: Then::Close,
            health,
        }
    }

    fn fail(since: Option<Timestamp>) -> Decision {
        decision(since.map_or(HealthChange::FailingSince(NOW), |_| HealthChange::None))
    }

    fn succeed(since: Option<Timestamp>) -> Decision {
        decision(since.map_or(HealthChange::None, |_| HealthChange::Works))
    }

    #[test]
    fn a_change_is_recorded_once_though_the_registry_does_not_show_it() {
        let book = HealthBook::new();
        let first = book.judge(seen(1, None), fail);
        assert_eq!(first.decision.health, HealthChange::FailingSince(NOW));
        drop(first);
        assert_eq!(
            book.judge(seen(1, None), fail).decision.health,
            HealthChange::None
        );
        assert_eq!(
            book.judge(seen(1, None), succeed).decision.health,
            HealthChange::Works
        );
        assert_eq!(
            book.judge(seen(1, None), succeed).decision.health,
            HealthChange::None
        );
    }

    #[test]
    fn the_registry_has_the_last_word_on_an_endpoint_that_changed() {
        let book = HealthBook::new();
        drop(book.judge(seen(1, None), fail));
        assert_eq!(
            book.judge(seen(2, None), succeed).decision.health,
            HealthChange::None
        );
        assert_eq!(
            book.judge(seen(2, Some(NOW)), succeed).decision.health,
            HealthChange::Works
        );
    }

    #[test]
    fn what_an_attempt_saw_before_a_change_makes_nothing_forgotten() {
        let book = HealthBook::new();
        drop(book.judge(seen(2, None), fail));
        let late = book.judge(seen(1, None), succeed).decision.health;
        assert_eq!(late, HealthChange::Works);
        let next = book.judge(seen(2, Some(NOW)), succeed).decision.health;
        assert_eq!(next, HealthChange::None, "it is known to work");
    }

    #[test]
    fn nothing_overtakes_a_change_on_its_way() {
        let book = HealthBook::new();
        let failing = book.judge(seen(1, None), fail);
        assert_eq!(
            book.judge(seen(1, None), succeed).decision.health,
            HealthChange::None
        );
        drop(failing);
        assert_eq!(
            book.judge(seen(1, None), succeed).decision.health,
            HealthChange::Works
        );
    }

    #[test]
    fn what_is_dropped_is_read_anew() {
        let book = HealthBook::new();
        let of = |key: i64| Seen {
            application: ApplicationKey::from_integer(1_000_000 + key),
            endpoint: EndpointKey::from_integer(key),
            revision: 1,
            failing_since: None,
        };
        let kept = i64::try_from(ENDPOINTS_MAX.get()).unwrap();
        for key in 0..kept {
            assert_eq!(book.judge(of(key), fail).forget, None);
        }
        let forget = book.judge(of(kept), fail).forget;
        assert_eq!(forget, Some(ApplicationKey::from_integer(1_000_000)));
    }
}
