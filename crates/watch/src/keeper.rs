//! The sink that takes security events, and the loop that hands them to the store.

use crate::fold::{Batch, Folding};
use model::Chain;
use model::security::{EventSink, SecurityEvent};
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;
use store::Store;
use store::change::{Change, ChangeRequest, Changed};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// The store is asked at most so often.
const PERIOD: Duration = Duration::from_secs(1);

/// Takes security events, and keeps them.
#[derive(Default)]
pub struct Keeper {
    folding: Mutex<Folding>,
    arrived: Notify,
}

impl EventSink for Keeper {
    fn report(&self, event: SecurityEvent) {
        self.lock().take(event);
        self.arrived.notify_one();
    }
}

impl Keeper {
    /// Keeps what is reported until it is stopped, and then what is left. A store that can't write
    /// is waited for; meanwhile events are folded on.
    pub async fn run(&self, store: &dyn Store, stop: CancellationToken) {
        let mut fails = false;
        while stop
            .run_until_cancelled(self.arrived.notified())
            .await
            .is_some()
        {
            fails = !self.keep(store, fails).await;
            let rest = tokio::time::sleep(PERIOD);
            if stop.run_until_cancelled(rest).await.is_none() {
                break;
            }
        }
        self.keep(store, fails).await;
    }

    /// Whether all was written. Batch after batch, so that none makes a commit long that others
    /// wait for.
    async fn keep(&self, store: &dyn Store, failed_before: bool) -> bool {
        loop {
            let (batch, is_more) = self.lock().unwritten();
            if batch.is_empty() {
                return true;
            }
            let is_written = self.write(store, batch, failed_before).await;
            if !is_written || !is_more {
                return is_written;
            }
        }
    }

    async fn write(&self, store: &dyn Store, batch: Batch, failed_before: bool) -> bool {
        let writes = batch.iter().map(|(_, write)| write.clone()).collect();
        let request = ChangeRequest {
            change: Change::KeepSecurityEvents(writes),
            idempotency: None,
            audit: None,
        };
        match store.change(request).await {
            Ok(Changed::SecurityEvents(rows)) => {
                self.lock().written(batch, &rows);
                true
            }
            Ok(other) => {
                tracing::error!(?other, "security events were answered with something else");
                true
            }
            Err(error) => {
                if !failed_before {
                    let error = Chain(&error);
                    tracing::warn!("security events can't be kept, and will be later: {error}");
                }
                self.lock().not_written(batch);
                self.arrived.notify_one();
                false
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Folding> {
        self.folding
            .lock()
            .expect("nothing panics while it holds this lock")
    }
}
