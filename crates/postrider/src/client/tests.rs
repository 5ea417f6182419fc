//! The client against a server of these tests, which counts what arrives.

use super::*;
use model::Secret;
use std::sync::Mutex;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};

const TOKEN: &str = "sesame.sesame.sesame";
const PATIENCE: Patience = Patience {
    tries: 3,
    pause: Duration::from_millis(1),
    pause_max: Duration::from_millis(2),
};

/// What a server of the tests does with a request.
#[derive(Clone, Copy)]
enum Does {
    Answers(u16, &'static str),
    /// Ends the connection without a word.
    Hangs,
}

/// Heads of the requests that arrived.
type Heads = Arc<Mutex<Vec<String>>>;

/// A server that does these things in turn.
async fn server(does: &'static [Does]) -> (Client, Heads) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = ServerUrl::own(listener.local_addr().unwrap()).unwrap();
    let heads = Heads::default();
    let seen = heads.clone();
    tokio::spawn(async move {
        for one in does {
            let (stream, _) = listener.accept().await.unwrap();
            let head = serve(stream, *one).await;
            seen.lock().unwrap().push(head);
        }
    });
    let token = Credentials::new(Secret::from(TOKEN.to_owned())).unwrap();
    (Client::new(url, &token, PATIENCE).unwrap(), heads)
}

/// One request, on a connection of its own.
async fn serve(stream: TcpStream, does: Does) -> String {
    let mut stream = BufReader::new(stream);
    let (mut head, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).await.unwrap();
        if let Some(value) = line.strip_prefix("content-length: ") {
            length = value.trim().parse().unwrap();
        }
        if line == "\r\n" {
            break;
        }
        head.push_str(&line);
    }
    stream.read_exact(&mut vec![0; length]).await.unwrap();
    if let Does::Answers(status, body) = does {
        let length = body.len();
        let answer = format!(
            "HTTP/1.1 {status} x\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}"
        );
        stream.write_all(answer.as_bytes()).await.unwrap();
    }
    head
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    let mut lines = head.lines();
    lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
}

#[tokio::test]
async fn a_post_is_repeated_under_one_key_until_it_is_answered() {
    const DOES: &[Does] = &[
        Does::Hangs,
        Does::Answers(503, "{}"),
        Does::Answers(202, "{}"),
    ];
    let (client, heads) = server(DOES).await;
    let body = client.call(&Request::post(["app"], "{}")).await.unwrap();
    assert_eq!(&body[..], b"{}");
    let heads = heads.lock().unwrap();
    let keys: Vec<_> = heads
        .iter()
        .map(|head| header(head, "idempotency-key"))
        .collect();
    assert_eq!(keys.len(), 3);
    assert!(keys[0].is_some_and(|key| key.starts_with("auto_") && key.len() == 37));
    assert!(keys.iter().all(|key| *key == keys[0]), "{keys:?}");
    assert!(
        heads[0].starts_with("POST /api/v1/app HTTP/1.1\r\n"),
        "{}",
        heads[0]
    );
    assert_eq!(
        header(&heads[0], "authorization"),
        Some(&*format!("Bearer {TOKEN}"))
    );
}

#[tokio::test]
async fn tries_come_to_an_end_and_what_may_have_been_done_is_not_done_twice() {
    const AWAY: &[Does] = &[Does::Answers(503, "{}"); 3];
    let (client, heads) = server(AWAY).await;
    let error = client.call(&Request::get(["app"])).await.unwrap_err();
    assert!(matches!(error, ClientError::Refused(_)), "{error}");
    assert_eq!(heads.lock().unwrap().len(), 3);

    let (client, heads) = server(&[Does::Hangs]).await;
    let delete = Request::new(Method::DELETE, ["app", "x"]);
    let error = client.call(&delete).await.unwrap_err();
    assert!(matches!(error, ClientError::Unreachable { .. }), "{error}");
    let heads = heads.lock().unwrap();
    assert_eq!(heads.len(), 1);
    assert_eq!(header(&heads[0], "idempotency-key"), None);
}

#[tokio::test]
async fn answers_that_are_none_of_the_api_are_strange_and_none_shows_the_token() {
    const HTML: &[Does] = &[Does::Answers(200, "<html>")];
    const MOVED: &[Does] = &[Does::Answers(302, "")];
    const WRONG: &[Does] = &[Does::Answers(401, "{\"code\":\"authentication_failed\"}")];
    for (does, part) in [
        (HTML, "makes no sense"),
        (MOVED, "status 302"),
        (WRONG, "authentication_failed"),
        (&[Does::Hangs; 3], "no server answers"),
    ] {
        let (client, _) = server(does).await;
        let answer: Result<serde_json::Value, _> = client.ask(&Request::get(["app"])).await;
        let error = answer.unwrap_err();
        let text = format!("{error} {error:?}");
        assert!(text.contains(part) && !text.contains("sesame"), "{text}");
    }
}
