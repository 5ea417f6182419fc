//! Background work: replays, the end of all payloads, and how it is shown.

use crate::standings::of_all_kinds;
use crate::world::World;
use model::Clock;
use model::delivery::Trigger;
use serde_json::{Value, json};
use std::time::Duration;

pub(crate) const SINCE: &str = "2026-01-01T00:00:00Z";

/// The event ids of what is replayed, all of which is claimed.
async fn replayed(world: &World) -> Vec<String> {
    let claimed = world.claim_all().await;
    let replays = claimed
        .iter()
        .filter(|one| one.delivery.trigger == Trigger::Replay);
    let event_id = |one: &store::rows::Claimed| one.message.message.event_id.clone();
    replays
        .map(|one| event_id(one).expect("it has one").to_string())
        .collect()
}

#[tokio::test]
async fn a_bulk_replay_sends_again_what_is_not_on_its_way() {
    for (filter, expected) in [
        (json!({}), vec!["delivered", "failed"]),
        (json!({ "status": 0 }), vec!["delivered"]),
        (json!({ "status": 2 }), vec!["failed"]),
        (json!({ "status": 4 }), vec![]),
        (json!({ "statusCodeClass": 200 }), vec!["delivered"]),
        (json!({ "statusCodeClass": 0 }), vec![]),
        (
            json!({ "eventTypes": ["order.paid", "x"] }),
            vec!["delivered", "failed"],
        ),
        (json!({ "eventTypes": ["x"] }), vec![]),
        (json!({ "channel": "eu" }), vec![]),
        (json!({ "tag": "vip", "status": null }), vec![]),
        (json!({ "until": SINCE }), vec![]),
    ] {
        let world = World::new();
        let app = of_all_kinds(&world).await;
        world.clock.advance(Duration::from_secs(60));
        let path = format!("/app/{app}/endpoint/hook/bulk-replay");
        let body = crate::world::merged(json!({ "since": SINCE }), filter.clone());
        let begun = world.post(&path, &body).key("auto_1").await.is(202);
        assert_eq!(begun["status"], "running");
        assert_eq!(begun["task"], "endpoint.bulk-replay");
        let again = world.post(&path, &body).key("auto_1").await.is(202);
        assert_eq!(again["id"], begun["id"]);
        world.work().await;
        let sent = expected.len();
        assert_eq!(replayed(&world).await, expected, "{filter}");
        let task = world
            .get(format!("/background-task/{}", begun.text("id")))
            .await
            .is(200);
        assert_eq!(task["status"], "finished");
        assert_eq!(task["data"], json!({ "messagesSent": sent }), "{filter}");
    }
}

#[tokio::test]
async fn a_bulk_replay_of_what_can_not_be_is_refused() {
    let world = World::new();
    let app = world.application("acme").await;
    world.endpoint(&app, json!({ "uid": "hook" })).await;
    let path = format!("/app/{app}/endpoint/hook/bulk-replay");
    let many: Vec<String> = (0..1_001).map(|index| format!("type-{index}")).collect();
    for (wrong, part) in [
        (json!({ "status": 1 }), "body/status"),
        (json!({ "status": 3 }), "body/status"),
        (json!({ "status": 5 }), "body/status"),
        (json!({ "statusCodeClass": 404 }), "body/statusCodeClass"),
        (json!({ "eventTypes": [] }), "body/eventTypes"),
        (
            json!({ "eventTypes": ["a b"] }),
            "body/eventTypes[0]/__all__",
        ),
        (json!({ "eventTypes": many }), "body/eventTypes"),
        (json!({ "channel": "" }), "body/channel/__all__"),
        (json!({ "tag": "a b" }), "body/tag/__all__"),
        (json!({ "since": "2025-01-01T00:00:00Z" }), "body/since"),
        (json!({ "until": "2025-01-01T00:00:00Z" }), "body/since"),
    ] {
        let body = crate::world::merged(json!({ "since": SINCE }), wrong.clone());
        let refused = world.post(&path, body).await;
        assert_eq!(refused.broken(), [part], "{wrong}");
    }
}

#[tokio::test]
async fn what_an_endpoint_never_got_is_sent() {
    let world = World::new();
    let app = of_all_kinds(&world).await;
    world.endpoint(&app, json!({ "uid": "new" })).await;
    world.message(&app, json!({ "eventId": "after" })).await;
    let typed = json!({ "uid": "typed", "filterTypes": ["nothing.of.that"] });
    let body = json!({ "name": "nothing.of.that", "description": "" });
    world.post("/event-type", body).await.is(201);
    world.endpoint(&app, typed).await;
    world.clock.advance(Duration::from_secs(60));
    for endpoint in ["new", "typed"] {
        let path = format!("/app/{app}/endpoint/{endpoint}/replay-missing");
        let begun = world.post(path, json!({ "since": SINCE })).await.is(202);
        assert_eq!(begun["status"], "running");
        assert_eq!(begun["task"], "endpoint.replay");
    }
    world.work().await;
    let expected = ["delivered", "failed", "retrying", "pending"];
    assert_eq!(replayed(&world).await, expected);
    let all = world.get("/background-task?order=ascending").await.is(200);
    let sent: Vec<&Value> = all.rows().iter().map(|row| &row["data"]).collect();
    assert_eq!(
        sent,
        [&json!({ "messagesSent": 4 }), &json!({ "messagesSent": 0 })]
    );
}

#[tokio::test]
async fn replays_reach_as_far_as_recoveries_and_need_a_live_endpoint() {
    let world = World::new();
    let app = world.application("acme").await;
    world.endpoint(&app, json!({ "uid": "hook" })).await;
    world
        .endpoint(&app, json!({ "uid": "off", "disabled": true }))
        .await;
    for replay in ["recover", "bulk-replay", "replay-missing"] {
        let post = |endpoint: &str, since: &str| {
            let path = format!("/app/{app}/endpoint/{endpoint}/{replay}");
            world.post(path, json!({ "since": since }))
        };
        post("hook", "2025-12-20T00:00:00Z").await.is(202);
        let refused = post("hook", "2025-12-01T00:00:00Z").await;
        assert_eq!(refused.broken(), ["body/since"]);
        post("off", SINCE).await.refuses(400, "endpoint_disabled");
        post("nobody", SINCE).await.is(404);
        let path = format!("/app/{app}/endpoint/hook/{replay}");
        let broken = world.post(path, json!({})).await.broken();
        assert!(broken[0].starts_with("body/"));
    }
}

#[tokio::test]
async fn a_replay_whose_endpoint_is_disabled_meanwhile_says_why_it_failed() {
    let world = World::new();
    let app = of_all_kinds(&world).await;
    let path = format!("/app/{app}/endpoint/hook");
    let begun = world
        .post(format!("{path}/bulk-replay"), json!({ "since": SINCE }))
        .await;
    let id = begun.is(202).text("id");
    let disabled = json!({ "disabled": true });
    world.patch(&path, disabled).await.is(200);
    world.work().await;
    let task = world.get(format!("/background-task/{id}")).await.is(200);
    assert_eq!(task["status"], "failed");
    let why = "The endpoint was disabled or deleted.";
    assert_eq!(task["data"], json!({ "messagesSent": 0, "error": why }));
}

#[tokio::test]
async fn all_payloads_of_an_application_go() {
    let world = World::new();
    let app = of_all_kinds(&world).await;
    let path = format!("/app/{app}/msg/expunge-all-contents");
    let begun = world.call("POST", &path).key("auto_1").await.is(202);
    assert_eq!(begun["task"], "application.purge_content");
    let again = world.call("POST", &path).key("auto_1").await.is(202);
    assert_eq!(again["id"], begun["id"]);
    world.message(&app, json!({ "eventId": "after" })).await;
    world.work().await;
    let page = world.get(format!("/app/{app}/msg")).await.is(200);
    let payloads: Vec<&Value> = page.rows().iter().map(|row| &row["payload"]).collect();
    let gone = json!({ "expired": true });
    assert_eq!(
        payloads,
        [&json!({ "total": 12 }), &gone, &gone, &gone, &gone]
    );
    let stands = world
        .get(format!(
            "/app/{app}/endpoint/hook/msg?expanded_statuses=true"
        ))
        .await
        .is(200);
    assert_eq!(
        stands.column("statusText"),
        ["pending", "canceled", "canceled", "fail", "success"]
    );
    let task = world
        .get(format!("/background-task/{}", begun.text("id")))
        .await
        .is(200);
    assert_eq!(task["status"], "finished");
    assert_eq!(task["data"], json!({ "messagesPurged": 4 }));
    let nobody = world.call("POST", "/app/nobody/msg/expunge-all-contents");
    nobody.await.is(404);
}

#[tokio::test]
async fn background_work_is_listed_by_what_it_does_and_how_it_stands() {
    let world = World::new();
    let app = world.application("acme").await;
    world.endpoint(&app, json!({ "uid": "hook" })).await;
    let since = json!({ "since": SINCE });
    let mut begun = Vec::new();
    for what in ["recover", "bulk-replay", "replay-missing"] {
        let path = format!("/app/{app}/endpoint/hook/{what}");
        begun.push(world.post(path, &since).await.is(202).text("id"));
    }
    world.work().await;
    world.clock.advance(Duration::from_secs(60));
    let path = format!("/app/{app}/endpoint/hook/recover");
    begun.push(world.post(path, &since).await.is(202).text("id"));
    // What is not shown.
    let cancel = json!({ "createdBefore": "2026-01-01T00:31:00Z" });
    let path = format!("/app/{app}/endpoint/hook/cancel-msgs");
    world.post(path, cancel).await.is(204);

    let ids = |query: &'static str| {
        let asked = world.get(format!("/background-task?{query}"));
        async move { asked.await.is(200).column("id") }
    };
    assert_eq!(ids("order=ascending").await, begun);
    assert_eq!(
        ids("task=endpoint.recover&order=ascending").await,
        [&*begun[0], &begun[3]]
    );
    assert_eq!(ids("task=endpoint.replay").await, [&*begun[2]]);
    assert_eq!(ids("task=message.broadcast").await, [""; 0]);
    assert_eq!(ids("status=running").await, [&*begun[3]]);
    assert_eq!(ids("status=failed").await, [""; 0]);
    assert_eq!(
        ids("status=finished&task=endpoint.bulk-replay").await,
        [&*begun[1]]
    );

    let newest = world.get("/background-task?limit=3").await.is(200);
    assert_eq!(newest.column("id"), [&*begun[3], &begun[2], &begun[1]]);
    assert_eq!(newest["done"], false);
    let next = format!(
        "/background-task?limit=3&iterator={}",
        newest.text("iterator")
    );
    let rest = world.get(next).await.is(200);
    assert_eq!(
        (rest.column("id"), &rest["done"]),
        (vec![begun[0].clone()], &json!(true))
    );
    let shown = world
        .get(format!("/background-task/{}", begun[3]))
        .await
        .is(200);
    let now = jiff::Timestamp::from_microsecond(world.clock.now().micros()).expect("a time");
    assert_eq!(
        shown.body,
        json!({
            "id": begun[3], "status": "running", "task": "endpoint.recover",
            "data": { "messagesSent": 0 }, "updatedAt": now.to_string(),
        })
    );
}

#[tokio::test]
async fn background_work_that_is_not_there_is_not_found() {
    let world = World::new();
    for id in [
        "qtask_1srOrx2ZWZBpBUvZwXKQmoEYga2",
        "qtask_",
        "msg_1srOrx2ZWZBpBUvZwXKQmoEYga2",
        "%00",
    ] {
        world.get(format!("/background-task/{id}")).await.is(404);
    }
    for (query, status) in [
        ("status=done", 400),
        ("task=endpoint.delete", 400),
        ("limit=251", 422),
        ("iterator=msg_1srOrx2ZWZBpBUvZwXKQmoEYga2", 422),
        ("order=up", 400),
    ] {
        world
            .get(format!("/background-task?{query}"))
            .await
            .is(status);
    }
}
