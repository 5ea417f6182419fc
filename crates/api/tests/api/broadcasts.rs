//! Broadcasts: one message to every application.

use crate::world::{World, merged};
use serde_json::{Value, json};

/// A broadcast; `more` are further fields of its body.
fn everywhere(more: Value) -> Value {
    merged(
        json!({ "eventType": "notice", "payload": { "all": true } }),
        more,
    )
}

/// Does all of a broadcast that there is to do.
async fn send(world: &World) {
    while world.app.work_outside().await.expect("it works") {}
}

async fn task(world: &World, id: &str) -> (Value, Value) {
    let task = world.get(format!("/background-task/{id}")).await.is(200);
    assert_eq!(task["task"], "message.broadcast");
    (task["status"].clone(), task["data"].clone())
}

async fn count(world: &World, app: &str) -> usize {
    let list = world.get(format!("/app/{app}/msg")).await.is(200);
    list.rows().len()
}

#[tokio::test]
async fn a_broadcast_reaches_each_application_that_was_there_once() {
    let world = World::new();
    let apps: Vec<String> = (0..120).map(|number| format!("app-{number}")).collect();
    for app in &apps {
        world.application(app).await;
    }
    let notice = json!({ "name": "notice", "description": "" });
    world.post("/event-type", notice).await.is(201);
    world
        .endpoint("app-7", json!({ "filterTypes": ["notice"] }))
        .await;
    let gone = world.application("gone").await;
    let body = everywhere(json!({ "channels": ["eu"], "payloadRetentionPeriod": null }));
    let begun = world
        .post("/msg/broadcast", &body)
        .key("once")
        .await
        .is(202);
    assert_eq!(begun["status"], "running");
    let id = begun.text("id");
    world.delete(format!("/app/{gone}")).await.is(204);
    world.application("late").await;
    let again = world
        .post("/msg/broadcast", &body)
        .key("once")
        .await
        .is(202);
    assert_eq!(again.text("id"), id);

    send(&world).await;
    send(&world).await;
    for app in &apps {
        let list = world.get(format!("/app/{app}/msg")).await.is(200);
        assert_eq!(list.rows().len(), 1, "{app}");
        let message = &list.rows()[0];
        assert_eq!(message["payload"], json!({ "all": true }));
        assert_eq!(message["channels"], json!(["eu"]));
        assert_eq!(message["eventType"], "notice");
    }
    assert_eq!(count(&world, "late").await, 0);
    let data = json!({ "applications": 120, "messagesSent": 120, "conflicts": 0 });
    assert_eq!(task(&world, &id).await, (json!("finished"), data));
    let handed = world.lanes.take_one();
    let payload = json!({ "all": true }).to_string();
    assert_eq!(handed.payload, payload, "the only endpoint gets it");
}

#[tokio::test]
async fn an_application_that_has_the_event_id_keeps_it_from_no_other() {
    let world = World::new();
    for app in ["one", "two", "three"] {
        world.application(app).await;
    }
    world.message("two", json!({ "eventId": "e-1" })).await;
    let body = everywhere(json!({ "eventId": "e-1" }));
    for round in 0..2 {
        let id = world.post("/msg/broadcast", &body).await.is(202).text("id");
        send(&world).await;
        let sent = if round == 0 { 2 } else { 0 };
        let data = json!({ "applications": 3, "messagesSent": sent, "conflicts": 3 - sent });
        assert_eq!(task(&world, &id).await, (json!("finished"), data));
        for app in ["one", "two", "three"] {
            assert_eq!(count(&world, app).await, 1, "{app}");
        }
    }
}

#[tokio::test]
async fn a_broadcast_to_nobody_comes_to_its_end() {
    let world = World::new();
    let begun = world.post("/msg/broadcast", everywhere(json!({}))).await;
    send(&world).await;
    let data = json!({ "applications": 0, "messagesSent": 0, "conflicts": 0 });
    let task = task(&world, &begun.is(202).text("id")).await;
    assert_eq!(task, (json!("finished"), data));
}

#[tokio::test]
async fn only_the_organisation_broadcasts_and_only_what_it_could_send() {
    let world = World::new();
    let app = world.application("acme").await;
    let token = world.token_of(&app, &[]);
    let body = everywhere(json!({}));
    let refused = world.post("/msg/broadcast", &body).token(&token).await;
    refused.is(403);
    for (more, place) in [
        (json!({ "payload": [] }), "body/payload"),
        (json!({ "eventType": "a b" }), "body/eventType/__all__"),
        (json!({ "channels": [] }), "body/channels"),
        (
            json!({ "payloadRetentionHours": 0 }),
            "body/payloadRetentionHours",
        ),
    ] {
        let refused = world.post("/msg/broadcast", everywhere(more)).await;
        assert_eq!(refused.broken(), [place]);
    }
    send(&world).await;
    assert_eq!(count(&world, "acme").await, 0);
}
