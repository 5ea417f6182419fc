//! Endpoints that must prove that their receiver wants what they get, with a real server: by the
//! handshake, by a challenge, and not at all.

use e2e::{Answer, Api, Options, Received, Receiver, Server, eventually};
use serde_json::{Value, json};

const PATH: &str = "/app/shop/endpoint/hook/verification";

async fn begin() -> (Server, Api) {
    let mut server = Server::start(Options::dev()).await;
    let api = server.api().await;
    let policy = json!({"require": ["verification"]});
    api.put("/environment/policy", &policy).await.expect(204);
    api.application("shop").await;
    (server, api)
}

async fn stands(api: &Api) -> Value {
    api.get(PATH).await.expect(200).json()
}

async fn comes_to(api: &Api, status: &str) -> Value {
    let what = format!("the endpoint to be {status}");
    eventually(what, async || {
        let stands = stands(api).await;
        match stands["status"] == status {
            true => Ok(stands),
            false => Err(stands.to_string()),
        }
    })
    .await
}

#[tokio::test]
async fn a_receiver_that_allows_the_handshake_gets_messages_from_then_on() {
    let (_server, api) = begin().await;
    let receiver = Receiver::start(|request| match request.method.as_str() {
        "OPTIONS" => Answer::status(200)
            .header(
                "WebHook-Allowed-Origin",
                request.header("webhook-request-origin"),
            )
            .header("WebHook-Allowed-Rate", "6000"),
        _ => Answer::status(204),
    })
    .await;
    let endpoint = json!({"uid": "hook", "url": receiver.url("/in")});
    api.endpoint("shop", &endpoint).await;
    let asked = receiver.next().await;
    assert_eq!(asked.method, "OPTIONS");
    assert_eq!(asked.header("webhook-request-origin"), "localhost");
    let verified = comes_to(&api, "verified").await;
    assert_eq!(verified["allowedPerMinute"], 6000);
    let message = api.send("shop", "order.paid", &json!({"n": 1})).await;
    let delivered = receiver.next().await;
    assert_eq!(
        (delivered.method.as_str(), delivered.id()),
        ("POST", &*message)
    );
}

#[tokio::test]
async fn what_was_missed_is_replayed_once_a_challenge_was_given_back() {
    let (_server, api) = begin().await;
    let (open, is_open) = tokio::sync::watch::channel(false);
    let receiver = Receiver::start(move |request| match request.method.as_str() {
        "POST" if *is_open.borrow() => Answer::status(200).body(request.body.clone()),
        "POST" => Answer::status(200),
        _ => Answer::status(405),
    })
    .await;
    let endpoint = json!({"uid": "hook", "url": receiver.url("/in")});
    api.endpoint("shop", &endpoint).await;
    let failed = comes_to(&api, "failed").await;
    let reason = failed["reason"].as_str().expect("a sentence");
    assert!(
        reason.contains("does not give the challenge back"),
        "{reason}"
    );
    let missed = api.send("shop", "order.paid", &json!({"n": 1})).await;
    open.send(true).expect("the receiver looks");
    comes_to(&api, "verified").await;
    let gets = |request: Received| request.method == "POST" && request.id() == missed;
    assert!(!receiver.rest().await.into_iter().any(gets));
    let sent = api.get(&format!("/app/shop/msg/{missed}")).await;
    let since = json!({"since": sent.expect(200).json()["timestamp"]});
    let replay = "/app/shop/endpoint/hook/replay-missing";
    api.post(replay, &since).await.expect(202);
    assert_eq!(receiver.next().await.id(), missed);
}

#[tokio::test]
async fn the_public_urls_host_asks_and_it_is_told_what_came_of_it() {
    let options = Options::dev().option("--public-url", "https://hooks.example.com/send");
    let mut server = Server::start(options).await;
    let api = server.api().await;
    api.application("shop").await;
    let receiver = Receiver::start(|_| Answer::status(403)).await;
    let endpoint = json!({"uid": "hook", "url": receiver.url("/in")});
    api.endpoint("shop", &endpoint).await;
    assert_eq!(stands(&api).await["status"], "notRequired");
    api.post(PATH, &Value::Null).await.expect(202);
    let asked = receiver.take(2).await;
    assert_eq!(
        asked[0].header("webhook-request-origin"),
        "hooks.example.com"
    );
    assert_eq!(asked[1].json()["type"], "endpoint.challenge");
    let failed = comes_to(&api, "failed").await;
    let reason = failed["reason"].as_str().expect("a sentence");
    assert!(reason.contains("the status 403"), "{reason}");
}
