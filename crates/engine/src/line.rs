//! A line of lanes that wait for something, each in it once: whoever is in it already keeps its
//! place. Pure.

use model::id::EndpointKey;
use std::collections::{BTreeSet, VecDeque};

/// Lanes in the order in which they came.
#[derive(Debug, Default)]
pub(crate) struct Line {
    order: VecDeque<EndpointKey>,
    members: BTreeSet<EndpointKey>,
}

impl Line {
    /// Nobody waits.
    pub(crate) fn is_empty(&self) -> bool {
        self.order.is_empty()
    }

    /// A lane joins at the end, unless it is in the line. Whether it was not.
    pub(crate) fn join(&mut self, endpoint: EndpointKey) -> bool {
        let joins = self.members.insert(endpoint);
        if joins {
            self.order.push_back(endpoint);
        }
        joins
    }

    /// The first leaves the line.
    pub(crate) fn next(&mut self) -> Option<EndpointKey> {
        let first = self.order.pop_front()?;
        self.members.remove(&first);
        Some(first)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lane_is_in_a_line_once_and_keeps_its_place() {
        let mut line = Line::default();
        let [first, second] = [1, 2].map(EndpointKey::from_integer);
        let joined = [first, second, first].map(|endpoint| line.join(endpoint));
        assert_eq!(joined, [true, true, false]);
        assert_eq!(line.next(), Some(first));
        assert!(line.join(first), "it has left");
        assert_eq!(
            [line.next(), line.next(), line.next()],
            [Some(second), Some(first), None]
        );
        assert!(line.is_empty());
    }
}
