//! What endpoints get of a payload, seen from their receivers.

use bytes::Bytes;
use e2e::{Api, Options, Receiver, Server, eventually};
use serde_json::json;

/// As a sender writes it: nothing but what is taken may change.
const PAYLOAD: &str = concat!(
    r#"{"id":"o-1",  "total":10.50, "big":12345678901234567890, "#,
    r#""customer":{"name":"Ada","email":"ada@example.com","ssn":"123-45-6789"}, "#,
    r#""card":"4242424242424242"}"#
);

const RULES: &str = "/event-type/order.paid/redaction";

/// One application `shop`, and an event type whose schema marks the customer's `ssn`.
async fn shop(api: &Api) {
    api.application("shop").await;
    let customer = json!({"properties": {"ssn": {"type": "string", "x-sensitive": true}}});
    let schema = json!({"properties": {"customer": customer}});
    let event_type = json!({
        "name": "order.paid", "description": "An order was paid", "schemas": {"1": schema},
    });
    api.post("/event-type", &event_type).await.expect(201);
}

async fn send(api: &Api, payload: &str) {
    let body = format!(r#"{{"eventType":"order.paid","payload":{payload}}}"#);
    api.call(e2e::Call::post("/app/shop/msg", Bytes::from(body)))
        .await
        .expect(202);
}

fn text(body: &Bytes) -> &str {
    std::str::from_utf8(body).expect("payloads are text")
}

#[tokio::test]
async fn each_endpoint_gets_what_it_may_have_byte_for_byte() {
    let mut server = Server::start(Options::dev()).await;
    let api = server.api().await;
    shop(&api).await;
    let (plain, allowed) = (Receiver::willing().await, Receiver::willing().await);
    for (uid, receiver) in [("plain", &plain), ("allowed", &allowed)] {
        let endpoint = json!({"uid": uid, "url": receiver.url("/")});
        api.endpoint("shop", &endpoint).await;
    }
    let rules = json!({"rules": [
        {"path": "/card", "action": "mask", "keepLast": 4},
        {"path": "$..email", "action": "drop"},
    ]});
    api.put(RULES, &rules).await.expect(204);
    let own = json!({
        "rules": [{"path": "/customer/name", "action": "hash"}],
        "allowSensitive": ["/customer/ssn"],
    });
    let path = "/app/shop/endpoint/allowed/redaction";
    api.put(path, &own).await.expect(204);
    assert_eq!(api.get(path).await.expect(200).json(), own);

    send(&api, PAYLOAD).await;
    let expected = concat!(
        r#"{"id":"o-1",  "total":10.50, "big":12345678901234567890, "#,
        r#""customer":{"name":"Ada"}, "#,
        r#""card":"************4242"}"#
    );
    assert_eq!(text(&plain.next().await.body), expected);
    let got = allowed.next().await;
    let got = text(&got.body);
    assert!(got.contains(r#""ssn":"123-45-6789""#), "{got}");
    assert!(got.contains(r#""card":"************4242""#), "{got}");
    assert!(
        got.contains(r#""name":"hash:"#) && !got.contains("Ada"),
        "{got}"
    );
    assert!(!got.contains("ada@"), "{got}");

    send(&api, PAYLOAD).await;
    assert_eq!(
        text(&allowed.next().await.body),
        got,
        "the same value has the same hash"
    );
    api.delete(RULES).await.expect(204);
    api.delete(path).await.expect(204);
    send(&api, PAYLOAD).await;
    let rest = plain.take(2).await.pop().expect("two were taken");
    let ssn = r#","ssn":"123-45-6789""#;
    assert_eq!(text(&rest.body), PAYLOAD.replace(ssn, ""));
}

#[tokio::test]
async fn an_applications_token_may_not_allow_its_endpoints_more() {
    let mut server = Server::start(Options::dev()).await;
    let api = server.api().await;
    shop(&api).await;
    let receiver = Receiver::willing().await;
    let endpoint = json!({"uid": "hook", "url": receiver.url("/")});
    api.endpoint("shop", &endpoint).await;
    let access = api.post("/auth/app-portal-access/shop", &json!({})).await;
    let access = access.expect(200).json();
    let own = api.with_token(access["token"].as_str().expect("a token"));
    let path = "/app/shop/endpoint/hook/redaction";
    let allowing = |paths: &[&str]| json!({"rules": [], "allowSensitive": paths});
    own.put(path, &allowing(&["/customer"])).await.expect(403);
    own.put(path, &allowing(&[])).await.expect(204);
    let both = allowing(&["/customer/ssn", "/card"]);
    api.put(path, &both).await.expect(204);
    own.put(path, &both).await.expect(204);
    own.put(path, &allowing(&["/card"])).await.expect(204);
    own.put(path, &both).await.expect(403);
}

#[tokio::test]
async fn what_is_not_json_is_not_sent_while_there_are_rules_and_says_why() {
    let retries = Options::dev().option("--retry-schedule", "1,1,1");
    let mut server = Server::start(retries).await;
    let api = server.api().await;
    shop(&api).await;
    let receiver = Receiver::willing().await;
    api.endpoint("shop", &json!({"url": receiver.url("/")}))
        .await;
    let body = json!({
        "eventType": "order.paid", "payload": {},
        "transformationsParams": {"rawPayload": "<ssn>123-45-6789</ssn>"},
    });
    let sent = api.post("/app/shop/msg", &body).await.expect(202).json();
    let path = format!(
        "/app/shop/attempt/msg/{}",
        sent["id"].as_str().expect("an id")
    );
    eventually("a failed attempt", || async {
        let list = api.get(&path).await.expect(200).json();
        let told = list["data"][0]["response"].as_str().unwrap_or_default();
        let is_told = told.contains("it is not JSON");
        is_told.then_some(()).ok_or_else(|| list.to_string())
    })
    .await;
    assert!(receiver.rest().await.is_empty());
    let open = json!({"schemas": null});
    api.patch("/event-type/order.paid", &open).await.expect(200);
    assert_eq!(text(&receiver.next().await.body), "<ssn>123-45-6789</ssn>");
}
