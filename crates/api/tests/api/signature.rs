//! By which scheme an endpoint's deliveries are signed, and what has to fit that.

use crate::world::World;
use model::Clock as _;
use serde_json::{Value, json};
use std::time::Duration;

const PATH: &str = "/app/a/endpoint/e/signature";
const SECRET: &str = "/app/a/endpoint/e/secret";
const ROTATE: &str = "/app/a/endpoint/e/secret/rotate";
const AUTH: &str = "/app/a/endpoint/e/auth";

async fn world() -> World {
    let world = World::new();
    world.application("a").await;
    world.endpoint("a", json!({"uid": "e"})).await;
    world
}

fn generic(header: &str) -> Value {
    json!({"scheme": "generic", "header": header, "hash": "sha256", "encoding": "hex"})
}

#[tokio::test]
async fn a_scheme_is_shown_as_it_was_set() {
    let world = world().await;
    world.get(PATH).await.refuses(404, "not_found");
    let mut whole = generic("X-Signature");
    whole["prefix"] = json!("sha256=");
    whole["template"] = json!("{timestamp}:{body}");
    whole["timestampHeader"] = json!("X-Time");
    let mut least = generic("X-Signature");
    let mut schemes: Vec<Value> = ["standard-webhooks", "github", "stripe", "shopify", "slack"]
        .map(|scheme| json!({ "scheme": scheme }))
        .into();
    schemes.push(whole);
    for scheme in schemes {
        let put = world.put(PATH, &scheme).await;
        assert_eq!(put.is(204).body, Value::Null);
        assert_eq!(world.get(PATH).await.is(200).body, scheme);
    }
    world.put(PATH, &least).await.is(204);
    least["prefix"] = json!("");
    least["template"] = json!("{body}");
    assert_eq!(world.get(PATH).await.is(200).body, least);
    world.delete(PATH).await.is(204);
    world.get(PATH).await.refuses(404, "not_found");
}

#[tokio::test]
async fn what_is_no_scheme_is_refused() {
    let world = world().await;
    let with = |field: &str, value: &str| {
        let mut body = generic("X-Signature");
        body[field] = json!(value);
        body
    };
    for (body, location) in [
        (with("header", "x y"), "body/header"),
        (with("header", "webhook-id"), "body/header"),
        (with("hash", "md5"), "body/hash"),
        (with("encoding", "base32"), "body/encoding"),
        (with("prefix", "a\n"), "body/prefix"),
        (with("template", "{id}"), "body/template"),
        (with("template", "{id}{body}"), "body/template"),
        (with("timestampHeader", "X-Time"), "body/timestampHeader"),
    ] {
        let answer = world.put(PATH, &body).await;
        assert_eq!(answer.broken(), [location], "{body}");
    }
    for body in [
        json!({}),
        json!({"scheme": "twilio"}),
        json!({"scheme": "github", "header": "X-Signature"}),
        json!({"scheme": "generic", "header": "X-Signature"}),
        with("more", "x"),
    ] {
        assert_eq!(world.put(PATH, &body).await.status, 422, "{body}");
    }
    world.get(PATH).await.refuses(404, "not_found");
}

#[tokio::test]
async fn a_receiver_of_another_sender_keeps_its_secret() {
    let world = world().await;
    let free = json!({"key": "It's a Secret to Everybody", "gracePeriodSeconds": 0});
    let refused = world.post(ROTATE, &free).await;
    assert_eq!(refused.broken(), ["body/key"], "of Standard Webhooks");

    world.put(PATH, json!({"scheme": "github"})).await.is(204);
    assert_eq!(world.post(ROTATE, &free).await.is(200)["key"], free["key"]);
    assert_eq!(world.get(SECRET).await.is(200)["key"], free["key"]);
    for key in ["", "a\nb", "whsk_AAAA"] {
        let refused = world.post(ROTATE, json!({ "key": key })).await;
        assert_eq!(refused.broken(), ["body/key"], "{key:?}");
    }
    for wrong in [
        world
            .put(PATH, json!({"scheme": "standard-webhooks"}))
            .await,
        world.delete(PATH).await,
    ] {
        let detail = wrong.refuses(400, "secret_unsuitable");
        assert!(detail.ends_with("rotate it"), "{detail}");
    }
    let made = world.post(ROTATE, json!({})).await.is(200).text("key");
    assert!(made.starts_with("whsec_"), "{made}");
    world.delete(PATH).await.is(204);
}

#[tokio::test]
async fn a_header_holds_a_signature_or_a_credential() {
    let key = |name: &str| json!({"type": "apiKey", "in": "header", "name": name, "value": "k"});
    let bearer = json!({"type": "bearer", "token": "t"});
    let signed = json!({"type": "httpSignature", "algorithm": "ed25519"});
    let cases = [
        (generic("X-Key"), key("x-key")),
        (generic("Authorization"), bearer),
        (generic("Signature"), signed),
        (json!({"scheme": "github"}), key("x-hub-signature-256")),
    ];
    for (scheme, auth) in cases {
        let world = world().await;
        world.put(PATH, &scheme).await.is(204);
        world.put(AUTH, &auth).await.refuses(400, "header_taken");
        world.delete(PATH).await.is(204);
        world.put(AUTH, &auth).await.is(204);
        world.put(PATH, &scheme).await.refuses(400, "header_taken");
        world.put(PATH, generic("X-Other")).await.is(204);
    }
}

#[tokio::test]
async fn an_attempts_headers_are_those_of_its_scheme() {
    let world = world().await;
    let headers = json!({ "headers": { "x-slack-signature": "mine" } });
    world
        .put("/app/a/endpoint/e/headers", headers)
        .await
        .is(204);
    world.put(PATH, json!({"scheme": "slack"})).await.is(204);
    let bearer = json!({"type": "bearer", "token": "t"});
    world.put(AUTH, bearer).await.is(204);
    let id = world.message("a", json!({})).await;
    world.clock.advance(Duration::from_secs(1));
    world.succeed().await;
    let seconds = world.clock.now().seconds().to_string();
    let attempts = world.get(format!("/app/a/attempt/msg/{id}")).await;
    let attempt = attempts.column("id").remove(0);
    let shown = world
        .get(format!("/app/a/msg/{id}/attempt/{attempt}/headers"))
        .await
        .is(200);
    let sent = &shown["sentHeaders"];
    assert_eq!(sent["webhook-id"], json!(id));
    assert_eq!(sent["X-Slack-Request-Timestamp"], json!(seconds));
    assert_eq!(
        shown["sensitive"],
        json!(["X-Slack-Signature", "authorization"])
    );
    assert_eq!(sent["x-slack-signature"], Value::Null);
}
