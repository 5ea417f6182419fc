//! What answers say about the time that a commit took.

use crate::call::Answer;
use crate::world::World;
use serde_json::json;
use std::time::Duration;

/// The time of the commit, in milliseconds.
#[track_caller]
fn commit(answer: &Answer) -> f64 {
    let timing = answer.headers["server-timing"].to_str().expect("a text");
    let millis = timing.strip_prefix("commit;dur=");
    let millis = millis.unwrap_or_else(|| panic!("{timing:?}"));
    millis.parse().expect("a number")
}

#[tokio::test]
async fn who_sends_messages_is_told_how_long_their_commit_took() {
    let world = World::new();
    let app = world.application("acme").await;
    let message = json!({ "eventType": "order.paid", "payload": {} });
    let batch = json!({ "messages": [message, message] });
    let one = (format!("/app/{app}/msg"), message);
    let many = (format!("/app/{app}/msg/batch"), batch);
    for (path, body) in [one, many] {
        world.disk.take(Duration::ZERO);
        let answer = world.post(&path, &body).await.is(202);
        assert_eq!(commit(&answer), 0.0);
        world.disk.take(Duration::from_micros(1_250));
        let answer = world.post(&path, &body).await.is(202);
        // Once for each time that the store looked at the clock.
        assert!(commit(&answer) >= 1.25, "{answer:?}");
        assert_eq!(commit(&answer) % 1.25, 0.0, "{answer:?}");
    }
}

#[tokio::test]
async fn answers_without_a_commit_tell_no_time_of_one() {
    let world = World::new();
    let app = world.application("acme").await;
    let path = format!("/app/{app}/msg");
    for answer in [
        world.post(&path, "{}").await.is(422),
        world.get(&path).await.is(200),
    ] {
        assert!(!answer.headers.contains_key("server-timing"), "{answer:?}");
    }
}
