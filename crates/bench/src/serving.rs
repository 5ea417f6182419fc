//! The server's side of HTTP/1.1, as bare as it can be: for the receiver and the relay.

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
use std::time::Duration;
use tokio::net::TcpListener;

/// Wait after a failure to accept, such as too many open files, so that it does not spin.
pub(crate) const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// An answer.
pub(crate) type Answer = Response<Full<Bytes>>;

/// Listens, and says so on standard error.
pub(crate) async fn listen(address: SocketAddr) -> Result<TcpListener, BenchError> {
    let listener = TcpListener::bind(address).await;
    let listener = listener.map_err(BenchError::io("can't listen on the address"))?;
    let address = listener.local_addr();
    let address = address.map_err(BenchError::io("the address can't be told"))?;
    eprintln!("listening on http://{address}");
    Ok(listener)
}

/// Answers every request until it is dropped.
pub(crate) async fn serve<F>(
    listener: TcpListener,
    answer: impl Fn(Request<Incoming>) -> F + Clone + Send + 'static,
) where
    F: Future<Output = Answer> + Send + 'static,
{
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(ACCEPT_PAUSE).await;
            continue;
        };
        // Without it answers are slower, and no less right.
        let _ = stream.set_nodelay(true);
        let answer = answer.clone();
        let service = service_fn(move |request| {
            let answer = answer(request);
            async move { Ok::<_, Infallible>(answer.await) }
        });
        let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
        tokio::spawn(async move { drop(connection.await) });
    }
}
