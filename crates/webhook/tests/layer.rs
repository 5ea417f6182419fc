//! What the layer and the extractor make of requests: who is asked, what is answered, and what is
//! remembered of it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::{Request, Response, StatusCode};
use axum::routing::post;
use serde::Deserialize;
use tower::ServiceExt;
use webhook::layer::ReceiverLayer;
use webhook::provider::{Outgoing, Provider};
use webhook::replay::InMemory;
use webhook::{Receiver, Rejection, Webhook};

const NOW: i64 = 1_764_000_000;
const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const BODY: &str = r#"{"type":"order.paid","order":7}"#;

#[derive(Deserialize)]
struct Paid {
    order: u64,
}

fn receiver(provider: &str, secret: &str) -> (Receiver, Arc<InMemory>) {
    let guard = Arc::new(InMemory::new(16));
    let provider = Provider::named(provider).expect("known");
    let receiver = Receiver::new(provider, &[secret], guard.clone());
    (receiver.expect("a secret").body_bytes_max(100), guard)
}

fn standard() -> (Receiver, Arc<InMemory>) {
    receiver("standard-webhooks", SECRET)
}

/// A request as a provider sends it to `url`, that comes in with its path alone.
fn sent((provider, secret): (&str, &str), url: &str, body: &str) -> Request<Body> {
    let outgoing = Outgoing {
        method: "POST",
        url,
        id: "msg_1",
        timestamp: NOW,
        body: body.as_bytes(),
    };
    let provider = Provider::named(provider).expect("known");
    let headers = provider.sign(&[secret], &outgoing).expect("signed");
    let (_, path) = url.split_once("example").expect("a host");
    let mut request = Request::post(path).header("host", "attacker.example");
    for (name, value) in headers {
        request = request.header(name, value);
    }
    let body = Body::from(body.to_owned());
    request.body(body).expect("a request")
}

fn good() -> Request<Body> {
    let sender = ("standard-webhooks", SECRET);
    sent(sender, "https://shop.example/hooks", BODY)
}

fn layered(receiver: Receiver, routes: Router) -> Router {
    routes.layer(ReceiverLayer::new(
        receiver,
        "https://shop.example/",
        || NOW,
    ))
}

async fn ask(routes: &Router, request: Request<Body>) -> Response<Body> {
    let answered = routes.clone().oneshot(request).await;
    answered.expect("routes don't fail")
}

async fn text(response: Response<Body>) -> String {
    let body = axum::body::to_bytes(response.into_body(), 1_000).await;
    String::from_utf8(body.expect("a body").to_vec()).expect("a text")
}

async fn paid(webhook: Webhook<Paid>) -> String {
    let id = webhook.about.id.as_deref();
    format!("{} by {}", webhook.event.order, id.unwrap_or("nobody"))
}

#[tokio::test]
async fn a_handler_gets_the_event_once() {
    let (receiver, _) = standard();
    let routes = layered(receiver, Router::new().route("/hooks", post(paid)));
    let response = ask(&routes, good()).await;
    assert_eq!(response.status(), 200);
    assert_eq!(text(response).await, "7 by msg_1");
    let again = ask(&routes, good()).await;
    assert_eq!(again.status(), 200);
    assert_eq!(text(again).await, "received before");
}

#[tokio::test]
async fn the_body_is_passed_on_as_it_was_received() {
    let (receiver, _) = standard();
    let echo = post(|body: Bytes| async { body });
    let routes = layered(receiver, Router::new().route("/hooks", echo));
    assert_eq!(text(ask(&routes, good()).await).await, BODY);
}

#[tokio::test]
async fn no_handler_is_asked_for_what_is_no_good() {
    let (receiver, guard) = standard();
    let asked = Arc::new(AtomicUsize::new(0));
    let counter = asked.clone();
    let handler = post(move |_: Webhook<Paid>| async move {
        counter.fetch_add(1, Ordering::Relaxed);
    });
    let routes = layered(receiver, Router::new().route("/hooks", handler));
    let sender = ("standard-webhooks", SECRET);
    let url = "https://shop.example/hooks";
    let mut unsigned = good();
    unsigned.headers_mut().remove("webhook-signature");
    let mut twice = good();
    twice
        .headers_mut()
        .append("webhook-id", "msg_1".parse().expect("a value"));
    // A body that doesn't say how long it is.
    let streamed = |chunk: std::io::Result<Bytes>| {
        let chunks = futures_util::stream::iter([Ok(Bytes::from_static(b"{")), chunk]);
        good().map(|_| Body::from_stream(chunks))
    };
    let endless = streamed(Ok(Bytes::from(vec![b' '; 100])));
    let broken = streamed(Err(std::io::Error::other("reset")));
    for (request, status) in [
        (unsigned, 401),
        (twice, 401),
        (good().map(|_| Body::from("{}")), 401),
        (sent(sender, url, "{}"), 400),
        (sent(sender, url, &" ".repeat(101)), 413),
        (endless, 413),
        (broken, 400),
    ] {
        let response = ask(&routes, request).await;
        assert_eq!(response.status(), status);
        let why = response.extensions().get::<Arc<Rejection>>();
        assert_eq!(why.expect("a reason").status(), status);
        assert!(guard.is_empty(), "{why:?}");
    }
    assert_eq!(asked.load(Ordering::Relaxed), 0);
    assert_eq!(ask(&routes, good()).await.status(), 200);
}

#[tokio::test]
async fn a_handler_that_fails_is_asked_again() {
    let (receiver, guard) = standard();
    let asked = Arc::new(AtomicUsize::new(0));
    let handler = post(move |_: Webhook<Paid>| async move {
        match asked.fetch_add(1, Ordering::Relaxed) {
            0 => StatusCode::SERVICE_UNAVAILABLE,
            1 => StatusCode::SEE_OTHER,
            _ => StatusCode::NO_CONTENT,
        }
    });
    let routes = layered(receiver, Router::new().route("/hooks", handler));
    for (status, remembered) in [(503, 0), (303, 0), (204, 1), (200, 1)] {
        assert_eq!(ask(&routes, good()).await.status(), status);
        assert_eq!(guard.len(), remembered);
    }
}

#[tokio::test]
async fn a_request_that_is_dropped_halfway_burns_nothing() {
    let (receiver, guard) = standard();
    let entered = Arc::new(tokio::sync::Notify::new());
    let signal = entered.clone();
    let handler = post(move |_: Webhook<Paid>| async move {
        signal.notify_one();
        std::future::pending::<()>().await;
    });
    let routes = layered(receiver, Router::new().route("/hooks", handler));
    tokio::select! {
        _ = ask(&routes, good()) => panic!("the handler never answers"),
        () = async {
            entered.notified().await;
            assert_eq!(ask(&routes, good()).await.status(), 409);
        } => {}
    }
    assert!(guard.is_empty());
}

#[tokio::test]
async fn a_signed_url_is_the_configured_one_whatever_host_says() {
    let sender = ("square", "sesame");
    let body = r#"{"order":7,"event_id":"e"}"#;
    for (url, status) in [
        ("https://shop.example/hooks?a=1", 200),
        ("https://attacker.example/hooks?a=1", 401),
    ] {
        let (receiver, _) = receiver(sender.0, sender.1);
        let routes = layered(receiver, Router::new().route("/hooks", post(paid)));
        let response = ask(&routes, sent(sender, url, body)).await;
        assert_eq!(response.status(), status, "{url}");
    }
}

#[tokio::test]
async fn without_the_layer_a_handler_gets_nothing() {
    let routes = Router::new().route("/hooks", post(paid));
    let response = ask(&routes, good()).await;
    assert_eq!(response.status(), 500);
    assert_eq!(text(response).await, "nothing can be received for now");
}

#[tokio::test]
async fn a_handshake_is_answered_by_the_layer_and_nobody_is_asked() {
    let (receiver, guard) = receiver("dropbox", "sesame");
    let routes = layered(receiver, Router::new().route("/hooks", post(paid)));
    let request = Request::get("/hooks?challenge=a%2Bb").body(Body::empty());
    let response = ask(&routes, request.expect("a request")).await;
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(response.headers()["content-type"], "text/plain");
    assert_eq!(response.headers()["x-content-type-options"], "nosniff");
    assert_eq!(text(response).await, "a+b");
    assert!(guard.is_empty());
}
