//! What an endpoint's deliveries are authenticated with.

use crate::world::World;
use serde_json::{Value, json};

const PATH: &str = "/app/a/endpoint/e/auth";

async fn world() -> World {
    let world = World::new();
    world.application("a").await;
    world.endpoint("a", json!({"uid": "e"})).await;
    world
}

#[tokio::test]
async fn credentials_are_shown_masked() {
    let world = world().await;
    world.get(PATH).await.refuses(404, "not_found");
    let cases = [
        (
            json!({"type": "basic", "username": "ann", "password": "open sesame"}),
            json!({"type": "basic", "username": "ann", "password": "***"}),
        ),
        (
            json!({"type": "bearer", "token": "0123456789abcdef"}),
            json!({"type": "bearer", "token": "***cdef"}),
        ),
        (
            json!({"type": "apiKey", "in": "header", "name": "X-Key", "value": "sesame"}),
            json!({"type": "apiKey", "in": "header", "name": "X-Key", "value": "***"}),
        ),
        (
            json!({"type": "apiKey", "in": "query", "name": "key", "value": "sesame"}),
            json!({"type": "apiKey", "in": "query", "name": "key", "value": "***"}),
        ),
    ];
    for (given, shown) in cases {
        let put = world.put(PATH, given).await;
        assert_eq!(put.is(204).body, Value::Null);
        assert_eq!(world.get(PATH).await.is(200).body, shown);
    }
    world.delete(PATH).await.is(204);
    world.get(PATH).await.refuses(404, "not_found");
}

#[tokio::test]
async fn the_credential_before_is_kept_for_as_long_as_is_said() {
    let world = world().await;
    let token = |token: &str, until: Value| json!({"type": "bearer", "token": token, "previousExpiresAt": until});
    let until = json!("2093-01-01T00:00:00Z");
    // There is none before the first.
    world.put(PATH, token("first", until.clone())).await.is(204);
    assert_eq!(world.get(PATH).await["previousExpiresAt"], Value::Null);
    world
        .put(PATH, token("second", until.clone()))
        .await
        .is(204);
    assert_eq!(world.get(PATH).await["previousExpiresAt"], until);
    for ended in [json!(null), json!("2001-01-01T00:00:00Z")] {
        world.put(PATH, token("third", ended)).await.is(204);
        assert_eq!(world.get(PATH).await["previousExpiresAt"], Value::Null);
    }
}

#[tokio::test]
async fn what_can_not_be_sent_is_refused() {
    let world = world().await;
    let basic = |name: &str, password: &str| json!({"type": "basic", "username": name, "password": password});
    let key = |place: &str, name: &str, value: &str| {
        let mut key = json!({"type": "apiKey", "name": name, "value": value});
        key["in"] = place.into();
        key
    };
    let cases = [
        (basic("a:b", "x"), "body/username"),
        (basic("", "x"), "body/username"),
        (basic("ann", "a\nb"), "body/password"),
        (json!({"type": "bearer", "token": "a b"}), "body/token"),
        (key("header", "host", "x"), "body/name"),
        (key("header", "webhook-id", "x"), "body/name"),
        (key("query", "a=b", "x"), "body/name"),
        (key("query", "key", "\u{e9}"), "body/value"),
    ];
    for (body, location) in cases {
        let answer = world.put(PATH, body.clone()).await;
        assert_eq!(answer.broken(), [location], "{body}");
    }
    for body in [
        json!({"type": "digest", "username": "a", "password": "b"}),
        json!({"type": "bearer", "token": "a", "more": 1}),
        json!({"type": "bearer"}),
        json!({}),
    ] {
        assert_eq!(world.put(PATH, body).await.status, 422);
    }
    world.get(PATH).await.refuses(404, "not_found");
}
