//! Appends what was written to the chain, and cuts off its old end. It keeps nothing in memory:
//! each time, it goes on from what the store has. So any node may do it, and when two do at once,
//! the store lets one of them win.

use super::chain::{checkpoint_bytes, genesis, link, start_bytes};
use model::{Clock, Timestamp};
use std::sync::Arc;
use store::audit::{
    AuditChange, AuditEnds, AuditSeal, AuditStart, Checkpoint, Hash, Signature, SignedCheckpoint,
};
use store::change::{Change, ChangeError, ChangeRequest};
use store::{Store, StoreError};

/// The most entries under one checkpoint, and in one commit.
pub(super) const ENTRIES_MAX: usize = 1_000;
/// The most checkpoints that are looked at, and go, at once.
const CUT_MAX: usize = 100;

/// What signs checkpoints. The private key is nothing that this room sees.
pub trait SigningKey: Send + Sync {
    /// What its signatures are verified with.
    fn public_key(&self) -> [u8; 32];

    /// Its signature over these bytes.
    fn sign(&self, bytes: &[u8]) -> Signature;
}

/// Why nothing was sealed. All of it is tried again.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// It refused what was right by what it said before.
    #[error("the store refused to seal audit entries")]
    Refused(#[source] ChangeError),
}

/// Seals.
pub struct Sealer {
    store: Arc<dyn Store>,
    key: Box<dyn SigningKey>,
    clock: Arc<dyn Clock>,
}

impl Sealer {
    /// Of this store's log.
    pub fn new(store: Arc<dyn Store>, key: Box<dyn SigningKey>, clock: Arc<dyn Clock>) -> Self {
        Self { store, key, clock }
    }

    /// Chains the next entries under one checkpoint; `None`: there are none, or somebody else did.
    ///
    /// # Errors
    /// Of the store.
    pub async fn seal(&self) -> Result<Option<SignedCheckpoint>, SealError> {
        let waiting = self.store.audit_unsealed(ENTRIES_MAX).await?;
        if waiting.is_empty() {
            return Ok(None);
        }
        let public_key = self.key.public_key();
        let ends = self.store.audit_ends().await?;
        let (head, mut hash) = head(&ends, &public_key);
        let mut entries = Vec::with_capacity(waiting.len());
        for (position, entry) in (head + 1..).zip(&waiting) {
            hash = link(&hash, position, &entry.text);
            entries.push((entry.id.key(), hash));
        }
        let count = entries.len() as u64;
        let checkpoint = self.signed(Checkpoint {
            position: head + count,
            hash,
            count,
            start: ends.first(),
            at: self.clock.now(),
            signature: [0; 64],
        });
        let seal = Change::Audit(AuditChange::Seal(AuditSeal {
            entries,
            checkpoint,
        }));
        let signed = SignedCheckpoint {
            checkpoint,
            public_key,
        };
        Ok(self.does(seal).await?.then_some(signed))
    }

    /// Takes in what commands left beside the log, so that it is sealed with the rest.
    ///
    /// # Errors
    /// Of the store.
    pub async fn take_in(&self) -> Result<(), SealError> {
        if self.store.audit_left().await? > 0 {
            self.does(Change::Audit(AuditChange::TakeIn)).await?;
        }
        Ok(())
    }

    /// Takes away some of the entries that were sealed before this time, from the oldest on. False:
    /// there are none.
    ///
    /// # Errors
    /// Of the store.
    pub async fn cut(&self, sealed_before: Timestamp) -> Result<bool, SealError> {
        let ends = self.store.audit_ends().await?;
        let last = ends.first().saturating_sub(1);
        let checkpoints = self.store.audit_checkpoints(last, CUT_MAX).await?;
        let old = checkpoints
            .into_iter()
            .take_while(|one| one.at < sealed_before && one.position <= last + CUT_ENTRIES)
            .last();
        let Some(end) = old else {
            return Ok(false);
        };
        let mut start = AuditStart {
            position: end.position + 1,
            before: end.hash,
            at: self.clock.now(),
            signature: [0; 64],
        };
        start.signature = self.key.sign(&start_bytes(&start));
        self.does(Change::Audit(AuditChange::Cut(start))).await
    }

    fn signed(&self, checkpoint: Checkpoint) -> Checkpoint {
        Checkpoint {
            signature: self.key.sign(&checkpoint_bytes(&checkpoint)),
            ..checkpoint
        }
    }

    /// False: somebody else was faster.
    async fn does(&self, change: Change) -> Result<bool, SealError> {
        let request = ChangeRequest {
            change,
            idempotency: None,
            audit: None,
        };
        match self.store.change(request).await {
            Ok(_) => Ok(true),
            Err(ChangeError::Stale) => Ok(false),
            Err(ChangeError::Store(error)) => Err(error.into()),
            Err(refused) => Err(SealError::Refused(refused)),
        }
    }
}

/// So many entries go at once: some checkpoints' at least.
const CUT_ENTRIES: u64 = 4 * ENTRIES_MAX as u64;

/// Where the chain goes on.
fn head(ends: &AuditEnds, public_key: &[u8; 32]) -> (u64, Hash) {
    match (&ends.checkpoint, &ends.start) {
        (Some(checkpoint), _) => (checkpoint.position, checkpoint.hash),
        (None, Some(start)) => (start.position.saturating_sub(1), start.before),
        (None, None) => (0, genesis(public_key)),
    }
}
