//! Clients that send message after message, each until it is accepted, however often the server is
//! killed meanwhile. A request that was cut off is repeated with its idempotency key.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use e2e::{Api, Call, within};
use serde_json::json;
use tokio::sync::watch;
use tokio::task::JoinSet;

/// How many clients there are: each has one request open.
const CLIENTS: u64 = 16;

/// Running clients.
pub(crate) struct Load {
    /// How many messages were accepted.
    pub(crate) accepted: watch::Sender<u64>,
    starts: watch::Sender<u64>,
    stop: Arc<AtomicBool>,
    clients: JoinSet<Sent>,
}

/// What clients did.
#[derive(Default)]
pub(crate) struct Sent {
    /// The accepted messages' ids by the number in their payload.
    pub(crate) accepted: HashMap<u64, String>,
    /// Requests that had no answer, and were repeated.
    pub(crate) cut_off: u64,
}

impl Load {
    /// Starts the clients.
    pub(crate) fn start(api: &Api) -> Self {
        let (accepted, starts) = (watch::Sender::new(0), watch::Sender::new(1));
        let (stop, mut clients) = (Arc::default(), JoinSet::new());
        for number in 0..CLIENTS {
            let client = Client {
                api: api.clone(),
                accepted: accepted.clone(),
                starts: starts.subscribe(),
                stop: Arc::clone(&stop),
                sent: Sent::default(),
            };
            clients.spawn(client.run(number));
        }
        Self {
            accepted,
            starts,
            stop,
            clients,
        }
    }

    /// The server was started again: what was cut off is repeated.
    pub(crate) fn go_on(&self) {
        self.starts.send_modify(|starts| *starts += 1);
    }

    /// Lets every client finish its message.
    pub(crate) async fn finish(mut self) -> Sent {
        self.stop.store(true, Ordering::Relaxed);
        let mut all = Sent::default();
        while let Some(sent) =
            within("the last messages to be accepted", self.clients.join_next()).await
        {
            let sent = sent.unwrap_or_else(|error| panic!("a client failed: {error}"));
            all.accepted.extend(sent.accepted);
            all.cut_off += sent.cut_off;
        }
        all
    }
}

struct Client {
    api: Api,
    accepted: watch::Sender<u64>,
    /// How often the server was started.
    starts: watch::Receiver<u64>,
    stop: Arc<AtomicBool>,
    sent: Sent,
}

impl Client {
    /// Sends messages, numbered apart from all other clients'.
    async fn run(mut self, first: u64) -> Sent {
        let mut number = first;
        while !self.stop.load(Ordering::Relaxed) {
            let id = self.send(number).await;
            let other = self.sent.accepted.insert(number, id);
            assert!(other.is_none(), "numbers are used once");
            self.accepted.send_modify(|count| *count += 1);
            number += CLIENTS;
        }
        self.sent
    }

    /// Sends one message until it is accepted: its id.
    async fn send(&mut self, number: u64) -> String {
        let body = json!({"eventType": "load", "payload": {"n": number}}).to_string();
        let key = format!("load-{number}");
        loop {
            let start = *self.starts.borrow_and_update();
            let call = Call::post("/app/shop/msg", body.clone()).header("idempotency-key", &key);
            match self.api.try_call(call).await {
                Ok(reply) => {
                    let id = reply.expect(202).json()["id"].clone();
                    return id.as_str().expect("a message has an id").to_owned();
                }
                Err(error) => {
                    self.sent.cut_off += 1;
                    let what = format!("a start after the server was gone ({error})");
                    let again = self.starts.wait_for(|starts| *starts > start);
                    within(what, again)
                        .await
                        .expect("the load holds the sender");
                }
            }
        }
    }
}
