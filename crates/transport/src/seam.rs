//! The seam: what goes in and comes out when a request is sent.
//!
//! It lies above TCP and TLS, so that simulation replaces the network by a function. Nothing here
//! knows HTTP versions, pools or sockets.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http::{HeaderMap, Method};
use model::Timestamp;
use model::answer_head::AnswerHead;
use model::chain_seen::ShownChain;
use model::phases::Phases;

use crate::{Handshake, HeaderSpelling, Peeked, SendError, Stage, Target, TlsProfile};

/// Sends requests. Implementations are shared by all who send.
#[async_trait]
pub trait Transport: Send + Sync {
    /// Sends one request and reads its answer. An answer is an answer whatever its status: 3xx, 4xx
    /// and 5xx are not errors here.
    ///
    /// # Errors
    /// No whole answer came: see [`SendError::stage`] for how far the request got.
    async fn send(&self, request: Outgoing) -> Result<Answer, SendError>;

    /// Connects as a request to this target with this profile would, to see the certificates; sends
    /// nothing, and compares no pins. A network that knows no certificates has none to show.
    ///
    /// # Errors
    /// No certificate was presented.
    async fn peek(
        &self,
        _target: &Target,
        _profile: Option<&TlsProfile>,
        _limit: Duration,
    ) -> Result<Peeked, SendError> {
        Err(SendError::new(Stage::Tls, "there are no certificates here"))
    }
}

/// What a request is for. A request that leaves for any other reason gets a name here first: a test
/// holds each of them against the table of addresses that must not be called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// An attempt of a delivery.
    Delivery,
    /// An access token for an endpoint's requests.
    OauthToken,
    /// The keys that a receiver publishes.
    KeySet,
    /// Whether a receiver wants what it is to get.
    Challenge,
    /// An alert to people.
    Alert,
    /// Metrics and traces, to the operator's collector.
    Telemetry,
    /// Who signs in, from the operator's identity provider.
    Identity,
}

impl Purpose {
    /// The method that such requests have, where nothing else is said.
    pub fn method(self) -> Method {
        match self {
            Self::Delivery | Self::OauthToken | Self::Alert | Self::Telemetry => Method::POST,
            Self::KeySet | Self::Identity => Method::GET,
            Self::Challenge => Method::OPTIONS,
        }
    }
}

/// One request to send. It may reach the other side twice, byte for byte, where a kept connection
/// ends under it. It prints without its headers' values and its body.
#[derive(Clone)]
pub struct Outgoing {
    /// What for.
    pub purpose: Purpose,
    /// Where to.
    pub target: Arc<Target>,
    /// That of its purpose, unless it was changed.
    pub method: Method,
    /// Headers besides `host`, `content-length` and `transfer-encoding`, which are the transport's.
    /// Without `authorization` here, a user name and password of the URL are sent as Basic
    /// authentication.
    pub headers: HeaderMap,
    /// How header names are spelled on HTTP/1.1, where not in lower case.
    pub spelling: Option<HeaderSpelling>,
    /// The body, as it goes on the wire.
    pub body: Bytes,
    /// Bounds of time and size.
    pub limits: Limits,
    /// How the other side is verified, and what it is shown of us, where not the ordinary way.
    pub profile: Option<TlsProfile>,
}

impl Outgoing {
    /// A delivery: a `POST` of this body.
    pub fn post(target: Arc<Target>, headers: HeaderMap, body: Bytes, limits: Limits) -> Self {
        Self {
            body,
            ..Self::new(Purpose::Delivery, target, headers, limits)
        }
    }

    /// A request without a body, by the method of its purpose.
    pub fn new(purpose: Purpose, target: Arc<Target>, headers: HeaderMap, limits: Limits) -> Self {
        Self {
            purpose,
            target,
            method: purpose.method(),
            headers,
            spelling: None,
            body: Bytes::new(),
            limits,
            profile: None,
        }
    }
}

impl fmt::Debug for Outgoing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outgoing")
            .field("purpose", &self.purpose)
            .field("target", &self.target)
            .field("method", &self.method)
            .field("headers", &self.headers.keys().collect::<Vec<_>>())
            .field("body_bytes", &self.body.len())
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

/// Bounds of one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// For a new connection: resolving, connecting, the proxy, the TLS handshake.
    pub connect_timeout: Duration,
    /// For everything, the response's body included.
    pub total_timeout: Duration,
    /// How many bytes of the response's body are kept.
    pub response_bytes_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(10),
            total_timeout: Duration::from_secs(30),
            response_bytes_max: 20_000,
        }
    }
}

/// Whom a receiver allows to send, as it came: of each header the first, where it is visible ASCII.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Allowed {
    /// `webhook-allowed-origin`.
    pub origin: String,
    /// `webhook-allowed-rate`.
    pub rate: Option<String>,
}

/// What the other side answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// 100 to 999: whatever number was sent.
    pub status: u16,
    /// The first `retry-after` header as it came, where it is visible ASCII.
    pub retry_after: Option<String>,
    /// Whom it allows to send, where it was asked for that and says so.
    pub allowed: Option<Box<Allowed>>,
    /// The body's first bytes, at most as many as asked for, whatever they hold.
    pub body: Bytes,
    /// Whether the body was longer than what is kept.
    pub truncated: bool,
    /// From the start of sending until the response's headers were there.
    pub headers_after: Duration,
    /// The time that the `date` header gives, which is the other side's clock.
    pub date: Option<Timestamp>,
    /// What the TLS handshake showed, where one was made for this request and took up no earlier
    /// session.
    pub handshake: Option<Box<Handshake>>,
    /// How the request went. In a box, since outcomes are passed from hand to hand.
    pub observed: Box<Observed>,
}

/// What was observed of a request, besides what came of it; of what was sent once more at once, the
/// second time.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Observed {
    /// How its time was spent. Where it failed, the last one is what it failed in.
    pub phases: Phases,
    /// What its connection showed, kept or new: the verified path with
    /// [`Pins`](crate::Pins), else whatever was presented, and so where it was refused.
    pub chain: Option<Arc<ShownChain>>,
    /// The headers of the response to a delivery that the other side did not take.
    pub head: Option<AnswerHead>,
}
