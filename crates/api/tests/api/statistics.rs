//! Statistics of applications and of what is configured.

use crate::outcomes::Ended;
use crate::world::{World, merged};
use model::attempt::AttemptResult;
use model::delivery::EndReason;
use serde_json::{Value, json};
use std::time::Duration;
use store::record::Then;

const MINUTE: Duration = Duration::from_secs(60);

/// The world's clock begins at 2026-01-01T00:30:00Z. Four attempts from then on: a failure, 7
/// minutes later a success, an hour later a success of another type and a cancelled delivery.
async fn with_attempts() -> World {
    let world = World::new();
    let app = world.application("acme").await;
    world.endpoint(&app, json!({ "uid": "first" })).await;
    for (wait, event_type, ended) in [
        (0, "order.paid", Ended::failure(Then::Close)),
        (7, "order.paid", Ended::success()),
        (60, "order.sent", Ended::success()),
        (0, "order.paid", cancelled()),
    ] {
        world.clock.advance(MINUTE * wait);
        world
            .message(&app, json!({ "eventType": event_type }))
            .await;
        let handed = world.lanes.take_one();
        world.record(handed.claimed, ended).await;
    }
    world
}

fn cancelled() -> Ended {
    Ended {
        result: AttemptResult::Cancelled(EndReason::Cancelled),
        status_code: 0,
        ..Ended::success().answer(b"")
    }
}

fn type_counts(success: u64, failure: u64, canceled: u64) -> Value {
    json!({ "success": success, "failure": failure, "canceled": canceled })
}

#[tokio::test]
async fn attempts_are_counted_by_event_type() {
    let world = with_attempts().await;
    let all = "since=2026-01-01T00:00:00Z&until=2026-01-01T12:00:00Z";
    let path = "/app/acme/stats/attempts";
    let counted = world.get(format!("{path}?{all}")).await.is(200).body;
    let expected = json!({
        "since": "2026-01-01T00:00:00Z", "until": "2026-01-01T01:40:00Z",
        "total_success": 2, "total_failure": 1, "total_canceled": 1,
        "by_event_type": {
            "order.paid": type_counts(1, 1, 1), "order.sent": type_counts(1, 0, 0),
        },
    });
    assert_eq!(counted, expected);

    let some = world
        .get(format!("{path}?{all}&event_types=order.sent,no.such"))
        .await;
    let by_type = json!({ "order.sent": type_counts(1, 0, 0) });
    assert_eq!(some.is(200)["by_event_type"], by_type);
    let part = "since=2026-01-01T00:36:59Z&until=2026-01-01T00:37:30Z";
    let part = world.get(format!("{path}?{part}")).await.is(200).body;
    assert_eq!(part["since"], "2026-01-01T00:35:00Z");
    assert_eq!(part["until"], "2026-01-01T00:40:00Z");
    assert_eq!(
        (&part["total_success"], &part["total_failure"]),
        (&json!(1), &json!(0))
    );
}

#[tokio::test]
async fn what_went_to_a_deleted_endpoint_stays_counted() {
    let world = with_attempts().await;
    world.delete("/app/acme/endpoint/first").await.is(204);
    let all = "since=2026-01-01T00:00:00Z&until=2026-01-01T12:00:00Z";
    let counted = world.get(format!("/app/acme/stats/attempts?{all}")).await;
    assert_eq!(counted.is(200)["total_success"], 2);
}

#[tokio::test]
async fn attempts_are_counted_by_time() {
    let world = with_attempts().await;
    let path = "/stats/app/acme/attempt";
    let counted = async |query: &str| world.get(format!("{path}?{query}")).await.is(200).body;
    let hours = counted("period=OneHour&startDate=2025-12-31T23:30:00Z").await;
    let expected = json!({
        "startDate": "2025-12-31T23:30:00Z", "endDate": "2026-01-01T01:40:00Z",
        "period": "OneHour",
        "data": {
            "successCount": [0, 1, 1], "failureCount": [0, 1, 0], "canceledCount": [0, 0, 1],
        },
    });
    assert_eq!(hours, expected);

    let minutes = "period=FiveMinutes&startDate=2026-01-01T00:30:00Z&endDate=2026-01-01T00:45:00Z";
    let minutes = counted(minutes).await;
    assert_eq!(minutes["data"]["successCount"], json!([0, 1, 0]));
    assert_eq!(minutes["data"]["failureCount"], json!([1, 0, 0]));

    let days = counted("").await;
    assert_eq!(days["period"], "OneDay");
    assert_eq!(days["startDate"], "2025-12-04T00:00:00Z");
    let success = days["data"]["successCount"].as_array().expect("a list");
    // The last one is today, so far.
    assert_eq!((success.len(), success[28].as_u64()), (29, Some(2)));
    let of_type = counted("event_types=order.sent").await;
    assert_eq!(of_type["data"]["successCount"][28], 1);
}

#[tokio::test]
async fn times_that_can_not_be_counted_between_are_refused() {
    let world = World::new();
    world.application("acme").await;
    for (path, query, reason) in [
        ("/app/acme/stats/attempts", "", "missing field `since`"),
        (
            "/app/acme/stats/attempts",
            "since=2026-01-01T00:00:00Z",
            "missing field `until`",
        ),
        (
            "/app/acme/stats/attempts",
            "since=2026-01-02T00:00:00Z&until=2026-01-01T00:00:00Z",
            "`since` must not be after `until`.",
        ),
        (
            "/app/acme/stats/attempts",
            "since=2025-01-02T00:00:00Z&until=2026-01-01T00:00:00Z",
            "`since` must be at most 92 days before `until`.",
        ),
        (
            "/stats/app/acme/attempt",
            "period=FiveMinutes&startDate=2025-12-01T00:00:00Z",
            "`startDate` must be at most 1 day before `endDate`.",
        ),
        (
            "/stats/app/acme/attempt",
            "period=OneWeek",
            "unknown variant `OneWeek`",
        ),
    ] {
        let refused = world.get(format!("{path}?{query}")).await.is(400);
        let detail = refused.text("detail");
        assert!(detail.contains(reason), "{path}?{query}: {detail}");
    }
    for path in ["/app/nobody/stats/attempts", "/stats/app/nobody/attempt"] {
        let times = "since=2026-01-01T00:00:00Z&until=2026-01-01T00:00:00Z";
        world.get(format!("{path}?{times}")).await.is(404);
    }
}

#[tokio::test]
async fn the_ends_of_time_are_refused_or_hold_nothing() {
    let world = with_attempts().await;
    let path = "/app/acme/stats/attempts";
    let far = "since=9999-12-30T00:00:00Z&until=9999-12-30T22:00:00Z";
    let far = world.get(format!("{path}?{far}")).await.is(200).body;
    assert_eq!(far["total_success"], 0);
    let all = "since=0001-01-01T00:00:00Z&until=9999-12-30T22:00:00Z";
    world.get(format!("{path}?{all}")).await.is(400);
    let old = "startDate=0001-01-01T00:00:00Z&endDate=0001-01-02T00:00:00Z";
    let old = world.get(format!("/stats/app/acme/attempt?{old}")).await;
    assert_eq!(old.is(200)["data"]["successCount"], json!([0]));
}

#[tokio::test]
async fn endpoints_and_active_applications_are_counted() {
    let world = World::new();
    let endpoint = async |app: &str, url: &str, disabled: bool| {
        let more = json!({ "url": url, "disabled": disabled });
        world.endpoint(app, more).await;
    };
    let [play, own] = ["https://play.svix.com/in/e_1/", "https://example.com/hook"];
    for name in ["empty", "own", "off", "play"] {
        world.application(name).await;
    }
    endpoint("own", own, false).await;
    endpoint("own", play, false).await;
    endpoint("off", own, true).await;
    endpoint("play", play, false).await;

    for (query, active, disabled) in [
        ("", 1, 1),
        ("?exclude_svix_play=true", 1, 1),
        ("?exclude_svix_play=false", 3, 1),
    ] {
        let counted = world.get(format!("/stats/endpoint/count{query}")).await;
        let expected = json!({ "active": active, "disabled": disabled });
        assert_eq!(counted.is(200).body, expected, "{query}");
    }
    for (query, count) in [
        ("", 1),
        ("?exclude_disabled=false", 2),
        ("?exclude_svix_play=false", 2),
        ("?exclude_disabled=false&exclude_svix_play=false", 3),
    ] {
        let counted = world.get(format!("/app/stats/count-active{query}")).await;
        assert_eq!(counted.is(200).body, json!({ "count": count }), "{query}");
    }
}

/// Does what is done outside the store, and gives the result of some of it.
async fn result(world: &World, id: &str) -> Value {
    while world.app.work_outside().await.expect("it works") {}
    let task = world.get(format!("/background-task/{id}")).await.is(200);
    assert_eq!(task["status"], "finished");
    task["data"].clone()
}

#[tokio::test]
async fn usage_is_counted_over_all_applications_or_some() {
    let world = with_attempts().await;
    let quiet = world.application("quiet").await;
    let acme = world.get("/app/acme").await.is(200).text("id");
    let day = json!({ "since": "2026-01-01T00:00:00Z", "until": "2026-01-02T00:00:00Z" });
    let begun = world.post("/stats/usage/app", &day).await.is(202).body;
    let expected = json!({
        "id": begun["id"], "status": "running", "task": "application.stats",
        "updatedAt": begun["updatedAt"], "unresolvedAppIds": [],
    });
    assert_eq!(begun, expected);
    let entry = |id: &str, uid: &str, attempts: u64| -> Value {
        json!({ "appId": id, "appUid": uid, "messageDestinations": attempts })
    };
    let all = result(&world, begun["id"].as_str().expect("an id")).await;
    // Three attempts were made: the fourth delivery was cancelled.
    assert_eq!(all, json!({ "appStats": [entry(&acme, "acme", 3)] }));

    let some = merged(day, json!({ "appIds": ["quiet", acme, "acme", "nobody"] }));
    let begun = world
        .post("/stats/usage/app", &some)
        .key("once")
        .await
        .is(202);
    assert_eq!(begun["unresolvedAppIds"], json!(["nobody"]));
    let counted = result(&world, &begun.text("id")).await;
    let expected = json!([entry(&acme, "acme", 3), entry(&quiet, "quiet", 0)]);
    assert_eq!(counted["appStats"], expected);
    let again = world
        .post("/stats/usage/app", &some)
        .key("once")
        .await
        .is(202);
    assert_eq!(
        (again.text("id"), again.text("status")),
        (begun.text("id"), "finished".into())
    );
    assert_eq!(again["unresolvedAppIds"], json!(["nobody"]));
}

#[tokio::test]
async fn usage_that_can_not_be_counted_is_refused() {
    let world = World::new();
    let (first, second) = ("2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z");
    let token = world.token_of(&world.application("acme").await, &[]);
    for (more, location) in [
        (json!({ "since": second, "until": first }), "since"),
        (
            json!({ "since": "2025-01-01T00:00:00Z", "until": first }),
            "since",
        ),
        (
            json!({ "since": first, "until": second, "appIds": ["nobody"] }),
            "appIds",
        ),
        (
            json!({ "since": first, "until": second, "appIds": [] }),
            "appIds",
        ),
    ] {
        let refused = world.post("/stats/usage/app", &more).await.is(422);
        assert_eq!(refused["detail"][0]["loc"][1], location, "{more}");
    }
    let day = json!({ "since": first, "until": second });
    world
        .post("/stats/usage/app", day)
        .token(&token)
        .await
        .is(403);
    world
        .call("PUT", "/stats/usage/event-types")
        .token(&token)
        .await
        .is(403);
}

#[tokio::test]
async fn event_types_that_applications_ask_for_are_told() {
    let world = World::new();
    for name in ["order.paid", "order.sent"] {
        world
            .post("/event-type", json!({ "name": name, "description": "" }))
            .await
            .is(201);
    }
    let [some, all] = [
        world.application("some").await,
        world.application("all").await,
    ];
    world.application("none").await;
    for types in [["order.sent", "order.paid"], ["order.sent", "order.sent"]] {
        world.endpoint(&some, json!({ "filterTypes": types })).await;
    }
    world.endpoint(&all, json!({ "disabled": true })).await;
    let begun = world.call("PUT", "/stats/usage/event-types").await.is(202);
    assert_eq!(begun["task"], "event-type.aggregate");
    let told = result(&world, &begun.text("id")).await;
    let expected = json!({ "event_types": [
        {
            "appId": some, "explicitlySubscribedEventTypes": ["order.paid", "order.sent"],
            "hasCatchAllEndpoint": false,
        },
        { "appId": all, "explicitlySubscribedEventTypes": [], "hasCatchAllEndpoint": true },
    ] });
    assert_eq!(told, expected);
}
