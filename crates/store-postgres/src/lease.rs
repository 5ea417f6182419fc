//! The other loop: looks after nodes that are gone, and makes partitions ahead. Every node does so,
//! and whichever comes first has done it.

use crate::batch::hour_up;
use crate::node::{RENEWAL, end_expired, leave};
use crate::partitions::{Partition, around};
use crate::shared::Shared;
use crate::sole;
use model::Timestamp;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

/// How often leases are looked at.
const ROUND: Duration = Duration::from_secs(1);
/// For so many hours from now idempotency keys are written: those of client libraries expire within
/// two hours, others within thirteen. Every hour between was one of them before.
const HOURS_AHEAD: [u64; 4] = [1, 2, 12, 13];

/// A lease that was not renewed for so long is not counted on: no attempt is started that is likely
/// to outlive it. From before the last renewal was sent, so that it lasts longer than this for all.
pub(crate) const COUNTED_ON: Duration = RENEWAL.saturating_mul(3);

/// Runs until the store is closed.
pub struct LeaseLoop {
    shared: Arc<Shared>,
}

impl LeaseLoop {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self { shared }
    }

    /// Ends leases that have run out.
    pub async fn run(self) {
        tokio::select! {
            biased;
            () = self.shared.until_closed() => {}
            () = self.work() => {}
            () = self.watch() => {}
        }
    }

    async fn work(&self) {
        loop {
            if let Err(failure) = self.round().await {
                tracing::debug!(%failure, "can't look after leases at the moment");
            }
            tokio::time::sleep(ROUND).await;
        }
    }

    /// Tells when this node's own lease was not renewed in time, however long a commit may take.
    async fn watch(&self) {
        let mut renewed = self.shared.renewed.subscribe();
        loop {
            let until = *renewed.borrow_and_update() + COUNTED_ON;
            let late = tokio::time::timeout_at(until, renewed.changed()).await;
            if late.is_err() {
                self.shared.doubt_lease();
                // An error means that the sender is gone, which this holds.
                let _ = renewed.changed().await;
            }
        }
    }

    /// What is left over by others comes first: it must not wait for partitions.
    async fn round(&self) -> Result<(), crate::failure::Failure> {
        let pools = &self.shared.pools;
        let mut client = pools.writer().await?;
        let ended = pools.within(end_expired(&mut client)).await?;
        drop(client);
        if ended > 0 {
            tracing::warn!(
                nodes = ended,
                "nodes are gone: what they held is taken over"
            );
        }
        let now = self.shared.clock.now();
        self.shared.need(ahead(now)).await?;
        sole::give_up(&self.shared).await
    }
}

/// What will be written soon belongs into these.
fn ahead(now: Timestamp) -> BTreeSet<Partition> {
    let mut partitions = around(now);
    let hour = |hours| now.plus(Duration::from_secs(hours * 3_600));
    partitions.extend(HOURS_AHEAD.map(|hours| Partition::of_hour(hour_up(hour(hours)))));
    partitions
}

/// Gives this node's lease back.
pub(crate) async fn give_back(shared: &Shared) -> Result<(), crate::failure::Failure> {
    let mut client = shared.pools.direct().await?;
    leave(&mut client, shared.membership()).await
}
