//! How messages stand with endpoints: an endpoint's messages, a message's endpoints, statistics,
//! and recovery.

use crate::outcomes::Ended;
use crate::world::World;
use model::Clock;
use model::delivery::Trigger;
use serde_json::{Value, json};
use std::time::Duration;
use store::record::Then;

const DAY: Duration = Duration::from_secs(86_400);

/// One message for each way to stand with the endpoint `hook`, whose event ids say which.
pub(crate) async fn of_all_kinds(world: &World) -> String {
    let app = world.application("acme").await;
    world.endpoint(&app, json!({ "uid": "hook" })).await;
    let later = world.clock.now().plus(Duration::from_secs(300));
    let ends = [
        ("delivered", Some(Ended::success())),
        ("failed", Some(Ended::failure(Then::Close))),
        ("retrying", Some(Ended::failure(Then::Reschedule(later)))),
        ("pending", None),
    ];
    for (event_id, ended) in ends {
        world.message(&app, json!({ "eventId": event_id })).await;
        let handed = world.lanes.take_one();
        if let Some(ended) = ended {
            world.record(handed.claimed, ended).await;
        }
    }
    app
}

#[tokio::test]
async fn an_endpoints_messages_say_how_they_stand() {
    let world = World::new();
    let app = of_all_kinds(&world).await;
    let list = format!("/app/{app}/endpoint/hook/msg");
    let page = world.get(&list).await.is(200);
    assert_eq!(
        page.column("eventId"),
        ["pending", "retrying", "failed", "delivered"]
    );
    assert_eq!(
        page.column("statusText"),
        ["pending", "sending", "fail", "success"]
    );
    let rows = page["data"].as_array().unwrap();
    assert_eq!(rows[1]["nextAttempt"], "2026-01-01T00:35:00Z");
    assert_eq!(rows[3].get("nextAttempt"), None);
    assert_eq!(rows[3]["payload"], json!({ "total": 12 }));
    for (status, expected) in [
        ("0", "delivered"),
        ("1", "pending"),
        ("2", "failed"),
        ("3", "retrying"),
    ] {
        let page = world
            .get(format!("{list}?status={status}&limit=1"))
            .await
            .is(200);
        assert_eq!(page.column("eventId"), [expected]);
    }
    let quiet = world
        .get(format!("{list}?with_content=false&event_types=order.paid"))
        .await;
    assert_eq!(quiet.is(200)["data"][0]["payload"], json!({}));
    let none = world.get(format!("{list}?channel=eu")).await.is(200);
    assert_eq!(none["data"], json!([]));
}

#[tokio::test]
async fn what_a_disabled_endpoint_did_not_get_is_cancelled() {
    let world = World::new();
    let app = of_all_kinds(&world).await;
    let path = format!("/app/{app}/endpoint/hook");
    let disabled = json!({ "disabled": true });
    world.patch(&path, disabled).await.is(200);
    world.work().await;
    let page = world.get(format!("{path}/msg")).await.is(200);
    assert_eq!(
        page.column("statusText"),
        ["fail", "fail", "fail", "success"]
    );
    let page = world
        .get(format!("{path}/msg?expanded_statuses=true"))
        .await
        .is(200);
    assert_eq!(
        page.column("statusText"),
        ["canceled", "canceled", "fail", "success"]
    );
    let page = world
        .get(format!("{path}/msg?expanded_statuses=true&status=2"))
        .await
        .is(200);
    assert_eq!(page.column("eventId"), ["failed"]);
    let counts = world.get(format!("{path}/stats")).await.is(200);
    let expected = json!({ "success": 1, "fail": 2, "canceled": 2, "pending": 0, "sending": 0 });
    assert_eq!(counts.body, expected);
}

#[tokio::test]
async fn a_messages_endpoints_say_how_it_stands() {
    let world = World::new();
    let app = of_all_kinds(&world).await;
    let one = async |message: &str| {
        let page = world
            .get(format!("/app/{app}/msg/{message}/endpoint"))
            .await
            .is(200);
        page["data"][0].clone()
    };
    let endpoint = world.get(format!("/app/{app}/endpoint/hook")).await.is(200);
    let delivered = one("delivered").await;
    assert_eq!(
        (&delivered["status"], &delivered["nextAttempt"]),
        (&json!(0), &Value::Null)
    );
    for field in [
        "id",
        "uid",
        "url",
        "description",
        "createdAt",
        "updatedAt",
        "disabled",
        "channels",
    ] {
        assert_eq!(delivered[field], endpoint[field], "{field}");
    }
    for (message, status) in [("pending", 1), ("failed", 2), ("retrying", 3)] {
        assert_eq!(one(message).await["status"], status, "{message}");
    }
    assert_eq!(one("retrying").await["nextAttempt"], "2026-01-01T00:35:00Z");
}

#[tokio::test]
async fn a_messages_endpoints_are_paged_in_both_directions() {
    let world = World::new();
    let app = world.application("acme").await;
    let mut endpoints = Vec::new();
    for _ in 0..5 {
        endpoints.push(world.endpoint(&app, json!({})).await);
    }
    let id = world.message(&app, json!({})).await;
    let list = format!("/app/{app}/msg/{id}/endpoint");
    let page = async |query: String| world.get(format!("{list}?{query}")).await.is(200);
    let first = page("limit=2".to_owned()).await;
    assert_eq!(
        (first.column("id"), &first["done"]),
        (endpoints[..2].to_vec(), &json!(false))
    );
    let rest = page(format!("iterator={}", first["iterator"].as_str().unwrap())).await;
    assert_eq!(
        (rest.column("id"), &rest["done"]),
        (endpoints[2..].to_vec(), &json!(true))
    );
    let back = page(format!("limit=2&iterator=-{}", endpoints[3])).await;
    assert_eq!(
        (back.column("id"), &back["done"]),
        (endpoints[1..3].to_vec(), &json!(false))
    );
    let back = page(format!("limit=2&iterator=-{}", endpoints[2])).await;
    assert_eq!(
        (back.column("id"), &back["done"]),
        (endpoints[..2].to_vec(), &json!(true))
    );
    let refused = world.get(format!("{list}?iterator=msg_1")).await;
    assert_eq!(refused.broken(), ["query/iterator"]);
}

#[tokio::test]
async fn statistics_count_attempts_and_what_is_open() {
    let world = World::new();
    let app = of_all_kinds(&world).await;
    let path = format!("/app/{app}/endpoint/hook/stats");
    let counts = world.get(&path).await.is(200);
    let expected = json!({ "success": 1, "fail": 2, "canceled": 0, "pending": 1, "sending": 1 });
    assert_eq!(counts.body, expected);
    for query in [
        "until=2026-01-01T00:30:01Z",
        "since=2025-12-01T00:00:00Z",
        "since=2025-12-31T00:00:00Z&until=2025-12-30T00:00:00Z",
    ] {
        let answer = world.get(format!("{path}?{query}")).await;
        answer.refuses(400, "invalid_range");
    }
    for query in ["since=today", "until=1"] {
        let answer = world.get(format!("{path}?{query}")).await;
        answer.refuses(400, "generic_error");
    }
    let before = format!("{path}?since=2025-12-31T00:00:00Z&until=2025-12-31T12:00:00Z");
    let counts = world.get(before).await.is(200);
    assert_eq!(
        (&counts["success"], &counts["fail"]),
        (&json!(0), &json!(0))
    );
}

#[tokio::test]
async fn a_recovery_sends_again_what_failed_for_good() {
    let world = World::new();
    let app = of_all_kinds(&world).await;
    let path = format!("/app/{app}/endpoint/hook/recover");
    world.clock.advance(Duration::from_secs(60));
    world.lanes.lock().work = 0;
    let body = json!({ "since": "2026-01-01T00:00:00Z" });
    let answer = world.post(&path, &body).key("auto_1").await;
    let started = answer.is(202);
    assert!(started["id"].as_str().unwrap().starts_with("qtask_"));
    assert_eq!(
        (&started["status"], &started["task"]),
        (&json!("running"), &json!("endpoint.recover"))
    );
    assert_eq!(started["updatedAt"], "2026-01-01T00:31:00Z");
    assert_eq!(world.lanes.lock().work, 1);

    let again = world.post(&path, &body).key("auto_1").await.is(202);
    assert_eq!(again["id"], started["id"]);
    world.work().await;
    let page = world
        .get(format!("/app/{app}/msg/failed/endpoint"))
        .await
        .is(200);
    assert_eq!(page.column("statusText"), ["sending"]);
    let claimed = world.claim_all().await;
    let replayed: Vec<_> = claimed
        .iter()
        .filter(|claimed| claimed.delivery.trigger == Trigger::Replay)
        .map(|claimed| claimed.message.message.event_id.as_ref().unwrap().as_str())
        .collect();
    assert_eq!(replayed, ["failed"]);
}

#[tokio::test]
async fn a_recovery_reaches_back_14_days() {
    let world = World::new();
    let app = world.application("acme").await;
    world.endpoint(&app, json!({ "uid": "hook" })).await;
    world
        .endpoint(&app, json!({ "uid": "off", "disabled": true }))
        .await;
    let path = format!("/app/{app}/endpoint/hook/recover");
    let since = |ago: Duration| {
        let seconds = world.clock.now().minus(ago).seconds();
        json!({ "since": jiff::Timestamp::from_second(seconds).unwrap().to_string() })
    };
    world
        .post(&path, since(DAY * 14 + Duration::from_secs(240)))
        .await
        .is(202);
    let refused = world
        .post(&path, since(DAY * 14 + Duration::from_secs(360)))
        .await;
    assert_eq!(refused.broken(), ["body/since"]);
    let both = json!({ "since": "2025-11-01T00:00:00Z", "until": "2025-11-10T00:00:00Z" });
    world.post(&path, both).await.is(202);
    let backwards = json!({ "since": "2025-11-10T00:00:00Z", "until": "2025-11-01T00:00:00Z" });
    let refused = world.post(&path, backwards).await;
    assert_eq!(refused.broken(), ["body/since"]);
    for wrong in [
        json!({}),
        json!({ "since": "now" }),
        json!({ "since": null }),
    ] {
        let broken = world.post(&path, &wrong).await.broken();
        assert!(broken[0].starts_with("body/"), "{wrong}");
    }
    let off = format!("/app/{app}/endpoint/off/recover");
    world
        .post(off, since(DAY))
        .await
        .refuses(400, "endpoint_disabled");
    let nobody = format!("/app/{app}/endpoint/nobody/recover");
    world.post(nobody, since(DAY)).await.is(404);
}
