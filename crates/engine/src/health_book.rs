//! Endpoints' health as this engine has changed it since their applications were last read: the
//! registry in memory does not learn of every failure, and must not be read anew for each.
//!
//! An entry counts until its endpoint is changed; then the row that is read anew has the truth.
//! Where other nodes change endpoints' health too, it counts only for attempts that may have seen
//! the row as it was before: in a later one, another node may have had the last word.
//!
//! One change of an endpoint is on its way into the store at a time: two that overtook each other
//! there would leave the last word to the wrong one. What happens meanwhile is left to the next
//! attempt.

use crate::decide::Decision;
use lru::LruCache;
use model::Timestamp;
use model::id::{ApplicationKey, EndpointKey};
use std::num::NonZeroUsize;
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;
use store::record::HealthChange;
use store::registry;

/// How many endpoints' changes are kept; beyond it, the oldest one's application is read anew.
const ENDPOINTS_MAX: NonZeroUsize = NonZeroUsize::new(16_384).expect("it is not zero");

/// The changes of health that the registry does not show.
pub(crate) struct HealthBook {
    entries: Mutex<LruCache<EndpointKey, Entry>>,
    /// Whether other nodes change endpoints' health too.
    shared: bool,
}

struct Entry {
    application: ApplicationKey,
    revision: u32,
    since: Option<Timestamp>,
    on_its_way: bool,
    /// When it was known to be in the store.
    recorded_at: Duration,
}

/// An endpoint as an attempt saw it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Seen {
    pub(crate) application: ApplicationKey,
    pub(crate) endpoint: EndpointKey,
    pub(crate) revision: u32,
    /// What the registry says.
    pub(crate) failing_since: Option<Timestamp>,
    /// When the registry was asked, by the monotonic clock.
    pub(crate) at: Duration,
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
    /// An empty one; `shared`: other nodes change endpoints' health too.
    pub(crate) fn new(shared: bool) -> Self {
        Self {
            entries: Mutex::new(LruCache::new(ENDPOINTS_MAX)),
            shared,
        }
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
            .filter(|entry| entry.revision >= seen.revision)
            .filter(|entry| !self.shared || entry.counts_for(&seen));
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
            recorded_at: Duration::ZERO,
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
        self.entries
            .lock()
            .expect("nothing panics while it holds this lock")
    }
}

impl Entry {
    /// Whether what an attempt saw may be older than this: the registry keeps a row for a while.
    fn counts_for(&self, seen: &Seen) -> bool {
        self.on_its_way || seen.at <= self.recorded_at + registry::AGE_MAX
    }
}

impl OnItsWay<'_> {
    /// The change is in the store: whoever asks the registry from now on, but for its rows' age,
    /// sees it there.
    pub(crate) fn recorded(self, now: Duration) {
        if let Some(entry) = self.book.lock().peek_mut(&self.endpoint) {
            entry.recorded_at = now;
        }
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
            at: Duration::ZERO,
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
        let book = HealthBook::new(false);
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
        let book = HealthBook::new(false);
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
        let book = HealthBook::new(false);
        drop(book.judge(seen(2, None), fail));
        let late = book.judge(seen(1, None), succeed).decision.health;
        assert_eq!(late, HealthChange::Works);
        let next = book.judge(seen(2, Some(NOW)), succeed).decision.health;
        assert_eq!(next, HealthChange::None, "it is known to work");
    }

    #[test]
    fn nothing_overtakes_a_change_on_its_way() {
        let book = HealthBook::new(false);
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

    /// Also for attempts that began before the change and end long after it.
    #[test]
    fn where_others_change_health_too_the_registry_has_the_last_word_once_it_knows() {
        let book = HealthBook::new(true);
        let seconds = Duration::from_secs;
        let seen = |at, failing_since| Seen {
            at: seconds(at),
            ..seen(1, failing_since)
        };
        let failing = book.judge(seen(10, None), fail);
        assert_eq!(
            book.judge(seen(15, None), succeed).decision.health,
            HealthChange::None,
            "one is on its way"
        );
        failing.on_its_way.unwrap().recorded(seconds(20));
        for at in [5, 20, 21] {
            let next = book.judge(seen(at, None), fail).decision.health;
            assert_eq!(next, HealthChange::None, "known to be failing at {at}");
        }
        let next = book.judge(seen(22, None), fail).decision.health;
        assert_eq!(next, HealthChange::FailingSince(NOW), "it had worked since");
    }

    #[test]
    fn a_change_that_was_not_recorded_counts_for_nobody_where_others_change_health_too() {
        let book = HealthBook::new(true);
        let seen = Seen {
            at: Duration::from_secs(10),
            ..seen(1, None)
        };
        drop(book.judge(seen, fail));
        assert_eq!(
            book.judge(seen, fail).decision.health,
            HealthChange::FailingSince(NOW)
        );
    }

    #[test]
    fn what_is_dropped_is_read_anew() {
        let book = HealthBook::new(false);
        let of = |key: i64| Seen {
            application: ApplicationKey::from_integer(1_000_000 + key),
            endpoint: EndpointKey::from_integer(key),
            revision: 1,
            failing_since: None,
            at: Duration::ZERO,
        };
        let kept = i64::try_from(ENDPOINTS_MAX.get()).unwrap();
        for key in 0..kept {
            assert_eq!(book.judge(of(key), fail).forget, None);
        }
        let forget = book.judge(of(kept), fail).forget;
        assert_eq!(forget, Some(ApplicationKey::from_integer(1_000_000)));
    }
}
