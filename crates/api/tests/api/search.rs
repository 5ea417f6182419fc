//! Asking about messages with a body.

use crate::world::World;
use app::filter::WORDS_MAX;
use serde_json::{Value, json};

#[tokio::test]
async fn messages_are_searched_as_they_are_listed() {
    let world = World::new();
    let app = world.application("acme").await;
    let mut ids = Vec::new();
    for number in 0..5 {
        let more = json!({
            "eventType": format!("type-{}", number % 2), "channels": ["eu"], "tags": ["blue"],
        });
        let plain = json!({ "eventType": "type-0" });
        let more = if number < 4 { more } else { plain };
        ids.push(world.message(&app, more).await);
    }
    ids.reverse();
    let search = async |body: Value| world.post("/app/acme/msg/search", body).await.is(200);
    let all = search(json!({})).await;
    assert_eq!(all.column("id"), ids);
    assert_eq!(all.rows()[0]["payload"], json!({}));
    for (body, query) in [
        (json!({ "with_content": true }), ""),
        (
            json!({ "with_content": true, "channel": "eu" }),
            "?channel=eu",
        ),
        (json!({ "with_content": true, "tag": "blue" }), "?tag=blue"),
        (
            json!({ "with_content": true, "event_types": ["type-1", "type-9"], "limit": 1 }),
            "?event_types=type-1,type-9&limit=1",
        ),
        (
            json!({ "with_content": true, "iterator": all["iterator"], "limit": 2 }),
            &format!("?limit=2&iterator={}", all.text("iterator")),
        ),
        (
            json!({ "with_content": true, "before": "2020-01-01T00:00:00Z" }),
            "?before=2020-01-01T00:00:00Z",
        ),
    ] {
        let listed = world.get(format!("/app/acme/msg{query}")).await.is(200);
        assert_eq!(search(body).await.body, listed.body, "{query}");
    }
}

#[tokio::test]
async fn a_search_that_can_not_be_is_refused_with_the_place() {
    let world = World::new();
    world.application("acme").await;
    for (body, place) in [
        (json!({ "limit": 251 }), "body/limit/limit"),
        (json!({ "iterator": "msg_x" }), "body/iterator"),
        (json!({ "channel": "" }), "body/channel"),
        (json!({ "event_types": ["a b"] }), "body/event_types"),
        (
            json!({ "event_types": vec!["a"; WORDS_MAX + 1] }),
            "body/event_types",
        ),
        (json!({ "before": "yesterday" }), "body/before"),
        (json!({ "limit": "many" }), "body/limit"),
    ] {
        let refused = world.post("/app/acme/msg/search", &body).await;
        assert_eq!(refused.broken(), [place], "{body}");
    }
}

#[tokio::test]
async fn a_precheck_tells_whether_anybody_would_get_it() {
    let world = World::new();
    let app = world.application("acme").await;
    for name in ["order.paid", "order.sent"] {
        let body = json!({ "name": name, "description": "" });
        world.post("/event-type", body).await.is(201);
    }
    let wanted = json!({ "uid": "hook", "eventTypes": ["order.paid"], "channels": ["eu"] });
    world.endpoint(&app, wanted).await;
    let path = "/app/acme/msg/precheck/active";
    let active = async |body: &Value| world.post(path, body).await.is(200)["active"].clone();
    let good = json!({ "eventType": "order.paid", "channels": ["us", "eu"] });
    for (body, expected) in [
        (&good, true),
        (&json!({ "eventType": "order.paid" }), false),
        (
            &json!({ "eventType": "order.sent", "channels": ["eu"] }),
            false,
        ),
    ] {
        assert_eq!(active(body).await, expected, "{body}");
    }
    let broken = json!({ "eventType": "", "channels": [] });
    let refused = world.post(path, broken).await;
    assert_eq!(
        refused.broken(),
        ["body/eventType/__all__", "body/channels"]
    );
    let disable = json!({ "disabled": true });
    world
        .patch("/app/acme/endpoint/hook", disable)
        .await
        .is(200);
    assert_eq!(active(&good).await, false);
}

#[tokio::test]
async fn a_message_is_found_although_its_event_id_is_a_word_of_another_path() {
    let world = World::new();
    let app = world.application("acme").await;
    for word in ["batch", "bulk-expunge", "search", "precheck"] {
        let id = world.message(&app, json!({ "eventId": word })).await;
        let found = world.get(format!("/app/acme/msg/{word}")).await.is(200);
        assert_eq!(found.text("id"), id);
        for below in ["endpoint", "attempt"] {
            world
                .get(format!("/app/acme/msg/{word}/{below}"))
                .await
                .is(200);
        }
        world.get(format!("/app/acme/msg/{word}/raw")).await.is(200);
        world
            .delete(format!("/app/acme/msg/{word}/content"))
            .await
            .is(204);
    }
}
