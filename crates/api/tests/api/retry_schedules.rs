//! Event types' own retry schedules.

use crate::world::World;
use serde_json::{Value, json};

const PATH: &str = "/event-type/a/retry-schedule";

async fn world() -> World {
    let world = World::new();
    let body = json!({ "name": "a", "description": "" });
    world.post("/event-type", body).await.is(201);
    world
}

#[tokio::test]
async fn a_schedule_is_shown_as_it_was_set_until_it_is_taken_away() {
    let world = world().await;
    let none = json!({ "retrySchedule": null });
    assert_eq!(world.get(PATH).await.is(200).body, none);
    let wait = |secs: u64, nanos: u32| json!({ "secs": secs, "nanos": nanos });
    for (given, shown) in [
        (json!([]), json!([])),
        (
            json!([wait(5, 0), wait(0, 1), wait(0, 1_500_000_000)]),
            json!([wait(5, 0), wait(0, 1), wait(1, 500_000_000)]),
        ),
        (json!([1, 604_800]), json!([wait(1, 0), wait(604_800, 0)])),
        (json!([2.0]), json!([wait(2, 0)])),
        (Value::Null, Value::Null),
    ] {
        let set = json!({ "retrySchedule": given });
        let shown = json!({ "retrySchedule": shown });
        assert_eq!(world.put(PATH, set).await.is(200).body, shown);
        assert_eq!(world.get(PATH).await.is(200).body, shown);
    }
    world
        .put(PATH, json!({ "retrySchedule": [1] }))
        .await
        .is(200);
    assert_eq!(world.put(PATH, json!({})).await.is(200).body, none);
}

#[tokio::test]
async fn a_schedule_that_cannot_be_kept_is_refused() {
    let world = world().await;
    for (waits, broken) in [
        (json!([604_801]), "body/retrySchedule"),
        (
            json!([{ "secs": 604_800, "nanos": 1 }]),
            "body/retrySchedule",
        ),
        (
            json!([{ "secs": u64::MAX, "nanos": u32::MAX }]),
            "body/retrySchedule",
        ),
        (json!(vec![1; 51]), "body/retrySchedule"),
        (json!(5), "body/retrySchedule"),
        (json!([-1]), "body/retrySchedule[0]"),
        (json!([1.5]), "body/retrySchedule[0]"),
        (json!(["5s"]), "body/retrySchedule[0]"),
        (json!([{ "secs": 1 }]), "body/retrySchedule[0]"),
    ] {
        let set = json!({ "retrySchedule": waits });
        assert_eq!(world.put(PATH, &set).await.broken(), [broken], "{set}");
    }
    assert_eq!(world.get(PATH).await.is(200)["retrySchedule"], Value::Null);
    let missing = "/event-type/b/retry-schedule";
    world.get(missing).await.is(404);
    world
        .put(missing, json!({ "retrySchedule": [] }))
        .await
        .is(404);
    world.put(missing, json!([])).await.is(404);
}

#[tokio::test]
async fn a_schedule_stays_while_its_event_type_is_archived_and_goes_with_it() {
    let world = world().await;
    let set = json!({ "retrySchedule": [{ "secs": 1, "nanos": 0 }] });
    assert!(!has_schedule(&world).await);
    world.put(PATH, &set).await.is(200);
    assert!(has_schedule(&world).await);
    world.delete("/event-type/a").await.is(204);
    assert_eq!(world.get(PATH).await.is(200).body, set);
    world.delete("/event-type/a?expunge=true").await.is(204);
    world.get(PATH).await.is(404);
    assert!(!has_schedule(&world).await);
    let again = json!({ "name": "a", "description": "" });
    world.post("/event-type", again).await.is(201);
    assert_eq!(world.get(PATH).await.is(200)["retrySchedule"], Value::Null);
}

/// Whether whoever sends knows of a schedule.
async fn has_schedule(world: &World) -> bool {
    let event_type = "a".parse().expect("it is a word");
    let known = world.app.registry.retry_schedule(&event_type).await;
    known.expect("it can be read").is_some()
}
