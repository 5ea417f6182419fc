//! The audit log as it is kept: what an entry says, how it is chained to the one before, and the
//! signed checkpoints over the chain. Hashing, signing and verifying are others'.
//!
//! An entry is one text, written once: it is what is hashed, exported and read back. The columns
//! beside it are there to search by, and whoever verifies compares them with it. An entry gets its
//! position a moment after its commit, when it is sealed, so that changes need not wait for each
//! other.
//!
//! A command that changes a store beside the servers leaves its entry beside the log, in the commit
//! of the change: only who has the store open gives out keys. A server takes it in, under a key of
//! its own.

mod line;
mod text;

pub use line::{SignedCheckpoint, from_hex, hex};

use crate::StoreError;
use crate::access::AccessChanged;
use crate::change::Changed;
use crate::query::Window;
use async_trait::async_trait;
use model::Timestamp;
use model::audit::{Actor, AuditAction, AuditDraft, AuditSubject};
use model::id::{ApplicationId, ApplicationKey, AuditId, AuditKey, AuditKind, Key, Tail};
use model::security::{Subject, SubjectKind};

/// Of an entry, and of all that came before it.
pub type Hash = [u8; 32];

/// A signature by the installation's audit key.
pub type Signature = [u8; 64];

/// Under this name the store keeps that key, sealed.
pub const AUDIT_SIGNING_KEY: &str = "audit_signing_key";

/// Who did what, when, from where, to what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEntry {
    /// Its id.
    pub id: AuditId,
    /// When.
    pub at: Timestamp,
    /// Who.
    pub actor: Actor,
    /// What was done.
    pub action: AuditAction,
    /// To what.
    pub subject: Subject,
    /// The application that it concerns, where it concerns one.
    pub application: Option<ApplicationId>,
    /// What else is worth knowing.
    pub detail: String,
}

impl AuditEntry {
    /// What a draft becomes with what its change made. `application` is the whole id of the one
    /// that the draft names.
    pub fn new(
        id: AuditId,
        draft: &AuditDraft,
        changed: &Changed,
        application: Option<ApplicationId>,
    ) -> Self {
        Self {
            id,
            at: draft.at,
            actor: draft.actor.clone(),
            action: draft.action,
            subject: subject(&draft.subject, changed),
            application: application.or_else(|| made_application(&draft.subject, changed)),
            detail: draft.detail.clone(),
        }
    }

    /// What a command leaves that works beside the servers. The key is none: the log gives it
    /// another when it takes the entry in. The tail stays.
    pub fn left(tail: Tail, draft: &AuditDraft) -> Self {
        Self::new(AuditId::new(Key::MIN, tail), draft, &Changed::Kept, None)
    }

    /// As it is kept before it is sealed.
    pub fn kept(&self) -> KeptEntry {
        KeptEntry {
            id: self.id,
            text: self.text(),
            listed: self.listed(),
            link: None,
        }
    }

    /// What lists find it by.
    pub fn listed(&self) -> Listed {
        Listed {
            application: self.application.map_or(Key::MIN, ApplicationId::key),
            action: self.action.as_str().to_owned(),
            actor: self.actor.subject.clone(),
            subject: self.subject.id.clone(),
        }
    }
}

fn subject(of: &AuditSubject, changed: &Changed) -> Subject {
    match of {
        AuditSubject::Known(subject) => subject.clone(),
        AuditSubject::Made(kind) => Subject::new(*kind, made_id(changed)),
    }
}

/// The public id of what a change made, or its name where it has none; `*`: it made nothing.
fn made_id(changed: &Changed) -> String {
    match changed {
        Changed::Application(row) => row.application.id.to_string(),
        Changed::Endpoint(row) => row.endpoint.id.to_string(),
        Changed::EventType(event_type) => event_type.name.as_str().to_owned(),
        Changed::Work(id, _) => id.to_string(),
        Changed::Access(AccessChanged::ApiKey(row)) => row.key.id.to_string(),
        Changed::Access(AccessChanged::Source(row)) => row.source.id.to_string(),
        _ => "*".to_owned(),
    }
}

/// An application that is made concerns itself.
fn made_application(of: &AuditSubject, changed: &Changed) -> Option<ApplicationId> {
    match (of, changed) {
        (AuditSubject::Made(SubjectKind::Application), Changed::Application(row)) => {
            Some(row.application.id)
        }
        _ => None,
    }
}

/// What stands beside an entry's text, to search by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// The application's key; [`Key::MIN`]: it concerns none.
    pub application: ApplicationKey,
    /// What was done, by its name.
    pub action: String,
    /// Whom the actor's token speaks for.
    pub actor: String,
    /// The id of what it was done to, or its name where it has none.
    pub subject: String,
}

/// Where a sealed entry is in the chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Link {
    /// The first entry ever has 1.
    pub position: u64,
    /// Of it and all before it.
    pub hash: Hash,
}

/// An entry as it is kept, read by nobody yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptEntry {
    /// The row's id.
    pub id: AuditId,
    /// The entry.
    pub text: String,
    /// What stands beside it.
    pub listed: Listed,
    /// Where it is in the chain; `None`: it is not sealed yet.
    pub link: Option<Link>,
}

/// An entry as lists show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditRow {
    /// What it says.
    pub entry: AuditEntry,
    /// Its place in the chain; `None`: it is not sealed yet.
    pub link: Option<Link>,
}

/// A list of entries.
#[derive(Debug, Clone)]
pub struct AuditQuery {
    /// Which part, by when they were written.
    pub window: Window<AuditKind>,
    /// That concern this application.
    pub application: Option<ApplicationKey>,
    /// Of what was done: one of these. Empty: anything.
    pub actions: Vec<AuditAction>,
    /// Of what was done by this actor, by the subject of its token.
    pub actor: Option<String>,
    /// Of what was done to this.
    pub subject: Option<Subject>,
}

impl AuditQuery {
    /// A row as lists show it, if it passes, whatever application it concerns and whoever did it.
    pub fn row(&self, kept: &KeptEntry) -> Option<AuditRow> {
        let is_it = |action: &AuditAction| action.as_str() == kept.listed.action;
        if !self.actions.is_empty() && !self.actions.iter().any(is_it) {
            return None;
        }
        let entry = AuditEntry::read(&kept.text)?;
        // The column has no kind: a name may be of one of several.
        let subject = self.subject.as_ref();
        subject
            .is_none_or(|subject| *subject == entry.subject)
            .then_some(AuditRow {
                entry,
                link: kept.link,
            })
    }
}

/// A signed head of the chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Checkpoint {
    /// Of the last entry that it seals.
    pub position: u64,
    /// Of that entry.
    pub hash: Hash,
    /// How many entries it seals that the one before did not.
    pub count: u64,
    /// The position of the first entry that the log still held then.
    pub start: u64,
    /// When it was signed.
    pub at: Timestamp,
    /// Over all of this.
    pub signature: Signature,
}

impl Checkpoint {
    /// The position of the checkpoint before; 0: there was none.
    pub fn previous(&self) -> u64 {
        self.position.saturating_sub(self.count)
    }
}

/// Where the log begins since entries that had reached their age were taken away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AuditStart {
    /// Of the first entry that is left, or that is to come.
    pub position: u64,
    /// Of the last entry that was taken away.
    pub before: Hash,
    /// When it was signed.
    pub at: Timestamp,
    /// Over all of this.
    pub signature: Signature,
}

/// Both ends of the chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct AuditEnds {
    /// `None`: nothing was ever taken away, and it begins with position 1.
    pub start: Option<AuditStart>,
    /// The latest checkpoint; `None`: nothing was ever sealed.
    pub checkpoint: Option<Checkpoint>,
}

impl AuditEnds {
    /// The position of the last entry that was sealed; 0: none was.
    pub fn head(&self) -> u64 {
        self.checkpoint.map_or(0, |checkpoint| checkpoint.position)
    }

    /// The position of the first entry that is kept, or would be.
    pub fn first(&self) -> u64 {
        self.start.map_or(1, |start| start.position)
    }
}

/// Entries that are chained to those before, with the checkpoint over them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditSeal {
    /// Which, in their order, and their hashes: the first gets the position behind
    /// [`Checkpoint::previous`].
    pub entries: Vec<(AuditKey, Hash)>,
    /// The checkpoint. It names the head that it goes on from.
    pub checkpoint: Checkpoint,
}

/// What is done to the chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AuditChange {
    /// Chains entries to those before. Refused with [`Stale`](crate::change::ChangeError::Stale)
    /// where another checkpoint is the latest by now than the one that this goes on from, or one of
    /// the entries is not there to be sealed. So of several that seal, one wins, and none leads.
    Seal(AuditSeal),
    /// Takes away the sealed entries before this start, and the checkpoints over them but for the
    /// latest. Refused in the same way where that start is not behind the one that is there, or no
    /// checkpoint ends right before it.
    Cut(AuditStart),
    /// Moves what commands left beside the log into it, a bounded number of entries at once: each
    /// gets a key, and waits to be sealed as others do. Of several that do it at once, one takes
    /// in each.
    TakeIn,
}

/// Shows the log as it is, time and again, beside whoever writes it.
#[async_trait]
pub trait AuditStates: Send {
    /// As it is now.
    async fn now(&mut self) -> Result<Box<dyn AuditLog + '_>, StoreError>;
}

/// Reads the log from one state of the store, which is held until [`AuditLog::end`].
#[async_trait]
pub trait AuditLog: Send {
    /// Holds nothing of the store any more. Also what is dropped doesn't in the end, but the
    /// database may hear of that later.
    async fn end(self: Box<Self>) -> Result<(), StoreError>;

    /// A setting, such as [`AUDIT_SIGNING_KEY`].
    async fn setting(&mut self, name: &str) -> Result<Option<Vec<u8>>, StoreError>;

    /// Both ends.
    async fn ends(&mut self) -> Result<AuditEnds, StoreError>;

    /// Sealed entries behind a position, in the order of the chain.
    async fn sealed(&mut self, after: u64, limit: usize) -> Result<Vec<KeptEntry>, StoreError>;

    /// How many entries there are, wherever they stand.
    async fn count(&mut self) -> Result<u64, StoreError>;

    /// How many entries commands left beside the log, which no server has taken in yet.
    async fn left(&mut self) -> Result<u64, StoreError>;

    /// Entries that stand nowhere in the chain up to this position, by ascending key behind one:
    /// those that are not sealed yet, or were later. All are looked at.
    async fn outside(
        &mut self,
        head: u64,
        after: AuditKey,
        limit: usize,
    ) -> Result<Vec<KeptEntry>, StoreError>;

    /// Checkpoints behind a position, in the order of the chain.
    async fn checkpoints(
        &mut self,
        after: u64,
        limit: usize,
    ) -> Result<Vec<Checkpoint>, StoreError>;
}

#[cfg(test)]
mod tests;
