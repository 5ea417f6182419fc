//! The bytes of a connection, with an eye on what HTTP code above doesn't tell.
//!
//! How much has been received, and whether the other side has ended it: a kept connection that ends
//! before the first byte of a response may have been dead already. And a write that fails: a
//! receiver may answer and close while the request is still being written, and its answer is lost
//! if the broken write ends the exchange. So a failed write is noted and taken for done; the
//! answer, or the end of the connection, comes from the reading side.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

/// An open connection, over TLS or not.
pub(crate) enum Channel {
    /// `http://`.
    Plain(TcpStream),
    /// `https://`.
    Tls(Box<TlsStream<TcpStream>>),
}

impl Channel {
    /// Whether TLS agreed on HTTP/2.
    pub(crate) fn is_http2(&self) -> bool {
        match self {
            Self::Plain(_) => false,
            Self::Tls(stream) => stream.get_ref().1.alpn_protocol() == Some(b"h2"),
        }
    }
}

/// What is known of a connection's bytes.
#[derive(Default)]
pub(crate) struct Wire {
    received: AtomicU64,
    ended: AtomicBool,
    broken: Mutex<Option<io::Error>>,
}

impl Wire {
    /// Bytes received so far.
    pub(crate) fn received(&self) -> u64 {
        self.received.load(Ordering::Relaxed)
    }

    /// Whether nothing more will be received.
    pub(crate) fn has_ended(&self) -> bool {
        self.ended.load(Ordering::Relaxed)
    }

    /// Whether a write has failed.
    pub(crate) fn is_broken(&self) -> bool {
        self.broken
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .is_some()
    }

    /// Why a write failed.
    pub(crate) fn take_write_error(&self) -> Option<io::Error> {
        self.broken
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
    }

    fn note_write_error(&self, error: io::Error) {
        let mut broken = self.broken.lock().unwrap_or_else(PoisonError::into_inner);
        broken.get_or_insert(error);
    }
}

/// A connection whose bytes are watched.
pub(crate) struct Watched<C> {
    channel: C,
    wire: Arc<Wire>,
    broken: bool,
}

impl<C> Watched<C> {
    pub(crate) fn new(channel: C) -> (Self, Arc<Wire>) {
        let wire = Arc::new(Wire::default());
        (
            Self {
                channel,
                wire: wire.clone(),
                broken: false,
            },
            wire,
        )
    }

    /// Turns a failed write of `length` bytes into one that is done.
    fn done_or_noted(
        &mut self,
        written: Poll<io::Result<usize>>,
        length: usize,
    ) -> Poll<io::Result<usize>> {
        match written {
            Poll::Ready(Err(error)) => {
                self.wire.note_write_error(error);
                self.broken = true;
                Poll::Ready(Ok(length))
            }
            other => other,
        }
    }
}

impl<C: AsyncRead + Unpin> AsyncRead for Watched<C> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = ready!(Pin::new(&mut self.channel).poll_read(cx, buffer));
        let received = buffer.filled().len() - before;
        if received > 0 {
            self.wire
                .received
                .fetch_add(received as u64, Ordering::Relaxed);
        } else if read.is_err() || buffer.remaining() > 0 {
            self.wire.ended.store(true, Ordering::Relaxed);
        }
        Poll::Ready(read)
    }
}

impl<C: AsyncWrite + Unpin> AsyncWrite for Watched<C> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.broken {
            return Poll::Ready(Ok(bytes.len()));
        }
        let written = Pin::new(&mut self.channel).poll_write(cx, bytes);
        self.done_or_noted(written, bytes.len())
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let length = slices.iter().map(|slice| slice.len()).sum();
        if self.broken {
            return Poll::Ready(Ok(length));
        }
        let written = Pin::new(&mut self.channel).poll_write_vectored(cx, slices);
        self.done_or_noted(written, length)
    }

    fn is_write_vectored(&self) -> bool {
        self.channel.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.broken {
            return Poll::Ready(Ok(()));
        }
        let flushed = Pin::new(&mut self.channel).poll_flush(cx);
        self.done_or_noted(flushed.map_ok(|()| 0), 0).map_ok(|_| ())
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.broken {
            return Poll::Ready(Ok(()));
        }
        Pin::new(&mut self.channel).poll_shutdown(cx)
    }
}

/// Calls the stream inside, whichever it is.
macro_rules! either {
    ($self:ident, $stream:ident => $call:expr) => {
        match $self.get_mut() {
            Self::Plain(stream) => {
                let $stream = Pin::new(stream);
                $call
            }
            Self::Tls(stream) => {
                let $stream = Pin::new(stream.as_mut());
                $call
            }
        }
    };
}

impl AsyncRead for Channel {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        either!(self, stream => stream.poll_read(cx, buffer))
    }
}

impl AsyncWrite for Channel {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        either!(self, stream => stream.poll_write(cx, bytes))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        either!(self, stream => stream.poll_write_vectored(cx, slices))
    }

    fn is_write_vectored(&self) -> bool {
        match self {
            Self::Plain(stream) => stream.is_write_vectored(),
            Self::Tls(stream) => stream.is_write_vectored(),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        either!(self, stream => stream.poll_flush(cx))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        either!(self, stream => stream.poll_shutdown(cx))
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::Request;
    use http_body_util::Full;
    use hyper_util::rt::TokioIo;
    use tokio::io::AsyncWriteExt;
    use tokio::sync::oneshot;

    use super::*;

    /// Tells that it was written to, and fails.
    struct Broken(Option<oneshot::Sender<()>>);

    impl AsyncWrite for Broken {
        fn poll_write(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
            _: &[u8],
        ) -> Poll<io::Result<usize>> {
            let told = self.0.take().expect("it is written to only once");
            told.send(()).expect("somebody listens");
            Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()))
        }

        fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()))
        }

        fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()))
        }
    }

    #[tokio::test]
    async fn answer_that_arrives_after_a_broken_write_is_read() {
        let (tell, written) = oneshot::channel();
        let (near, mut far) = tokio::io::duplex(1024);
        let (stream, wire) = Watched::new(tokio::io::join(near, Broken(Some(tell))));
        let opened = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await;
        let (mut sender, connection) = opened.expect("nothing is sent yet");
        tokio::spawn(connection);
        let mut request = Request::new(Full::new(Bytes::from(vec![b'x'; 1_000_000])));
        *request.method_mut() = http::Method::POST;
        let sending = tokio::spawn(sender.send_request(request));
        written.await.expect("a write");
        far.write_all(b"HTTP/1.1 413 Too Large\r\ncontent-length: 0\r\n\r\n")
            .await
            .expect("read");
        let answer = sending.await.expect("no panic").expect("an answer");
        assert_eq!(answer.status(), 413);
        assert!(wire.is_broken());
        let error = wire.take_write_error().expect("it was noted");
        assert_eq!(error.kind(), io::ErrorKind::BrokenPipe);
    }
}
