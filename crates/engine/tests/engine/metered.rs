//! What the engine tells whoever watches it.

use crate::network::answer;
use crate::world::World;
use engine::{EngineConfig, LaneCounts};
use model::Clock as _;
use model::meter::Durations;
use model::retry::RetrySchedule;
use std::time::Duration;
use store::Lanes as _;

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[tokio::test(start_paused = true)]
async fn attempts_are_timed_by_how_they_ended_and_what_is_given_up_is_counted() {
    let world = World::new();
    let good = world.lane("https://good.example/").await;
    let bad = world.lane("https://bad.example/").await;
    world.network.host("bad.example", |_| answer(500));
    let config = EngineConfig {
        retry_schedule: RetrySchedule::new(vec![seconds(60)]).expect("a schedule"),
        ..EngineConfig::default()
    };
    let mut node = world.start(config).await;
    assert_eq!(node.engine.read_meter().succeeded, Durations::default());
    world.send(&node, &[good]).await;
    world.send(&node, &[bad]).await;
    node.until_recorded(2).await;
    tokio::time::sleep(seconds(1)).await;
    let meter = node.engine.read_meter();
    assert_eq!((meter.succeeded.count(), meter.failed.count()), (1, 1));
    assert_eq!((meter.delivered.count(), meter.given_up), (1, 0));
    let lanes = LaneCounts {
        idle: 2,
        ..LaneCounts::default()
    };
    assert_eq!(node.engine.count_lanes(), lanes, "one waits for its time");

    node.until_recorded(1).await;
    let meter = node.engine.read_meter();
    assert_eq!((meter.failed.count(), meter.given_up), (2, 1));
    assert_eq!(meter.disabled, 0);
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_that_is_disabled_is_counted() {
    let world = World::new();
    let lane = world.lane("https://gone.example/").await;
    world.network.host("gone.example", |_| answer(410));
    let mut node = world.start(EngineConfig::default()).await;
    world.send(&node, &[lane]).await;
    node.until_recorded(1).await;
    let meter = node.engine.read_meter();
    assert_eq!((meter.given_up, meter.disabled), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn an_engine_that_no_longer_looks_for_what_is_due_says_since_when() {
    let world = World::new();
    let node = world.start(EngineConfig::default()).await;
    let engine = node.engine.clone();
    tokio::time::sleep(seconds(3_600)).await;
    assert_eq!(engine.overdue(), None);
    node.end().await;
    let ended = world.clock.now();
    tokio::time::sleep(seconds(400)).await;
    let since = engine.overdue().expect("nobody looks any more");
    assert!(ended.since(since) <= seconds(60), "{since:?}");
}
