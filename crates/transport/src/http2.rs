//! HTTP/2 connections, which carry many requests at a time.
//!
//! One connection serves all requests to an origin, so it has tasks of its own. They end with its
//! last handle, whatever the other side is up to: one that reads nothing, or allows no request,
//! would keep them and the socket for ever. Windows are small, since only the first bytes of a
//! response are kept, and it pings while requests wait, so that a dead connection is noticed.

use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::client::conn::http2::{Builder, SendRequest};
use hyper::rt::Executor;
use hyper_util::rt::{TokioIo, TokioTimer};
use model::chain_seen::ShownChain;
use tokio::sync::watch;
use tokio::time::Instant;

use crate::stream::{Channel, Watched, Wire};
use crate::unanswered::{Unanswered, was_dead_before};
use crate::{SendError, Stage};

const STREAM_WINDOW_BYTES: u32 = 128 * 1024;
const CONNECTION_WINDOW_BYTES: u32 = 1024 * 1024;
const PING_INTERVAL: Duration = Duration::from_secs(20);
const PING_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a connection may take to say goodbye.
const FAREWELL: Duration = Duration::from_secs(1);

/// A handle to an HTTP/2 connection.
#[derive(Clone)]
pub(crate) struct Http2 {
    sender: SendRequest<Full<Bytes>>,
    wire: Arc<Wire>,
    /// What it showed when it was made.
    pub(crate) chain: Option<Arc<ShownChain>>,
    /// It let a request down: the next one goes elsewhere.
    retired: Arc<AtomicBool>,
    _leash: watch::Sender<()>,
}

impl Http2 {
    /// Starts HTTP/2 on a connection.
    pub(crate) async fn open(
        channel: Channel,
        chain: Option<Arc<ShownChain>>,
    ) -> Result<Self, SendError> {
        let (stream, wire) = Watched::new(channel);
        let (leash, held) = watch::channel(());
        let leashed = Leashed(held);
        let opened = Builder::new(leashed.clone())
            .timer(TokioTimer::new())
            .initial_stream_window_size(STREAM_WINDOW_BYTES)
            .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
            .keep_alive_interval(PING_INTERVAL)
            .keep_alive_timeout(PING_TIMEOUT)
            .handshake(TokioIo::new(stream))
            .await;
        let (sender, connection) = opened.map_err(|error| SendError::new(Stage::Connect, error))?;
        leashed.execute(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "an HTTP/2 connection ended");
            }
        });
        Ok(Self {
            sender,
            wire,
            chain,
            retired: Arc::default(),
            _leash: leash,
        })
    }

    /// Sends a request and waits for the response's head.
    pub(crate) async fn request(
        &mut self,
        request: Request<Full<Bytes>>,
    ) -> Result<Response<Incoming>, Unanswered> {
        let begun = Instant::now();
        let answered = self.sender.try_send_request(request).await;
        answered.map_err(|mut failed| {
            let unwritten = failed.take_message().is_some();
            let error = failed.into_error();
            let unprocessed = unwritten || is_disclaimed(&error);
            let ended = self.wire.has_ended();
            if unprocessed || ended {
                self.retired.store(true, Ordering::Relaxed);
            }
            Unanswered {
                repeatable: unprocessed || ended && was_dead_before(begun),
                error: SendError::new(Stage::Read, error),
            }
        })
    }

    /// Whether another request may be sent.
    pub(crate) fn is_usable(&self) -> bool {
        !self.retired.load(Ordering::Relaxed) && !self.sender.is_closed()
    }
}

/// Whether the other side said that it did not look at the request: it lies behind the last one of
/// a `GOAWAY`, or its stream was refused (RFC 9113, 8.7).
fn is_disclaimed(error: &hyper::Error) -> bool {
    let cause = error.source().and_then(|cause| cause.downcast_ref());
    cause.is_some_and(|cause: &h2::Error| {
        let refused = cause.reason() == Some(h2::Reason::REFUSED_STREAM);
        cause.is_remote() && (cause.is_go_away() || refused)
    })
}

/// Runs a connection's tasks for as long as there is a handle, and a little longer.
#[derive(Clone)]
struct Leashed(watch::Receiver<()>);

impl<F> Executor<F> for Leashed
where
    F: Future + Send + 'static,
{
    fn execute(&self, work: F) {
        let mut held = self.0.clone();
        let let_go = async move {
            // Nothing is ever sent, so this waits for the last handle's end.
            let _ = held.changed().await;
            tokio::time::sleep(FAREWELL).await;
        };
        tokio::spawn(async move {
            tokio::select! {
                _ = work => {}
                () = let_go => {}
            }
        });
    }
}
