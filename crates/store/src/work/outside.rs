//! Work whose slices are done outside the store, by whoever has what they need: keys, the registry.
//! This says how it is taken, and how it moves on; not what is done.
//!
//! A slice is: take ([`crate::Store::take_work`]), do, and write what came of it
//! ([`crate::Store::advance_work`]), messages to accept with it. While one node has it, no other
//! takes it; when that node is gone, any does, where the last commit left it.

use crate::accept::{Accept, AcceptError, Accepted};
use crate::owned::WorkHold;
use crate::work::{WorkEnd, WorkRow};
use bytes::Bytes;
use model::id::{ApplicationKey, MessageKey};

/// What is done outside the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OutsideKind {
    /// One message to many applications.
    Broadcast,
    /// How many attempts applications had.
    ApplicationStats,
    /// Which event types applications ask for.
    EventTypeAggregate,
    /// A document of all event types.
    EventTypeExport,
    /// Finds messages by what is in them, and removes their contents.
    Erasure,
}

/// Work that is done outside the store.
#[derive(Clone, PartialEq, Eq)]
pub struct OutsideWork {
    /// What is done.
    pub kind: OutsideKind,
    /// What belongs to it, in a form that only whoever does it knows. Where it carries content or
    /// secrets, it is sealed: table `task`, column `arguments`. It is emptied when the work ends.
    pub arguments: Bytes,
}

/// What it holds may be content.
impl std::fmt::Debug for OutsideWork {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OutsideWork")
            .field("kind", &self.kind)
            .field("arguments", &format_args!("{} bytes", self.arguments.len()))
            .finish()
    }
}

/// Work that this node has taken for one slice. Dropped without a step, it is there to be taken
/// again as it was.
#[derive(Debug)]
pub struct TakenWork {
    /// As it stands.
    pub row: WorkRow,
    /// Where the slice begins. 0 at first; what it means is for whoever does it to say.
    pub cursor: i64,
    /// Keeps others off it.
    pub hold: WorkHold,
}

/// What one slice did, to be written in one commit.
#[derive(Debug, Default)]
pub struct WorkStep {
    /// Where the next slice begins. It has to be another position, unless the work ends with this
    /// step: that is how a step is known that was written already.
    pub cursor: i64,
    /// How many rows were done by it.
    pub done: u64,
    /// What has come of the work, as JSON text, in the place of what was there; `None`: it stays.
    pub data: Option<String>,
    /// The work has come to its end.
    pub end: Option<WorkEnd>,
    /// Messages that are accepted in the same commit. They need no idempotency keys, since a step
    /// is written once or not at all.
    pub messages: Vec<Accept>,
    /// Messages whose contents go for good in the same commit, those of an application next to each
    /// other: their payloads, as [`crate::change::Change::ExpungePayloads`] removes them, and what
    /// was answered to their attempts. Also in an application that is deleted.
    pub erased: Vec<(ApplicationKey, MessageKey)>,
}

impl WorkStep {
    /// About how many bytes it holds in memory, for bounding what waits.
    pub fn bytes(&self) -> usize {
        let messages: usize = self.messages.iter().map(Accept::bytes).sum();
        1_024 + messages + 512 * self.erased.len() + self.data.as_ref().map_or(0, String::len)
    }
}

/// What came of a step.
#[derive(Debug)]
pub enum Advanced {
    /// It is on disk, and this came of its messages, in their order. One that was refused is left
    /// out: the work has moved on behind it.
    Moved(Vec<Result<Accepted, AcceptError>>),
    /// A message's registry revision is not its application's current one: nothing was written. Do
    /// the slice again.
    Stale,
    /// The work is not where this slice began, or somebody else's: nothing was written.
    Lost,
}
