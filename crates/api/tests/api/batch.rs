//! Sending many messages in one request.

use crate::call::Answer;
use crate::world::World;
use app::Settings;
use serde_json::{Value, json};

fn message(event_id: &str) -> Value {
    json!({ "eventType": "order.paid", "eventId": event_id, "payload": {} })
}

fn statuses(answer: &Answer) -> Vec<u64> {
    let results = answer["results"].as_array().expect("results").iter();
    results
        .map(|result| result["status"].as_u64().expect("a status"))
        .collect()
}

#[tokio::test]
async fn each_message_has_its_own_result_in_the_order_given() {
    let world = World::with(Settings {
        payload_bytes_max: 100,
        ..Settings::default()
    });
    let app = world.application("acme").await;
    world.endpoint(&app, json!({})).await;
    world.message(&app, json!({ "eventId": "taken" })).await;
    world.lanes.take();
    let messages = json!([
        message("a"),
        { "eventType": "b" },
        message("taken"),
        message("a"),
        { "eventType": "c d", "payload": {} },
        { "eventType": "c", "payload": { "x": "x".repeat(200) } },
        "no message",
        message("b"),
    ]);
    let path = format!("/app/{app}/msg/batch");
    let answer = world.post(path, json!({ "messages": messages })).await;
    let answer = answer.is(202);
    assert_eq!(statuses(&answer), [202, 422, 409, 409, 422, 413, 422, 202]);
    let results = answer["results"].as_array().unwrap();
    assert_eq!(results[0]["message"]["eventId"], "a");
    assert_eq!(results[7]["message"]["eventId"], "b");
    assert!(results[0]["message"]["id"].as_str() < results[7]["message"]["id"].as_str());
    for refused in [1, 2, 4, 5] {
        let error = &results[refused]["error"];
        assert!(
            error["code"].is_string() && error["detail"].is_string(),
            "{error}"
        );
    }
    assert_eq!(results[2]["error"]["code"], "conflict");
    assert!(
        results[4]["error"]["detail"]
            .as_str()
            .unwrap()
            .contains("eventType")
    );
    let ids: Vec<_> = world
        .lanes
        .take()
        .iter()
        .map(|h| h.claimed.message.message.id)
        .collect();
    let ids: Vec<_> = ids.iter().map(|id| json!(id.to_string())).collect();
    let told = [&results[0]["message"]["id"], &results[7]["message"]["id"]];
    assert_eq!(ids.iter().collect::<Vec<_>>(), told);
}

#[tokio::test]
async fn a_batch_without_anything_good_changes_nothing() {
    let world = World::new();
    let app = world.application("acme").await;
    let body = json!({ "messages": [{}, null] });
    let answer = world
        .post(format!("/app/{app}/msg/batch"), body)
        .await
        .is(202);
    assert_eq!(statuses(&answer), [422, 422]);
}

#[tokio::test]
async fn a_batch_has_1_to_1000_messages() {
    let world = World::new();
    let app = world.application("acme").await;
    let path = format!("/app/{app}/msg/batch");
    let of = |count: usize| {
        let message = json!({ "eventType": "a", "payload": {} });
        json!({ "messages": vec![message; count] })
    };
    assert_eq!(world.post(&path, of(0)).await.broken(), ["body/messages"]);
    let refused = world.post(&path, of(1_001)).await;
    assert_eq!(refused.broken(), ["body/messages"]);
    assert!(refused.text.contains("batch_messages_max"), "{refused:?}");
    let answer = world.post(&path, of(1_000)).await.is(202);
    assert!(statuses(&answer).iter().all(|status| *status == 202));
    for wrong in [
        json!({}),
        json!({ "messages": {} }),
        json!({ "messages": null }),
    ] {
        let broken = world.post(&path, &wrong).await.broken();
        assert!(broken[0].starts_with("body/"), "{wrong}: {broken:?}");
    }
    let page = world.get(format!("/app/{app}/msg?limit=250")).await;
    assert_eq!(page.is(200).rows().len(), 250);
}

#[tokio::test]
async fn a_batch_may_be_larger_than_a_message_but_not_without_end() {
    let world = World::new();
    let app = world.application("acme").await;
    let path = format!("/app/{app}/msg/batch");
    let message = json!({ "eventType": "a", "payload": { "x": "x".repeat(1_000_000) } });
    let answer = world
        .post(&path, json!({ "messages": vec![&message; 8] }))
        .await
        .is(202);
    assert_eq!(statuses(&answer), [202; 8]);
    let answer = world
        .post(&path, json!({ "messages": vec![&message; 9] }))
        .await;
    answer.refuses(413, "payload_too_large");
}

#[tokio::test]
async fn deliveries_beyond_the_limit_of_the_whole_batch_follow_after_the_commit() {
    let world = World::with(Settings {
        deliveries_max: 3,
        ..Settings::default()
    });
    let app = world.application("acme").await;
    for _ in 0..2 {
        world.endpoint(&app, json!({})).await;
    }
    let body = json!({ "messages": [message("a"), message("b"), message("c")] });
    world
        .post(format!("/app/{app}/msg/batch"), body)
        .await
        .is(202);
    assert_eq!(world.lanes.take().len(), 3);
    world.work().await;
    for event_id in ["a", "b", "c"] {
        let page = world
            .get(format!("/app/{app}/msg/{event_id}/endpoint"))
            .await
            .is(200);
        assert_eq!(page.rows().len(), 2, "{event_id}");
    }
}

#[tokio::test]
async fn a_batch_sent_again_is_done_once() {
    let world = World::new();
    let app = world.application("acme").await;
    world.endpoint(&app, json!({})).await;
    let path = format!("/app/{app}/msg/batch");
    let body = json!({ "messages": [
        { "eventType": "a", "payload": {} }, { "eventType": "b" }, message("e"), message("e"),
    ] });
    let send = |body: &Value| world.post(&path, body).key("k");
    let first = send(&body).await.is(202);
    assert_eq!(statuses(&first), [202, 422, 202, 409]);
    assert_eq!(send(&body).await.is(202).body, first.body);
    assert_eq!(world.lanes.take().len(), 2);
    let other = json!({ "messages": [message("x"), message("y")] });
    send(&other).await.refuses(409, "conflict");
    world.get(format!("/app/{app}/msg/y")).await.is(404);
}

#[tokio::test]
async fn a_key_s_batch_is_known_by_whatever_was_accepted_of_it() {
    let world = World::new();
    let app = world.application("acme").await;
    let path = format!("/app/{app}/msg/batch");
    let send = |body: Value| world.post(&path, body).key("k");
    let body = json!({ "messages": [{ "eventType": "b" }, message("e")] });
    assert_eq!(statuses(&send(body).await.is(202)), [422, 202]);
    let other = json!({ "messages": [message("x"), message("y")] });
    send(other).await.refuses(409, "conflict");
    world.get(format!("/app/{app}/msg/x")).await.is(404);
}

#[tokio::test]
async fn a_batch_brings_the_application_that_it_needs() {
    let world = World::new();
    let path = "/app/acme/msg/batch";
    let plain = json!({ "messages": [message("a")] });
    let detail = world.post(path, &plain).await.refuses(404, "not_found");
    assert_eq!(detail, "Application not found");
    let mut bringing = message("b");
    bringing["application"] = json!({ "name": "Acme", "uid": "acme" });
    let body = json!({ "messages": [message("a"), bringing] });
    let answer = world.post(path, body).await.is(202);
    assert_eq!(statuses(&answer), [202, 202]);
    world.get("/app/acme/msg/a").await.is(200);
}

#[tokio::test]
async fn a_message_can_be_called_batch() {
    let world = World::new();
    let app = world.application("acme").await;
    let id = world.message(&app, json!({ "eventId": "batch" })).await;
    let read = world.get(format!("/app/{app}/msg/batch")).await;
    assert_eq!(read.is(200)["id"], id);
}
