//! What is done to payloads: signed, encrypted, redacted.

use crate::hashes::Orders;
use crate::shop::{
    ENCRYPTION, HASHES, SCHEME, STANDARD, Shop, WHOLE_REQUESTS, calls, headers, judge, now,
    with_body, with_header,
};
use crate::standard::Taken;
use crate::{encryption, scheme, whole_requests};
use e2e::Received;
use e2e::examples::{Call, Judged};
use e2e::vectors::{private_key, public_key};
use serde_json::{Value, json};
use webhook::http_signature::Request;

fn payload() -> Value {
    json!({"id": "o-1", "total": 10})
}

#[tokio::test]
async fn standard_webhooks_are_taken_once_and_changed_ones_never() {
    let shop = Shop::open().await;
    shop.endpoint("e", &shop.receiver.url("/"), &[]).await;
    let secret = shop.api.secret("shop", "e").await;
    let request = shop.arrives("e", &payload()).await;
    let other = shop.arrives("e", &json!({"id": "o-2"})).await;
    let requests = [
        (with_body(&request, "{}"), Value::Null),
        (with_header(&request, "webhook-id", "msg_1"), Value::Null),
        (with_header(&request, "webhook-timestamp", "1"), Value::Null),
        (request.clone(), payload()),
        (request, Value::Null),
        (other, json!({"id": "o-2"})),
    ];
    let given = json!({"SECRET": secret});
    let call = "receive(SECRET, headers, body)";
    judge(STANDARD, calls(call, call, given), &requests).await;
    let mut taken = Taken::default();
    for (request, gives) in &requests {
        let verdict = taken.receive(&secret, &headers(request), &request.body, now());
        assert_eq!(
            verdict.is_ok_and(|new| new),
            !gives.is_null(),
            "{request:?}"
        );
    }
}

#[tokio::test]
async fn a_scheme_of_ones_own_is_verified_by_its_own_example() {
    let shop = Shop::open().await;
    let described = json!({
        "scheme": "generic", "header": "X-Acme-Signature", "hash": "sha256", "encoding": "hex",
        "prefix": "sha256=", "template": "{timestamp}.{body}", "timestampHeader": "X-Acme-Time",
    });
    let parts = [("signature", described)];
    shop.endpoint("e", &shop.receiver.url("/"), &parts).await;
    let secret = shop.api.secret("shop", "e").await;
    let request = shop.arrives("e", &payload()).await;
    let requests = [
        (with_body(&request, "{}"), Value::Null),
        (
            with_header(&request, "x-acme-time", "1764000000"),
            Value::Null,
        ),
        (
            with_header(&request, "x-acme-signature", "sha256=00"),
            Value::Null,
        ),
        (request, true.into()),
    ];
    let given = json!({"SECRET": secret});
    let python = "is_genuine(SECRET, headers, body)";
    let node = "isGenuine(SECRET, headers, body)";
    judge(SCHEME, calls(python, node, given), &requests).await;
    for (request, gives) in &requests {
        let verdict = scheme::verify(&secret, &headers(request), &request.body, now());
        assert_eq!(verdict.is_ok(), !gives.is_null(), "{request:?}");
    }
}

#[tokio::test]
async fn signatures_over_whole_requests_hold_for_nothing_else() {
    let shop = Shop::open().await;
    let url = shop.receiver.url("/in?tenant=7");
    let parts = [(
        "auth",
        json!({"type": "httpSignature", "algorithm": "ed25519"}),
    )];
    shop.endpoint("e", &url, &parts).await;
    let auth = shop
        .api
        .get("/app/shop/endpoint/e/auth")
        .await
        .expect(200)
        .json();
    let [public_key, key_id] = ["publicKey", "keyId"].map(|name| auth[name].as_str());
    let known = (key_id.expect("an id"), public_key.expect("a key"));
    let request = shop.arrives("e", &payload()).await;
    let input = request.header("signature-input");
    let later = input.replace(";created=1", ";created=2");
    let less = input.replace("\"webhook-id\" ", "");
    let mut put = request.clone();
    put.method = "PUT".to_owned();
    let requests = [
        (with_body(&request, "{}"), Value::Null),
        (with_header(&request, "webhook-id", "msg_1"), Value::Null),
        (
            with_header(&request, "signature-input", &later),
            Value::Null,
        ),
        (with_header(&request, "signature-input", &less), Value::Null),
        (put, Value::Null),
        (request.clone(), "genuine".into()),
    ];
    let given = json!({"KEY": known.1, "ENDPOINT": url});
    let python = "verify(KEY, method, ENDPOINT, headers, body) or 'genuine'";
    let node = "verify(KEY, method, ENDPOINT, headers, body) ?? 'genuine'";
    judge(WHOLE_REQUESTS, calls(python, node, given), &requests).await;
    let elsewhere = json!({"KEY": known.1, "ENDPOINT": shop.receiver.url("/in?tenant=8")});
    let refused = [(request.clone(), Value::Null)];
    judge(WHOLE_REQUESTS, calls(python, node, elsewhere), &refused).await;
    for (request, gives) in &requests {
        let headers = headers(request);
        let signed = Request {
            method: &request.method,
            target_uri: &url,
            headers: &headers,
        };
        let verdict = whole_requests::verify(known, signed, &request.body, now());
        assert_eq!(verdict.is_ok(), !gives.is_null(), "{request:?}");
    }
}

#[tokio::test]
async fn encrypted_payloads_are_read_by_who_has_the_key() {
    let shop = Shop::open().await;
    let key = private_key("x25519-1");
    let parts = [("encryption", json!({"jwk": public_key(&key)}))];
    shop.endpoint("e", &shop.receiver.url("/"), &parts).await;
    let secret = shop.api.secret("shop", "e").await;
    let request = shop.arrives("e", &payload()).await;
    let requests: [Judged; 2] = [
        (with_header(&request, "webhook-id", "msg_1"), Value::Null),
        (request, json!(["order.paid", payload()])),
    ];
    let text = key.to_string();
    let files = [("private.json", text.as_str())];
    let call = |expression| Call {
        expression,
        given: json!({"SECRET": secret}),
        files: &files,
    };
    let python = call("list(receive(headers, body))");
    let node = call("receive(headers, body).then((got) => [got.eventType, got.payload])");
    judge(ENCRYPTION, [python, node], &requests).await;
    for (request, gives) in &requests {
        let opened = encryption::receive((&secret, &text), &headers(request), &request.body, now());
        let opened = opened.map(|opened| {
            let payload: Value = serde_json::from_slice(&opened.payload).expect("JSON");
            json!([opened.event_type, payload])
        });
        assert_eq!(opened.unwrap_or_default(), *gives, "{request:?}");
    }
}

#[tokio::test]
async fn hashes_tell_that_two_orders_are_one_customers() {
    let shop = Shop::open().await;
    let event_type = json!({"name": "order.paid", "description": "An order was paid"});
    shop.api.post("/event-type", &event_type).await.expect(201);
    let rules = json!({"rules": [{"path": "/customer/email", "action": "hash"}]});
    let path = "/event-type/order.paid/redaction";
    shop.api.put(path, &rules).await.expect(204);
    shop.endpoint("e", &shop.receiver.url("/"), &[]).await;
    let mut requests: Vec<(Received, Value)> = Vec::new();
    for (name, count) in [("ada", 1), ("bob", 1), ("ada", 2)] {
        let payload = json!({"customer": {"email": format!("{name}@example.com")}});
        let request = shop.arrives("e", &payload).await;
        let text = request.json()["customer"]["email"].to_string();
        assert!(
            text.starts_with("\"hash:") && !text.contains(name),
            "{text}"
        );
        requests.push((request, count.into()));
    }
    let python = "receive(__import__('json').loads(body))";
    let node = "receive(JSON.parse(body))";
    judge(HASHES, calls(python, node, json!({})), &requests).await;
    let mut orders = Orders::default();
    for (request, gives) in &requests {
        assert_eq!(json!(orders.receive(&request.json())), *gives);
    }
}
