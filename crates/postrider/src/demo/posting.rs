//! The payment platform and the delivery system: post their events to the Postrider that they send
//! with, and remember what was accepted.

use super::api::Api;
use super::plan::Event;
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Mutex, watch};
use tokio::task::JoinSet;
use tokio::time::Instant;

/// Requests that a platform has open at a time.
const AT_ONCE: usize = 8;
/// The time over which a platform spreads its events, so that trouble falls among them.
const SPREAD: Duration = Duration::from_secs(8);
/// The most events that are spread: beyond, it sends as fast as it can.
const SPREAD_EVENTS_MAX: usize = 2_000;

/// An event that the platforms' Postrider accepted.
pub(super) struct Sent {
    /// The message's id there.
    pub(super) message: String,
    /// The platform's own id of it.
    pub(super) event: String,
    /// When its platform began to post it.
    pub(super) posted_at: Instant,
}

/// How many events have been accepted so far.
#[derive(Clone)]
pub(super) struct Progress(Arc<watch::Sender<usize>>);

impl Default for Progress {
    fn default() -> Self {
        Self(Arc::new(watch::Sender::new(0)))
    }
}

impl Progress {
    /// Follows it as a part of `total`.
    pub(super) fn watch(&self, total: usize) -> Part {
        Part {
            seen: self.0.subscribe(),
            total,
        }
    }
}

/// Waits for parts of the whole.
pub(super) struct Part {
    seen: watch::Receiver<usize>,
    total: usize,
}

impl Part {
    /// Waits until so many hundredths have been accepted.
    pub(super) async fn reached(&mut self, percent: usize) {
        let enough = |seen: &usize| seen * 100 >= self.total * percent;
        // The sender lives as long as the platforms do.
        let _ = self.seen.wait_for(enough).await;
    }
}

/// Posts all events of a platform, a few at a time.
pub(super) async fn send_all(
    api: &Arc<Api>,
    events: Vec<Event>,
    progress: &Progress,
) -> anyhow::Result<Vec<Sent>> {
    let spread = if events.len() <= SPREAD_EVENTS_MAX {
        SPREAD
    } else {
        Duration::ZERO
    };
    let pace = spread / u32::try_from(events.len().max(1))?;
    let start = Instant::now();
    let times = (0u32..).map(move |number| start + pace * number);
    let waiting = Arc::new(Mutex::new(times.zip(events)));
    let mut workers = JoinSet::new();
    for _ in 0..AT_ONCE {
        let (api, waiting, progress) = (api.clone(), waiting.clone(), progress.clone());
        workers.spawn(async move {
            let mut sent = Vec::new();
            loop {
                let next = waiting.lock().await.next();
                let Some((time, event)) = next else {
                    return anyhow::Ok(sent);
                };
                tokio::time::sleep_until(time).await;
                sent.push(post(&api, &event).await?);
                progress.0.send_modify(|count| *count += 1);
            }
        });
    }
    let mut sent = Vec::new();
    while let Some(worker) = workers.join_next().await {
        sent.extend(worker??);
    }
    Ok(sent)
}

async fn post(api: &Api, event: &Event) -> anyhow::Result<Sent> {
    let body = json!({
        "eventType": event.event_type,
        "eventId": event.id,
        "payload": event.payload,
    });
    let posted_at = Instant::now();
    Ok(Sent {
        message: api.post_message(&body, &event.id).await?,
        event: event.id.clone(),
        posted_at,
    })
}
