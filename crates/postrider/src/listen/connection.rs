//! One connection until its end. Its client decides when that is, as long as it can: what is sent
//! on one that ends at this moment is lost, and the client can't tell whether it was read.

use super::{Answer, Tls};
use axum::response::Response;
use hyper::body::Incoming;
use hyper::header::{CONNECTION, HeaderValue};
use hyper::{HeaderMap, Request, Version};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use ingest::Peer;
use ingest::proxies::TrustedProxies;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;
use tokio_util::sync::CancellationToken;

/// How long a client may take to send a request's head, and how long a connection may be idle
/// between two requests: a slow one holds a connection, not more.
const HEAD_TIMEOUT: Duration = Duration::from_secs(60);
/// Requests at a time on one HTTP/2 connection.
const STREAMS_MAX: u32 = 256;
/// How long an idle connection stays open once the server is to end. A client that uses it
/// meanwhile is answered, and told that this was the last. One that keeps idle connections for less
/// than this never sends on one that is just ending.
const IDLE_MAX: Duration = Duration::from_secs(3);

/// What a connection needs.
pub(super) struct Connection<A> {
    pub(super) answer: A,
    /// What it begins with, unless it is in clear.
    pub(super) tls: Option<Tls>,
    pub(super) proxies: Arc<TrustedProxies>,
    pub(super) remote: SocketAddr,
    /// The server is to end.
    pub(super) stop: CancellationToken,
}

impl<A: Answer> Connection<A> {
    /// Answers what comes, until the client or the server has had enough.
    pub(super) async fn carry(self, stream: TcpStream) {
        // Answers are small and must not wait for more to send.
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "TCP_NODELAY could not be set");
        }
        let Some(tls) = &self.tls else {
            return self.converse(stream, Arc::default()).await;
        };
        match tls.accept(stream).await {
            Ok(stream) => {
                let shown = shown(&stream);
                self.converse(stream, shown).await;
            }
            Err(error) => {
                let remote = self.remote;
                tracing::debug!(%error, %remote, "a connection ended before TLS was spoken");
            }
        }
    }

    /// `shown`: what the client showed of itself.
    async fn converse(
        self,
        stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
        shown: Arc<[Vec<u8>]>,
    ) {
        let (remote, stop) = (self.remote, self.stop.clone());
        let multiplexed = Arc::new(AtomicBool::new(false));
        let seen = multiplexed.clone();
        let service = hyper::service::service_fn(move |request: Request<Incoming>| {
            seen.store(request.version() == Version::HTTP_2, Ordering::Relaxed);
            let answered = self.answered(request, shown.clone());
            async move { Ok::<_, Infallible>(answered.await) }
        });
        let builder = builder();
        let mut connection = pin!(builder.serve_connection(TokioIo::new(stream), service));
        let ended = tokio::select! {
            biased; // what has come is read before it may end
            ended = connection.as_mut() => ended,
            () = may_end(&stop, &multiplexed) => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        };
        if let Err(error) = ended {
            tracing::debug!(%error, %remote, "a connection ended early");
        }
    }

    fn answered(
        &self,
        request: Request<Incoming>,
        shown: Arc<[Vec<u8>]>,
    ) -> impl Future<Output = Response> + use<A> {
        let peer = self.peer(request.headers(), shown);
        let one_at_a_time = request.version() < Version::HTTP_2;
        let (answer, stop) = (self.answer.clone().answer(request, peer), self.stop.clone());
        async move {
            let mut response = answer.await;
            if one_at_a_time && stop.is_cancelled() {
                let headers = response.headers_mut();
                headers.insert(CONNECTION, HeaderValue::from_static("close"));
            }
            response
        }
    }

    fn peer(&self, headers: &HeaderMap, certificates: Arc<[Vec<u8>]>) -> Peer {
        let origin = self.proxies.origin(self.remote.ip(), headers);
        Peer {
            is_contradictory: origin.is_err(),
            address: origin.unwrap_or_default(),
            certificates,
        }
    }
}

fn shown(stream: &TlsStream<TcpStream>) -> Arc<[Vec<u8>]> {
    let (_, session) = stream.get_ref();
    let chain = session.peer_certificates().unwrap_or_default();
    chain.iter().map(|one| one.to_vec()).collect()
}

/// Ends when the server may end a connection. With HTTP/2, that tells the client which of its
/// requests are still answered, and no request is lost.
async fn may_end(stop: &CancellationToken, multiplexed: &AtomicBool) {
    stop.cancelled().await;
    if !multiplexed.load(Ordering::Relaxed) {
        tokio::time::sleep(IDLE_MAX).await;
    }
}

fn builder() -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        // Looking out for the end of a connection while a request is answered costs a buffer for
        // each; what was begun is carried through anyway.
        .half_close(true)
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(STREAMS_MAX);
    builder
}
