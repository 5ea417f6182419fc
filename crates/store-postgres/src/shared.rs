//! What the store's handle and its loops share.

use crate::OpenError;
use crate::config::PostgresConfig;
use crate::failure::Failure;
use crate::keys::Keys;
use crate::lease::COUNTED_ON;
use crate::node::Membership;
use crate::observed::KeptChains;
use crate::open::ROOM_KIB;
use crate::partitions::{Partition, Partitions};
use crate::pools::Pools;
use crate::sweep::Cleared;
use model::{Clock, Entropy};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard};
use store::Condition;
use store::owned::Owned;
use store::vitals::{Cause, Fill, Meter, Vitals};
use tokio::sync::{Semaphore, watch};
use tokio::time::Instant;

/// See the file's head.
pub(crate) struct Shared {
    pub(crate) pools: Pools,
    pub(crate) config: PostgresConfig,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) entropy: Arc<dyn Entropy>,
    /// This node's lease, and what it holds under that.
    pub(crate) tenure: Mutex<(Membership, Arc<Owned>)>,
    /// When the lease was last renewed: from before that was sent.
    pub(crate) renewed: watch::Sender<Instant>,
    pub(crate) keys: Keys,
    pub(crate) partitions: Partitions,
    /// How far what hangs on old messages is gone.
    pub(crate) cleared: Mutex<Cleared>,
    /// The chains that need not be written again.
    pub(crate) kept: Mutex<KeptChains>,
    pub(crate) condition: watch::Sender<Condition>,
    pub(crate) meter: Meter,
    /// Room for requests that wait, in KiB.
    pub(crate) room: Arc<Semaphore>,
    pub(crate) closing: watch::Sender<bool>,
}

impl Shared {
    /// This node's lease, and what it holds under that.
    pub(crate) fn tenure(&self) -> (Membership, Arc<Owned>) {
        self.lock().clone()
    }

    /// This node's lease.
    pub(crate) fn membership(&self) -> Membership {
        self.lock().0
    }

    fn lock(&self) -> MutexGuard<'_, (Membership, Arc<Owned>)> {
        self.tenure
            .lock()
            .expect("nothing panics while it holds this lock")
    }

    /// How far what hangs on old messages is gone.
    pub(crate) fn cleared(&self) -> MutexGuard<'_, Cleared> {
        self.cleared
            .lock()
            .expect("nothing panics while it holds this lock")
    }

    /// Another lease: holds of the one before are worth nothing.
    fn rejoined(&self, membership: Membership) {
        let mut tenure = self.lock();
        tenure.1.end();
        *tenure = (membership, Arc::default());
    }

    /// A commit succeeded that began then, and renewed the lease.
    pub(crate) fn renewed(&self, since: Instant) {
        self.renewed.send_replace(since);
        if since.elapsed() < COUNTED_ON {
            self.meter.well();
            self.tell(Condition::Writable);
        }
    }

    /// Tells that the lease can't be counted on, unless it was renewed in time.
    pub(crate) fn doubt_lease(&self) {
        self.condition.send_if_modified(|told| {
            let late = self.renewed.borrow().elapsed() >= COUNTED_ON;
            let changed = late && *told == Condition::Writable;
            if changed {
                self.meter.in_trouble(Cause::LeaseLate, self.clock.now());
                *told = Condition::ReadOnly;
            }
            changed
        });
    }

    /// Tells that nothing can be committed, and why.
    pub(crate) fn in_trouble(&self, cause: Cause) {
        self.meter.in_trouble(cause, self.clock.now());
        self.tell(Condition::ReadOnly);
    }

    /// What was counted, how full the queue and the pools are, and what is wrong.
    pub(crate) fn vitals(&self) -> Vitals {
        let room = self.room.available_permits();
        let bytes = |kib: usize| kib as u64 * 1_024;
        let queue = Fill {
            taken: bytes(ROOM_KIB.saturating_sub(room)),
            of: bytes(ROOM_KIB),
        };
        self.meter.read(queue, Some(self.pools.fill()))
    }

    /// Tells whether commits succeed.
    fn tell(&self, condition: Condition) {
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
        let made = self.partitions.make(&client, missing);
        self.pools.within(made).await
    }

    /// Takes a slot and an epoch: at the start, and after the lease was lost.
    pub(crate) async fn join(&self) -> Result<(), OpenError> {
        let mut client = self.pools.direct().await?;
        let now = self.clock.now();
        let passed = self.keys.next_floor(now);
        let joining = crate::node::join(&mut client, &self.config, (now, passed));
        let joined = self.pools.within(joining).await?;
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
