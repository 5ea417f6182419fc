//! An endpoint's headers.

use crate::world::World;
use serde_json::{Value, json};
use std::sync::Arc;

const PATH: &str = "/app/a/endpoint/e/headers";

async fn world() -> World {
    let world = World::new();
    world.application("a").await;
    world.endpoint("a", json!({"uid": "e"})).await;
    world
}

#[tokio::test]
async fn credentials_are_shown_by_name_only() {
    let world = world().await;
    assert_eq!(
        world.get(PATH).await.is(200).body,
        json!({"headers": {}, "sensitive": []})
    );
    let all =
        json!({"X-A": "1", "AUTHORIZATION": "Bearer x", "x-api-key": "y", "X-Auth-Token": "z"});
    assert_eq!(
        world.put(PATH, json!({"headers": all})).await.is(204).body,
        Value::Null
    );
    let sensitive = json!(["AUTHORIZATION", "X-Auth-Token", "x-api-key"]);
    let expected = json!({"headers": {"X-A": "1"}, "sensitive": sensitive});
    assert_eq!(world.get(PATH).await.is(200).body, expected);
}

#[tokio::test]
async fn put_replaces_all_and_patch_merges() {
    let world = world().await;
    let put = async |headers: Value| world.put(PATH, json!({"headers": headers})).await;
    put(json!({"X-A": "1", "X-B": "2"})).await.is(204);
    put(json!({"X-B": "3", "X-C": "4"})).await.is(204);
    let patch = json!({"headers": {"x-b": null, "X-D": "5"}, "deleteHeaders": ["x-c"]});
    world.patch(PATH, patch).await.is(204);
    assert_eq!(world.get(PATH).await["headers"], json!({"X-D": "5"}));
    put(json!({})).await.is(204);
    assert_eq!(world.get(PATH).await["headers"], json!({}));
}

#[tokio::test]
async fn patch_is_judged_as_put_is() {
    let world = world().await;
    for headers in [
        json!({"host": "x"}),
        json!({"Webhook-Id": "x"}),
        json!({"content-type": "x"}),
        json!({"x a": "x"}),
        json!({"x-a": "a\r\nb: c"}),
        json!({"x-a": "x".repeat(4_097)}),
        json!({"x-a": "1", "X-A": "2"}),
    ] {
        for method in ["PUT", "PATCH"] {
            let call = world.call(method, PATH);
            let answer = call.body(json!({"headers": headers})).await;
            assert_eq!(answer.broken(), ["body/headers"], "{method} {headers}");
            assert_eq!(answer["detail"][0]["type"], "value_error.jsondecode");
        }
    }
    for (method, body, location) in [
        ("PUT", json!({}), "body//"),
        ("PUT", json!({"headers": {"x-a": null}}), "body/headers/x-a"),
        ("PATCH", json!({}), "body//"),
        ("PATCH", json!({"headers": {"x-a": 1}}), "body/headers/x-a"),
    ] {
        let answer = world.call(method, PATH).body(body).await;
        assert_eq!(answer.broken(), [location]);
    }
    assert_eq!(
        world.get(PATH).await["headers"],
        json!({}),
        "nothing was half written"
    );
}

#[tokio::test]
async fn a_change_of_headers_is_a_change_of_the_endpoint() {
    let world = world().await;
    let before = world.get("/app/a/endpoint/e").await.text("updatedAt");
    world.clock.advance(std::time::Duration::from_secs(1));
    world.lanes.take_changed();
    world
        .put(PATH, json!({"headers": {"x-a": "1"}}))
        .await
        .is(204);
    assert_ne!(
        world.get("/app/a/endpoint/e").await.text("updatedAt"),
        before
    );
    assert_eq!(world.lanes.take_changed(), 1);
}

#[tokio::test]
async fn changes_at_the_same_time_all_hold() {
    let world = Arc::new(world().await);
    let patches = (0..20).map(|number| {
        let world = world.clone();
        let headers = json!({"headers": {format!("x-{number}"): "1"}});
        tokio::spawn(async move { world.patch(PATH, headers).await.status })
    });
    for patch in patches.collect::<Vec<_>>() {
        assert_eq!(patch.await.expect("no panic"), 204);
    }
    let headers = world.get(PATH).await.is(200)["headers"].clone();
    assert_eq!(headers.as_object().expect("an object").len(), 20);
}
