//! Clients that send at a steady pace whatever becomes of the nodes. Each message goes to the nodes
//! in turn until one answers `202`, always with the same idempotency key. So many requests are open
//! at a time, and no more: what is repeated must not be what keeps nodes from recovering.

use std::sync::Arc;
use std::time::Duration;

use e2e::{Api, Call, Reply, within};
use serde_json::json;
use tokio::sync::{Semaphore, watch};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{MissedTickBehavior, interval, timeout};

use crate::ledger::Ledger;

/// How long a client waits for an answer before it asks another node.
const ANSWER_MAX: Duration = Duration::from_secs(2);
/// How long one waits for it that asks no other.
const PATIENT_MAX: Duration = Duration::from_secs(15);
/// Between two tries of one message.
const PAUSE: Duration = Duration::from_millis(50);

/// Requests that are open at a time: more than a node that does not answer takes up.
pub const OPEN_MAX: usize = 128;

/// Running clients.
pub struct Load {
    stop: watch::Sender<bool>,
    sending: JoinHandle<u64>,
}

/// What a client sends again, to another node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repeats {
    /// Whatever was not accepted.
    Everything,
    /// What could not be sent, since nobody listened. Anything else but an acceptance is a failure.
    Refused,
}

/// Whom to send what.
#[derive(Clone)]
pub struct Clients {
    /// One for each node.
    pub apis: Vec<Api>,
    /// The applications' uids.
    pub applications: Vec<String>,
    /// Where everything is written down.
    pub ledger: Arc<Ledger>,
    /// Room for open requests.
    pub room: Arc<Semaphore>,
    /// What is sent again.
    pub repeats: Repeats,
}

impl Load {
    /// Starts sending so many messages a second.
    pub fn start(clients: Clients, rate: u32) -> Self {
        let stop = watch::Sender::new(false);
        let sending = tokio::spawn(clients.send_all(rate, stop.subscribe()));
        Self { stop, sending }
    }

    /// Ends when a client was answered as none may be.
    ///
    /// # Panics
    /// Then, or soon after.
    pub async fn failed(&mut self) {
        let ended = (&mut self.sending).await;
        ended.expect("no client fails");
    }

    /// Sends no new ones, and waits for the others. How many requests were repeated.
    ///
    /// # Panics
    /// When a client was answered as none may be.
    pub async fn finish(self) -> u64 {
        self.stop.send_replace(true);
        let sent = within("the last messages to be accepted", self.sending).await;
        sent.expect("no client failed")
    }
}

impl Clients {
    async fn send_all(self, rate: u32, stop: watch::Receiver<bool>) -> u64 {
        let mut pace = interval(Duration::from_secs(1) / rate);
        pace.set_missed_tick_behavior(MissedTickBehavior::Burst);
        let (mut open, mut repeated) = (JoinSet::new(), 0);
        while !*stop.borrow() {
            pace.tick().await;
            let (client, number) = (self.clone(), self.ledger.open());
            let application = number % self.applications.len();
            open.spawn(async move {
                let application = &client.applications[application];
                client.send(number, application).await
            });
            while let Some(ended) = open.try_join_next() {
                repeated += ended.expect("no client fails");
            }
        }
        while let Some(ended) = open.join_next().await {
            repeated += ended.expect("no client fails");
        }
        repeated
    }

    /// Sends a message until it is accepted; how often it was repeated.
    async fn send(&self, number: usize, application: &str) -> u64 {
        let mut pace = interval(PAUSE);
        pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
        for repeated in 0.. {
            pace.tick().await;
            let turn = number / self.applications.len() + repeated;
            let api = &self.apis[turn % self.apis.len()];
            let _room = self.room.acquire().await.expect("it is never closed");
            let id = match self.repeats {
                Repeats::Everything => try_once(api, number, application).await,
                Repeats::Refused => unless_refused(api, number, application).await,
            };
            if let Some(id) = id {
                self.ledger.accept(number, id);
                return repeated as u64;
            }
        }
        unreachable!("it is repeated until it is accepted")
    }
}

/// The id, unless the message has to be sent again.
///
/// # Panics
/// When it is refused otherwise than by 503.
pub async fn try_once(api: &Api, number: usize, application: &str) -> Option<String> {
    let reply = api.try_call(call(number, application));
    let reply = timeout(ANSWER_MAX, reply).await.ok()?.ok()?;
    match reply.status {
        503 => None,
        _ => Some(id(reply)),
    }
}

/// The id, unless nobody listens.
///
/// # Panics
/// When the message was sent, and not accepted.
async fn unless_refused(api: &Api, number: usize, application: &str) -> Option<String> {
    let reply = timeout(PATIENT_MAX, api.try_call(call(number, application)));
    match reply.await.expect("an answer in time") {
        Ok(reply) => Some(id(reply)),
        Err(error) if error.contains("Connection refused") => None,
        Err(error) => panic!("message {number} was not answered: {error}"),
    }
}

fn call(number: usize, application: &str) -> Call {
    let body = json!({"eventType": "load", "payload": {"n": number}}).to_string();
    Call::post(format!("/app/{application}/msg"), body)
        .header("idempotency-key", &format!("load-{number}"))
}

fn id(accepted: Reply) -> String {
    let id = accepted.expect(202).json()["id"].clone();
    id.as_str().expect("a message has an id").to_owned()
}
