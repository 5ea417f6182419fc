//! The server's side of HTTP/1.1, as bare as it can be: for the receiver, also over TLS, and the
//! relay.

use crate::BenchError;
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

/// Wait after a failure to accept, such as too many open files, so that it does not spin.
pub(crate) const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// An answer.
pub(crate) type Answer = Response<Full<Bytes>>;

/// What a request came over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Over {
    /// TLS.
    pub(crate) tls: bool,
    /// The other side has shown a certificate that was good.
    pub(crate) certificate: bool,
    /// A connection that it is the first request of.
    pub(crate) first: bool,
}

/// Listens, and says so on standard error.
pub(crate) async fn listen(address: SocketAddr) -> Result<TcpListener, BenchError> {
    let (listener, address) = bind(address).await?;
    eprintln!("listening on http://{address}");
    Ok(listener)
}

/// Listens, and says nothing of it.
pub(crate) async fn bind(address: SocketAddr) -> Result<(TcpListener, SocketAddr), BenchError> {
    let listener = TcpListener::bind(address).await;
    let listener = listener.map_err(BenchError::io("can't listen on the address"))?;
    let address = listener.local_addr();
    let address = address.map_err(BenchError::io("the address can't be told"))?;
    Ok((listener, address))
}

/// Answers every request until it is dropped.
pub(crate) async fn serve<F>(
    listener: TcpListener,
    answer: impl Fn(Request<Incoming>, Over) -> F + Clone + Send + 'static,
) where
    F: Future<Output = Answer> + Send + 'static,
{
    let over = Over {
        tls: false,
        certificate: false,
        first: false,
    };
    loop {
        let stream = accept(&listener).await;
        tokio::spawn(talk(stream, over, answer.clone()));
    }
}

/// The same over TLS.
pub(crate) async fn serve_tls<F>(
    listener: TcpListener,
    acceptor: TlsAcceptor,
    answer: impl Fn(Request<Incoming>, Over) -> F + Clone + Send + 'static,
) where
    F: Future<Output = Answer> + Send + 'static,
{
    loop {
        let stream = accept(&listener).await;
        let (acceptor, answer) = (acceptor.clone(), answer.clone());
        tokio::spawn(async move {
            // Whoever can't shake hands learns so by it.
            let Ok(stream) = acceptor.accept(stream).await else {
                return;
            };
            let over = Over {
                tls: true,
                certificate: stream.get_ref().1.peer_certificates().is_some(),
                first: false,
            };
            talk(stream, over, answer).await;
        });
    }
}

async fn accept(listener: &TcpListener) -> TcpStream {
    loop {
        if let Ok((stream, _)) = listener.accept().await {
            // Without it answers are slower, and no less right.
            let _ = stream.set_nodelay(true);
            return stream;
        }
        tokio::time::sleep(ACCEPT_PAUSE).await;
    }
}

async fn talk<F>(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    over: Over,
    answer: impl Fn(Request<Incoming>, Over) -> F,
) where
    F: Future<Output = Answer>,
{
    let fresh = AtomicBool::new(true);
    let service = service_fn(move |request| {
        let first = fresh.swap(false, Ordering::Relaxed);
        let answer = answer(request, Over { first, ..over });
        async move { Ok::<_, Infallible>(answer.await) }
    });
    let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    drop(connection.await);
}
