//! Options that change what a server does, each through the binary.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;

use e2e::{Answer, Api, Options, Receiver, Server, eventually, within};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};

#[tokio::test]
async fn logs_are_json_where_nobody_watches_and_text_where_that_is_asked_for() {
    let server = Server::start(Options::plain()).await;
    let log = server.log();
    assert!(!log.is_empty());
    for line in log.lines() {
        let line: Value = serde_json::from_str(line).unwrap_or_else(|_| panic!("no JSON: {line}"));
        assert!(
            line["message"].is_string() && line["level"].is_string(),
            "{line}"
        );
    }
    let server = Server::start(Options::plain().option("--log-format", "text")).await;
    let log = server.log();
    for line in log.lines() {
        assert!(serde_json::from_str::<Value>(line).is_err(), "JSON: {line}");
        assert!(!line.contains('\x1b'), "colours for nobody: {line:?}");
    }
}

#[tokio::test]
async fn foreign_tokens_are_warned_about_at_each_start() {
    let options = Options::plain().argument("--accept-foreign-tokens");
    let mut server = Server::start(options).await;
    let warnings = |server: &Server| {
        let log = server.log();
        let lines = log
            .lines()
            .filter(|line| line.contains("accept_foreign_tokens is on"));
        lines.filter(|line| line.contains("WARN")).count()
    };
    assert_eq!(warnings(&server), 1, "{}", server.log());
    server.terminate().await;
    server.restart().await;
    assert_eq!(warnings(&server), 2, "{}", server.log());
    server.terminate().await;
    let data_dir = server.data_dir().to_owned();
    server
        .restart_with(Options::plain().data_dir(&data_dir))
        .await;
    assert_eq!(warnings(&server), 2, "it is off: {}", server.log());
}

#[tokio::test]
async fn secrets_are_of_the_kind_that_was_asked_for() {
    let options = Options::dev().option("--default-signature", "ed25519");
    let (mut server, receiver) = (Server::start(options).await, Receiver::willing().await);
    let api = server.api().await;
    let endpoint = shop(&api, &receiver).await;
    let secret = api.secret("shop", &endpoint).await;
    // What a receiver verifies with.
    assert!(secret.starts_with("whpk_"), "{secret}");
    api.send("shop", "x", &json!({})).await;
    let request = receiver.next().await;
    assert!(request.header("webhook-signature").starts_with("v1a,"));
}

#[tokio::test]
async fn a_fan_out_beyond_the_limit_goes_on_after_the_commit() {
    let options = Options::dev().option("--deliveries-max", "1");
    let (mut server, receiver) = (Server::start(options).await, Receiver::willing().await);
    let api = server.api().await;
    shop(&api, &receiver).await;
    for path in ["/2", "/3"] {
        let url = receiver.url(path);
        api.endpoint("shop", &json!({"url": url})).await;
    }
    api.send("shop", "x", &json!({})).await;
    let mut paths: Vec<_> = receiver
        .take(3)
        .await
        .into_iter()
        .map(|one| one.path)
        .collect();
    paths.sort();
    assert_eq!(paths, ["/", "/2", "/3"]);
    server.terminate().await;
    let work = "SELECT count(*) FROM task";
    assert_eq!(number(&server, work), 1, "one commit carried them all");
}

#[tokio::test]
async fn what_is_kept_for_no_longer_is_removed() {
    let options = Options::dev().option("--retention", "2h");
    let (mut server, receiver) = (Server::start(options).await, Receiver::willing().await);
    let api = server.api().await;
    shop(&api, &receiver).await;
    let before = jiff::Timestamp::now();
    let message = api.send("shop", "x", &json!({"kept": true})).await;
    receiver.next().await;
    server.terminate().await;
    let expiry = number(&server, "SELECT expires_at FROM message") - before.as_microsecond();
    let hours = expiry / 3_600_000_000;
    assert_eq!(hours, 2, "{expiry} µs");

    let database = rusqlite::Connection::open(server.data_dir().join("postrider.db"));
    let database = database.expect("the database");
    let aged = database.execute("UPDATE message SET expires_at = 1", []);
    assert_eq!(aged, Ok(1));
    drop(database);
    server.restart().await;
    let api = server.api().await;
    eventually("the payload to go", || async {
        let path = format!("/app/shop/msg/{message}");
        let shown = api.get(&path).await.expect(200).json();
        match shown["payload"] == json!({"expired": true}) {
            true => Ok(()),
            false => Err(shown.to_string()),
        }
    })
    .await;
}

#[tokio::test]
async fn deliveries_go_through_the_proxy() {
    let receiver = Receiver::willing().await;
    let proxy = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = proxy.local_addr().expect("it is bound");
    let options = Options::dev().variable(
        "POSTRIDER_EGRESS_PROXY",
        format!("http://user:sesame@{address}"),
    );
    let mut server = Server::start(options).await;
    let api = server.api().await;
    shop(&api, &receiver).await;
    let tunnelled = tokio::spawn(tunnel(proxy, receiver.address()));
    api.send("shop", "x", &json!({"through": "the proxy"}))
        .await;
    assert_eq!(
        receiver.next().await.json(),
        json!({"through": "the proxy"})
    );
    server.terminate().await;
    let head = within("the end of the tunnel", tunnelled)
        .await
        .expect("no panic");
    let asked = format!("CONNECT {} HTTP/1.1", receiver.address());
    assert_eq!(head[0], asked);
    let credentials = "proxy-authorization: basic dxnlcjpzzxnhbwu=";
    let known = head.iter().any(|line| line.to_lowercase() == credentials);
    assert!(known, "{head:?}");
    assert!(!server.log().contains("sesame"), "{}", server.log());
}

#[tokio::test]
async fn payloads_are_clear_in_the_files_where_that_was_asked_for_and_only_there() {
    let clear = Options::dev().argument("--encrypt-payloads=false");
    for (options, is_clear) in [(clear, true), (Options::dev(), false)] {
        let mut server = Server::start(options).await;
        let answer = Answer::status(200).body("marker-in-response");
        let receiver = Receiver::in_turn([answer]).await;
        let api = server.api().await;
        shop(&api, &receiver).await;
        let message = api
            .send("shop", "x", &json!({"text": "marker-in-payload"}))
            .await;
        eventually("the attempt to be recorded", || async {
            let path = format!("/app/shop/attempt/msg/{message}");
            let list = api.get(&path).await.expect(200).json();
            match list["data"][0]["response"] == "marker-in-response" {
                true => Ok(()),
                false => Err(list.to_string()),
            }
        })
        .await;
        server.terminate().await;
        for marker in ["marker-in-payload", "marker-in-response"] {
            let found = is_in_files(server.data_dir(), marker);
            assert_eq!(found, is_clear, "{marker}");
        }
    }
}

/// An application `shop` with an endpoint at the receiver's root: its id.
async fn shop(api: &Api, receiver: &Receiver) -> String {
    api.application("shop").await;
    api.endpoint("shop", &json!({"url": receiver.url("/")}))
        .await
}

/// Lets one connection through to `to`, to its end; gives the lines that it began with.
async fn tunnel(proxy: TcpListener, to: SocketAddr) -> Vec<String> {
    let (stream, _) = proxy.accept().await.expect("a connection");
    let mut stream = BufReader::new(stream);
    let mut head = Vec::new();
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).await.expect("a line");
        match line.trim_end() {
            "" => break,
            line => head.push(line.to_owned()),
        }
    }
    let mut onward = TcpStream::connect(to).await.expect("the receiver listens");
    let opened = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await;
    opened.expect("the other side listens");
    // However it ends, the receiver says what arrived.
    let _ = copy_bidirectional(&mut stream, &mut onward).await;
    head
}

/// The number that a query of the server's database gives.
fn number(server: &Server, sql: &str) -> i64 {
    let database = rusqlite::Connection::open(server.data_dir().join("postrider.db"));
    let found = database.and_then(|database| database.query_row(sql, [], |row| row.get(0)));
    found.expect("the database can be asked")
}

fn is_in_files(directory: &Path, text: &str) -> bool {
    let entries = fs::read_dir(directory).expect("a directory");
    entries.into_iter().any(|entry| {
        let content = fs::read(entry.expect("an entry").path()).expect("a file");
        content
            .windows(text.len())
            .any(|window| window == text.as_bytes())
    })
}
