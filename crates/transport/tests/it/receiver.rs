//! A receiver that does what a test tells it to, and the transport that talks to it.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::HeaderMap;
use model::address::AddressPolicy;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use transport::{
    Answer, FixedResolver, Guard, HttpsTransport, Limits, Options, Outgoing, SendError, Target,
    Transport,
};

/// Longer than any step of a test takes.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);
/// What a request may take that is to run out of time: more than a busy machine takes to send it.
pub(crate) const LIMIT: Duration = Duration::from_secs(10);

/// A name that the tests' resolver knows.
pub(crate) const HOST: &str = "hooks.customer-site.net";

/// A listening socket on this machine. It accepts all the time; the test takes connections one by
/// one.
pub(crate) struct Receiver {
    pub(crate) address: SocketAddr,
    accepted: mpsc::UnboundedReceiver<TcpStream>,
    accepting: tokio::task::JoinHandle<()>,
}

impl Receiver {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .await
            .expect("a socket");
        let address = listener.local_addr().expect("its address");
        let (hand_over, accepted) = mpsc::unbounded_channel();
        let accepting = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                if hand_over.send(stream).is_err() {
                    return;
                }
            }
        });
        Self {
            address,
            accepted,
            accepting,
        }
    }

    /// Listens no longer.
    pub(crate) async fn stop(self) {
        self.accepting.abort();
        self.accepting.await.expect_err("it was ended");
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{HOST}:{}{path}", self.address.port())
    }

    pub(crate) async fn connection(&mut self) -> Connection<TcpStream> {
        let accepted = tokio::time::timeout(PATIENCE, self.accepted.recv()).await;
        Connection(accepted.expect("a connection in time").expect("it listens"))
    }

    pub(crate) fn has_no_further_connection(&mut self) -> bool {
        self.accepted.try_recv().is_err()
    }
}

/// One connection, seen from the receiver.
pub(crate) struct Connection<S>(pub(crate) S);

/// A request as it came.
pub(crate) struct Seen {
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Connection<S> {
    /// Reads to the empty line after a head.
    pub(crate) async fn head(&mut self) -> String {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(self.0.read_u8().await.expect("a head"));
        }
        String::from_utf8(head).expect("text")
    }

    /// Reads a request with its body.
    pub(crate) async fn request(&mut self) -> Seen {
        let head = self.head().await;
        let length = head
            .to_ascii_lowercase()
            .lines()
            .find_map(|line| line.strip_prefix("content-length: ").map(str::to_owned));
        let length = length.expect("a length").parse().expect("a number");
        let mut body = vec![0; length];
        self.0.read_exact(&mut body).await.expect("a body");
        Seen { head, body }
    }

    pub(crate) async fn write(&mut self, bytes: impl AsRef<[u8]>) {
        self.0.write_all(bytes.as_ref()).await.expect("a reader");
        self.0.flush().await.expect("a reader");
    }

    /// Reads a request and answers `200`.
    pub(crate) async fn serve(&mut self) -> Seen {
        let seen = self.request().await;
        self.write("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")
            .await;
        seen
    }

    /// What is sent up to a body of `{}`, which is answered, or up to the end.
    pub(crate) async fn answer_if_asked(&mut self) -> Vec<u8> {
        let mut sent = Vec::new();
        while !sent.ends_with(b"{}") {
            match self.0.read_u8().await {
                Ok(byte) => sent.push(byte),
                Err(_) => return sent,
            }
        }
        self.write("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
            .await;
        sent
    }

    /// Waits until the other side has closed, whatever it still sends.
    pub(crate) async fn closed(&mut self) {
        let mut sink = vec![0; 64 * 1024];
        let drained = async { while self.0.read(&mut sink).await.is_ok_and(|read| read > 0) {} };
        tokio::time::timeout(PATIENCE, drained)
            .await
            .expect("the other side closes");
    }
}

/// A guard that opens this machine and resolves every name to it.
pub(crate) fn guard() -> Arc<Guard> {
    let here = vec![IpAddr::V4(Ipv4Addr::LOCALHOST)];
    Arc::new(Guard::new(
        AddressPolicy::development(),
        Arc::new(FixedResolver(here)),
    ))
}

pub(crate) fn transport() -> Arc<HttpsTransport> {
    with_options(Options::default())
}

pub(crate) fn with_options(options: Options) -> Arc<HttpsTransport> {
    Arc::new(HttpsTransport::new(guard(), options).expect("usable options"))
}

pub(crate) fn outgoing(url: &str, body: impl Into<Bytes>) -> Outgoing {
    let url = AddressPolicy::development().check_url(url).expect("a URL");
    let target = Target::new(url).expect("a target");
    Outgoing::post(
        target.into(),
        HeaderMap::new(),
        body.into(),
        Limits::default(),
    )
}

pub(crate) type Sending = tokio::task::JoinHandle<Result<Answer, SendError>>;

pub(crate) fn send(transport: &Arc<HttpsTransport>, outgoing: Outgoing) -> Sending {
    let transport = transport.clone();
    tokio::spawn(async move {
        let sent = tokio::time::timeout(PATIENCE, transport.send(outgoing)).await;
        sent.expect("an outcome in time")
    })
}

pub(crate) async fn answered(sending: Sending) -> Answer {
    sending.await.expect("no panic").expect("an answer")
}

pub(crate) async fn failed(sending: Sending) -> SendError {
    sending.await.expect("no panic").expect_err("no answer")
}

/// Lets this time pass at once, for whoever waits for it.
pub(crate) async fn pass(time: Duration) {
    tokio::time::pause();
    tokio::time::advance(time).await;
    tokio::time::resume();
}
