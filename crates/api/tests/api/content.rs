//! Payloads and answers by themselves: as they are, and removed before their time.

use crate::outcomes::Ended;
use crate::world::World;
use serde_json::json;
use store::record::Then;

#[tokio::test]
async fn an_expunged_payload_is_gone_for_good_and_its_message_stays() {
    let world = World::new();
    let app = world.application("acme").await;
    let event = json!({ "eventId": "order-1" });
    let id = world.message(&app, event).await;
    for name in [id.as_str(), "order-1"] {
        let path = format!("/app/acme/msg/{name}/content");
        let answer = world.delete(path).await.is(204);
        assert_eq!(answer.text, "");
    }
    let message = world.get(format!("/app/acme/msg/{id}")).await.is(200);
    assert_eq!(message["payload"], json!({ "expired": true }));
    assert_eq!(message["eventId"], "order-1");
    let raw = world.get(format!("/app/acme/msg/{id}/raw")).await;
    assert_eq!(raw.refuses(404, "not_found"), "Message payload not found");
    let unknown = world.delete("/app/acme/msg/order-2/content").await;
    unknown.refuses(404, "not_found");
}

#[tokio::test]
async fn what_is_open_of_an_expunged_message_is_ended_with_the_reason() {
    let world = World::new();
    let app = world.application("acme").await;
    world.endpoint(&app, json!({ "uid": "held" })).await;
    world.endpoint(&app, json!({ "uid": "waiting" })).await;
    world.lanes.limit(1);
    let id = world.message(&app, json!({})).await;
    let handed = world.lanes.take_one();
    world.lanes.take_changed();
    world
        .delete(format!("/app/acme/msg/{id}/content"))
        .await
        .is(204);
    assert_eq!(world.lanes.take_changed(), 1, "the sender looks again");

    let later = Then::Reschedule(handed.claimed.delivery.due);
    world.record(handed.claimed, Ended::failure(later)).await;
    let attempts = world.get(format!("/app/acme/attempt/msg/{id}")).await;
    let mut answers = attempts.column("response");
    answers.sort();
    let reason = "not sent: the payload was expunged";
    // What was answered meanwhile may repeat what was expunged: it is not kept.
    assert_eq!(answers, ["EXPUNGED", reason, reason]);
    assert_eq!(world.claim_all().await.len(), 0, "nothing is rescheduled");
    let resend = world.post(format!("/app/acme/msg/{id}/endpoint/held/resend"), "");
    resend.await.refuses(400, "missing_payload");
}

#[tokio::test]
async fn the_sender_is_not_bothered_where_nothing_was_open() {
    let world = World::new();
    let app = world.application("acme").await;
    let endpoint = world.endpoint(&app, json!({})).await;
    let id = world.message(&app, json!({})).await;
    world.succeed().await;
    world.lanes.take_changed();
    world
        .delete(format!("/app/acme/msg/{id}/content"))
        .await
        .is(204);
    assert_eq!(world.lanes.take_changed(), 0);
    let standings = world
        .get(format!("/app/acme/endpoint/{endpoint}/msg"))
        .await;
    assert_eq!(standings.rows()[0]["statusText"], "success");
}

#[tokio::test]
async fn many_payloads_are_expunged_at_once() {
    let world = World::new();
    let app = world.application("acme").await;
    let first = world.message(&app, json!({ "eventId": "order-1" })).await;
    let second = world.message(&app, json!({ "eventId": "order-2" })).await;
    let kept = world.message(&app, json!({})).await;
    let body = json!({ "ids": [first, "order-2", "order-3", "msg_x", first] });
    for _ in 0..2 {
        let call = world.post("/app/acme/msg/bulk-expunge", &body).key("k");
        let expected = json!({ "results": {
            first.as_str(): "expunged", "order-2": "expunged",
            "order-3": "not-found", "msg_x": "not-found",
        } });
        assert_eq!(call.await.is(200).body, expected);
    }
    for (id, is_gone) in [(first, true), (second, true), (kept, false)] {
        let message = world.get(format!("/app/acme/msg/{id}")).await.is(200);
        let gone = message["payload"] == json!({ "expired": true });
        assert_eq!(gone, is_gone, "{id}");
    }
    let empty = world.post("/app/acme/msg/bulk-expunge", "{}").await;
    assert_eq!(empty.is(200).body, json!({ "results": {} }));
    let names: Vec<String> = (0..1_001).map(|number| format!("order-{number}")).collect();
    let body = json!({ "ids": names });
    let too_many = world.post("/app/acme/msg/bulk-expunge", body).await;
    assert_eq!(too_many.broken(), ["body/ids"]);
}

#[tokio::test]
async fn a_raw_payload_is_the_text_that_is_sent() {
    let world = World::new();
    world.application("acme").await;
    let body = r#"{"eventType":"a","eventId":"json","payload":{ "b": 1.0,  "a": 2 }}"#;
    world.post("/app/acme/msg", body).await.is(202);
    let raw = json!({ "rawPayload": "<a/>", "headers": { "content-type": "text/xml" } });
    let body = json!({
        "eventType": "a", "eventId": "xml", "payload": {}, "transformationsParams": raw,
    });
    world.post("/app/acme/msg", body).await.is(202);
    for (name, expected) in [("json", "{ \"b\": 1.0,  \"a\": 2 }"), ("xml", "<a/>")] {
        let answer = world.get(format!("/app/acme/msg/{name}/raw")).await.is(200);
        assert_eq!(answer.body, json!({ "payload": expected }));
    }
}

#[tokio::test]
async fn an_expunged_answer_reads_as_that() {
    let world = World::new();
    let app = world.application("acme").await;
    world.endpoint(&app, json!({ "uid": "hook" })).await;
    for answer in [&b"thanks"[..], b""] {
        let id = world.message(&app, json!({})).await;
        let handed = world.lanes.take_one();
        world
            .record(handed.claimed, Ended::success().answer(answer))
            .await;
        let list = format!("/app/acme/attempt/msg/{id}");
        let attempt = world.get(&list).await.column("id").remove(0);
        let path = format!("/app/acme/msg/{id}/attempt/{attempt}");
        for _ in 0..2 {
            world.delete(format!("{path}/content")).await.is(204);
        }
        assert_eq!(world.get(&path).await.is(200)["response"], "EXPUNGED");
        assert_eq!(world.get(&list).await.column("response"), ["EXPUNGED"]);
        let without = world.get(format!("{list}?with_content=false")).await;
        assert_eq!(without.column("response"), ["{}"]);
        let other = world.message(&app, json!({})).await;
        world.succeed().await;
        let elsewhere = format!("/app/acme/msg/{other}/attempt/{attempt}/content");
        let missing = world.delete(elsewhere).await;
        let detail = missing.refuses(404, "not_found");
        assert_eq!(detail, "Message attempt not found");
    }
}
