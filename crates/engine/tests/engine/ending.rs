//! How an engine ends, and how the next one goes on.

use crate::network::{Reaction, answer};
use crate::world::{Plan, World};
use engine::{Drained, EngineConfig, Happening};
use model::Clock;
use model::attempt::AttemptResult;
use model::retry::RetrySchedule;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use store::Lanes;

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn started(happening: Happening) -> bool {
    matches!(happening, Happening::Started(..))
}

#[tokio::test(start_paused = true)]
async fn what_is_in_flight_ends_and_is_recorded() {
    let world = World::new();
    let lane = world.lane("https://slow.example/").await;
    world
        .network
        .host("slow.example", |_| Reaction::Answer(200, seconds(10)));
    let mut node = world.start(EngineConfig::default()).await;
    for _ in 0..8 {
        world.send(&node, &[lane]).await;
    }
    node.until(started).await;
    let told_at = world.clock.now();
    let drained = node.end().await;
    assert_eq!(
        drained,
        Drained {
            in_time: true,
            waiting: 4,
            broken_off: 0
        }
    );
    assert_eq!(world.clock.now().since(told_at), seconds(10));
    assert_eq!(world.results(lane).await, [AttemptResult::Success; 4]);
    assert_eq!(world.network.sent().len(), 4, "nothing starts any more");
    assert_eq!(world.open_lanes().await.len(), 1, "what waited is open");
}

#[tokio::test(start_paused = true)]
async fn what_takes_longer_than_the_deadline_is_let_go_of() {
    let world = World::new();
    let lane = world.lane("https://slow.example/").await;
    world
        .network
        .host("slow.example", |_| Reaction::Answer(200, seconds(20)));
    let config = EngineConfig {
        drain_timeout: seconds(5),
        ..EngineConfig::default()
    };
    let mut node = world.start(config.clone()).await;
    world.send(&node, &[lane]).await;
    node.until(started).await;
    let told_at = world.clock.now();
    let drained = node.end().await;
    assert_eq!(
        drained,
        Drained {
            in_time: false,
            waiting: 0,
            broken_off: 1
        }
    );
    assert_eq!(world.clock.now().since(told_at), seconds(5));
    assert_eq!(world.results(lane).await, []);

    let mut next = world.start(config).await;
    next.until_recorded(1).await;
    assert_eq!(world.results(lane).await, [AttemptResult::Success]);
}

#[tokio::test(start_paused = true)]
async fn an_engine_that_ends_takes_nothing_more() {
    let world = World::new();
    let lane = world.lane("https://slow.example/").await;
    world
        .network
        .host("slow.example", |_| Reaction::Answer(200, seconds(10)));
    let mut node = world.start(EngineConfig::default()).await;
    world.send(&node, &[lane]).await;
    node.until(started).await;
    let engine = node.engine.clone();
    let place = engine.grant(lane, false);
    assert!(place.is_some());
    let ended = tokio::spawn(node.end());
    tokio::time::sleep(seconds(1)).await;
    assert!(engine.grant(lane, false).is_none());
    drop(place);
    assert!(ended.await.unwrap().in_time);
}

#[tokio::test(start_paused = true)]
async fn a_restart_goes_on_where_the_last_one_was() {
    let world = World::new();
    let lanes = [
        world.lane("https://a.example/").await,
        world.lane("https://b.example/").await,
    ];
    world.network.host("a.example", |count| {
        answer(if count < 10 { 503 } else { 200 })
    });
    let mut expected = BTreeSet::new();
    let mut node = world.start(EngineConfig::default()).await;
    for round in 0..30 {
        let id = world.send(&node, &[lanes[round % 2]]).await;
        expected.insert(id.to_string());
    }
    node.until_recorded(12).await;
    node.end().await;

    let mut node = world.start(EngineConfig::default()).await;
    while !world.open_lanes().await.is_empty() || node.engine.counters().in_flight > 0 {
        node.until_recorded(1).await;
    }
    let mut delivered = BTreeSet::new();
    for lane in lanes {
        for row in world.attempts(lane).await {
            if row.attempt.result == AttemptResult::Success {
                assert!(
                    delivered.insert(row.attempt.message.to_string()),
                    "delivered once"
                );
            }
        }
    }
    assert_eq!(delivered, expected);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nothing_is_lost_or_stuck_on_many_threads() {
    let world = Arc::new(World::new());
    let application = world.application(Some(1_000)).await;
    let mut lanes = Vec::new();
    for host in 0..6 {
        let url = format!("https://host-{}.example/{host}", host / 2);
        lanes.push(world.endpoint(application, Plan::new(&url)).await);
    }
    for host in 0..3 {
        let fails = move |count: usize| answer(if count % 5 == host { 503 } else { 200 });
        world.network.host(&format!("host-{host}.example"), fails);
    }
    let at_once = RetrySchedule::new(vec![Duration::ZERO; 40]).expect("a schedule");
    let config = EngineConfig {
        retry_schedule: at_once,
        ..EngineConfig::default()
    };
    let mut node = world.start(config).await;
    let engine = node.engine.clone();
    let senders = (0..4).map(|_| {
        let (world, engine, lanes) = (world.clone(), engine.clone(), lanes.clone());
        tokio::spawn(async move {
            for _ in 0..20 {
                world.accept(Some(&engine), &lanes, |_| {}).await;
                engine.changed(lanes[0].application);
            }
        })
    });
    for sender in senders.collect::<Vec<_>>() {
        sender.await.expect("it sends");
    }
    while engine.counters().succeeded < 4 * 20 * 6 {
        node.until_recorded(1).await;
    }
    assert_eq!(world.open_lanes().await, []);
    let counters = engine.counters();
    assert_eq!((counters.succeeded, counters.let_go), (480, 0));
    assert!(node.end().await.in_time);
    assert_eq!(
        (engine.counters().in_flight, engine.counters().queued),
        (0, 0)
    );
}
