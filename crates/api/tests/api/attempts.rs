//! Attempts, and resends.

use crate::outcomes::Ended;
use crate::world::World;
use model::Clock;
use model::attempt::AttemptResult;
use model::delivery::{EndReason, Trigger};
use serde_json::json;
use std::time::Duration;
use store::record::Then;

/// One message to one endpoint, whose first attempt ended so.
async fn one(world: &World, ended: Ended) -> (String, String, String) {
    let app = world.application("acme").await;
    let endpoint = world.endpoint(&app, json!({ "uid": "first" })).await;
    let id = world
        .message(&app, json!({ "eventId": "order-1", "channels": ["eu"] }))
        .await;
    let handed = world.lanes.take_one();
    world.clock.advance(Duration::from_secs(1));
    world.record(handed.claimed, ended).await;
    (app, endpoint, id)
}

#[tokio::test]
async fn an_attempt_has_the_fields_that_clients_read() {
    let world = World::new();
    let (app, endpoint, id) = one(&world, Ended::success()).await;
    let by_message = world
        .get(format!("/app/{app}/attempt/msg/order-1"))
        .await
        .is(200);
    let [attempt] = by_message.rows() else {
        panic!("{by_message:?}")
    };
    let expected = json!({
        "id": attempt["id"], "endpointId": endpoint, "msgId": id,
        "url": "https://example.com/hook", "response": "fine", "responseStatusCode": 200,
        "responseDurationMs": 12, "status": 0, "statusText": "success", "triggerType": 0,
        "timestamp": "2026-01-01T00:30:01Z",
    });
    assert_eq!(*attempt, expected);
    assert!(attempt["id"].as_str().unwrap().starts_with("atmpt_"));
    let same = [
        format!("/app/{app}/attempt/endpoint/first"),
        format!("/app/{app}/attempt/msg/{id}?endpoint_id=first"),
        format!("/app/{app}/attempt/msg/{id}?endpoint_id={endpoint}"),
        format!("/app/{app}/msg/{id}/attempt"),
        format!("/app/{app}/msg/{id}/endpoint/{endpoint}/attempt"),
    ];
    for path in same {
        assert_eq!(
            world.get(&path).await.is(200)["data"],
            json!([expected]),
            "{path}"
        );
    }
    let path = format!(
        "/app/acme/msg/{id}/attempt/{}",
        attempt["id"].as_str().unwrap()
    );
    assert_eq!(world.get(path).await.is(200).body, expected);
}

#[tokio::test]
async fn lists_of_attempts_are_filtered() {
    let world = World::new();
    let (app, _, id) = one(&world, Ended::failure(Then::Close)).await;
    let found = [
        "",
        "status=2",
        "status=2&expanded_statuses=true",
        "status_code_class=500",
        "event_types=order.paid",
        "channel=eu",
        "after=2026-01-01T00:30:00Z",
        "before=2026-01-01T00:30:02Z",
        "endpoint_id=first",
    ];
    let left_out = [
        "status=0",
        "status=1",
        "status=3",
        "status=4&expanded_statuses=true",
        "status_code_class=0",
        "status_code_class=400",
        "event_types=order.lost",
        "channel=us",
        "tag=t",
        "after=2026-01-01T00:30:02Z",
        "before=2026-01-01T00:30:00Z",
    ];
    for list in [
        format!("/app/{app}/attempt/msg/{id}"),
        format!("/app/{app}/attempt/endpoint/first"),
    ] {
        for (queries, count) in [(&found[..], 1), (&left_out[..], 0)] {
            for query in queries {
                let page = world.get(format!("{list}?{query}")).await.is(200);
                assert_eq!(page.rows().len(), count, "{list}?{query}");
            }
        }
    }
}

#[tokio::test]
async fn what_a_receiver_answered_is_shown_whatever_it_was() {
    let cases: [(&[u8], &str); 5] = [
        (b"", ""),
        ("é\u{0}".as_bytes(), "é\u{0}"),
        (b"\xff\xfe", "//4="),
        (b"caf\xc3", "Y2Fmww=="),
        (b"{}", "{}"),
    ];
    for (answer, shown) in cases {
        let world = World::new();
        let (app, _, id) = one(&world, Ended::success().answer(answer)).await;
        let list = format!("/app/{app}/attempt/msg/{id}");
        assert_eq!(world.get(&list).await.is(200).rows()[0]["response"], shown);
        let quiet = world
            .get(format!("{list}?with_content=false"))
            .await
            .is(200);
        assert_eq!(quiet.rows()[0]["response"], "{}");
    }
}

#[tokio::test]
async fn any_status_that_a_receiver_answers_is_shown() {
    let world = World::new();
    let ended = Ended {
        status_code: 999,
        ..Ended::failure(Then::Close)
    };
    let (app, _, id) = one(&world, ended).await;
    let page = world
        .get(format!("/app/{app}/attempt/msg/{id}"))
        .await
        .is(200);
    assert_eq!(page.rows()[0]["responseStatusCode"], 999);
}

#[tokio::test]
async fn an_attempt_comes_with_its_message_if_asked() {
    let world = World::new();
    let (app, _, id) = one(&world, Ended::success()).await;
    let list = format!("/app/{app}/attempt/endpoint/first");
    let plain = world.get(&list).await.is(200);
    assert_eq!(plain.rows()[0].get("msg"), None);
    let page = world.get(format!("{list}?with_msg=true")).await.is(200);
    let message = world.get(format!("/app/{app}/msg/{id}")).await.is(200);
    assert_eq!(page.rows()[0]["msg"], message.body);
    let brief = format!("{list}?with_msg=true&with_content=false");
    let page = world.get(brief).await.is(200);
    assert_eq!(page.rows()[0]["msg"]["payload"], json!({}));
}

#[tokio::test]
async fn a_cancelled_delivery_is_told_apart_only_if_asked() {
    let world = World::new();
    let reason = EndReason::EndpointDisabled;
    let ended = Ended {
        status_code: 0,
        result: AttemptResult::Cancelled(reason),
        answer: b"",
        then: Then::Close,
        head: None,
    };
    let (app, _, id) = one(&world, ended).await;
    let list = format!("/app/{app}/attempt/msg/{id}");
    for (query, status, text) in [
        ("", 2, "fail"),
        ("status=2", 2, "fail"),
        ("expanded_statuses=true", 4, "canceled"),
        ("status=4&expanded_statuses=true", 4, "canceled"),
    ] {
        let page = world.get(format!("{list}?{query}")).await.is(200);
        let attempt = &page.rows()[0];
        assert_eq!(
            (&attempt["status"], &attempt["statusText"]),
            (&json!(status), &json!(text))
        );
        assert_eq!(attempt["response"], reason.text());
    }
    let page = world
        .get(format!("{list}?status=2&expanded_statuses=true"))
        .await
        .is(200);
    assert!(page.rows().is_empty());
}

#[tokio::test]
async fn attempts_outlive_the_endpoint_that_they_went_to() {
    let world = World::new();
    let (app, endpoint, id) = one(&world, Ended::success()).await;
    let path = format!("/app/{app}/endpoint/{endpoint}");
    world.delete(path).await.is(204);
    let gone = format!("/app/{app}/attempt/endpoint/{endpoint}");
    world.get(gone).await.is(404);
    let page = world
        .get(format!("/app/{app}/attempt/msg/{id}"))
        .await
        .is(200);
    assert_eq!(page.rows()[0]["endpointId"], endpoint);
    let page = world
        .get(format!("/app/{app}/msg/{id}/endpoint"))
        .await
        .is(200);
    assert_eq!(page.rows()[0]["id"], endpoint);
}

#[tokio::test]
async fn a_resend_is_one_more_try_by_hand() {
    let world = World::new();
    let (app, endpoint, id) = one(&world, Ended::failure(Then::Close)).await;
    let path = format!("/app/{app}/msg/{id}/endpoint/{endpoint}/resend");
    assert_eq!(world.post(&path, "").await.is(202).body, json!({}));
    let handed = world.lanes.take_one();
    assert_eq!(handed.payload, &b"{\"total\":12}"[..]);
    let delivery = &handed.claimed.delivery;
    assert_eq!((delivery.trigger, delivery.attempts), (Trigger::Manual, 0));
    assert_eq!(handed.claimed.message.message.id.to_string(), id);
    world.record(handed.claimed, Ended::success()).await;
    let page = world
        .get(format!("/app/{app}/attempt/msg/{id}"))
        .await
        .is(200);
    let triggers: Vec<_> = page
        .rows()
        .iter()
        .map(|row| row["triggerType"].clone())
        .collect();
    assert_eq!(triggers, [1, 0]);

    world.lanes.limit(0);
    let token = world.token_of(&app, &[]);
    world.post(&path, "").token(&token).await.is(202);
    assert!(world.lanes.take().is_empty());
    assert_eq!(world.lanes.lock().waiting.len(), 1);
}

#[tokio::test]
async fn a_resend_goes_to_endpoints_that_did_not_want_the_message() {
    let world = World::new();
    let (app, _, id) = one(&world, Ended::success()).await;
    world
        .endpoint(&app, json!({ "uid": "second", "channels": ["us"] }))
        .await;
    let path = format!("/app/{app}/msg/{id}/endpoint/second/resend");
    world.post(path, "").await.is(202);
    world.lanes.take_one();
}

#[tokio::test]
async fn a_resend_that_can_not_be_is_refused_for_the_first_reason() {
    let world = World::new();
    let (app, _, id) = one(&world, Ended::success()).await;
    world
        .endpoint(&app, json!({ "uid": "off", "disabled": true }))
        .await;
    let raw = json!({ "transformationsParams": { "rawPayload": "<a/>" } });
    let raw = world.message(&app, raw).await;
    let short = world
        .message(&app, json!({ "payloadRetentionHours": 1 }))
        .await;
    world.lanes.take();
    world.clock.advance(Duration::from_secs(7_200));
    let keep_since = world.clock.now().minus(Duration::from_secs(86_400));
    let limits = store::work::SweepLimits {
        keep_since,
        rows_max: 100,
    };
    world.app.store.sweep(limits).await.unwrap();
    let cases = [
        ("msg_nonsense", "nobody", 404, "not_found"),
        (&short, "nobody", 400, "missing_payload"),
        (&short, "off", 400, "missing_payload"),
        (&raw, "first", 400, "missing_payload"),
        (&id, "nobody", 404, "not_found"),
        (&id, "off", 400, "endpoint_disabled"),
    ];
    for (message, endpoint, status, code) in cases {
        let path = format!("/app/{app}/msg/{message}/endpoint/{endpoint}/resend");
        world.post(&path, "").await.refuses(status, code);
    }
    assert!(world.lanes.take().is_empty());
    assert_eq!(world.lanes.granted(), 0);
}

#[tokio::test]
async fn a_resend_asked_for_again_is_done_once() {
    let world = World::new();
    let (app, endpoint, id) = one(&world, Ended::success()).await;
    let path = format!("/app/{app}/msg/{id}/endpoint/{endpoint}/resend");
    for _ in 0..3 {
        let answer = world.post(&path, "").key("auto_7").await;
        assert_eq!(answer.is(202).body, json!({}));
    }
    world.lanes.take_one();
    world.post(&path, "").key("auto_8").await.is(202);
    world.lanes.take_one();
}
