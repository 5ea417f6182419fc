//! The receiver's book: which deliveries of a run have arrived, how often, and how long they were
//! on their way. Pure: it is told the time.

use crate::histogram::{Histogram, Latency};
use crate::payload::Mark;
use serde::{Deserialize, Serialize};
use std::collections::HashSet;

/// A book holds a byte for each delivery: so many at the most.
pub(crate) const DELIVERIES_MAX: u64 = 100_000_000;

/// What a run sends: each message to each endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Expected {
    /// The run's number.
    pub(crate) run: u64,
    /// Messages.
    pub(crate) messages: u64,
    /// Endpoints.
    pub(crate) endpoints: u64,
}

/// What arrived.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Arrivals {
    /// Deliveries that arrived, each counted once.
    pub(crate) arrived: u64,
    /// Deliveries that came again, and what is of no run or of one that is over.
    pub(crate) repeated: u64,
    /// Deliveries that don't show what their endpoint's option makes of them: no arrivals.
    pub(crate) unlike: u64,
    /// Connections on which a first delivery arrived, to endpoints with options.
    pub(crate) connections: u64,
    /// When the first arrived, by the receiver's clock.
    pub(crate) first_us: u64,
    /// When the last arrived that had not been there.
    pub(crate) last_us: u64,
    /// From sending to arriving, of first arrivals.
    pub(crate) latency: Option<Latency>,
    /// Whose clock that is.
    pub(crate) machine: Option<String>,
}

/// The book.
pub(crate) struct Book {
    expected: Expected,
    seen: Vec<bool>,
    /// Of those that can't be read: their endpoints and ids.
    ids: HashSet<(u64, String)>,
    latency: Histogram,
    counts: Arrivals,
}

impl Expected {
    /// Nothing.
    pub(crate) const NOTHING: Self = Self {
        run: u64::MAX,
        messages: 0,
        endpoints: 0,
    };

    /// How many deliveries that makes.
    pub(crate) fn deliveries(self) -> u64 {
        self.messages.saturating_mul(self.endpoints)
    }

    /// How many it makes where so many messages were refused.
    pub(crate) fn accepted(self, refused: u64) -> u64 {
        let messages = self.messages.saturating_sub(refused);
        messages.saturating_mul(self.endpoints)
    }
}

impl Book {
    /// An empty book for a run of no more than [`DELIVERIES_MAX`].
    pub(crate) fn new(expected: Expected, machine: Option<String>) -> Self {
        let deliveries = expected.deliveries().min(DELIVERIES_MAX);
        Self {
            expected,
            seen: vec![false; deliveries as usize],
            ids: HashSet::new(),
            latency: Histogram::default(),
            counts: Arrivals {
                arrived: 0,
                repeated: 0,
                unlike: 0,
                connections: 0,
                first_us: 0,
                last_us: 0,
                latency: None,
                machine,
            },
        }
    }

    /// Enters what arrived at an endpoint.
    pub(crate) fn enter(&mut self, endpoint: u64, mark: Option<Mark>, now_us: u64) {
        let Some((mark, seen)) = mark.and_then(|mark| Some((mark, self.place(endpoint, mark)?)))
        else {
            self.counts.repeated += 1;
            return;
        };
        if *seen {
            self.counts.repeated += 1;
            return;
        }
        *seen = true;
        self.count(now_us);
        self.latency.record(now_us.saturating_sub(mark.sent_us));
    }

    /// Enters what arrived at an endpoint and can't be read, by the id of its message. Which run it
    /// is of can't be told, nor how long it was on its way.
    pub(crate) fn enter_unread(&mut self, endpoint: u64, id: &str, now_us: u64) {
        let full = self.ids.len() as u64 >= self.expected.deliveries();
        if full
            || endpoint >= self.expected.endpoints
            || !self.ids.insert((endpoint, id.to_owned()))
        {
            self.counts.repeated += 1;
            return;
        }
        self.count(now_us);
    }

    /// Notes a delivery that is not what it has to be.
    pub(crate) fn refuse(&mut self) {
        self.counts.unlike += 1;
    }

    /// Notes a new connection.
    pub(crate) fn connected(&mut self) {
        self.counts.connections += 1;
    }

    fn count(&mut self, now_us: u64) {
        if self.counts.arrived == 0 {
            self.counts.first_us = now_us;
        }
        self.counts.arrived += 1;
        self.counts.last_us = now_us;
    }

    /// What arrived so far.
    pub(crate) fn arrivals(&self) -> Arrivals {
        Arrivals {
            latency: self.latency.latency(),
            ..self.counts.clone()
        }
    }

    /// Where it is noted; `None` for what is not of this run.
    fn place(&mut self, endpoint: u64, mark: Mark) -> Option<&mut bool> {
        let Expected {
            run,
            messages,
            endpoints,
        } = self.expected;
        if mark.run != run || mark.index >= messages || endpoint >= endpoints {
            return None;
        }
        let place = endpoint.checked_mul(messages)?.checked_add(mark.index)?;
        self.seen.get_mut(usize::try_from(place).ok()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mark(run: u64, index: u64) -> Option<Mark> {
        Some(Mark {
            run,
            index,
            sent_us: 1_000,
        })
    }

    fn book() -> Book {
        let expected = Expected {
            run: 1,
            messages: 2,
            endpoints: 2,
        };
        Book::new(expected, None)
    }

    #[test]
    fn each_delivery_counts_once_and_then_as_repeated() {
        let mut book = book();
        for (endpoint, index, now) in [(0, 0, 1_100), (1, 0, 1_200), (0, 0, 1_300), (1, 1, 1_400)] {
            book.enter(endpoint, mark(1, index), now);
        }
        let arrivals = book.arrivals();
        assert_eq!((arrivals.arrived, arrivals.repeated), (3, 1));
        assert_eq!((arrivals.first_us, arrivals.last_us), (1_100, 1_400));
        assert_eq!(arrivals.latency.map(|latency| latency.max), Some(0.4));
    }

    #[test]
    fn what_can_not_be_read_counts_once_by_its_id_and_no_more_than_were_sent() {
        let mut book = book();
        for (endpoint, id) in [(0, "a"), (0, "a"), (1, "a"), (2, "a"), (0, "b"), (1, "b")] {
            book.enter_unread(endpoint, id, 1_100);
        }
        book.enter_unread(0, "c", 1_200);
        let arrivals = book.arrivals();
        assert_eq!((arrivals.arrived, arrivals.repeated), (4, 3));
        assert_eq!((arrivals.latency, arrivals.last_us), (None, 1_100));
    }

    #[test]
    fn what_is_of_another_run_or_of_none_is_no_arrival() {
        let mut book = book();
        book.enter(0, mark(2, 0), 1_100);
        book.enter(0, mark(1, 2), 1_100);
        book.enter(2, mark(1, 0), 1_100);
        book.enter(0, None, 1_100);
        let arrivals = book.arrivals();
        assert_eq!((arrivals.arrived, arrivals.repeated), (0, 4));
        assert_eq!(arrivals.latency, None);
    }
}
