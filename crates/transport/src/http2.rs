//! HTTP/2 connections, which carry many requests at a time.
//!
//! One connection serves all requests to an origin, so it has a task of its own. Its windows are
//! small, since only the first bytes of a response are kept, and it pings while requests wait, so
//! that a dead one is noticed.

use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::client::conn::http2::{Builder, SendRequest};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};

use crate::http1::Unanswered;
use crate::stream::{Channel, Watched};
use crate::{SendError, Stage};

const STREAM_WINDOW_BYTES: u32 = 128 * 1024;
const CONNECTION_WINDOW_BYTES: u32 = 1024 * 1024;
const PING_INTERVAL: Duration = Duration::from_secs(20);
const PING_TIMEOUT: Duration = Duration::from_secs(10);

/// A handle to an HTTP/2 connection. The connection ends when its last handle and request are gone.
#[derive(Clone)]
pub(crate) struct Http2(SendRequest<Full<Bytes>>);

impl Http2 {
    /// Starts HTTP/2 on a connection.
    pub(crate) async fn open(channel: Channel) -> Result<Self, SendError> {
        let (stream, _) = Watched::new(channel);
        let opened = Builder::new(TokioExecutor::new())
            .timer(TokioTimer::new())
            .initial_stream_window_size(STREAM_WINDOW_BYTES)
            .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
            .keep_alive_interval(PING_INTERVAL)
            .keep_alive_timeout(PING_TIMEOUT)
            .handshake(TokioIo::new(stream))
            .await;
        let (sender, connection) = opened.map_err(|error| SendError::new(Stage::Connect, error))?;
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "an HTTP/2 connection ended");
            }
        });
        Ok(Self(sender))
    }

    /// Sends a request and waits for the response's head.
    pub(crate) async fn request(
        &mut self,
        request: Request<Full<Bytes>>,
    ) -> Result<Response<Incoming>, Unanswered> {
        self.0
            .try_send_request(request)
            .await
            .map_err(|mut failed| {
                let unsent = failed.take_message().is_some();
                Unanswered {
                    in_silence: unsent || self.0.is_closed(),
                    error: SendError::new(Stage::Read, failed.into_error()),
                }
            })
    }

    /// Whether the connection has ended.
    pub(crate) fn is_closed(&self) -> bool {
        self.0.is_closed()
    }
}
