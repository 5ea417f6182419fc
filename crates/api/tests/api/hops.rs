//! Deliveries that are posted on: counted, and refused before they go round without end.

use crate::call::Call;
use crate::world::World;
use serde_json::{Value, json};

const HOPS: &str = "webhook-hops";

fn message() -> Value {
    json!({ "eventType": "order.paid", "payload": { "total": 12 } })
}

/// An application with an endpoint, and an event type with an example.
async fn world() -> (World, String, String) {
    let world = World::new();
    let app = world.application("acme").await;
    let endpoint = world.endpoint(&app, json!({})).await;
    let schemas = json!({ "1": { "examples": [{ "an": "example" }] } });
    let event_type = json!({ "name": "order.paid", "description": "", "schemas": schemas });
    world.post("/event-type", event_type).await.is(201);
    (world, app, endpoint)
}

/// Every way in of what deliveries are made of.
fn ways_in<'w>(world: &'w World, app: &str, endpoint: &str) -> Vec<Call<'w>> {
    let batch = json!({ "messages": [message()] });
    let example = json!({ "eventType": "order.paid" });
    vec![
        world.post(format!("/app/{app}/msg"), message()),
        world.post(format!("/app/{app}/msg/batch"), batch),
        world.post("/msg/broadcast", message()),
        world.post(
            format!("/app/{app}/endpoint/{endpoint}/send-example"),
            example,
        ),
    ]
}

#[tokio::test]
async fn what_a_delivery_has_been_through_is_kept_of_what_it_posts() {
    let (world, app, endpoint) = world().await;
    for (told, kept) in [(None, 0), (Some("0"), 0), (Some("1"), 1), (Some("2"), 2)] {
        for mut call in ways_in(&world, &app, &endpoint) {
            if let Some(told) = told {
                call = call.header(HOPS, told);
            }
            let to = call.to();
            call.await.is(202);
            while world.app.work_outside().await.expect("it works") {}
            let handed = world.lanes.take_one();
            let message = handed.claimed.message.message;
            assert_eq!(message.hops.number(), kept, "{to} with {told:?}");
            let (app, id) = (message.application, message.id);
            let stored = world
                .app
                .store
                .message(app, &store::MessageRef::Id(id))
                .await;
            let stored = stored.expect("reads go on").expect("it is there");
            assert_eq!(stored.message.hops, message.hops, "{to} with {told:?}");
        }
    }
}

#[tokio::test]
async fn what_would_go_round_for_a_fourth_time_is_refused() {
    let (world, app, endpoint) = world().await;
    for told in ["3", "4", "255"] {
        for call in ways_in(&world, &app, &endpoint) {
            let to = call.to();
            let detail = call.header(HOPS, told).await.refuses(508, "loop_detected");
            assert!(detail.contains(HOPS), "{to}: {detail}");
        }
    }
    let list = world.get(format!("/app/{app}/msg")).await.is(200);
    assert_eq!(list.rows().len(), 0);
}

#[tokio::test]
async fn a_count_that_can_not_be_read_is_refused() {
    let (world, app, endpoint) = world().await;
    for told in ["", "-1", "one", "1.0", "256", "1, 2", "\u{e9}"] {
        for call in ways_in(&world, &app, &endpoint) {
            let answer = call.header(HOPS, told).await;
            assert_eq!(answer.broken(), ["header/webhook-hops"], "{told:?}");
        }
    }
    let path = format!("/app/{app}/msg");
    let twice = world.post(path, message()).header(HOPS, "0");
    assert_eq!(
        twice.header(HOPS, "2").await.broken(),
        ["header/webhook-hops"]
    );
}

#[tokio::test]
async fn a_delivery_can_not_have_anything_sent_again() {
    let (world, app, endpoint) = world().await;
    let sent = world
        .post(format!("/app/{app}/msg"), message())
        .await
        .is(202);
    let id = sent.text("id");
    let since = json!({ "since": "2026-01-01T00:00:00Z" });
    let to = format!("/app/{app}/endpoint/{endpoint}");
    for path in [
        format!("/app/{app}/msg/{id}/endpoint/{endpoint}/resend"),
        format!("{to}/recover"),
        format!("{to}/replay-missing"),
        format!("{to}/bulk-replay"),
    ] {
        let by_delivery = world.post(&path, &since).header(HOPS, "1").await;
        let detail = by_delivery.refuses(508, "loop_detected");
        assert!(detail.contains("again"), "{path}: {detail}");
        world.post(&path, &since).await.is(202);
    }
}

#[tokio::test]
async fn an_endpoint_can_not_set_the_count() {
    let (world, app, endpoint) = world().await;
    let path = format!("/app/{app}/endpoint/{endpoint}");
    let headers = json!({ "headers": { "Webhook-Hops": "0" } });
    let refused = world.put(format!("{path}/headers"), headers).await;
    assert_eq!(refused.broken(), ["body/headers"]);
    let auth = json!({ "type": "apiKey", "in": "header", "name": HOPS, "value": "0" });
    let refused = world.put(format!("{path}/auth"), auth).await;
    assert_eq!(refused.broken(), ["body/name"]);
}
