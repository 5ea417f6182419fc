//! What clients see of a server that is asked to end: an answer to everything that they could send,
//! and then nobody who listens.

use std::io::ErrorKind;
use std::net::SocketAddr;

use e2e::{Options, Server, within};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::task::JoinSet;

const KEPT_OPEN: &[u8] = b"GET /api/v1/health HTTP/1.1\r\nhost: a\r\n\r\n";
const CLOSED: &[u8] = b"GET /api/v1/health HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";
/// Clients that connect all the time.
const CLIENTS: usize = 16;

#[tokio::test]
async fn connections_that_are_kept_open_serve_until_their_clients_are_told() {
    let mut server = Server::start(Options::dev()).await;
    let mut connections = Vec::new();
    for _ in 0..CLIENTS {
        let mut connection = connect(server.address()).await.expect("it listens");
        let answer = ask(&mut connection, KEPT_OPEN).await;
        assert!(!is_last(&answer), "{answer}");
        connections.push(connection);
    }
    let mut clients = JoinSet::new();
    for mut connection in connections {
        clients.spawn(async move {
            // Until the server has come to it.
            while !is_last(&ask(&mut connection, KEPT_OPEN).await) {}
            let read = connection.read(&mut [0]).await;
            assert_eq!(read.expect("an orderly end"), 0);
        });
    }
    server.signal("TERM").await;
    within("answers", clients.join_all()).await;
    assert!(server.ended().await.success());
}

#[tokio::test]
async fn a_connection_that_came_about_is_served_and_another_is_refused() {
    let mut server = Server::start(Options::dev()).await;
    let address = server.address();
    let (mut clients, served) = (JoinSet::new(), watch::Sender::new(0));
    for _ in 0..CLIENTS {
        let served = served.clone();
        clients.spawn(async move {
            while let Some(mut connection) = connect(address).await {
                ask(&mut connection, CLOSED).await;
                served.send_modify(|served| *served += 1);
            }
        });
    }
    let mut seen = served.subscribe();
    let many = seen.wait_for(|served| *served > 10 * CLIENTS);
    within("many to be served", many).await.expect("it is held");
    server.signal("TERM").await;
    within("the last client to be refused", clients.join_all()).await;
    assert!(server.ended().await.success());
}

/// None: nobody listens.
async fn connect(address: SocketAddr) -> Option<TcpStream> {
    match TcpStream::connect(address).await {
        Ok(connection) => Some(connection),
        Err(error) if error.kind() == ErrorKind::ConnectionRefused => None,
        Err(error) => panic!("neither a connection nor refused: {error}"),
    }
}

/// Sends a request, and reads all of the answer.
async fn ask(connection: &mut TcpStream, request: &[u8]) -> String {
    let sent = connection.write_all(request).await;
    sent.expect("a request can be sent");
    let (mut answer, mut bytes) = (String::new(), [0; 4_096]);
    loop {
        let read = connection.read(&mut bytes).await;
        let count = read.expect("a request is answered");
        assert_ne!(count, 0, "a request is answered: {answer:?}");
        answer += str::from_utf8(&bytes[..count]).expect("it is text");
        if is_whole(&answer) {
            assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
            return answer;
        }
    }
}

/// Whether all that the answer's head announces has come.
fn is_whole(answer: &str) -> bool {
    let Some((head, body)) = answer.split_once("\r\n\r\n") else {
        return false;
    };
    let mut lines = head.lines();
    let length = lines.find_map(|line| line.strip_prefix("content-length: "));
    let length: usize = length.map_or(0, |text| text.parse().expect("a number"));
    body.len() >= length
}

fn is_last(answer: &str) -> bool {
    answer.contains("\r\nconnection: close\r\n")
}
