//! The receiving gateway: what comes to a source is verified before anything is made of it, kept
//! from coming twice, and accepted as a message by the same use case as all others.
//!
//! `receive` shows the life of a request in one function. Nothing that a stranger sends is parsed
//! or logged before it was found to be genuine, nor stored, but for samples of what is refused
//! where a source's owner asks for them; and what is done for it until then is bounded: see
//! `limits`.
//!
//! Not here: sockets and TLS (the binary's), how senders sign (`webhook`'s), what a source is and
//! what its configuration demands (`app::sources`), and sending on, which is as for every message.
//!
//! Map: `receive` (the life of a request) · `arriving` (the request itself) · `limits`
//! (what is too much) · `decoy` (what is done for a source that isn't there) · `event` (what
//! becomes of what came) · `refused`, `answer` (the way out), `meter` (how many went it), `lately`
//! (how many of each source's) ·
//! [`proxies`] (where a request comes from).

mod answer;
mod arriving;
mod decoy;
mod event;
mod lately;
mod limits;
mod meter;
pub mod proxies;
mod receive;
mod refused;

pub use arriving::Peer;
pub use meter::Meter;

use app::App;
use axum::BoxError;
use axum::response::Response;
use bytes::Bytes;
use decoy::Decoy;
use http::Request;
use limits::Limits;
use std::sync::Arc;
use std::time::Duration;

/// What paths begin with that are the gateway's.
pub const PREFIX: &str = "/in/";

/// The operator's settings of the gateway.
#[derive(Debug, Clone)]
pub struct IngestConfig {
    /// How long a body may take to arrive.
    pub body_timeout: Duration,
    /// How many requests from one address may be refused in a minute, before all of them are, as
    /// long as it goes on.
    pub refusals_per_minute_max: u32,
    /// How long such a refusal waits, so that who floods a connection gets no further on it.
    pub refusal_pause: Duration,
    /// The most requests at a time.
    pub requests_max: usize,
    /// How many bytes of bodies are held at a time, at the most; never less than eight of the
    /// longest.
    pub held_bytes_max: usize,
}

impl Default for IngestConfig {
    fn default() -> Self {
        Self {
            body_timeout: Duration::from_secs(30),
            refusals_per_minute_max: 60,
            refusal_pause: Duration::from_millis(500),
            requests_max: 8_192,
            held_bytes_max: 256 * 1024 * 1024,
        }
    }
}

/// The gateway, ready to be served: cheap to clone.
#[derive(Clone)]
pub struct Gate(Arc<Shared>);

pub(crate) struct Shared {
    app: App,
    body_timeout: Duration,
    limits: Limits,
    decoy: Decoy,
    meter: Arc<Meter>,
}

/// Opens the gateway.
pub fn open(app: App, config: &IngestConfig) -> Gate {
    Gate(Arc::new(Shared {
        limits: Limits::new(config, app.settings.payload_bytes_max),
        body_timeout: config.body_timeout,
        decoy: Decoy::default(),
        meter: Arc::default(),
        app,
    }))
}

impl Gate {
    /// Answers a request that came from there.
    pub async fn answer<B>(&self, peer: Peer, request: Request<B>) -> Response
    where
        B: axum::body::HttpBody<Data = Bytes, Error: Into<BoxError>> + Send + Unpin,
    {
        receive::receive(&self.0, peer, request).await
    }

    /// What is counted of requests.
    pub fn meter(&self) -> Arc<Meter> {
        self.0.meter.clone()
    }
}
