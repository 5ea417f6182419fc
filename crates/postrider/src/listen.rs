//! Serving HTTP: accepts connections, speaks HTTP/1.1 and HTTP/2 on them, in clear or within TLS,
//! and ends without cutting anybody off. What is answered is somebody else's business.
//!
//! Map: [`connection`] (one of them) · [`tls`] (handshakes) · [`certificate`] (what they are made
//! with) · [`possession`] (what clients show) · [`closing`] (the end of listening).
#![allow(rustdoc::private_intra_doc_links)]

mod certificate;
mod closing;
mod connection;
mod possession;
mod tls;

pub(crate) use tls::Tls;

use api::Door;
use app::caller::RemoteAddress;
use axum::Router;
use axum::response::Response;
use connection::Connection;
use hyper::Request;
use hyper::body::Incoming;
use ingest::Peer;
use ingest::proxies::TrustedProxies;
use socket2::{Domain, Socket, Type};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt as _;

/// Connections at a time. Beyond it, clients wait to be accepted.
pub(crate) const CONNECTIONS_MAX: usize = 10_000;
/// Connections that the system holds until they are accepted.
const BACKLOG: i32 = 1_024;
/// Wait after a failure to accept, such as too many open files, so that it does not spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// What answers requests.
pub(crate) trait Answer: Clone + Send + 'static {
    /// Answers one that came from there.
    fn answer(
        self,
        request: Request<Incoming>,
        peer: Peer,
    ) -> impl Future<Output = Response> + Send + 'static;
}

impl Answer for Door {
    async fn answer(self, mut request: Request<Incoming>, peer: Peer) -> Response {
        if let Some(address) = peer.address {
            request.extensions_mut().insert(RemoteAddress(address));
        }
        Door::answer(&self, request).await
    }
}

impl Answer for Router {
    async fn answer(self, request: Request<Incoming>, _: Peer) -> Response {
        let answered = self.oneshot(request).await;
        answered.unwrap_or_else(|never| match never {})
    }
}

/// An address that is taken, where nobody listens yet: who connects is refused.
pub(crate) fn bind(address: SocketAddr) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
    // Connections of a process before this one may still be ending.
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    Ok(socket)
}

/// Listens there.
pub(crate) fn listen(socket: Socket) -> io::Result<TcpListener> {
    socket.listen(BACKLOG)?;
    TcpListener::from_std(socket.into())
}

/// Where connections come in: TLS is spoken with them, or nothing but HTTP.
pub(crate) struct Entrance {
    pub(crate) listener: TcpListener,
    pub(crate) tls: Option<Tls>,
    /// Who is believed when it says on whose behalf it sends.
    pub(crate) proxies: Arc<TrustedProxies>,
    /// Room for connections.
    pub(crate) places: Arc<Semaphore>,
}

/// Room for the connections of a listener.
pub(crate) fn places() -> Arc<Semaphore> {
    Arc::new(Semaphore::new(CONNECTIONS_MAX))
}

/// Answers requests until `stop`, then lets open requests end, and what clients send on connections
/// that they have; what has not ended by `deadline` after it is dropped.
pub(crate) async fn serve<A: Answer>(
    entrance: Entrance,
    answer: A,
    stop: CancellationToken,
    deadline: Duration,
) {
    let Entrance {
        listener,
        tls,
        proxies,
        places,
    } = entrance;
    let serving = Serving {
        answer,
        tls,
        proxies,
        stop: stop.clone(),
        places,
        connections: TaskTracker::new(),
    };
    while let Some(accepted) = stop.run_until_cancelled(serving.next(&listener)).await {
        serving.carry(accepted).await;
    }
    let ended = tokio::time::timeout(deadline, async {
        serving.accept_the_last(listener).await;
        serving.connections.close();
        serving.connections.wait().await;
    });
    if ended.await.is_err() {
        tracing::warn!("requests that were still open after {deadline:?} were dropped");
    }
}

type Accepted = (OwnedSemaphorePermit, TcpStream, SocketAddr);

struct Serving<A> {
    answer: A,
    tls: Option<Tls>,
    proxies: Arc<TrustedProxies>,
    stop: CancellationToken,
    places: Arc<Semaphore>,
    connections: TaskTracker,
}

impl<A: Answer> Serving<A> {
    /// The next connection, when there is a place for it.
    async fn next(&self, listener: &TcpListener) -> io::Result<Accepted> {
        let place = self.place().await;
        let (stream, remote) = listener.accept().await?;
        Ok((place, stream, remote))
    }

    async fn place(&self) -> OwnedSemaphorePermit {
        let place = self.places.clone().acquire_owned().await;
        place.expect("the semaphore is never closed")
    }

    async fn carry(&self, accepted: io::Result<Accepted>) {
        match accepted {
            Ok((place, stream, remote)) => {
                let connection = Connection {
                    answer: self.answer.clone(),
                    tls: self.tls.clone(),
                    proxies: self.proxies.clone(),
                    remote,
                    stop: self.stop.clone(),
                };
                self.connections.spawn(async move {
                    connection.carry(stream).await;
                    drop(place);
                });
            }
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }

    /// Serves whoever has a connection by now, though it was not accepted yet, and listens no more.
    async fn accept_the_last(&self, listener: TcpListener) {
        closing::refuse_new(&listener);
        let on_their_way = async {
            loop {
                self.carry(self.next(&listener).await).await;
            }
        };
        let waited = tokio::time::timeout(closing::HANDSHAKE, on_their_way).await;
        waited.expect_err("it goes on for ever");
        for (stream, remote) in closing::waiting(listener) {
            let place = self.place().await;
            self.carry(Ok((place, stream, remote))).await;
        }
    }
}
