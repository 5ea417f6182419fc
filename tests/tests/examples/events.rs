//! What is no plain delivery: thin events, whose payload is fetched, and challenges.

use crate::shop::{Shop, THIN, WANTING, calls, headers, judge, now, with_body, with_header};
use crate::thin::{Header, Sender};
use crate::wanting::{self, Answer, Request};
use e2e::chance::Chance;
use e2e::server::quiet_address;
use e2e::{Api, Call, Options, Received};
use http::Method;
use serde_json::{Value, json};
use std::error::Error;
use webhook::VerifyingKey;

/// Whom a server without a public URL says that it is.
const ORIGIN: &str = "localhost";

fn keys(secret: &str) -> [VerifyingKey; 1] {
    [VerifyingKey::parse(secret).expect("a secret")]
}

/// An answer of the server's own, as a receiver's client gives it.
async fn get(api: &Api, url: &str) -> Result<(Vec<Header>, Vec<u8>), Box<dyn Error>> {
    let (_, path) = url.split_once("/api/v1").ok_or("it is elsewhere")?;
    let reply = api.call(Call::new(Method::GET, path).anonymous()).await;
    let reply = reply.expect(200);
    let headers = reply.headers.iter();
    let headers = headers.map(|(name, value)| (name.to_string(), value.as_bytes().to_vec()));
    Ok((headers.collect(), reply.body.to_vec()))
}

#[tokio::test]
async fn the_payload_of_a_thin_event_is_fetched_and_verified() {
    let address = quiet_address(&mut Chance::new());
    let public = format!("http://{address}");
    let options = Options::dev()
        .listen(address)
        .option("--public-url", &public);
    let shop = Shop::open_with(options).await;
    let thin = [("payload", json!({"mode": "thin"}))];
    shop.endpoint("e", &shop.receiver.url("/"), &thin).await;
    let secret = shop.api.secret("shop", "e").await;
    let payload = json!({"id": "o-1", "total": 10});
    let request = shop.arrives("e", &payload).await;
    let payloads = format!("{public}/api/v1/payload/");
    let requests = [
        (with_body(&request, "{}"), Value::Null),
        (with_header(&request, "webhook-id", "msg_1"), Value::Null),
        (request, payload),
    ];
    let call = "receive(SECRET, PAYLOADS, headers, body)";
    let given = |payloads: &str| json!({"SECRET": secret, "PAYLOADS": payloads});
    judge(THIN, calls(call, call, given(&payloads)), &requests).await;
    let elsewhere = [(requests[2].0.clone(), Value::Null)];
    let other = given("https://hooks.example.com/api/v1/payload/");
    judge(THIN, calls(call, call, other), &elsewhere).await;
    let sender = Sender {
        keys: &keys(&secret),
        payloads: &payloads,
    };
    for (request, gives) in &requests {
        let fetch = async |url: &str| get(&shop.api, url).await;
        let headers = headers(request);
        let received = sender.receive(&headers, &request.body, now(), fetch).await;
        let received = received.map(|payload| serde_json::from_slice(&payload).expect("JSON"));
        assert_eq!(received.unwrap_or(Value::Null), *gives, "{request:?}");
    }
}

/// What arrives when an endpoint is asked whether it wants what it is to get.
async fn asked(shop: &Shop) -> [Received; 2] {
    let path = "/app/shop/endpoint/e/verification";
    shop.api.post(path, &Value::Null).await.expect(202);
    let asked = shop.receiver.take(2).await;
    asked.try_into().expect("two came")
}

#[tokio::test]
async fn a_receiver_says_that_it_wants_what_it_gets_to_nobody_else() {
    let shop = Shop::open().await;
    shop.endpoint("e", &shop.receiver.url("/"), &[]).await;
    let secret = shop.api.secret("shop", "e").await;
    let [handshake, challenge] = asked(&shop).await;
    let delivery = shop.arrives("e", &json!({"id": "o-1"})).await;
    let text = challenge.json()["challenge"].clone();
    let allowed = json!({"WebHook-Allowed-Origin": ORIGIN, "WebHook-Allowed-Rate": "120"});
    let other = with_header(&handshake, "webhook-request-origin", "hooks.example.com");
    let forged = with_body(
        &challenge,
        r#"{"type":"endpoint.challenge","challenge":"x"}"#,
    );
    let requests = [
        (handshake, json!([200, allowed, ""])),
        (other, json!([403, {}, ""])),
        (challenge, json!([200, {}, text])),
        (forged, Value::Null),
        (delivery, json!([204, {}, ""])),
    ];
    let python = "list(receive(SECRET, ORIGIN, method, headers, body))";
    let node = "receive(SECRET, ORIGIN, { method, headers, body })";
    let given = json!({"SECRET": secret, "ORIGIN": ORIGIN});
    judge(WANTING, calls(python, node, given), &requests).await;
    for (request, gives) in &requests {
        let headers = headers(request);
        let asked = Request {
            method: &request.method,
            headers: &headers,
            body: &request.body,
        };
        let answer = wanting::receive(&keys(&secret), ORIGIN, &asked, now());
        assert_eq!(
            answer.map(told).unwrap_or(Value::Null),
            *gives,
            "{request:?}"
        );
    }
}

/// An answer as the other languages' examples write it.
fn told(answer: Answer) -> Value {
    match answer {
        Answer::Allow { origin, per_minute } => json!([
            200,
            {"WebHook-Allowed-Origin": origin, "WebHook-Allowed-Rate": per_minute.to_string()},
            "",
        ]),
        Answer::GiveBack(text) => json!([200, {}, text]),
        Answer::Taken => json!([204, {}, ""]),
        Answer::NotOurs => json!([403, {}, ""]),
    }
}
