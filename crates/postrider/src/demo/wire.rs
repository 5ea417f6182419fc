//! The way between the platforms' Postrider and the order system's: it carries requests as they
//! are, and whoever sits there sees them. What the attacker has recorded comes from here.

use super::attack::Sender;
use crate::listen::{Entrance, places, serve};
use anyhow::Context as _;
use axum::Router;
use axum::body::Bytes;
use axum::extract::{OriginalUri, State};
use http::{HeaderMap, StatusCode};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// Headers that are of one connection, or that whoever carries a request on writes anew.
const OF_A_CONNECTION: [&str; 4] = ["connection", "content-length", "host", "transfer-encoding"];

/// The way. Cheap to clone.
#[derive(Clone)]
pub(super) struct Wire {
    address: SocketAddr,
    room: Arc<Room>,
}

struct Room {
    /// Where it leads.
    gateway: SocketAddr,
    sender: Sender,
    seen: Mutex<Seen>,
}

/// What was seen on the way.
#[derive(Default)]
struct Seen {
    /// The first request on each path that was taken.
    recorded: BTreeMap<String, Recorded>,
    /// Requests that were answered as having come before.
    repeats: u64,
}

/// A request as it was seen.
#[derive(Clone)]
pub(super) struct Recorded {
    pub(super) url: String,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

impl Wire {
    /// A way to the gateway at this address.
    pub(super) async fn lay(gateway: SocketAddr) -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await;
        let listener = listener.context("a port for the way to the gateway")?;
        let room = Room {
            gateway,
            sender: Sender::new()?,
            seen: Mutex::default(),
        };
        let wire = Self {
            address: listener.local_addr()?,
            room: Arc::new(room),
        };
        let router = Router::new().fallback(carry).with_state(wire.clone());
        let entrance = Entrance {
            listener,
            tls: None,
            proxies: <_>::default(),
            places: places(),
        };
        let stop = CancellationToken::new();
        tokio::spawn(serve(entrance, router, stop, Duration::ZERO));
        Ok(wire)
    }

    /// The URL on this way of one of the gateway's.
    pub(super) fn to(&self, url: &str) -> anyhow::Result<String> {
        let path = url.strip_prefix(&format!("http://{}", self.room.gateway));
        let path = path.with_context(|| format!("{url} is not at the gateway"))?;
        Ok(format!("http://{}{path}", self.address))
    }

    /// What was recorded of those to one of the gateway's URLs.
    pub(super) fn recorded(&self, url: &str) -> Option<Recorded> {
        self.seen().recorded.get(url).cloned()
    }

    /// How many requests the gateway answered as having come before.
    pub(super) fn repeats(&self) -> u64 {
        self.seen().repeats
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.room.seen.lock().expect("no holder panics")
    }
}

/// Carries one request on, and its answer back.
async fn carry(
    State(wire): State<Wire>,
    OriginalUri(uri): OriginalUri,
    mut headers: HeaderMap,
    body: Bytes,
) -> (StatusCode, String) {
    for name in OF_A_CONNECTION {
        headers.remove(name);
    }
    let request = Recorded {
        url: format!("http://{}{uri}", wire.room.gateway),
        headers,
        body,
    };
    let Ok(answer) = wire.room.sender.send(request.clone()).await else {
        // What its sender makes of a gateway that is down.
        return (StatusCode::BAD_GATEWAY, String::new());
    };
    let (status, text) = answer;
    let mut seen = wire.seen();
    if text.contains(r#""duplicate":true"#) {
        seen.repeats += 1;
    } else if status == StatusCode::OK {
        seen.recorded.entry(request.url.clone()).or_insert(request);
    }
    (status, text)
}
