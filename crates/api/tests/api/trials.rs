//! Trying an endpoint, counting its attempts, and cancelling what is on its way to it.

use crate::outcomes::Ended;
use crate::world::World;
use model::Clock;
use serde_json::json;
use std::time::Duration;
use store::record::Then;

async fn world() -> World {
    let world = World::new();
    let app = world.application("acme").await;
    world.endpoint(&app, json!({ "uid": "hook" })).await;
    world
}

#[tokio::test]
async fn a_test_attempt_is_answered_with_the_first_attempt() {
    let world = world().await;
    world.endpoint("acme", json!({ "uid": "other" })).await;
    let path = "/app/acme/endpoint/hook/msg/test-attempt";
    let body = json!({ "eventType": "a", "payload": { "b": 1 }, "channels": ["eu"] });
    let ending = async {
        loop {
            if let Some(handed) = world.lanes.take().pop() {
                return world.record(handed.claimed, Ended::success()).await;
            }
            tokio::task::yield_now().await;
        }
    };
    let trying = async { world.post(path, &body).key("k").await };
    let (answer, ()) = tokio::join!(trying, ending);
    let answer = answer.is(201);
    assert_eq!(
        (&answer["response"], &answer["status"]),
        (&json!("fine"), &json!(0))
    );
    let id = answer.text("msgId");
    let endpoints = world.get(format!("/app/acme/msg/{id}/endpoint")).await;
    assert_eq!(endpoints.column("uid"), ["hook"]);
    let again = world.post(path, &body).key("k").await.is(201);
    assert_eq!(again.body, answer.body);

    let broken = json!({ "eventType": "", "payload": [] });
    let broken = world.post(path, broken).await.broken();
    assert_eq!(broken, ["body/eventType/__all__", "body/payload"]);
    let disable = json!({ "disabled": true });
    world
        .patch("/app/acme/endpoint/hook", disable)
        .await
        .is(200);
    world
        .post(path, body)
        .await
        .refuses(400, "endpoint_disabled");
}

#[tokio::test]
async fn attempts_are_counted_as_they_are_listed() {
    let world = world().await;
    for number in 0..3 {
        let more = json!({ "eventType": format!("type-{number}"), "tags": ["blue"] });
        world.message("acme", more).await;
    }
    let mut handed = world.lanes.take().into_iter();
    for ended in [
        Ended::success(),
        Ended::failure(Then::Close),
        Ended::failure(Then::Close),
    ] {
        let one = handed.next().expect("three were handed over");
        world.record(one.claimed, ended).await;
    }
    let path = "/app/acme/attempt/endpoint/hook";
    for query in [
        "",
        "?status=0",
        "?status=1",
        "?status=2&expanded_statuses=true",
        "?status=4&expanded_statuses=true",
        "?status_code_class=500",
        "?event_types=type-0,type-2",
        "?tag=blue",
        "?tag=red",
        "?before=2020-01-01T00:00:00Z",
        "?after=2020-01-01T00:00:00Z",
    ] {
        let counted = world.get(format!("{path}/count{query}")).await.is(200);
        let listed = world.get(format!("{path}{query}")).await.is(200);
        let expected = json!({ "count": listed.rows().len(), "approximated": false });
        assert_eq!(counted.body, expected, "{query}");
    }
    let all = world.get(format!("{path}/count")).await;
    assert_eq!(all["count"], 3);
    let bad = world.get(format!("{path}/count?status=x")).await;
    bad.refuses(400, "generic_error");
}

#[tokio::test]
async fn an_attempts_headers_are_made_again_without_what_is_secret() {
    let world = world().await;
    let headers = json!({ "headers": { "X-Tenant": "acme", "Authorization": "Bearer s3cret" } });
    let path = "/app/acme/endpoint/hook/headers";
    world.put(path, headers).await.is(204);
    let id = world.message("acme", json!({})).await;
    world.clock.advance(Duration::from_secs(1));
    world.succeed().await;
    let seconds = world.clock.now().seconds();
    let attempts = world.get(format!("/app/acme/attempt/msg/{id}")).await;
    let attempt = attempts.column("id").remove(0);
    let path = format!("/app/acme/msg/{id}/attempt/{attempt}/headers");
    let shown = world.get(&path).await.is(200);
    let ours = json!({
        "accept": "*/*", "content-type": "application/json",
        "user-agent": concat!("Postrider/", env!("CARGO_PKG_VERSION")),
        "webhook-id": id, "webhook-timestamp": seconds.to_string(), "webhook-hops": "1",
    });
    let mut all = ours.clone();
    all["X-Tenant"] = json!("acme");
    let secret = ["Authorization", "webhook-signature"];
    assert_eq!(
        shown.body,
        json!({ "sentHeaders": all, "sensitive": secret, "responseHeaders": null })
    );
    assert!(!shown.text.contains("s3cret"));

    world.clock.advance(Duration::from_secs(1));
    let describe = json!({ "description": "changed" });
    world
        .patch("/app/acme/endpoint/hook", describe)
        .await
        .is(200);
    let shown = world.get(&path).await.is(200);
    let expected = json!({
        "sentHeaders": ours, "sensitive": ["webhook-signature"], "responseHeaders": null,
    });
    assert_eq!(shown.body, expected, "what it had then is not known");
    let elsewhere = format!("/app/acme/msg/{id}/attempt/atmpt_x/headers");
    world.get(elsewhere).await.refuses(404, "not_found");
}

#[tokio::test]
async fn the_headers_of_a_response_are_shown_until_they_are_expunged() {
    let world = world().await;
    let id = world.message("acme", json!({})).await;
    let answered = [
        ("x-reason", "full"),
        ("x-reason", "it is"),
        ("set-cookie", "a=b"),
    ];
    for handed in world.lanes.take() {
        let ended = Ended::failure(Then::Close).head(&answered);
        world.record(handed.claimed, ended).await;
    }
    let attempts = world.get(format!("/app/acme/attempt/msg/{id}")).await;
    let attempt = attempts.column("id").remove(0);
    let path = format!("/app/acme/msg/{id}/attempt/{attempt}");
    let headers = world.get(format!("{path}/headers")).await.is(200);
    let kept = json!([
        ["x-reason", "full"],
        ["x-reason", "it is"],
        ["set-cookie", ""]
    ]);
    assert_eq!(headers["responseHeaders"], kept);
    world.delete(format!("{path}/content")).await.is(204);
    let headers = world.get(format!("{path}/headers")).await.is(200);
    assert_eq!(headers["responseHeaders"], json!(null));
}

#[tokio::test]
async fn what_is_cancelled_is_ended_with_the_reason() {
    let world = world().await;
    world.lanes.limit(0);
    let early = world.message("acme", json!({})).await;
    world.clock.advance(Duration::from_secs(10));
    let border = world.clock.now();
    let late = world.message("acme", json!({})).await;
    let cancel = |before: &str| {
        let body = json!({ "createdBefore": before });
        world.post("/app/acme/endpoint/hook/cancel-msgs", body)
    };
    let border = jiff_text(border);
    world.lanes.take_changed();
    let answer = cancel(&border).key("k").await.is(204);
    assert_eq!(answer.text, "");
    assert_eq!(world.lanes.take_changed(), 1, "the sender looks again");
    assert_eq!(world.lanes.lock().work, 1);
    world.work().await;
    cancel(&border).key("k").await.is(204);
    let response = async |id: &str| {
        let attempts = world.get(format!("/app/acme/attempt/msg/{id}")).await;
        attempts.column("response")
    };
    assert_eq!(response(&early).await, ["not sent: it was cancelled"]);
    assert_eq!(response(&late).await, [""; 0]);

    // All that was accepted is cancelled, be it in this very moment, and nothing that comes after.
    let at_once = world.message("acme", json!({})).await;
    cancel("2099-01-01T00:00:00Z").await.is(204);
    let later = world.message("acme", json!({})).await;
    world.work().await;
    for cancelled in [&late, &at_once] {
        assert_eq!(response(cancelled).await, ["not sent: it was cancelled"]);
    }
    assert_eq!(response(&later).await, [""; 0]);
    assert_eq!(world.claim_all().await.len(), 1);
    assert_eq!(cancel("soon").await.broken(), ["body/createdBefore"]);
    let other = json!({ "createdBefore": border });
    let nowhere = world
        .post("/app/acme/endpoint/nobody/cancel-msgs", other)
        .await;
    nowhere.refuses(404, "not_found");
}

#[tokio::test]
async fn an_endpoint_is_rate_limited_while_its_limit_holds_something_back() {
    let world = world().await;
    let path = "/app/acme/endpoint/hook";
    let status = async || world.get(format!("{path}/rate-limit-status")).await.is(200);
    let is_fine = json!({ "status": "Ok" });
    let limit = |rate: Option<u8>| world.patch(path, json!({ "rateLimit": rate }));
    limit(Some(1)).await.is(200);
    assert_eq!(status().await.body, is_fine, "nothing waits");

    for _ in 0..3 {
        world.message("acme", json!({})).await;
    }
    let since = jiff_text(world.clock.now());
    assert_eq!(status().await.body, is_fine, "it is only just due");
    world.clock.advance(Duration::from_secs(2));
    assert_eq!(
        status().await.body,
        is_fine,
        "it is the receiver that is slow"
    );
    let mut handed = world.lanes.take();
    for _ in 0..2 {
        let one = handed.pop().expect("three were handed over");
        world.record(one.claimed, Ended::success()).await;
    }
    let limited = json!({ "status": "RateLimited", "throttledSince": since });
    assert_eq!(status().await.body, limited);
    limit(None).await.is(200);
    assert_eq!(status().await.body, is_fine);
    let of_application = json!({ "rateLimit": 1 });
    world.patch("/app/acme", of_application).await.is(200);
    assert_eq!(status().await.body, limited);
    limit(Some(100)).await.is(200);
    assert_eq!(status().await.body, limited, "the application's holds");

    let last = handed.pop().expect("three were handed over");
    world.record(last.claimed, Ended::success()).await;
    assert_eq!(status().await.body, is_fine);
    let nowhere = "/app/acme/endpoint/nobody/rate-limit-status";
    world.get(nowhere).await.refuses(404, "not_found");
}

fn jiff_text(time: model::Timestamp) -> String {
    let time = jiff::Timestamp::from_microsecond(time.micros());
    time.expect("it is within its range").to_string()
}
