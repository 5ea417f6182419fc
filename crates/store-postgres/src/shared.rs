//! What the store's handle and its loops share.

use crate::OpenError;
use crate::config::PostgresConfig;
use crate::failure::Failure;
use crate::keys::Keys;
use crate::node::Membership;
use crate::partitions::{Partition, Partitions};
use crate::pools::Pools;
use model::{Clock, Entropy};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use store::Condition;
use store::owned::Owned;
use tokio::sync::{Semaphore, watch};

/// See the file's head.
pub(crate) struct Shared {
    pub(crate) pools: Pools,
    pub(crate) config: PostgresConfig,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) entropy: Arc<dyn Entropy>,
    /// What this node holds, under the lease that it has now.
    pub(crate) owned: Mutex<Arc<Owned>>,
    pub(crate) membership: Mutex<Membership>,
    pub(crate) keys: Keys,
    pub(crate) partitions: Partitions,
    pub(crate) condition: watch::Sender<Condition>,
    /// Room for requests that wait, in KiB.
    pub(crate) room: Arc<Semaphore>,
    pub(crate) closing: watch::Sender<bool>,
}

impl Shared {
    /// This node's lease.
    pub(crate) fn membership(&self) -> Membership {
        *self
            .membership
            .lock()
            .expect("nothing panics while it holds this lock")
    }

    /// What it holds.
    pub(crate) fn owned(&self) -> Arc<Owned> {
        self.owned
            .lock()
            .expect("nothing panics while it holds this lock")
            .clone()
    }

    /// Another lease: holds of the one before are worth nothing.
    pub(crate) fn rejoined(&self, membership: Membership) {
        *self
            .membership
            .lock()
            .expect("nothing panics while it holds this lock") = membership;
        *self
            .owned
            .lock()
            .expect("nothing panics while it holds this lock") = Arc::default();
    }

    /// Tells whether commits succeed.
    pub(crate) fn tell(&self, condition: Condition) {
        self.condition.send_if_modified(|told| {
            let changed = *told != condition;
            *told = condition;
            changed
        });
    }

    /// Makes partitions that are not known to be there.
    pub(crate) async fn need(&self, partitions: BTreeSet<Partition>) -> Result<(), Failure> {
        let missing = self.partitions.missing(partitions);
        if missing.is_empty() {
            return Ok(());
        }
        let client = self.pools.direct().await?;
        self.partitions.make(&client, missing).await
    }

    /// Takes a slot and an epoch: at the start, and after the lease was lost.
    pub(crate) async fn join(&self) -> Result<(), OpenError> {
        let mut client = self.pools.direct().await?;
        let joined = crate::node::join(&mut client, &self.config, self.clock.now()).await?;
        self.keys.replace(joined.1);
        self.rejoined(joined.0);
        Ok(())
    }

    /// Ends with [`Self::closing`].
    pub(crate) async fn until_closed(&self) {
        // An error means that the sender is gone, which this holds.
        let _ = self.closing.subscribe().wait_for(|closing| *closing).await;
    }
}
