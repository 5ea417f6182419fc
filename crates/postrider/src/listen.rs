//! Serving HTTP: accepts connections, speaks HTTP/1.1 and HTTP/2 on them, and lets them end
//! gracefully. What is answered is somebody else's business.

use api::{Door, RemoteAddress};
use axum::Router;
use axum::response::Response;
use hyper::Request;
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::GracefulShutdown;
use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

/// How long a client may take to send a request's head, and how long a connection may be idle
/// between two requests: a slow one holds a connection, not more.
const HEAD_TIMEOUT: Duration = Duration::from_secs(60);
/// Connections at a time. Beyond it, clients wait to be accepted.
const CONNECTIONS_MAX: usize = 10_000;
/// Requests at a time on one HTTP/2 connection.
const STREAMS_MAX: u32 = 256;
/// Wait after a failure to accept, such as too many open files, so that it does not spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// What answers requests. Each comes with its [`RemoteAddress`] among its extensions.
pub(crate) trait Answer: Clone + Send + 'static {
    /// Answers one.
    fn answer(self, request: Request<Incoming>) -> impl Future<Output = Response> + Send + 'static;
}

impl Answer for Door {
    async fn answer(self, request: Request<Incoming>) -> Response {
        Door::answer(&self, request).await
    }
}

impl Answer for Router {
    async fn answer(self, request: Request<Incoming>) -> Response {
        let answered = self.oneshot(request).await;
        answered.unwrap_or_else(|never| match never {})
    }
}

/// Answers requests until `stop`, then lets open requests end; those that have not by `deadline`
/// after it are dropped.
pub(crate) async fn serve<A: Answer>(
    listener: TcpListener,
    answer: A,
    stop: CancellationToken,
    deadline: Duration,
) {
    let graceful = GracefulShutdown::new();
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    while let Some(accepted) = stop.run_until_cancelled(next(&listener, &places)).await {
        match accepted {
            Ok((place, stream, remote)) => {
                let served = connection((stream, remote), answer.clone(), &graceful);
                tokio::spawn(async move {
                    served.await;
                    drop(place);
                });
            }
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    drop(listener);
    if tokio::time::timeout(deadline, graceful.shutdown())
        .await
        .is_err()
    {
        tracing::warn!("requests that were still open after {deadline:?} were dropped");
    }
}

/// The next connection, when there is a place for it.
async fn next(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> io::Result<(OwnedSemaphorePermit, TcpStream, SocketAddr)> {
    let place = places.clone().acquire_owned().await;
    let place = place.expect("the semaphore is never closed");
    let (stream, remote) = listener.accept().await?;
    Ok((place, stream, remote))
}

fn connection<A: Answer>(
    (stream, remote): (TcpStream, SocketAddr),
    answer: A,
    graceful: &GracefulShutdown,
) -> impl Future<Output = ()> + Send + 'static {
    // Answers are small and must not wait for more to send.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "TCP_NODELAY could not be set");
    }
    let service = hyper::service::service_fn(move |mut request: Request<Incoming>| {
        let remote = RemoteAddress(remote.ip());
        request.extensions_mut().insert(remote);
        let answer = answer.clone().answer(request);
        async move { Ok::<_, Infallible>(answer.await) }
    });
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
    let connection = builder
        .serve_connection(TokioIo::new(stream), service)
        .into_owned();
    let watched = graceful.watch(connection);
    async move {
        if let Err(error) = watched.await {
            tracing::debug!(%error, %remote, "a connection ended early");
        }
    }
}
