//! Finds what was tampered with. It is shown a log piece by piece in the order of the chain, each
//! checkpoint behind the entry that it ends with, and remembers only where it is.

use super::chain::{checkpoint_bytes, genesis, is_signed, link, start_bytes};
use std::collections::BTreeMap;
use std::fmt;
use store::audit::{AuditStart, Checkpoint, Hash, KeptEntry, SignedCheckpoint};

/// So many findings are told; that there are more is said.
const FINDINGS_MAX: usize = 100;

/// Something that is not as it was sealed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    /// The entry at a position is another one than was sealed there.
    Changed(u64, String),
    /// A column beside an entry's text says something else than the text.
    Contradicted(String, &'static str),
    /// Entries from a position to another are gone.
    Missing(u64, u64),
    /// An entry stands where the chain has no place for it.
    Inserted(String),
    /// So many entries are in none of the lists that the log is read by.
    Hidden(u64),
    /// The entries from a position to another are not those that the checkpoint at the second
    /// seals.
    Rewritten(u64, u64),
    /// No checkpoint is over the entries from a position to another.
    Unsigned(u64, u64),
    /// The checkpoint at a position is not signed with the log's key.
    Forged(u64),
    /// Checkpoints between two positions are gone.
    CheckpointsMissing(u64, u64),
    /// The log's start, at a position, is not signed with its key.
    StartForged(u64),
    /// The log began at the second position once, and is said to begin at the first.
    StartMoved(u64, u64),
    /// The checkpoint from outside, at a position, is not signed with the log's key.
    OutsideForged(u64),
    /// The checkpoint from outside, at a position, has seen another log up to there.
    OutsideContradicted(u64),
    /// The log ends at the first position, and a checkpoint from outside has seen it at the second.
    Cut(u64, u64),
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Changed(position, id) => write!(
                f,
                "entry {id} at position {position} is not what was sealed there: it was changed, or \
                 put in another's place"
            ),
            Self::Contradicted(id, column) => write!(
                f,
                "the column `{column}` of entry {id} says something else than the entry itself"
            ),
            Self::Missing(from, to) if from == to => {
                write!(f, "the entry at position {from} was removed")
            }
            Self::Missing(from, to) => {
                write!(f, "the entries at positions {from} to {to} were removed")
            }
            Self::Inserted(id) => write!(
                f,
                "entry {id} stands where the chain has no place for it: it was inserted, or moved"
            ),
            Self::Hidden(count) => write!(
                f,
                "{count} entries are there that the log can't be read by: they were inserted"
            ),
            Self::Rewritten(from, to) => write!(
                f,
                "the entries at positions {from} to {to} are not those that the checkpoint at {to} \
                 was signed over: one or more of them were changed, with all hashes behind it"
            ),
            Self::Unsigned(from, to) => write!(
                f,
                "no checkpoint is over the entries at positions {from} to {to}: they were inserted, \
                 or the checkpoint was removed"
            ),
            Self::Forged(position) => write!(
                f,
                "the checkpoint at position {position} is not signed with the log's key: it was \
                 changed"
            ),
            Self::CheckpointsMissing(from, to) => write!(
                f,
                "checkpoints between positions {from} and {to} were removed or changed"
            ),
            Self::StartForged(position) => write!(
                f,
                "the start at position {position} is not signed with the log's key: it was changed"
            ),
            Self::StartMoved(now, once) => write!(
                f,
                "the log began at position {once} once, and is said to begin at {now} now: its \
                 start was changed or removed"
            ),
            Self::OutsideForged(position) => write!(
                f,
                "the given checkpoint at position {position} is not signed with the log's key: it \
                 was changed, or is of another log, or the log's key was replaced"
            ),
            Self::OutsideContradicted(position) => write!(
                f,
                "the given checkpoint at position {position} was signed over other entries than the \
                 log has up to there: it was rewritten"
            ),
            Self::Cut(head, once) => write!(
                f,
                "the log ends at position {head}, and the given checkpoint has seen it at {once}: \
                 its tail was cut, or an older state was put in its place"
            ),
        }
    }
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// What is not as it was sealed, in the order in which it was come upon.
    pub findings: Vec<Finding>,
    /// Whether there is more than that.
    pub more: bool,
    /// The position of the first entry.
    pub first: u64,
    /// The position of the last one that is under a checkpoint; one less than the first: none is.
    pub head: u64,
    /// How many checkpoints there are.
    pub checkpoints: u64,
    /// How many entries wait to be sealed.
    pub waiting: u64,
    /// The position up to which a checkpoint from outside shows that the log is what it was then.
    pub confirmed: Option<u64>,
    /// How many checkpoints from outside are of before the log's start, and show nothing any more.
    pub too_old: usize,
}

/// Verifies one log.
pub struct Verifier {
    public_key: [u8; 32],
    first: u64,
    start: Option<AuditStart>,
    /// The last position that was seen, and its hash.
    last: (u64, Hash),
    /// The position of the last checkpoint.
    sealed: u64,
    /// What was seen from outside and is still to come.
    outside: BTreeMap<u64, Vec<Hash>>,
    confirmed: Option<u64>,
    too_old: usize,
    seen: u64,
    waiting: u64,
    checkpoints: u64,
    findings: Vec<Finding>,
    more: bool,
}

impl Verifier {
    /// Of the log that this key signs, from its start; `outside` is what is known of it from
    /// elsewhere.
    pub fn new(
        public_key: [u8; 32],
        start: Option<AuditStart>,
        outside: &[SignedCheckpoint],
    ) -> Self {
        let first = start.map_or(1, |start| start.position.max(1));
        let before = start.map_or_else(|| genesis(&public_key), |start| start.before);
        let mut verifier = Self {
            public_key,
            first,
            start,
            last: (first - 1, before),
            sealed: first - 1,
            outside: BTreeMap::new(),
            confirmed: None,
            too_old: 0,
            seen: 0,
            waiting: 0,
            checkpoints: 0,
            findings: Vec::new(),
            more: false,
        };
        if let Some(start) = &start
            && !is_signed(&public_key, &start_bytes(start), &start.signature)
        {
            verifier.finds(Finding::StartForged(start.position));
        }
        outside.iter().for_each(|one| verifier.take_outside(one));
        verifier.compare_outside();
        verifier
    }

    fn take_outside(&mut self, signed: &SignedCheckpoint) {
        let checkpoint = &signed.checkpoint;
        if signed.public_key != self.public_key || !self.is_genuine(checkpoint) {
            self.finds(Finding::OutsideForged(checkpoint.position));
            return;
        }
        if checkpoint.start > self.first {
            self.finds(Finding::StartMoved(self.first, checkpoint.start));
        }
        if checkpoint.position.saturating_add(1) < self.first {
            self.too_old += 1;
            return;
        }
        let seen = self.outside.entry(checkpoint.position).or_default();
        seen.push(checkpoint.hash);
    }

    /// The next entry of the chain.
    pub fn entry(&mut self, entry: &KeptEntry) {
        self.seen += 1;
        let id = || entry.id.to_string();
        if let Some(column) = entry.contradiction() {
            self.finds(Finding::Contradicted(id(), column));
        }
        let Some(kept) = entry.link.filter(|kept| kept.position > self.last.0) else {
            self.finds(Finding::Inserted(id()));
            return;
        };
        let expected = self.last.0 + 1;
        if kept.position > expected {
            self.finds(Finding::Missing(expected, kept.position - 1));
        } else if link(&self.last.1, kept.position, &entry.text) != kept.hash {
            self.finds(Finding::Changed(kept.position, id()));
        }
        // What follows is judged by what is kept, so that only what was changed is told of.
        self.last = (kept.position, kept.hash);
        self.compare_outside();
    }

    /// The next checkpoint.
    pub fn checkpoint(&mut self, checkpoint: &Checkpoint) {
        self.checkpoints += 1;
        let position = checkpoint.position;
        if !self.is_genuine(checkpoint) {
            self.finds(Finding::Forged(position));
            self.sealed = self.sealed.max(position);
            return;
        }
        if checkpoint.start > self.first {
            self.finds(Finding::StartMoved(self.first, checkpoint.start));
        }
        if position < self.first {
            // The latest is kept though all of its entries have reached their age.
            let at_start = self
                .start
                .is_some_and(|start| start.before == checkpoint.hash);
            if position + 1 != self.first || !at_start {
                self.finds(Finding::StartMoved(self.first, position + 1));
            }
            return;
        }
        if checkpoint.previous() != self.sealed {
            self.finds(Finding::CheckpointsMissing(self.sealed, position));
        }
        if position > self.last.0 {
            self.finds(Finding::Missing(self.last.0 + 1, position));
            self.last = (position, checkpoint.hash);
            self.compare_outside();
        } else if position == self.last.0 && checkpoint.hash != self.last.1 {
            self.finds(Finding::Rewritten(self.sealed + 1, position));
        }
        self.sealed = position;
    }

    /// An entry that is not sealed yet.
    pub fn waiting(&mut self, entry: &KeptEntry) {
        self.seen += 1;
        self.waiting += 1;
        if let Some(column) = entry.contradiction() {
            self.finds(Finding::Contradicted(entry.id.to_string(), column));
        }
        if entry.link.is_some() {
            self.finds(Finding::Inserted(entry.id.to_string()));
        }
    }

    /// That was all; `count` entries are there in all.
    pub fn finish(mut self, count: u64) -> Report {
        if self.last.0 > self.sealed {
            self.finds(Finding::Unsigned(self.sealed + 1, self.last.0));
        }
        if count != self.seen {
            self.finds(Finding::Hidden(count.abs_diff(self.seen)));
        }
        if let Some(once) = self.outside.keys().last().copied()
            && once > self.last.0
        {
            self.finds(Finding::Cut(self.last.0, once));
        }
        Report {
            findings: self.findings,
            more: self.more,
            first: self.first,
            head: self.sealed,
            checkpoints: self.checkpoints,
            waiting: self.waiting,
            confirmed: self.confirmed,
            too_old: self.too_old,
        }
    }

    /// What was seen from outside of the position that was come to.
    fn compare_outside(&mut self) {
        let (position, hash) = self.last;
        let Some(seen) = self.outside.remove(&position) else {
            return;
        };
        if seen.iter().all(|one| *one == hash) {
            self.confirmed = Some(position);
        } else {
            self.finds(Finding::OutsideContradicted(position));
        }
    }

    fn is_genuine(&self, checkpoint: &Checkpoint) -> bool {
        let bytes = checkpoint_bytes(checkpoint);
        is_signed(&self.public_key, &bytes, &checkpoint.signature)
    }

    fn finds(&mut self, finding: Finding) {
        // Every later checkpoint says it again.
        let moved = |one: &Finding| matches!(one, Finding::StartMoved(..));
        if moved(&finding) && self.findings.iter().any(moved) {
            return;
        }
        if self.findings.len() < FINDINGS_MAX {
            self.findings.push(finding);
        } else {
            self.more = true;
        }
    }
}
