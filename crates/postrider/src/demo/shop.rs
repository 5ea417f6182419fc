//! The order system: registers its endpoints, verifies every request as a receiver should
//! (signature, age, first time seen), and keeps books. It can be down, slow, and answer 500.

use super::api::{APPLICATION, Api};
use super::plan::Books;
use super::posting::Sent;
use super::wire::Recorded;
use crate::listen::{Entrance, places, serve};
use anyhow::Context as _;
use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use http::{HeaderMap, HeaderValue, StatusCode};
use indicatif::ProgressBar;
use model::Clock;
use serde::Deserialize;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use webhook::{HeaderFamily, SigningKey, TOLERANCE_SECONDS, Verifier, VerifyingKey};

/// The order system's entrances, and the types that each is registered for.
pub(super) const ENTRANCES: [(&str, [&str; 3]); 2] = [
    (
        "payments",
        ["payment.succeeded", "payment.failed", "payment.refunded"],
    ),
    (
        "shipments",
        [
            "shipment.dispatched",
            "shipment.delivered",
            "shipment.failed",
        ],
    ),
];
/// Every so many requests one is answered 500 before it is looked at.
const FAILS_EVERY: u64 = 17;
/// What a request is answered that was taken before.
pub(super) const SEEN_BEFORE: &str = "seen before: not processed again";
/// How long an answer takes while the order system is slow.
const SLOWNESS: Duration = Duration::from_millis(150);

/// The order system. Cheap to clone.
#[derive(Clone)]
pub(super) struct Shop {
    address: SocketAddr,
    room: Arc<Room>,
}

struct Room {
    clock: Arc<dyn Clock>,
    slow: watch::Sender<bool>,
    arrived: Notify,
    state: Mutex<Knowledge>,
    open: Mutex<Option<Open>>,
}

/// The listener while the order system is up.
struct Open {
    stop: CancellationToken,
    serving: JoinHandle<()>,
}

/// What the order system knows.
#[derive(Default)]
struct Knowledge {
    keys: HashMap<String, (SigningKey, VerifyingKey)>,
    requests: u64,
    /// The messages that were taken, by `webhook-id`.
    seen: HashSet<String>,
    /// When each event was first taken, by its platform's own id.
    taken: HashMap<String, Instant>,
    repeats: u64,
    /// Events that came again as another message.
    doubles: u64,
    orders: BTreeMap<String, BTreeSet<String>>,
    genuine: Option<Recorded>,
}

impl Shop {
    /// Opens on a free port.
    pub(super) async fn open(clock: Arc<dyn Clock>) -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")
            .await
            .context("the order system's port")?;
        let room = Room {
            clock,
            slow: watch::Sender::new(false),
            arrived: Notify::new(),
            state: Mutex::default(),
            open: Mutex::new(None),
        };
        let shop = Self {
            address: listener.local_addr()?,
            room: Arc::new(room),
        };
        shop.serve(listener);
        Ok(shop)
    }

    /// Registers at its own gateway for what both platforms send; gives the endpoints' ids.
    pub(super) async fn register(&self, api: &Api) -> anyhow::Result<Vec<String>> {
        let application = json!({"name": "Order system", "uid": APPLICATION});
        api.create(["app"], &application).await?;
        let mut endpoints = Vec::new();
        for (entrance, types) in ENTRANCES {
            for event_type in types {
                api.create_event_type(event_type).await?;
            }
            let url = self.url(entrance);
            let body = json!({"url": url, "uid": entrance, "eventTypes": types});
            let made = api.create(["app", APPLICATION, "endpoint"], &body).await?;
            let id = made["id"].as_str().context("an endpoint has an id")?;
            let secret = api.of_endpoint(id, "secret").await?;
            let secret = secret["key"].as_str().context("a secret is a text")?;
            let key = (SigningKey::parse(secret)?, VerifyingKey::parse(secret)?);
            self.state().keys.insert(entrance.to_owned(), key);
            endpoints.push(id.to_owned());
        }
        Ok(endpoints)
    }

    /// Closes the door for so long: connections are refused.
    pub(super) async fn be_down_for(&self, time: Duration) -> anyhow::Result<()> {
        let open = self.room.open.lock().expect("no holder panics").take();
        if let Some(Open { stop, serving }) = open {
            stop.cancel();
            serving.await.context("the order system's listener")?;
        }
        tokio::time::sleep(time).await;
        self.serve(
            TcpListener::bind(self.address)
                .await
                .context("the order system's port")?,
        );
        Ok(())
    }

    /// Takes its time over answers, or no longer.
    pub(super) fn be_slow(&self, slow: bool) {
        self.room.slow.send_replace(slow);
    }

    /// Waits until everything that was sent has arrived; `false` if it has not in time.
    pub(super) async fn wait_for(&self, sent: &[Sent], time: Duration, bar: &ProgressBar) -> bool {
        let all = async {
            loop {
                let arrived = self.room.arrived.notified();
                let count = self.state().taken.len();
                bar.set_position(count as u64);
                if count >= sent.len() {
                    return;
                }
                arrived.await;
            }
        };
        tokio::time::timeout(time, all).await.is_ok()
    }

    /// When an event was taken.
    pub(super) fn taken_at(&self, event: &str) -> Option<Instant> {
        self.state().taken.get(event).copied()
    }

    /// How often a message came again that had been taken before.
    pub(super) fn repeats(&self) -> u64 {
        self.state().repeats
    }

    /// How many events came again as another message: the gateway let them in twice.
    pub(super) fn doubles(&self) -> u64 {
        self.state().doubles
    }

    /// A genuine request that was taken.
    pub(super) fn genuine(&self) -> Option<Recorded> {
        self.state().genuine.clone()
    }

    /// A request that Postrider signed so long ago for an order of then: what somebody who has
    /// been listening for long could have.
    pub(super) fn recorded_before(&self, age: Duration) -> anyhow::Result<Recorded> {
        let (entrance, [event_type, ..]) = ENTRANCES[0];
        let state = self.state();
        let (key, _) = state.keys.get(entrance).context("registered")?;
        let body = json!({"type": event_type, "order": "ord_of_old"}).to_string();
        let time = self.room.clock.now().minus(age).seconds();
        let signature = webhook::sign(&[key], "msg_of_old", time, body.as_bytes());
        let mut headers = HeaderMap::new();
        headers.insert("webhook-id", HeaderValue::from_static("msg_of_old"));
        headers.insert("webhook-timestamp", HeaderValue::from(time));
        headers.insert("webhook-signature", HeaderValue::try_from(signature)?);
        let url = self.url(entrance);
        Ok(Recorded {
            url,
            headers,
            body: body.into(),
        })
    }

    /// What the books say.
    pub(super) fn books(&self) -> Books {
        let state = self.state();
        let count = |kind: &str| {
            state
                .orders
                .values()
                .filter(|kinds| kinds.contains(kind))
                .count()
        };
        Books {
            paid: count("payment.succeeded"),
            payment_failed: count("payment.failed"),
            refunded: count("payment.refunded"),
            dispatched: count("shipment.dispatched"),
            delivered: count("shipment.delivered"),
            shipment_failed: count("shipment.failed"),
        }
    }

    fn url(&self, entrance: &str) -> String {
        format!("http://{}/{entrance}", self.address)
    }

    fn serve(&self, listener: TcpListener) {
        let router = Router::new()
            .route("/{entrance}", axum::routing::post(take))
            .with_state(self.clone());
        let stop = CancellationToken::new();
        let entrance = Entrance {
            listener,
            tls: None,
            proxies: Arc::default(),
            places: places(),
        };
        let serving = serve(entrance, router, stop.clone(), Duration::from_secs(1));
        let open = Open {
            stop,
            serving: tokio::spawn(serving),
        };
        *self.room.open.lock().expect("no holder panics") = Some(open);
    }

    fn state(&self) -> MutexGuard<'_, Knowledge> {
        self.room.state.lock().expect("no holder panics")
    }

    /// Takes one request in, or says why not.
    fn judge(&self, entrance: &str, headers: &HeaderMap, body: &Bytes) -> (StatusCode, String) {
        let mut state = self.state();
        let Some((_, key)) = state.keys.get(entrance) else {
            return (StatusCode::NOT_FOUND, "no such entrance".into());
        };
        let verifier = Verifier {
            keys: std::slice::from_ref(key),
            family: HeaderFamily::Webhook,
            tolerance_seconds: TOLERANCE_SECONDS,
        };
        let given = headers
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_bytes()));
        let given: Vec<_> = given.collect();
        let id = match verifier.verify(given.iter().copied(), body, self.room.clock.now().seconds())
        {
            Ok(verified) => verified.id.to_owned(),
            Err(refused) => return (StatusCode::UNAUTHORIZED, refused.to_string()),
        };
        if state.seen.contains(&id) {
            state.repeats += 1;
            return (StatusCode::OK, SEEN_BEFORE.into());
        }
        let Some(event) = read(body) else {
            return (StatusCode::BAD_REQUEST, "no event of an order".into());
        };
        state
            .orders
            .entry(event.order)
            .or_default()
            .insert(event.kind);
        state.seen.insert(id);
        if state.taken.insert(event.id, Instant::now()).is_some() {
            state.doubles += 1;
        }
        state.genuine.get_or_insert_with(|| Recorded {
            url: self.url(entrance),
            headers: headers.clone(),
            body: body.clone(),
        });
        self.room.arrived.notify_waiters();
        (StatusCode::OK, "processed".into())
    }

    fn fails_this_time(&self) -> bool {
        let mut state = self.state();
        state.requests += 1;
        state.requests.is_multiple_of(FAILS_EVERY)
    }
}

async fn take(
    State(shop): State<Shop>,
    Path(entrance): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> (StatusCode, String) {
    if shop.fails_this_time() {
        return (
            StatusCode::INTERNAL_SERVER_ERROR,
            "the order system has a bad moment".into(),
        );
    }
    if *shop.room.slow.borrow() {
        tokio::time::sleep(SLOWNESS).await;
    }
    shop.judge(&entrance, &headers, &body)
}

/// An event as its platform wrote it.
#[derive(Deserialize)]
struct Event {
    id: String,
    #[serde(rename = "type")]
    kind: String,
    order: String,
}

fn read(body: &Bytes) -> Option<Event> {
    serde_json::from_slice(body).ok()
}
