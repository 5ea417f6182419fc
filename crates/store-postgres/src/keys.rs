//! The keys of this node, and the border below which it commits none any more.
//!
//! A list that is read forwards must not pass a key that another commit is about to bring: whoever
//! reads so stops below the lowest floor of all nodes. Each writes its own down with every commit.

use model::Timestamp;
use model::id::{Key, KeySequence};
use std::sync::{Mutex, MutexGuard};

/// What comes after another row has a larger key than it, but for how far the clocks of two nodes
/// are apart: less than this, a day. Only for narrowing down where to look.
pub(crate) const KEYS_APART: i64 = 86_400 << 32;

/// The sequence of this node's slot.
pub(crate) struct Keys {
    state: Mutex<State>,
}

struct State {
    sequence: KeySequence,
    /// A transaction is under way whose keys are not below this.
    open_from: Option<i64>,
}

impl Keys {
    /// Goes on behind the last key of a slot.
    pub(crate) fn new(sequence: KeySequence) -> Self {
        Self {
            state: Mutex::new(State {
                sequence,
                open_from: None,
            }),
        }
    }

    /// Another slot's sequence from here on.
    pub(crate) fn replace(&self, sequence: KeySequence) {
        self.lock().sequence = sequence;
    }

    /// The next key.
    pub(crate) fn next<K>(&self, now: Timestamp) -> Key<K> {
        self.lock().sequence.next(now)
    }

    /// A transaction begins to take keys. One at a time.
    pub(crate) fn begin(&self, now: Timestamp) {
        let mut state = self.lock();
        state.open_from = Some(state.sequence.floor(now));
    }

    /// It has ended, and how is known: what it took is committed, or never will be.
    pub(crate) fn end(&self) {
        self.lock().open_from = None;
    }

    /// The floor that this node has once the transaction under way has ended.
    pub(crate) fn next_floor(&self, now: Timestamp) -> i64 {
        self.lock().sequence.floor(now)
    }

    /// No key below this is committed from now on.
    pub(crate) fn floor(&self, now: Timestamp) -> i64 {
        let mut state = self.lock();
        match state.open_from {
            Some(first) => first,
            None => state.sequence.floor(now),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state
            .lock()
            .expect("nothing panics while it holds this lock")
    }
}
