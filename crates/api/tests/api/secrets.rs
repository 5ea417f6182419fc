//! An endpoint's signing secret.

use crate::call::{Answer, REMOTE};
use crate::world::World;
use app::{DefaultSignature, Settings};
use serde_json::{Value, json};
use std::time::Duration;

const PATH: &str = "/app/a/endpoint/e/secret";
const ROTATE: &str = "/app/a/endpoint/e/secret/rotate";
const GIVEN: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

async fn endpoint(world: &World, secret: Value) -> Answer {
    world.application("a").await;
    let body = json!({"url": "https://example.com", "uid": "e", "secret": secret});
    world.post("/app/a/endpoint", body).await
}

#[tokio::test]
async fn a_secret_that_was_given_is_shown_as_it_was() {
    let world = World::new();
    let made = endpoint(&world, json!(GIVEN)).await.is(201);
    assert!(
        !made.body.to_string().contains(GIVEN),
        "only GET secret shows it"
    );
    assert_eq!(world.events.take_kinds(), ["endpoint.created"]);
    assert_eq!(world.get(PATH).await.is(200).body, json!({"key": GIVEN}));
    let events = world.events.take();
    assert_eq!(events[0].kind.as_str(), "secret.read");
    assert_eq!(events[0].subject.id, made.text("id"));
    assert_eq!(events[0].remote_address, Some(REMOTE));
}

#[tokio::test]
async fn secrets_are_made_where_none_is_given() {
    let world = World::new();
    endpoint(&world, Value::Null).await.is(201);
    let key = world.get(PATH).await.is(200).text("key");
    assert!(key.starts_with("whsec_") && key.len() == 6 + 32, "{key}");
    let settings = Settings {
        default_signature: DefaultSignature::Ed25519,
        ..Settings::default()
    };
    let world = World::with(settings);
    endpoint(&world, Value::Null).await.is(201);
    let key = world.get(PATH).await.is(200).text("key");
    assert!(
        key.starts_with("whpk_"),
        "only the public key is shown: {key}"
    );
}

#[tokio::test]
async fn what_is_no_secret_is_refused_and_not_repeated() {
    let world = World::new();
    endpoint(&world, json!(GIVEN)).await.is(201);
    for key in [
        "",
        "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "whsec_AAAA",
        "whsec_!!!",
        "whpk_AAAA",
        "whsk_AAAA",
    ] {
        let refused = world.post(ROTATE, json!({"key": key})).await;
        assert_eq!(refused.broken(), ["body/key"], "{key}");
        assert_eq!(refused["detail"][0]["type"], "value_error.jsondecode");
        let told = refused["detail"][0]["msg"].as_str().expect("a text");
        assert!(key.is_empty() || !told.contains(key), "{told}");
    }
}

#[tokio::test]
async fn rotation_answers_with_the_new_secret() {
    let world = World::new();
    let id = endpoint(&world, Value::Null).await.is(201).text("id");
    let made = world.post(ROTATE, json!({})).await.is(200).text("key");
    assert_eq!(world.get(PATH).await.text("key"), made);
    let given = world
        .post(ROTATE, json!({"key": GIVEN, "gracePeriodSeconds": null}))
        .await
        .is(200);
    assert_eq!(given.body, json!({"key": GIVEN}));
    assert_eq!(world.get(PATH).await.text("key"), GIVEN);
    let rotated = world
        .events
        .take()
        .into_iter()
        .filter(|e| e.kind.as_str() == "secret.rotated");
    assert_eq!(
        rotated.map(|event| event.subject.id).collect::<Vec<_>>(),
        [id.clone(), id]
    );
    for seconds in [604_801, -1] {
        let body = json!({"gracePeriodSeconds": seconds});
        let refused = world.post(ROTATE, body).await;
        assert_eq!(refused.broken(), ["body/gracePeriodSeconds"]);
    }
    assert_eq!(world.post(ROTATE, "").await.broken(), ["body//"]);
    let missing = "/app/a/endpoint/missing/secret/rotate";
    world.post(missing, json!({})).await.is(404);
}

#[tokio::test]
async fn only_so_many_old_secrets_sign_at_once() {
    let world = World::new();
    endpoint(&world, Value::Null).await.is(201);
    let rotate = |grace: u32| world.post(ROTATE, json!({"gracePeriodSeconds": grace}));
    for _ in 0..10 {
        rotate(60).await.is(200);
    }
    rotate(60).await.refuses(400, "limit_reached");
    rotate(0).await.is(200);
    world.clock.advance(Duration::from_secs(61));
    rotate(60).await.is(200);
}

#[tokio::test]
async fn a_rotation_is_not_answered_twice() {
    let world = World::new();
    endpoint(&world, Value::Null).await.is(201);
    let first = world.post(ROTATE, json!({})).key("k").await;
    let first = first.is(200).text("key");
    let again = world.post(ROTATE, json!({})).key("k").await;
    again.refuses(409, "conflict");
    assert!(!again.text.contains(&first));
    assert_eq!(
        world.get(PATH).await.text("key"),
        first,
        "it was not done twice"
    );
}
