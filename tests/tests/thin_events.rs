//! Thin events: what arrives, and what whoever was told the URL fetches.

use e2e::{Api, Call, Options, Receiver, Reply, Server};
use http::{HeaderMap, Method};
use serde_json::{Value, json};
use webhook::jwe::{self, PrivateJwk, Signed};
use webhook::{HeaderFamily, TOLERANCE_SECONDS, Verifier, VerifyingKey};

/// Where receivers reach the server: a proxy that passes on what is below it.
const PUBLIC: &str = "https://hooks.shop.example/base";
/// As a sender writes it.
const PAYLOAD: &str = r#"{"id":"o-1",  "card":"4929-1234-5678", "total":10.50}"#;
const X25519: &str = r#"{"kty":"OKP","crv":"X25519","kid":"b",
    "x":"J_bYB6Kp7PRFm89Bg4SeAaMOPefnaPRtNuNH-ZjYbg8",
    "d":"2BxE_aKynYedfFKiMzqynA82TURleXfZY2YcN7rdF0Y"}"#;

fn reachable() -> Options {
    let options = Options::dev().option("--public-url", PUBLIC);
    options.option("--log", "trace")
}

/// An application `shop` with a thin endpoint `hook`; gives its secret.
async fn shop(api: &Api, receiver: &Receiver) -> String {
    api.application("shop").await;
    let hook = json!({"uid": "hook", "url": receiver.url("/in")});
    api.endpoint("shop", &hook).await;
    let path = "/app/shop/endpoint/hook/payload";
    api.put(path, &json!({"mode": "thin"})).await.expect(204);
    let headers = json!({"headers": {"x-own": "known to both"}});
    let path = "/app/shop/endpoint/hook/headers";
    api.put(path, &headers).await.expect(204);
    api.secret("shop", "hook").await
}

async fn send(api: &Api) -> String {
    let body = format!(r#"{{"eventType":"order.paid","payload":{PAYLOAD}}}"#);
    let sent = api.call(Call::post("/app/shop/msg", body)).await;
    let id = sent.expect(202).json()["id"].clone();
    id.as_str().expect("an id").to_owned()
}

/// Verifies a delivery, or what was fetched; gives its id and time.
fn verified(headers: &HeaderMap, body: &[u8], secret: &str) -> (String, i64) {
    let keys = [VerifyingKey::parse(secret).expect("a secret")];
    let verifier = Verifier {
        keys: &keys,
        family: HeaderFamily::Webhook,
        tolerance_seconds: TOLERANCE_SECONDS,
    };
    let headers = headers.iter();
    let headers: Vec<_> = headers
        .map(|(name, value)| (name.as_str(), value.as_bytes()))
        .collect();
    let now = jiff::Timestamp::now().as_second();
    let verified = verifier.verify(headers.iter().copied(), body, now);
    let verified = verified.expect("it is genuine");
    (verified.id.to_owned(), verified.timestamp)
}

/// Asks for the URL of a thin event, as its receiver does.
async fn fetch(api: &Api, event: &Value) -> Reply {
    let url = event["url"].as_str().expect("a URL");
    let path = url
        .strip_prefix(PUBLIC)
        .expect("it is below the public one");
    let path = path
        .strip_prefix("/api/v1")
        .expect("it is one of the API's");
    api.call(Call::new(Method::GET, path).anonymous()).await
}

#[tokio::test]
async fn a_thin_event_is_verified_and_its_payload_is_fetched_and_verified() {
    let mut server = Server::start(reachable()).await;
    let (api, receiver) = (server.api().await, Receiver::willing().await);
    let secret = shop(&api, &receiver).await;
    let rules = json!({"rules": [{"path": "/card", "action": "drop"}]});
    let path = "/app/shop/endpoint/hook/redaction";
    api.put(path, &rules).await.expect(204);
    let message = send(&api).await;

    let delivery = receiver.next().await;
    let (id, _) = verified(&delivery.headers, &delivery.body, &secret);
    assert_eq!(id, message);
    assert_eq!(delivery.header("x-own"), "known to both");
    let event = delivery.json();
    let names: Vec<_> = event.as_object().expect("an object").keys().collect();
    assert_eq!(names, ["id", "timestamp", "type", "url"]);
    assert_eq!(
        (&event["id"], &event["type"]),
        (&json!(message), &json!("order.paid"))
    );
    let shown = api
        .get(&format!("/app/shop/msg/{message}"))
        .await
        .expect(200);
    assert_eq!(event["timestamp"], shown.json()["timestamp"]);
    // To whoever may read the message, nothing is thin.
    assert_eq!(shown.json()["payload"]["card"], "4929-1234-5678");

    let fetched = fetch(&api, &event).await.expect(200);
    assert_eq!(fetched.body, &br#"{"id":"o-1", "total":10.50}"#[..]);
    assert_eq!(
        verified(&fetched.headers, &fetched.body, &secret).0,
        message
    );
    assert_eq!(fetched.headers["content-type"], "application/json");
    assert_eq!(fetched.headers["cache-control"], "no-store");
    assert!(!fetched.headers.contains_key("x-own"));

    let content = format!("/app/shop/msg/{message}/content");
    api.delete(&content).await.expect(204);
    fetch(&api, &event).await.expect_error(404, "not_found");
    let url = event["url"].as_str().expect("a URL");
    let ticket = url.rsplit_once('/').expect("a path").1;
    let line = server.printed("a payload was fetched").await;
    assert!(line.contains(&message), "{line}");
    // Also with all that is written for developers.
    let log = server.log();
    assert!(!log.contains(ticket), "{log}");
}

#[tokio::test]
async fn an_event_and_its_payload_are_encrypted_for_their_receiver() {
    let mut server = Server::start(reachable()).await;
    let (api, receiver) = (server.api().await, Receiver::willing().await);
    let secret = shop(&api, &receiver).await;
    let key = PrivateJwk::parse(X25519).expect("a key");
    let public: Value = serde_json::from_str(&key.public_json()).expect("it is JSON");
    let path = "/app/shop/endpoint/hook/encryption";
    api.put(path, &json!({ "jwk": public })).await.expect(204);
    let open = |headers: &HeaderMap, body: &[u8]| {
        assert_eq!(headers["content-type"], "application/jose");
        let (id, timestamp) = verified(headers, body, &secret);
        let signed = Signed {
            id: &id,
            timestamp,
            event_type: Some("order.paid"),
        };
        jwe::open(body, std::slice::from_ref(&key), signed)
            .expect("it opens")
            .payload
    };
    send(&api).await;
    let delivery = receiver.next().await;
    let event = open(&delivery.headers, &delivery.body);
    let event = serde_json::from_slice(&event).expect("it is JSON");
    let fetched = fetch(&api, &event).await.expect(200);
    assert_eq!(open(&fetched.headers, &fetched.body), PAYLOAD.as_bytes());
    // Each time anew.
    let again = fetch(&api, &event).await.expect(200);
    assert_ne!(again.body, fetched.body);
    assert_eq!(open(&again.headers, &again.body), PAYLOAD.as_bytes());
}

#[tokio::test]
async fn a_disabled_endpoint_s_receiver_fetches_nothing() {
    let mut server = Server::start(reachable()).await;
    let (api, receiver) = (server.api().await, Receiver::willing().await);
    shop(&api, &receiver).await;
    send(&api).await;
    let event = receiver.next().await.json();
    let hook = "/app/shop/endpoint/hook";
    let disabled = json!({"disabled": true});
    api.patch(hook, &disabled).await.expect(200);
    fetch(&api, &event).await.expect_error(404, "not_found");
    api.patch(hook, &json!({"disabled": false}))
        .await
        .expect(200);
    fetch(&api, &event).await.expect(200);
    api.delete(hook).await.expect(204);
    fetch(&api, &event).await.expect_error(404, "not_found");
}
