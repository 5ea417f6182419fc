//! What operational webhooks are told: each fold when it begins, and once more when its time is
//! over, where it went on. Pure, and bounded: where there is no room, the oldest is over sooner.

use super::{FoldKey, key_of};
use crate::fold::WINDOW;
use crate::keeper::Fold;
use model::operational::SecurityTold;
use std::collections::BTreeMap;
use std::time::Duration;

/// So many folds go on at a time.
const GOING_ON_MAX: usize = 4_000;

/// What goes on.
#[derive(Default)]
pub(super) struct Telling(BTreeMap<FoldKey, GoingOn>);

struct GoingOn {
    /// With the count of all.
    fold: Fold,
    told: u64,
    over_at: Duration,
}

impl Telling {
    /// Takes a fold, or more of it. What is to be told at once is returned.
    pub(super) fn take(&mut self, fold: Fold, now: Duration) -> Vec<SecurityTold> {
        let mut told = self.over(now);
        let key = key_of(&fold);
        if let Some(known) = self.0.get_mut(&key) {
            known.fold.add(fold);
            return told;
        }
        if self.0.len() >= GOING_ON_MAX {
            let oldest = self.0.iter().min_by_key(|(_, one)| one.over_at);
            let oldest = oldest.map(|(key, _)| key.clone()).expect("there are some");
            told.extend(self.0.remove(&oldest).and_then(GoingOn::end));
        }
        told.push(written(&fold));
        let going_on = GoingOn {
            told: fold.event.count,
            fold,
            over_at: now + WINDOW,
        };
        self.0.insert(key, going_on);
        told
    }

    /// What is to be told of those whose time is over.
    pub(super) fn over(&mut self, now: Duration) -> Vec<SecurityTold> {
        let over = self.0.extract_if(.., |_, one| one.over_at <= now);
        over.filter_map(|(_, one)| one.end()).collect()
    }

    /// When the next one is over.
    pub(super) fn due_at(&self) -> Option<Duration> {
        self.0.values().map(|one| one.over_at).min()
    }

    /// All that is left to be told.
    pub(super) fn rest(&mut self) -> Vec<SecurityTold> {
        self.over(Duration::MAX)
    }
}

impl GoingOn {
    fn end(self) -> Option<SecurityTold> {
        (self.fold.event.count > self.told).then(|| written(&self.fold))
    }
}

fn written(Fold { id, event }: &Fold) -> SecurityTold {
    SecurityTold {
        id: id.map(|id| id.to_string()),
        kind: event.kind.as_str(),
        severity: event.severity,
        subject: event.subject.clone(),
        remote_address: event.remote_address,
        count: event.count,
        first_seen: event.first_seen,
        last_seen: event.last_seen,
        description: event.description.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::Timestamp;
    use model::security::{SecurityKind, Subject, SubjectKind};
    use store::security::FoldedEvent;

    fn fold(subject: usize, count: u64) -> Fold {
        let kind = SecurityKind::AuthenticationFailed;
        let event = FoldedEvent {
            kind,
            severity: kind.severity(),
            subject: Subject::new(SubjectKind::Application, subject),
            application: None,
            remote_address: None,
            count,
            first_seen: Timestamp::from_seconds(1),
            last_seen: Timestamp::from_seconds(2),
            description: String::new(),
            sample: None,
        };
        Fold { id: None, event }
    }

    fn counts(told: Vec<SecurityTold>) -> Vec<u64> {
        told.into_iter().map(|told| told.count).collect()
    }

    #[test]
    fn a_fold_is_told_when_it_begins_and_once_more_with_all_when_it_went_on() {
        let (mut telling, at) = (Telling::default(), Duration::from_secs);
        assert_eq!(counts(telling.take(fold(1, 2), at(0))), [2]);
        for second in 1..=10 {
            assert_eq!(counts(telling.take(fold(1, 3), at(second))), [0; 0]);
        }
        assert_eq!(counts(telling.take(fold(2, 1), at(20))), [1]);
        assert_eq!(telling.due_at(), Some(WINDOW));
        assert_eq!(counts(telling.over(WINDOW - at(1))), [0; 0]);
        assert_eq!(counts(telling.over(WINDOW)), [32]);
        assert_eq!(counts(telling.over(2 * WINDOW)), [0; 0], "it did not go on");
        assert_eq!(counts(telling.take(fold(1, 1), 2 * WINDOW)), [1]);
    }

    #[test]
    fn where_there_is_no_room_the_oldest_is_told_sooner() {
        let mut telling = Telling::default();
        telling.take(fold(0, 1), Duration::ZERO);
        telling.take(fold(0, 8), Duration::ZERO);
        let now = Duration::from_secs(1);
        let most = GOING_ON_MAX;
        let told: Vec<_> = (1..=most)
            .flat_map(|n| telling.take(fold(n, 1), now))
            .collect();
        assert_eq!(told.len(), most + 1);
        assert!(told.iter().any(|told| told.count == 9));
        assert_eq!(telling.0.len(), most);
    }
}
