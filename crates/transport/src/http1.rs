//! One HTTP/1.1 connection, driven by the request that uses it.
//!
//! hyper splits a connection into a sender of requests and a future that does the work. Here the
//! two stay together: whoever waits for a response also polls the connection. It costs one task
//! less for each request, and dropping the wait closes the socket, whatever the other side is up
//! to.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::client::conn::http1::{Builder, Connection, SendRequest};
use hyper_util::rt::TokioIo;
use model::chain_seen::ShownChain;
use tokio::time::Instant;

use crate::stream::{Channel, Watched, Wire};
use crate::unanswered::{Unanswered, was_dead_before};
use crate::{SendError, Stage};

/// Bounds a response's head.
const READ_BUFFER_BYTES_MAX: usize = 64 * 1024;

/// An HTTP/1.1 connection that carries one request at a time.
pub(crate) struct Http1 {
    sender: SendRequest<Full<Bytes>>,
    connection: Connection<TokioIo<Watched<Channel>>, Full<Bytes>>,
    wire: Arc<Wire>,
    /// What it showed when it was made.
    pub(crate) chain: Option<Arc<ShownChain>>,
    finished: bool,
}

impl Http1 {
    /// Starts HTTP/1.1 on a connection. With `spelled`, requests keep the spelling of header names
    /// that comes with them.
    pub(crate) async fn open(
        channel: Channel,
        spelled: bool,
        chain: Option<Arc<ShownChain>>,
    ) -> Result<Self, SendError> {
        let (stream, wire) = Watched::new(channel);
        let mut builder = Builder::new();
        builder
            .max_buf_size(READ_BUFFER_BYTES_MAX)
            .preserve_header_case(spelled);
        let opened = builder.handshake(TokioIo::new(stream)).await;
        let (sender, connection) = opened.map_err(|error| SendError::new(Stage::Connect, error))?;
        Ok(Self {
            sender,
            connection,
            wire,
            chain,
            finished: false,
        })
    }

    /// Sends a request and waits for the response's head. A head that comes before the request was
    /// written whole is as good as any.
    pub(crate) async fn request(
        &mut self,
        request: Request<Full<Bytes>>,
    ) -> Result<Response<Incoming>, Unanswered> {
        let (begun, received_before) = (Instant::now(), self.wire.received());
        let mut response = pin!(self.sender.try_send_request(request));
        let (connection, finished) = (&mut self.connection, &mut self.finished);
        let answered = poll_fn(|cx| {
            drive(connection, finished, cx);
            response.as_mut().poll(cx)
        });
        answered.await.map_err(|mut failed| {
            let unwritten = failed.take_message().is_some();
            let silent = self.wire.received() == received_before;
            Unanswered {
                repeatable: unwritten || silent && was_dead_before(begun),
                error: match self.wire.take_write_error() {
                    Some(error) => SendError::new(Stage::Write, error),
                    None => SendError::new(Stage::Read, failed.into_error()),
                },
            }
        })
    }

    /// Lets the connection read and write.
    pub(crate) fn drive(&mut self, cx: &mut Context<'_>) {
        drive(&mut self.connection, &mut self.finished, cx);
    }

    /// Whether another request may be sent: the last one was written and answered whole, and the
    /// other side still listens.
    pub(crate) async fn is_ready(&mut self) -> bool {
        poll_fn(|cx| {
            self.drive(cx);
            Poll::Ready(!self.finished && self.sender.is_ready() && !self.wire.is_broken())
        })
        .await
    }
}

fn drive(
    connection: &mut Connection<TokioIo<Watched<Channel>>, Full<Bytes>>,
    finished: &mut bool,
    cx: &mut Context<'_>,
) {
    if *finished {
        return;
    }
    if let Poll::Ready(ended) = Pin::new(connection).poll(cx) {
        *finished = true;
        if let Err(error) = ended {
            tracing::debug!(%error, "a connection ended");
        }
    }
}
