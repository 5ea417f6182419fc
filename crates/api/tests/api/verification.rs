//! Endpoints that must prove that their receiver wants what they get: how they stand, who is asked
//! when, and what they get before and after.

use crate::background::SINCE;
use crate::world::World;
use app::Settings;
use model::challenge::{EVENT_TYPE, is_echoed, of_payload};
use model::id::EndpointId;
use model::proof::{Outcome, Told};
use serde_json::{Value, json};
use std::num::NonZeroU32;
use std::time::Duration;
use store::change::{Change, ChangeRequest, KeptProof};
use store::rows::{ApplicationRef, EndpointRow};

const ENDPOINT: &str = "/app/a/endpoint/e";
const VERIFICATION: &str = "/app/a/endpoint/e/verification";

/// A world in which this is demanded, with an application.
async fn world(policy: Value) -> (World, String) {
    let world = World::new();
    let application = world.application("a").await;
    world.put("/environment/policy", policy).await.is(204);
    (world, application)
}

fn of_all() -> Value {
    json!({ "require": ["verification"] })
}

async fn status(world: &World) -> String {
    world.get(VERIFICATION).await.is(200).text("status")
}

async fn row(world: &World) -> EndpointRow {
    let application = ApplicationRef::Uid("a".parse().expect("a name"));
    let found = world.app.store.registry(&application).await;
    let found = found.expect("reads go on").expect("it is there");
    let id = world.get(ENDPOINT).await.is(200).text("id");
    let id: EndpointId = id.parse().expect("an id");
    found.endpoint(id.key()).expect("it is live").clone()
}

/// Keeps what came of a challenge, as the sender does.
async fn told(world: &World, outcome: Outcome) {
    let row = row(world).await;
    let known = row.proof().expect("it was asked").clone();
    let change = Change::KeepProof(KeptProof {
        application: row.endpoint.application,
        endpoint: row.endpoint.id.key(),
        before: row.kept_proof.as_deref().cloned(),
        proof: known.after(Told {
            at: world.app.clock.now(),
            outcome,
        }),
    });
    let request = ChangeRequest {
        change,
        idempotency: None,
        audit: None,
    };
    world.app.store.change(request).await.expect("it is kept");
    world.app.registry.forget(row.endpoint.application);
}

async fn proved(world: &World) {
    let per_minute = NonZeroU32::new(120);
    told(world, Outcome::Proved { per_minute }).await;
}

/// The event types of what was handed to the sender since this was last asked.
fn handed(world: &World) -> Vec<String> {
    let handed = world.lanes.take().into_iter();
    let types = handed.map(|one| one.claimed.message.message.event_type.to_string());
    types.collect()
}

#[tokio::test]
async fn where_nothing_demands_it_nobody_is_asked() {
    let (world, _) = world(json!({ "require": ["auth"] })).await;
    world.endpoint("a", json!({ "uid": "e" })).await;
    assert_eq!(status(&world).await, "notRequired");
    assert_eq!(handed(&world), [""; 0]);
    world.message("a", json!({})).await;
    assert_eq!(handed(&world), ["order.paid"]);
}

#[tokio::test]
async fn a_new_endpoint_is_asked_and_gets_nothing_before_it_has_proved_itself() {
    for policy in [
        of_all(),
        json!({ "eventTypes": { "order.paid": ["verification"] } }),
    ] {
        let (world, _) = world(policy).await;
        world.endpoint("a", json!({ "uid": "e" })).await;
        let asked = world.lanes.take_one();
        let message = &asked.claimed.message.message;
        assert_eq!(message.event_type.as_str(), EVENT_TYPE);
        let text = of_payload(&asked.payload).expect("a challenge");
        assert!(text.len() >= 32 && is_echoed(text, &asked.payload));
        assert_eq!(status(&world).await, "pending");
        assert_eq!(world.get(ENDPOINT).await["held"]["code"], "policy_unmet");

        let missed = world.message("a", json!({})).await;
        assert_eq!(handed(&world), [""; 0]);
        let endpoints = world.get(format!("/app/a/msg/{missed}/endpoint")).await;
        assert_eq!(endpoints.rows(), [Value::Null; 0]);
        let precheck = json!({ "eventType": "order.paid" });
        let precheck = world.post("/app/a/msg/precheck/active", precheck).await;
        assert_eq!(precheck.is(200)["active"], false);

        proved(&world).await;
        let stands = world.get(VERIFICATION).await.is(200).body;
        let expected = json!({ "status": "verified", "allowedPerMinute": 120 });
        assert_eq!(stands, expected);
        assert_eq!(world.get(ENDPOINT).await["held"], Value::Null);
        world.message("a", json!({})).await;
        assert_eq!(handed(&world), ["order.paid"]);
    }
}

#[tokio::test]
async fn what_was_missed_is_sent_by_replay_missing_once_it_has() {
    let (world, _) = world(of_all()).await;
    world.endpoint("a", json!({ "uid": "e" })).await;
    world.endpoint("a", json!({ "uid": "other" })).await;
    let missed = world.message("a", json!({})).await;
    let since = json!({ "since": SINCE });
    let replay = || world.post(format!("{ENDPOINT}/replay-missing"), &since);
    let refused = replay().await.refuses(400, "endpoint_not_verified");
    assert!(refused.contains("send the challenge again"), "{refused}");
    proved(&world).await;
    world.clock.advance(Duration::from_secs(1));
    replay().await.is(202);
    world.work().await;
    let open = world.get("/app/a/endpoint/e/msg").await.is(200);
    let types: Vec<_> = open.column("eventType");
    assert_eq!(types, ["order.paid", EVENT_TYPE], "no other's challenge");
    assert!(open.column("id").contains(&missed));
}

#[tokio::test]
async fn other_event_types_are_not_held_back() {
    let (world, _) = world(json!({ "eventTypes": { "order.sent": ["verification"] } })).await;
    world.endpoint("a", json!({ "uid": "e" })).await;
    assert_eq!(handed(&world), [EVENT_TYPE]);
    world.message("a", json!({})).await;
    assert_eq!(handed(&world), ["order.paid"]);
    world
        .message("a", json!({ "eventType": "order.sent" }))
        .await;
    assert_eq!(handed(&world), [""; 0]);
}

#[tokio::test]
async fn another_url_must_prove_itself_again_and_other_changes_need_not() {
    let (world, application) = world(of_all()).await;
    let token = world.token_of(&application, &[]);
    world.endpoint("a", json!({ "uid": "e" })).await;
    proved(&world).await;
    assert_eq!(handed(&world), [EVENT_TYPE]);
    let patch = |body: Value| world.patch(ENDPOINT, body).token(&token);
    patch(json!({ "description": "d" })).await.is(200);
    assert_eq!(status(&world).await, "verified");
    assert_eq!(handed(&world), [""; 0]);
    patch(json!({ "url": "https://elsewhere.example.com/" }))
        .await
        .is(200);
    assert_eq!(status(&world).await, "pending");
    assert_eq!(handed(&world), [EVENT_TYPE]);
    world.message("a", json!({})).await;
    assert_eq!(handed(&world), [""; 0]);
    let failed = Outcome::Failed {
        reason: "the reason".to_owned(),
    };
    told(&world, failed).await;
    let stands = world.get(VERIFICATION).await.is(200).body;
    assert_eq!(
        stands,
        json!({ "status": "failed", "reason": "the reason" })
    );
}

#[tokio::test]
async fn nothing_is_sent_by_hand_before_it_has_proved_itself() {
    let (world, _) = world(json!({})).await;
    world.endpoint("a", json!({ "uid": "e" })).await;
    let sent = world.message("a", json!({})).await;
    world.put("/environment/policy", of_all()).await.is(204);
    let since = json!({ "since": SINCE });
    for (path, body) in [
        (format!("/app/a/msg/{sent}/endpoint/e/resend"), Value::Null),
        (format!("{ENDPOINT}/recover"), since.clone()),
        (format!("{ENDPOINT}/bulk-replay"), since),
        (
            format!("{ENDPOINT}/send-example"),
            json!({ "eventType": "svix.ping" }),
        ),
    ] {
        let answer = match body {
            Value::Null => world.call("POST", &path).await,
            body => world.post(&path, body).await,
        };
        answer.refuses(400, "endpoint_not_verified");
    }
}

#[tokio::test]
async fn an_application_asks_again_and_can_not_say_that_it_has_proved_itself() {
    let (world, application) = world(of_all()).await;
    let token = world.token_of(&application, &[]);
    world.endpoint("a", json!({ "uid": "e" })).await;
    assert_eq!(handed(&world), [EVENT_TYPE]);
    let again = || world.call("POST", VERIFICATION).token(&token);
    assert_eq!(again().await.is(202)["status"], "pending");
    assert_eq!(handed(&world), [""; 0], "a moment ago");
    let failed = Outcome::Failed {
        reason: "r".to_owned(),
    };
    told(&world, failed).await;
    world.clock.advance(Duration::from_secs(60));
    assert_eq!(again().await.is(202)["status"], "pending");
    assert_eq!(handed(&world), [EVENT_TYPE]);
    for method in ["PUT", "PATCH", "DELETE"] {
        let body = json!({ "status": "verified" });
        let answer = world.call(method, VERIFICATION).token(&token).body(body);
        assert_eq!(answer.await.status, 405);
    }
    assert_eq!(status(&world).await, "pending");
}

#[tokio::test]
async fn it_can_be_asked_before_it_is_demanded_and_not_while_disabled() {
    let (world, _) = world(json!({})).await;
    world
        .endpoint("a", json!({ "uid": "e", "disabled": true }))
        .await;
    let ask = || world.call("POST", VERIFICATION);
    ask().await.refuses(400, "endpoint_disabled");
    world
        .patch(ENDPOINT, json!({ "disabled": false }))
        .await
        .is(200);
    ask().await.is(202);
    assert_eq!(handed(&world), [EVENT_TYPE]);
    proved(&world).await;
    world.put("/environment/policy", of_all()).await.is(204);
    world.message("a", json!({})).await;
    assert_eq!(handed(&world), ["order.paid"]);
}

#[tokio::test]
async fn one_that_is_enabled_is_asked_then() {
    let (world, _) = world(of_all()).await;
    world
        .endpoint("a", json!({ "uid": "e", "disabled": true }))
        .await;
    assert_eq!(handed(&world), [""; 0]);
    world
        .patch(ENDPOINT, json!({ "disabled": false }))
        .await
        .is(200);
    assert_eq!(handed(&world), [EVENT_TYPE]);
}

#[tokio::test]
async fn its_event_type_is_nobody_elses() {
    let (world, _) = world(json!({})).await;
    let message = json!({ "eventType": EVENT_TYPE, "payload": {} });
    let sent = world.post("/app/a/msg", message).await;
    assert_eq!(sent.broken(), ["body/eventType"]);
    let event_type = json!({ "name": EVENT_TYPE, "description": "" });
    let made = world.post("/event-type", event_type).await;
    assert_eq!(made.broken(), ["body/name"]);
}

#[tokio::test]
async fn what_background_work_opens_passes_over_those_that_have_not() {
    let world = World::with(Settings {
        deliveries_max: 1,
        ..Settings::default()
    });
    world.application("a").await;
    for uid in ["first", "e", "last"] {
        world.endpoint("a", json!({ "uid": uid })).await;
    }
    world.call("POST", VERIFICATION).await.is(202);
    proved(&world).await;
    world.put("/environment/policy", of_all()).await.is(204);
    let sent = world.message("a", json!({})).await;
    world.work().await;
    let endpoints = world.get(format!("/app/a/msg/{sent}/endpoint")).await;
    assert_eq!(endpoints.column("uid"), ["e"]);
}
