//! Each lane's earliest due delivery that waits in the store, in the order of time: what the engine
//! must wake up for, in memory, so that nothing is asked of the store before it is due.
//!
//! Holds one entry for each endpoint that has deliveries waiting, however many those are: the time
//! of the earliest, and whether there may be later ones, whose times were dropped for it and must
//! be asked for once it is done. Pure.

use model::Timestamp;
use model::id::{ApplicationKey, EndpointKey};
use std::collections::{BTreeMap, BTreeSet};
use store::Lane;

/// The earliest due time of each lane.
#[derive(Debug, Default)]
pub(crate) struct Dues {
    by_lane: BTreeMap<EndpointKey, Entry>,
    order: BTreeSet<(Timestamp, EndpointKey)>,
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    application: ApplicationKey,
    due: Timestamp,
    later: bool,
}

impl Dues {
    /// A delivery of this lane is due then; `later`: there may be others, at later times.
    pub(crate) fn note(&mut self, lane: Lane, due: Timestamp, later: bool) {
        let known = self.by_lane.get(&lane.endpoint).copied();
        let entry = Entry {
            application: lane.application,
            due: known.map_or(due, |known| known.due.min(due)),
            later: known.map_or(later, |known| known.later || later || known.due != due),
        };
        if let Some(known) = known {
            self.order.remove(&(known.due, lane.endpoint));
        }
        self.by_lane.insert(lane.endpoint, entry);
        self.order.insert((entry.due, lane.endpoint));
    }

    /// When the first lane is due.
    pub(crate) fn first(&self) -> Option<Timestamp> {
        self.order.first().map(|(due, _)| *due)
    }

    /// Takes out the first lane, if it is due by `now`, and says whether there may be later ones.
    pub(crate) fn pop(&mut self, now: Timestamp) -> Option<(Lane, bool)> {
        let (_, endpoint) = *self.order.first().filter(|(due, _)| *due <= now)?;
        self.order.pop_first();
        let entry = self.by_lane.remove(&endpoint)?;
        let lane = Lane {
            application: entry.application,
            endpoint,
        };
        Some((lane, entry.later))
    }

    /// How many lanes have deliveries waiting in the store.
    pub(crate) fn len(&self) -> usize {
        self.order.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lane(endpoint: i64) -> Lane {
        Lane {
            application: ApplicationKey::from_integer(1),
            endpoint: EndpointKey::from_integer(endpoint),
        }
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_seconds(seconds)
    }

    #[test]
    fn the_earliest_due_of_a_lane_counts() {
        let mut dues = Dues::default();
        for (endpoint, due) in [(1, 50), (2, 30), (1, 20), (1, 40)] {
            dues.note(lane(endpoint), at(due), false);
        }
        assert_eq!((dues.first(), dues.len()), (Some(at(20)), 2));
        assert_eq!(dues.pop(at(19)), None);
        assert_eq!(dues.pop(at(30)), Some((lane(1), true)));
        assert_eq!(dues.pop(at(30)), Some((lane(2), false)));
        assert_eq!(
            (dues.pop(at(90)), dues.first(), dues.len()),
            (None, None, 0)
        );
    }

    #[test]
    fn a_lane_remembers_that_there_are_later_ones() {
        let cases = [
            (vec![(5, false)], false),
            (vec![(5, false), (5, false)], false),
            (vec![(5, true)], true),
            (vec![(5, false), (7, false)], true),
            (vec![(7, false), (5, false)], true),
            (vec![(5, true), (5, false)], true),
        ];
        for (notes, later) in cases {
            let mut dues = Dues::default();
            for (due, later) in &notes {
                dues.note(lane(1), at(*due), *later);
            }
            assert_eq!(dues.pop(at(5)), Some((lane(1), later)), "{notes:?}");
        }
    }
}
