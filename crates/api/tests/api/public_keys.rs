//! The public keys that deliveries are verified with.

use crate::world::World;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::time::Duration;

const KEYS: &str = "/.well-known/jwks.json";
const AUTH: &str = "/app/a/endpoint/e/auth";

async fn kids(world: &World, query: &str) -> BTreeSet<String> {
    let answer = world.get(format!("{KEYS}{query}")).without_token().await;
    let keys = answer.is(200)["keys"].as_array().expect("a list").clone();
    let kid = |key: &Value| key["kid"].as_str().expect("a text").to_owned();
    keys.iter().map(kid).collect()
}

#[tokio::test]
async fn a_signature_s_public_key_is_shown_and_published() {
    let world = World::new();
    world.application("a").await;
    let endpoint = world.endpoint("a", json!({"uid": "e"})).await;
    let body = json!({
        "type": "httpSignature", "algorithm": "ed25519", "components": ["x-tenant", "@method"],
    });
    world.put(AUTH, &body).await.is(204);
    let shown = world.get(AUTH).await.is(200);
    let expected = json!([
        "@method",
        "@target-uri",
        "content-type",
        "content-digest",
        "webhook-id",
        "webhook-timestamp",
        "x-tenant",
    ]);
    assert_eq!(shown["components"], expected);
    assert_eq!(shown.text("algorithm"), "ed25519");
    assert!(shown.text("key").starts_with("***"), "{shown:?}");
    let public = shown.text("publicKey").replace(['+', '/'], "");
    assert!(public.starts_with("whpk_"), "{public}");

    let of_it = format!("?endpoint_id={endpoint}");
    let answer = world.get(format!("{KEYS}{of_it}")).without_token().await;
    let answer = answer.is(200);
    assert_eq!(answer.headers["cache-control"], "public, max-age=60");
    let key = &answer["keys"][0];
    assert_eq!(key["kid"], shown["keyId"]);
    let x = key["x"].as_str().expect("a text").replace(['-', '_'], "");
    assert_eq!(public, format!("whpk_{x}="), "the same, in another form");
    for (field, value) in [
        ("kty", "OKP"),
        ("crv", "Ed25519"),
        ("alg", "EdDSA"),
        ("use", "sig"),
    ] {
        assert_eq!(key[field], value);
    }
    assert_eq!(answer["keys"].as_array().map(Vec::len), Some(1));
    let only = BTreeSet::from([shown.text("keyId")]);
    assert_eq!(kids(&world, "").await, only);
    for nobody in ["?endpoint_id=e", "?endpoint_id=ep_x"] {
        assert_eq!(kids(&world, nobody).await, BTreeSet::new(), "{nobody}");
    }
}

#[tokio::test]
async fn keys_are_published_for_as_long_as_they_sign() {
    let world = World::new();
    world.application("a").await;
    let endpoint = world.endpoint("a", json!({"uid": "e"})).await;
    let of_it = format!("?endpoint_id={endpoint}");
    let until = "2093-01-01T00:00:00Z";
    let mut body = json!({"type": "httpSignature", "algorithm": "ed25519"});
    world.put(AUTH, &body).await.is(204);
    let first = world.get(AUTH).await.text("keyId");
    assert_eq!(kids(&world, "").await.len(), 1);
    body["previousExpiresAt"] = json!(until);
    world.put(AUTH, &body).await.is(204);
    let second = world.get(AUTH).await.text("keyId");
    assert_ne!(first, second, "a new one each time");
    let both = BTreeSet::from([first, second.clone()]);
    assert_eq!(kids(&world, &of_it).await, both);
    assert_eq!(kids(&world, "").await.len(), 1, "kept for a while");
    world.clock.advance(Duration::from_secs(61));
    assert_eq!(kids(&world, "").await, both);

    body["previousExpiresAt"] = Value::Null;
    world.put(AUTH, &body).await.is(204);
    assert_eq!(kids(&world, &of_it).await.len(), 1);
    let shared = json!({
        "type": "httpSignature", "algorithm": "hmac-sha256",
        "key": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    });
    world.put(AUTH, shared).await.is(204);
    let shown = world.get(AUTH).await.is(200);
    assert_eq!(shown.text("key"), "***LaSw");
    assert_eq!(shown["publicKey"], Value::Null);
    assert_eq!(kids(&world, &of_it).await, BTreeSet::new());
}

#[tokio::test]
async fn a_signing_secret_s_public_half_is_published_too() {
    let settings = app::Settings {
        default_signature: app::DefaultSignature::Ed25519,
        ..app::Settings::default()
    };
    let world = World::with(settings);
    world.application("a").await;
    let endpoint = world.endpoint("a", json!({"uid": "e"})).await;
    let of_it = format!("?endpoint_id={endpoint}");
    assert_eq!(kids(&world, &of_it).await.len(), 1);
    let rotate = "/app/a/endpoint/e/secret/rotate";
    world.post(rotate, json!({})).await.is(200);
    assert_eq!(kids(&world, &of_it).await.len(), 2, "the old one signs too");
    assert_eq!(kids(&world, "").await.len(), 2);
    world.delete("/app/a/endpoint/e").await.is(204);
    assert_eq!(kids(&world, &of_it).await.len(), 0);
    let signed = "/app/a/endpoint/e/signature";
    world.endpoint("a", json!({"uid": "e"})).await;
    let github = world.put(signed, json!({"scheme": "github"})).await;
    github.refuses(400, "secret_unsuitable");
}
