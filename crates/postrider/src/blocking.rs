//! Who is not let in for a while, by what detection found: refused before anything is looked at of
//! the request, at the API and at the gateway.

use crate::listen::Answer;
use crate::vigilance::Vigilance;
use app::App;
use axum::Json;
use axum::response::{IntoResponse as _, Response};
use hyper::body::Incoming;
use hyper::header::{CONNECTION, HeaderValue, RETRY_AFTER};
use hyper::{Request, StatusCode};
use ingest::Peer;
use model::{Clock, Timestamp};
use serde_json::json;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use watch::Blocks;

/// Lets in whoever is not blocked.
#[derive(Clone)]
pub(crate) struct Blocking {
    blocks: Arc<Blocks>,
    clock: Arc<dyn Clock>,
}

/// What answers, behind it.
#[derive(Clone)]
pub(crate) struct Behind<A> {
    blocking: Blocking,
    answer: A,
}

impl Blocking {
    /// By what detection says.
    pub(crate) fn by(vigilance: &Vigilance, app: &App) -> Self {
        Self {
            blocks: vigilance.blocks.clone(),
            clock: app.clock.clone(),
        }
    }

    /// Stands before what answers.
    pub(crate) fn before<A>(&self, answer: A) -> Behind<A> {
        Behind {
            blocking: self.clone(),
            answer,
        }
    }

    fn wait(&self, peer: &Peer) -> Option<Duration> {
        self.blocks.wait(peer.address?, self.clock.monotonic())
    }
}

impl dashboard::Blocked for Blocking {
    fn blocked(&self) -> Vec<(IpAddr, Timestamp)> {
        let now = self.clock.now();
        let list = self.blocks.list(self.clock.monotonic()).into_iter();
        list.map(|(address, wait)| (address, now.plus(wait)))
            .collect()
    }
}

impl<A: Answer> Answer for Behind<A> {
    async fn answer(self, request: Request<Incoming>, peer: Peer) -> Response {
        match self.blocking.wait(&peer) {
            Some(wait) => refused(wait),
            None => self.answer.answer(request, peer).await,
        }
    }
}

/// Nothing more is read on the connection.
fn refused(wait: Duration) -> Response {
    let body = json!({
        "code": "address_blocked",
        "detail": "requests from this address are refused for a while: too many looked like an \
                   attack",
    });
    let mut response = (StatusCode::FORBIDDEN, Json(body)).into_response();
    let headers = response.headers_mut();
    headers.insert(CONNECTION, HeaderValue::from_static("close"));
    // In whole seconds: never too early.
    headers.insert(RETRY_AFTER, HeaderValue::from(wait.as_secs() + 1));
    response
}
