//! Examples: sent to one endpoint, or refused with the reason.

use crate::world::World;
use serde_json::{Value, json};

async fn world() -> World {
    let world = World::new();
    let app = world.application("acme").await;
    world.endpoint(&app, json!({ "uid": "other" })).await;
    let picky = json!({ "uid": "hook", "channels": ["elsewhere"] });
    world.endpoint(&app, picky).await;
    let schemas = json!({ "1": { "examples": [{ "total": 12 }, { "total": 13 }] } });
    for (name, schemas) in [("order.paid", schemas), ("bare", Value::Null)] {
        let body = json!({ "name": name, "description": "", "schemas": schemas });
        world.post("/event-type", body).await.is(201);
    }
    world
}

const PATH: &str = "/app/acme/endpoint/hook/send-example";

#[tokio::test]
async fn an_example_is_a_real_message_to_one_endpoint_alone() {
    let world = world().await;
    let cases = [
        (json!({ "eventType": "svix.ping" }), r#"{"success": true}"#),
        (json!({ "eventType": "order.paid" }), r#"{"total":12}"#),
        (
            json!({ "eventType": "order.paid", "exampleIndex": 1 }),
            r#"{"total":13}"#,
        ),
    ];
    for (body, payload) in cases {
        let sent = world.post(PATH, &body).await.is(202);
        assert_eq!(sent["payload"], json!({}));
        assert_eq!(sent["eventType"], body["eventType"]);
        let handed = world.lanes.take_one();
        assert_eq!(handed.payload, payload);
        let id = sent.text("id");
        let message = world.get(format!("/app/acme/msg/{id}/raw")).await.is(200);
        assert_eq!(message["payload"], payload);
        let endpoints = world.get(format!("/app/acme/msg/{id}/endpoint")).await;
        assert_eq!(endpoints.column("uid"), ["hook"]);
    }
}

#[tokio::test]
async fn an_example_that_can_not_be_sent_is_refused() {
    let world = world().await;
    let send = |body: Value| world.post(PATH, body);
    let unknown = send(json!({ "eventType": "unknown" })).await;
    unknown.refuses(404, "not_found");
    send(json!({ "eventType": "bare" }))
        .await
        .refuses(400, "invalid_scheme");
    let beyond = send(json!({ "eventType": "order.paid", "exampleIndex": 2 })).await;
    beyond.refuses(400, "invalid_scheme");
    assert_eq!(send(json!({})).await.broken(), ["body//"]);
    let odd = send(json!({ "eventType": "order paid" })).await;
    odd.refuses(404, "not_found");
    let nowhere = "/app/acme/endpoint/nobody/send-example";
    let body = json!({ "eventType": "svix.ping" });
    world.post(nowhere, &body).await.refuses(404, "not_found");

    let disable = json!({ "disabled": true });
    world
        .patch("/app/acme/endpoint/hook", disable)
        .await
        .is(200);
    send(body).await.refuses(400, "endpoint_disabled");
    assert_eq!(world.lanes.take().len(), 0);
    assert_eq!(world.get("/app/acme/msg").await.rows(), [Value::Null; 0]);
}

#[tokio::test]
async fn an_example_asked_for_again_is_sent_once() {
    let world = world().await;
    let send = |index: u8| {
        let body = json!({ "eventType": "order.paid", "exampleIndex": index });
        world.post(PATH, body).key("k")
    };
    let first = send(1).await.is(202);
    world.lanes.take_one();
    let disable = json!({ "disabled": true });
    world
        .patch("/app/acme/endpoint/hook", disable)
        .await
        .is(200);
    assert_eq!(send(1).await.is(202).body, first.body);
    assert_eq!(world.lanes.take().len(), 0);
    send(0).await.refuses(409, "conflict");
}
