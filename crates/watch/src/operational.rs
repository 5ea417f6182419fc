//! The sink that takes what the operator is told by operational webhooks, and the loop that has
//! messages made of it.
//!
//! What was reported is in memory until messages of it are on disk: what a process that is killed
//! had not come to is not told. From then on it is delivered as all else is.

use app::operational::Told;
use app::{App, AppError};
use model::Chain;
use model::operational::{OperationalEvent, OperationalSink};
use std::collections::VecDeque;
use std::future::Future;
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// The most that waits: what happens beyond it is counted, and not told. Some seconds of nothing
/// but endpoints that fail, on a store that takes a while.
pub const WAITING_MAX: usize = 10_000;
/// The most messages that are made in one commit.
const BATCH_MAX: usize = 250;
/// How long it is waited where there is nobody to be told, or nothing can be written: so seldom is
/// it looked for whether there is somebody.
const REST: Duration = Duration::from_secs(1);

/// Makes messages of what happened.
pub trait Teller: Sync {
    /// Makes them, all or none.
    fn tell(
        &self,
        events: &[OperationalEvent],
    ) -> impl Future<Output = Result<Told, AppError>> + Send;
}

impl Teller for App {
    fn tell(
        &self,
        events: &[OperationalEvent],
    ) -> impl Future<Output = Result<Told, AppError>> + Send {
        self.tell_operators(events)
    }
}

/// Takes what happened, and has it told.
#[derive(Default)]
pub struct Outbox {
    waiting: Mutex<Waiting>,
    arrived: Notify,
}

#[derive(Default)]
struct Waiting {
    events: VecDeque<OperationalEvent>,
    /// How many found no room since it was last said.
    dropped: u64,
}

impl OperationalSink for Outbox {
    fn report(&self, event: OperationalEvent) {
        let mut waiting = self.lock();
        if waiting.events.len() < WAITING_MAX {
            waiting.events.push_back(event);
        } else {
            waiting.dropped += 1;
        }
        drop(waiting);
        self.arrived.notify_one();
    }
}

/// What came of a batch.
enum Came {
    /// It is told.
    Made,
    /// There is nobody to be told: what waits is forgotten.
    ToNothing,
    /// Nothing can be written: it waits on.
    Waits,
}

impl Outbox {
    /// Has told what is reported until it is stopped, and then what is left, unless that can't be
    /// written.
    pub async fn run(&self, teller: &impl Teller, stop: CancellationToken) {
        while stop
            .run_until_cancelled(self.arrived.notified())
            .await
            .is_some()
        {
            if self.tell_all(teller).await {
                continue;
            }
            let rest = tokio::time::sleep(REST);
            if stop.run_until_cancelled(rest).await.is_none() {
                break;
            }
        }
        self.tell_all(teller).await;
    }

    /// Has told what waits; whether there is somebody who is told, and all could be written.
    async fn tell_all(&self, teller: &impl Teller) -> bool {
        loop {
            let (batch, all) = self.next_batch();
            if batch.is_empty() {
                return true;
            }
            match came_of(teller.tell(&batch).await) {
                Came::Made => self.done(batch.len()),
                Came::ToNothing => {
                    // Not what arrived meanwhile: by then there may have been somebody.
                    let mut waiting = self.lock();
                    waiting.events.drain(..all);
                    waiting.dropped = 0;
                    if !waiting.events.is_empty() {
                        self.arrived.notify_one();
                    }
                    return false;
                }
                Came::Waits => {
                    // Whatever else arrives, it is to be tried again.
                    self.arrived.notify_one();
                    return false;
                }
            }
        }
    }

    /// What waits longest, and how much waits in all.
    fn next_batch(&self) -> (Vec<OperationalEvent>, usize) {
        let waiting = self.lock();
        let batch = waiting.events.iter().take(BATCH_MAX);
        (batch.cloned().collect(), waiting.events.len())
    }

    /// So many need not wait any more.
    fn done(&self, count: usize) {
        let dropped = {
            let mut waiting = self.lock();
            waiting.events.drain(..count);
            std::mem::take(&mut waiting.dropped)
        };
        if dropped > 0 {
            tracing::warn!(
                dropped,
                "operational webhooks don't tell of all that happened: more of it came than could \
                 be written"
            );
        }
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting
            .lock()
            .expect("nothing panics while it holds this lock")
    }
}

fn came_of(told: Result<Told, AppError>) -> Came {
    match told {
        Ok(Told::Messages(_)) => Came::Made,
        Ok(Told::Nobody) => Came::ToNothing,
        Err(error @ AppError::Unavailable(_)) => {
            tracing::debug!("operational webhooks wait: {}", Chain(&error));
            Came::Waits
        }
        // It would be refused again, and keep all behind it from being told.
        Err(error) => {
            tracing::error!("operational webhooks can't be made: {}", Chain(&error));
            Came::Made
        }
    }
}

#[cfg(test)]
mod tests;
