//! What holds for every request, whichever route it takes.

use crate::operations::operations;
use crate::world::World;
use axum::Router;
use axum::body::{Body, HttpBody};
use bytes::Bytes;
use http::{Request, Version};
use hyper::body::Frame;
use serde_json::{Value, json};
use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};
use store_sqlite::faults::CommitFault;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

#[tokio::test]
async fn unknown_routes_and_methods_are_answered_in_json() {
    let world = World::new();
    for path in ["/nothing", "/app/a/b/c", "/app//endpoint"] {
        world.get(path).await.refuses(404, "not_found");
    }
    let elsewhere = Request::builder()
        .uri("/elsewhere")
        .body(Body::empty())
        .expect("a request");
    world.send(elsewhere).await.is(404);
    for (method, path, allowed) in [
        ("PUT", "/app", vec!["GET", "HEAD", "POST"]),
        (
            "POST",
            "/app/a",
            vec!["DELETE", "GET", "HEAD", "PATCH", "PUT"],
        ),
        ("DELETE", "/health", vec!["GET", "HEAD"]),
    ] {
        let answer = world.call(method, path).body("{}").await;
        answer.refuses(405, "method_not_allowed");
        let allow = answer.headers["allow"].to_str().expect("text");
        let mut names: Vec<&str> = allow.split(',').map(str::trim).collect();
        names.sort_unstable();
        assert_eq!(names, allowed, "{method} {path}");
    }
}

#[tokio::test]
async fn a_slash_at_the_end_means_nothing() {
    let world = World::new();
    world.application("a").await;
    for path in ["/app/", "/app/a/", "/app//?limit=1", "/health/ping/"] {
        assert!(world.get(path).await.status < 300, "{path}");
    }
}

#[tokio::test]
async fn odd_bytes_in_paths_are_refused() {
    let world = World::new();
    world.get("/app/%00").await.is(404);
    world.get("/app/a%2Fb").await.is(404);
    world.get("/app/%ff").await.refuses(400, "generic_error");
}

#[tokio::test]
async fn health_needs_no_token() {
    let world = World::new();
    let ask = |method: &str, path: &str| world.call(method, path).without_token();
    let health = ask("GET", "/health").await.is(200);
    let good = json!({"status": "ok"});
    assert_eq!(
        health.body,
        json!({"database": good, "queue": good, "cache": good})
    );
    let head = ask("HEAD", "/health").await.is(200);
    assert_eq!(head.body, Value::Null);
    ask("GET", "/health/ping").await.is(204);
    ask("HEAD", "/health/ping").await.is(204);
}

#[tokio::test]
async fn while_nothing_can_be_stored_changes_are_refused_and_reads_go_on() {
    let world = World::new();
    world.application("a").await;
    world.faults.fail_commits(Some(CommitFault::Write));
    let refused = world.post("/app", json!({"name": "B", "uid": "b"})).await;
    refused.refuses(503, "service_unavailable");
    let health = world.get("/health").await.is(500);
    for part in ["database", "queue"] {
        assert_eq!(health[part]["status"], "error");
        let reason = health[part]["reason"].as_str().expect("it says why");
        assert!(reason.starts_with("nothing can be written"), "{reason}");
        assert_eq!(health[part]["since"], "2026-01-01T00:30:00Z");
    }
    assert_eq!(health["cache"], json!({"status": "ok"}));
    world.get("/app/a").await.is(200);
    world.faults.fail_commits(None);
    // When the store looks again whether it can write.
    world.clock.advance(std::time::Duration::from_secs(1));
    world
        .post("/app", json!({"name": "B", "uid": "b"}))
        .await
        .is(201);
    world.get("/health").await.is(200);
}

#[tokio::test]
async fn what_is_not_built_says_so() {
    let world = World::new();
    for operation in operations().into_iter().filter(|one| !one.built) {
        let call = world.call(operation.method, operation.template);
        let detail = call.body("{}").await.refuses(501, "not_implemented");
        assert_eq!(detail, "This API endpoint is not yet implemented.");
    }
}

#[tokio::test]
async fn any_page_may_call() {
    let world = World::new();
    let preflight = world
        .call("OPTIONS", "/app/a")
        .without_token()
        .header("origin", "https://example.com")
        .header("access-control-request-method", "PATCH")
        .header("access-control-request-headers", "authorization,x-any");
    let preflight = preflight.await.is(200);
    for (name, value) in [
        ("access-control-allow-origin", "*"),
        ("access-control-allow-methods", "*"),
        ("access-control-allow-headers", "authorization,x-any"),
        ("access-control-max-age", "600"),
    ] {
        assert_eq!(preflight.headers[name], value);
    }
    for path in ["/app", "/nothing"] {
        let answer = world.get(path).await;
        assert_eq!(answer.headers["access-control-allow-origin"], "*");
        assert_eq!(answer.headers["x-content-type-options"], "nosniff");
        assert_eq!(answer.headers["cache-control"], "no-store");
    }
}

#[tokio::test]
async fn bodies_are_bounded_whether_announced_or_not() {
    let world = World::new();
    let name = |length: usize| json!({"name": "a", "unread": "x".repeat(length)}).to_string();
    let limit = 2 * 1024 * 1024;
    let around = name(0).len();
    for (length, status) in [(limit - around, 201), (limit - around + 1, 413)] {
        let plain = world.post("/app", name(length));
        let announced = world.post("/app", name(length));
        let announced = announced.header("content-length", &(length + around).to_string());
        for call in [plain, announced] {
            let answer = call.await.is(status);
            if status == 413 {
                let detail = answer.refuses(413, "payload_too_large");
                assert!(detail.starts_with("Request payload is too large."));
            }
        }
    }
}

#[tokio::test]
async fn content_types_are_not_looked_at_and_the_body_ends_where_it_ends() {
    let world = World::new();
    let send = |body: &str| {
        world
            .post("/app", body)
            .header("content-type", "text/plain")
    };
    send(r#" {"name": "a"} "#).await.is(201);
    assert_eq!(send(r#"{"name": "a"} x"#).await.broken(), ["body//"]);
    assert_eq!(send("").await.broken(), ["body//"]);
}

/// A body that never says how long it is, in pieces of 1 MiB.
struct LongBody {
    pieces: usize,
}

impl HttpBody for LongBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let Some(left) = self.pieces.checked_sub(1) else {
            return Poll::Ready(None);
        };
        self.pieces = left;
        Poll::Ready(Some(Ok(Frame::data(vec![b'x'; 1024 * 1024].into()))))
    }
}

fn long_body(pieces: usize) -> Body {
    Body::new(LongBody { pieces })
}

#[tokio::test]
async fn an_answer_before_the_bodys_end_keeps_or_ends_the_connection() {
    let world = World::new();
    let cases = [
        ("short", long_body(1), None, Version::HTTP_11, false),
        ("long", long_body(17), None, Version::HTTP_11, true),
        (
            "awaiting leave",
            long_body(1),
            Some(("expect", "100-continue")),
            Version::HTTP_11,
            true,
        ),
        (
            "one stream of many",
            long_body(17),
            None,
            Version::HTTP_2,
            false,
        ),
    ];
    for (what, body, header, version, closes) in cases {
        let mut call = world.call("POST", "/app").without_token().bytes(body);
        if let Some((name, value)) = header {
            call = call.header(name, value);
        }
        let mut request = call.request();
        *request.version_mut() = version;
        let answer = world.send(request).await.is(401);
        assert_eq!(answer.headers.contains_key("connection"), closes, "{what}");
    }
}

#[tokio::test]
async fn a_preflight_with_a_body_keeps_or_ends_the_connection_too() {
    let world = World::new();
    for (pieces, closes) in [(1, false), (17, true)] {
        let preflight = world.call("OPTIONS", "/app").bytes(long_body(pieces));
        let answer = preflight.await.is(200);
        assert_eq!(answer.headers.contains_key("connection"), closes);
    }
}

#[tokio::test]
async fn a_connection_serves_on_after_a_body_that_nobody_read() {
    let world = World::new();
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("its address");
    let door = world.door.clone();
    let router =
        Router::new().fallback(|request: Request<Body>| async move { door.answer(request).await });
    let server = tokio::spawn(async move { axum::serve(listener, router).await });
    let mut stream = TcpStream::connect(address).await.expect("a connection");
    let body = "x".repeat(300_000);
    for round in 0..3 {
        let head = format!(
            "POST /api/v1/app HTTP/1.1\r\nhost: a\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        stream
            .write_all(head.as_bytes())
            .await
            .expect("the head is taken");
        stream
            .write_all(body.as_bytes())
            .await
            .expect("the body is taken");
        let mut answer = Vec::new();
        while !answer.ends_with(br#""detail":"Invalid token"}"#) {
            let mut bytes = [0; 1024];
            let read = stream.read(&mut bytes).await.expect("an answer");
            assert_ne!(read, 0, "round {round}: the connection ended");
            answer.extend_from_slice(&bytes[..read]);
        }
        assert!(answer.starts_with(b"HTTP/1.1 401"), "round {round}");
    }
    server.abort();
}
