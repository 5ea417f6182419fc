//! What should not be in payloads, where the installation is set to look for it.

use crate::call::Answer;
use crate::world::World;
use serde_json::{Value, json};

const CARD: &str = "4242 4242 4242 4242";

async fn world(scan: &str) -> World {
    let world = World::new();
    world.application("acme").await;
    let set = json!({ "scanPayloads": scan });
    let set = world.patch("/environment/settings", set).await;
    assert_eq!(set.is(200)["scanPayloads"], scan);
    world
}

async fn send(world: &World, payload: Value) -> Answer {
    let body = json!({ "eventType": "order.paid", "payload": payload });
    world.post("/app/acme/msg", body).await
}

fn suspicious() -> Value {
    json!({ "customer": { "card": CARD, "mail": ["ada@example.com"] } })
}

#[tokio::test]
async fn nothing_is_looked_for_where_it_is_off() {
    let world = world("off").await;
    world.events.take();
    send(&world, suspicious()).await.is(202);
    assert!(world.events.take().is_empty());
    let unset = World::new();
    let settings = unset.get("/environment/settings").await;
    assert_eq!(settings.is(200)["scanPayloads"], "off");
}

#[tokio::test]
async fn what_is_found_is_reported_by_place_and_never_by_value() {
    let world = world("report").await;
    let app = world.get("/app/acme").await.is(200)["id"].clone();
    world.events.take();
    send(&world, json!({ "a": 1 })).await.is(202);
    assert!(world.events.take().is_empty());
    send(&world, suspicious()).await.is(202);
    let events = world.events.take();
    assert_eq!(events.len(), 1);
    assert_eq!(events[0].kind.as_str(), "payload.sensitive_data");
    assert_eq!(Some(events[0].subject.id.as_str()), app.as_str());
    let told = &events[0].description;
    assert!(told.contains("cardNumber at `/customer/card`"), "{told}");
    assert!(
        told.contains("emailAddress at `/customer/mail/0`"),
        "{told}"
    );
    assert!(!told.contains("4242") && !told.contains("ada"), "{told}");
}

#[tokio::test]
async fn a_repeat_and_what_is_refused_are_not_reported() {
    let world = world("report").await;
    let send = || {
        let payload = suspicious();
        let body = json!({ "eventType": "order.paid", "payload": payload, "eventId": "e" });
        world.post("/app/acme/msg", body)
    };
    send().header("idempotency-key", "one").await.is(202);
    world.events.take();
    send().header("idempotency-key", "one").await.is(202);
    send().header("idempotency-key", "two").await.is(409);
    assert!(world.events.take().is_empty());
}

#[tokio::test]
async fn what_is_found_is_refused_with_its_place_and_never_its_value() {
    let world = world("refuse").await;
    let refused = send(&world, suspicious()).await;
    let expected = ["body/payload/customer/card", "body/payload/customer/mail/0"];
    assert_eq!(refused.broken(), expected);
    let text = refused.body.to_string();
    assert!(text.contains("a card number (cardNumber)"), "{text}");
    assert!(!text.contains("4242") && !text.contains("ada@"), "{text}");
    send(&world, json!({ "customer": {} })).await.is(202);

    let raw = json!({
        "eventType": "order.paid", "payload": {},
        "transformationsParams": { "rawPayload": "<mail>ada@example.com</mail>" },
    });
    let refused = world.post("/app/acme/msg", raw).await;
    assert_eq!(refused.broken(), ["body/transformationsParams/rawPayload"]);
}

#[tokio::test]
async fn of_a_batch_only_what_has_something_is_refused() {
    let world = world("refuse").await;
    let message = |payload| json!({ "eventType": "order.paid", "payload": payload });
    let messages = [message(json!({})), message(suspicious())];
    let answer = world
        .post("/app/acme/msg/batch", json!({ "messages": messages }))
        .await;
    let results = answer.is(202)["results"].clone();
    assert_eq!(
        (&results[0]["status"], &results[1]["status"]),
        (&json!(202), &json!(422))
    );
}

#[tokio::test]
async fn a_setting_that_is_none_of_the_three_is_refused() {
    let world = world("off").await;
    let set = json!({ "scanPayloads": "on" });
    let refused = world.patch("/environment/settings", set).await;
    assert_eq!(refused.broken(), ["body/scanPayloads"]);
}
