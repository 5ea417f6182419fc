//! A guard for one process, in memory: what it remembers ends with the process, and replays of
//! what came before are kept out by the signed time alone from then on.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::{Guard, GuardError, Key, Reserve, Ticket};

/// Remembers a bounded number of keys, each of them for about 200 bytes, until their time is over.
/// At its bound it takes nothing new, since forgetting a key early would let a replay in: give it
/// room for all that a source sends within the time that it has to remember. Whoever can't sign
/// can't fill it.
pub struct InMemory {
    entries_max: usize,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    entries: HashMap<Key, Entry>,
    /// The same keys by when they are forgotten.
    ends: BTreeSet<(i64, Key)>,
    tickets: u64,
}

struct Entry {
    until: i64,
    /// Nothing once it is confirmed.
    ticket: Option<Ticket>,
}

impl InMemory {
    /// A guard that remembers at most so many keys.
    pub fn new(entries_max: usize) -> Self {
        Self {
            entries_max,
            state: Mutex::default(),
        }
    }

    /// How many keys are remembered, those among them whose time was over since the last one was
    /// reserved.
    pub fn len(&self) -> usize {
        self.lock().entries.len()
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing under the lock panics halfway through a change.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Guard for InMemory {
    fn reserve(&self, key: &Key, now: i64, until: i64) -> Result<Reserve, GuardError> {
        let mut state = self.lock();
        state.forget_before(now);
        if let Some(entry) = state.entries.get(key) {
            return Ok(match entry.ticket {
                Some(_) => Reserve::InProgress,
                None => Reserve::Seen,
            });
        }
        let entries_max = self.entries_max;
        if state.entries.len() >= entries_max {
            return Err(GuardError::Full { entries_max });
        }
        Ok(Reserve::Reserved(state.insert(*key, until)))
    }

    fn confirm(&self, key: &Key, ticket: Ticket) -> Result<(), GuardError> {
        let mut state = self.lock();
        let entry = state.entries.get_mut(key);
        let entry = entry.filter(|entry| entry.ticket == Some(ticket));
        entry.ok_or(GuardError::Over)?.ticket = None;
        Ok(())
    }

    fn release(&self, key: &Key, ticket: Ticket) {
        let mut state = self.lock();
        let entry = state.entries.get(key);
        if let Some(entry) = entry.filter(|entry| entry.ticket == Some(ticket)) {
            let end = (entry.until, *key);
            state.ends.remove(&end);
            state.entries.remove(key);
        }
    }
}

impl State {
    fn forget_before(&mut self, now: i64) {
        while let Some(&(until, key)) = self.ends.first() {
            if until >= now {
                return;
            }
            self.ends.pop_first();
            self.entries.remove(&key);
        }
    }

    fn insert(&mut self, key: Key, until: i64) -> Ticket {
        self.tickets += 1;
        let ticket = Ticket(self.tickets);
        let entry = Entry {
            until,
            ticket: Some(ticket),
        };
        self.entries.insert(key, entry);
        self.ends.insert((until, key));
        ticket
    }
}
