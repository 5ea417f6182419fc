//! Every message, from the time when it was to be sent to its arrivals: what is missing, what came
//! twice, what came late.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

/// A message that has not arrived so long after it was to be sent is late.
pub const LATE: Duration = Duration::from_secs(3);

/// One message.
#[derive(Clone, Debug)]
pub struct Entry {
    /// When it was to be sent.
    pub due: Instant,
    /// Its id, once it was answered with `202`.
    pub accepted: Option<String>,
    /// When it arrived and was answered with 200, under which id.
    pub arrivals: Vec<(Instant, String)>,
}

/// All messages by the number in their payload.
pub struct Ledger {
    entries: Mutex<Vec<Entry>>,
    /// How many arrived.
    pub arrived: watch::Sender<u64>,
}

impl Default for Ledger {
    fn default() -> Self {
        Self {
            entries: Mutex::default(),
            arrived: watch::Sender::new(0),
        }
    }
}

impl Ledger {
    /// A message that is to be sent now; gives its number.
    pub fn open(&self) -> usize {
        self.change(|entries| {
            entries.push(Entry {
                due: Instant::now(),
                accepted: None,
                arrivals: Vec::new(),
            });
            entries.len() - 1
        })
    }

    /// It was answered with `202`.
    pub fn accept(&self, number: usize, id: String) {
        self.change(|entries| entries[number].accepted = Some(id));
    }

    /// It arrived.
    pub fn arrive(&self, number: usize, id: &str) {
        let arrival = (Instant::now(), id.to_owned());
        self.change(|entries| entries[number].arrivals.push(arrival));
        self.arrived.send_modify(|arrived| *arrived += 1);
    }

    /// How many are late at this moment.
    pub fn late(&self) -> usize {
        let now = Instant::now();
        self.change(|entries| {
            let late = |entry: &&Entry| entry.arrivals.is_empty() && now > entry.due + LATE;
            entries.iter().filter(late).count()
        })
    }

    /// The ids of those that were answered with `202` by now, by number.
    pub fn accepted(&self) -> BTreeMap<usize, String> {
        self.change(|entries| {
            let each = entries.iter().enumerate();
            each.filter_map(|(number, entry)| Some((number, entry.accepted.clone()?)))
                .collect()
        })
    }

    /// How many were accepted and have not arrived.
    pub fn missing(&self) -> usize {
        let missing = |entry: &&Entry| entry.accepted.is_some() && entry.arrivals.is_empty();
        self.change(|entries| entries.iter().filter(missing).count())
    }

    /// How long after this moment the last message arrived that was late.
    pub fn on_time_after(&self, moment: Instant) -> Duration {
        let late = |entry: &Entry| {
            let (arrived, _) = entry.arrivals.first()?;
            (*arrived > entry.due + LATE).then_some(*arrived)
        };
        let last = self.change(|entries| entries.iter().filter_map(late).max());
        last.map_or(Duration::ZERO, |last| {
            last.saturating_duration_since(moment)
        })
    }

    /// All of them.
    pub fn entries(&self) -> Vec<Entry> {
        self.change(|entries| entries.clone())
    }

    fn change<T>(&self, change: impl FnOnce(&mut Vec<Entry>) -> T) -> T {
        change(&mut self.entries.lock().expect("nobody panics with it"))
    }
}
