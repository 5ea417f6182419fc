//! What a transaction counts beside its rows, and writes once: attempts for the statistics, and by
//! how much endpoints' open deliveries became more or fewer. Each store writes it its own way.

use crate::tally::SLOT;
use model::attempt::AttemptResult;
use model::id::{AttemptKey, EndpointKey};
use model::name::Name;
use std::collections::BTreeMap;

/// Attempts that are counted together.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Group {
    /// The endpoint.
    pub endpoint: EndpointKey,
    /// When they ended: see [`crate::tally::hour_of`].
    pub slot: i64,
    /// Their messages' type.
    pub event_type: Name,
    /// 0 is success, 1 failure, 2 that none was made.
    pub result: u8,
}

/// By how much an endpoint's open deliveries became more, or fewer.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Opened {
    /// Without an attempt behind them.
    pub pending: i64,
    /// With one.
    pub retrying: i64,
}

/// See the file's head.
#[derive(Debug, Default)]
pub struct Counts {
    attempts: BTreeMap<Group, i64>,
    opened: BTreeMap<EndpointKey, Opened>,
}

impl Counts {
    /// Counts an attempt for the statistics.
    pub fn attempt(
        &mut self,
        attempt: AttemptKey,
        endpoint: EndpointKey,
        event_type: &Name,
        result: AttemptResult,
    ) {
        let group = Group {
            endpoint,
            slot: attempt.time().micros().div_euclid(SLOT),
            event_type: event_type.clone(),
            result: match result {
                AttemptResult::Success => 0,
                AttemptResult::Failure => 1,
                AttemptResult::Cancelled(_) => 2,
            },
        };
        *self.attempts.entry(group).or_default() += 1;
    }

    /// Counts open deliveries of an endpoint, with so many attempts behind them, that came; below
    /// zero, that went.
    pub fn open(&mut self, endpoint: EndpointKey, attempts: u16, by: i64) {
        let opened = self.opened.entry(endpoint).or_default();
        match attempts {
            0 => opened.pending += by,
            _ => opened.retrying += by,
        }
    }

    /// How many attempts there are of each group.
    pub fn attempts(&self) -> impl Iterator<Item = (&Group, i64)> + Clone {
        self.attempts.iter().map(|(group, count)| (group, *count))
    }

    /// What changed of open deliveries. Nothing for an endpoint of which as many came as went: at
    /// full load, most of them.
    pub fn opened(&self) -> impl Iterator<Item = (EndpointKey, Opened)> + Clone {
        let opened = self.opened.iter();
        let changed = opened.filter(|(_, opened)| **opened != Opened::default());
        changed.map(|(endpoint, opened)| (*endpoint, *opened))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::Timestamp;
    use model::delivery::EndReason;

    #[test]
    fn attempts_are_counted_by_endpoint_time_type_and_result() {
        const SLOTS: i64 = 6_000_000;
        let mut counts = Counts::default();
        let at = |seconds| AttemptKey::first_at(Timestamp::from_seconds(SLOTS * 300 + seconds));
        let [first, second] = [1, 2].map(EndpointKey::from_integer);
        let name: Name = "order.paid".parse().expect("it is a word");
        let cancelled = AttemptResult::Cancelled(EndReason::PayloadGone);
        counts.attempt(at(0), second, &name, AttemptResult::Failure);
        counts.attempt(at(0), first, &name, AttemptResult::Success);
        counts.attempt(at(299), first, &name, AttemptResult::Success);
        counts.attempt(at(300), first, &name, AttemptResult::Success);
        counts.attempt(at(0), first, &name, cancelled);
        let counted = counts.attempts().map(|(group, count)| {
            let Group { endpoint, slot, .. } = *group;
            (endpoint, slot, group.result, count)
        });
        let expected = [
            (first, SLOTS, 0, 2),
            (first, SLOTS, 2, 1),
            (first, SLOTS + 1, 0, 1),
            (second, SLOTS, 1, 1),
        ];
        assert_eq!(counted.collect::<Vec<_>>(), expected);
    }

    #[test]
    fn an_endpoint_of_which_as_many_came_as_went_has_not_changed() {
        let mut counts = Counts::default();
        let [first, second] = [1, 2].map(EndpointKey::from_integer);
        for (endpoint, attempts, by) in [(first, 0, 1), (second, 0, 1), (first, 0, -1)] {
            counts.open(endpoint, attempts, by);
        }
        counts.open(second, 3, -2);
        let opened = Opened {
            pending: 1,
            retrying: -2,
        };
        assert_eq!(counts.opened().collect::<Vec<_>>(), [(second, opened)]);
    }
}
