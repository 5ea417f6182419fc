//! The sink that takes security events, and the loop that hands them to the store.

use crate::fold::{Batch, Folding, Key};
use model::Chain;
use model::id::SecurityEventId;
use model::security::{EventSink, SecurityEvent};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock};
use std::time::Duration;
use store::Store;
use store::change::{Change, ChangeRequest, Changed};
use store::security::FoldedEvent;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// The store is asked at most so often.
const PERIOD: Duration = Duration::from_secs(1);
/// A store that takes longer is not waited for before others hear of what happened, and so often
/// they do until it answers.
const PATIENCE: Duration = Duration::from_secs(3);

/// What was folded since it was handed on last.
#[derive(Debug, Clone)]
pub struct Fold {
    /// Where it is written, if it is.
    pub id: Option<SecurityEventId>,
    /// What happened, without a sample.
    pub event: FoldedEvent,
}

impl Fold {
    /// Adds more of the same.
    pub fn add(&mut self, more: Self) {
        let event = &mut self.event;
        event.count = event.count.saturating_add(more.event.count);
        event.first_seen = event.first_seen.min(more.event.first_seen);
        event.last_seen = event.last_seen.max(more.event.last_seen);
        self.id = more.id.or(self.id);
    }
}

/// Takes what was folded: each event once, however often it had to be written. Never waits.
pub trait FoldSink: Send + Sync {
    /// Takes one.
    fn take(&self, fold: Fold);
}

/// Takes security events, and keeps them.
#[derive(Default)]
pub struct Keeper {
    folding: Mutex<Folding>,
    arrived: Notify,
    next: OnceLock<Arc<dyn FoldSink>>,
}

/// How it stands with the store, and how many were handed on of what is not written.
#[derive(Default)]
struct Writing {
    fails: bool,
    /// Of what is being written.
    in_hand: HandedOn,
    /// Of what waits for its turn.
    waiting: HandedOn,
}

type HandedOn = BTreeMap<Key, u64>;

impl Writing {
    /// A batch is taken out of what waits.
    fn begin(&mut self, batch: &Batch) {
        let keys = batch.iter().map(|(key, _)| key);
        let known = keys.filter_map(|key| self.waiting.remove_entry(key));
        self.in_hand = known.collect();
    }

    /// It is put back, to be written together with what has happened since.
    fn not_written(&mut self) {
        for (key, count) in std::mem::take(&mut self.in_hand) {
            *self.waiting.entry(key).or_default() += count;
        }
    }
}

impl EventSink for Keeper {
    fn report(&self, event: SecurityEvent) {
        self.lock().take(event);
        self.arrived.notify_one();
    }
}

impl Keeper {
    /// Hands on what is folded, to the first that this is called with.
    pub fn hand_on_to(&self, next: Arc<dyn FoldSink>) {
        let _ = self.next.set(next);
    }

    /// Keeps what is reported until it is stopped, and then what is left. A store that can't write
    /// is waited for; meanwhile events are folded on.
    pub async fn run(&self, store: &dyn Store, stop: CancellationToken) {
        let mut writing = Writing::default();
        while stop
            .run_until_cancelled(self.arrived.notified())
            .await
            .is_some()
        {
            self.keep(store, &mut writing).await;
            let rest = tokio::time::sleep(PERIOD);
            if stop.run_until_cancelled(rest).await.is_none() {
                break;
            }
        }
        self.keep(store, &mut writing).await;
    }

    /// Batch after batch, so that none makes a commit long that others wait for.
    async fn keep(&self, store: &dyn Store, writing: &mut Writing) {
        loop {
            let (batch, is_more) = self.lock().unwritten();
            if batch.is_empty() {
                return;
            }
            writing.begin(&batch);
            self.write(store, batch, writing).await;
            if writing.fails || !is_more {
                return;
            }
        }
    }

    async fn write(&self, store: &dyn Store, batch: Batch, writing: &mut Writing) {
        let writes = batch.iter().map(|(_, write)| write.clone()).collect();
        let mut change = store.change(ChangeRequest {
            change: Change::KeepSecurityEvents(writes),
            idempotency: None,
            audit: None,
        });
        let changed = loop {
            if let Ok(changed) = tokio::time::timeout(PATIENCE, &mut change).await {
                break changed;
            }
            self.hand_on(&batch, &[], &mut writing.in_hand);
            let waiting = self.lock().waiting();
            self.hand_on(&waiting, &[], &mut writing.waiting);
        };
        let failed_before = std::mem::replace(&mut writing.fails, changed.is_err());
        match changed {
            Ok(Changed::SecurityEvents(rows)) => {
                self.hand_on(&batch, &rows, &mut writing.in_hand);
                self.lock().written(batch, &rows);
            }
            Ok(other) => {
                tracing::error!(?other, "security events were answered with something else");
            }
            Err(error) => {
                if !failed_before {
                    let error = Chain(&error);
                    tracing::warn!("security events can't be kept, and will be later: {error}");
                }
                self.hand_on(&batch, &[], &mut writing.in_hand);
                writing.not_written();
                self.lock().not_written(batch);
                self.arrived.notify_one();
            }
        }
    }

    /// Hands on what was not yet. Where it is written, it is told with that.
    fn hand_on(&self, batch: &Batch, rows: &[SecurityEventId], handed_on: &mut HandedOn) {
        let Some(next) = self.next.get() else {
            return;
        };
        for (place, (key, write)) in batch.iter().enumerate() {
            let all = write.event.count;
            let before = handed_on.insert(key.clone(), all);
            let count = all.saturating_sub(before.unwrap_or(0));
            if count == 0 {
                continue;
            }
            let id = rows.get(place).copied().or(write.onto);
            let event = FoldedEvent {
                count,
                sample: None,
                ..write.event.clone()
            };
            next.take(Fold { id, event });
        }
    }

    fn lock(&self) -> MutexGuard<'_, Folding> {
        self.folding
            .lock()
            .expect("nothing panics while it holds this lock")
    }
}
