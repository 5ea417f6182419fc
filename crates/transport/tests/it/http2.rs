//! Receivers that speak HTTP/2 frame by frame, to say what no library would.

use std::sync::Arc;
use std::time::Duration;

use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;
use transport::{HttpsTransport, Stage};

use crate::receiver::*;
use crate::tls::{Authority, url};

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const GOAWAY: u8 = 7;

const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;

const MAX_CONCURRENT_STREAMS: [u8; 2] = [0, 3];
const REFUSED_STREAM: [u8; 4] = [0, 0, 0, 7];
const INTERNAL_ERROR: [u8; 4] = [0, 0, 0, 2];

struct Peer(Connection<TlsStream<TcpStream>>);

impl Peer {
    /// Takes the next connection and begins HTTP/2 on it.
    async fn accept(authority: &Authority, receiver: &mut Receiver) -> Self {
        let connection = receiver.connection().await;
        let (mut connection, _) = authority.accept(connection, HOST, &["h2"]).await;
        let mut preface = [0; 24];
        connection.0.read_exact(&mut preface).await.expect("h2");
        assert_eq!(&preface, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
        let mut peer = Self(connection);
        peer.send(SETTINGS, 0, 0, &[]).await;
        peer
    }

    async fn send(&mut self, kind: u8, flags: u8, stream: u32, payload: &[u8]) {
        let length = u32::try_from(payload.len()).expect("a short frame");
        let mut frame = length.to_be_bytes()[1..].to_vec();
        frame.extend([kind, flags]);
        frame.extend(stream.to_be_bytes());
        frame.extend(payload);
        self.0.write(frame).await;
    }

    async fn frame(&mut self) -> (u8, u8, u32) {
        let mut head = [0; 9];
        self.0.0.read_exact(&mut head).await.expect("a frame");
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
        let mut payload = vec![0; length as usize];
        self.0.0.read_exact(&mut payload).await.expect("a payload");
        let stream = u32::from_be_bytes([head[5], head[6], head[7], head[8]]);
        (head[3], head[4], stream)
    }

    /// Reads to the end of a request and gives its stream.
    async fn request(&mut self) -> u32 {
        loop {
            let (kind, flags, stream) = self.frame().await;
            if matches!(kind, DATA | HEADERS) && flags & END_STREAM != 0 {
                return stream;
            }
        }
    }

    /// Reads a request and answers `200`.
    async fn serve(&mut self) {
        let stream = self.request().await;
        let status_200 = [0x88];
        let flags = END_HEADERS | END_STREAM;
        self.send(HEADERS, flags, stream, &status_200).await;
    }
}

/// A receiver with a connection that has served a request.
async fn warmed_up() -> (Authority, Receiver, Arc<HttpsTransport>, Peer) {
    let (authority, mut receiver) = (Authority::new(), Receiver::start().await);
    let transport = authority.trusting();
    let first = send(&transport, outgoing(&url(&receiver), "{}"));
    let mut peer = Peer::accept(&authority, &mut receiver).await;
    peer.serve().await;
    assert_eq!(answered(first).await.status, 200);
    (authority, receiver, transport, peer)
}

#[tokio::test]
async fn request_that_the_other_side_disclaims_is_sent_once_more() {
    for (kind, stream, payload) in [
        // The last stream that was looked at is 1, and no error.
        (GOAWAY, 0, &[0, 0, 0, 1, 0, 0, 0, 0][..]),
        (RST_STREAM, 3, &REFUSED_STREAM[..]),
    ] {
        let (authority, mut receiver, transport, mut peer) = warmed_up().await;
        let second = send(&transport, outgoing(&url(&receiver), "{}"));
        assert_eq!(peer.request().await, 3);
        peer.send(kind, 0, stream, payload).await;
        let mut fresh = Peer::accept(&authority, &mut receiver).await;
        fresh.serve().await;
        assert!(!answered(second).await.observed.phases.reused, "{kind}");

        let third = send(&transport, outgoing(&url(&receiver), "{}"));
        fresh.serve().await;
        assert!(answered(third).await.observed.phases.reused, "{kind}");
        assert!(receiver.has_no_further_connection());
    }
}

#[tokio::test]
async fn request_whose_shared_connection_was_dead_is_sent_once_more() {
    let (authority, mut receiver, transport, mut peer) = warmed_up().await;
    let second = send(&transport, outgoing(&url(&receiver), "{}"));
    peer.request().await;
    drop(peer);
    let mut fresh = Peer::accept(&authority, &mut receiver).await;
    fresh.serve().await;
    assert!(!answered(second).await.observed.phases.reused);
}

#[tokio::test]
async fn request_that_was_worked_on_is_not_sent_again() {
    let (_authority, mut receiver, transport, mut peer) = warmed_up().await;
    let second = send(&transport, outgoing(&url(&receiver), "{}"));
    let stream = peer.request().await;
    peer.send(RST_STREAM, 0, stream, &INTERNAL_ERROR).await;
    assert_eq!(failed(second).await.stage(), Stage::Read);

    let third = send(&transport, outgoing(&url(&receiver), "{}"));
    peer.request().await;
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(2)).await;
    tokio::time::resume();
    drop(peer);
    assert_eq!(failed(third).await.stage(), Stage::Read);
    assert!(receiver.has_no_further_connection());
}

#[tokio::test]
async fn peer_that_lets_no_request_through_cannot_keep_the_connection() {
    let (_authority, receiver, transport, mut peer) = warmed_up().await;
    let none = [&MAX_CONCURRENT_STREAMS[..], &[0; 4]].concat();
    peer.send(SETTINGS, 0, 0, &none).await;
    // Its acknowledgement is the second one.
    let mut acknowledged = 0;
    while acknowledged < 2 {
        let (kind, flags, _) = peer.frame().await;
        acknowledged += usize::from(kind == SETTINGS && flags == 1);
    }
    let mut request = outgoing(&url(&receiver), "{}");
    request.limits.total_timeout = Duration::from_millis(200);
    let second = send(&transport, request);
    assert_eq!(failed(second).await.stage(), Stage::Timeout);
    drop(transport);
    peer.0.closed().await;
}
