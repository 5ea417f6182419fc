//! Endpoints that go away, URLs that are refused, disks that fail, attempts that panic.

use crate::network::{Reaction, answer};
use crate::world::World;
use engine::{EngineConfig, Happening, Retention};
use model::Clock;
use model::attempt::AttemptResult;
use model::delivery::EndReason;
use model::retry::RetrySchedule;
use model::security::SecurityKind;
use std::time::Duration;
use store::change::Change;
use store::{Condition, Lanes, Store};
use store_sqlite::faults::CommitFault;

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn retrying_every(wait: u64, count: usize) -> EngineConfig {
    EngineConfig {
        retry_schedule: RetrySchedule::new(vec![seconds(wait); count]).expect("a schedule"),
        ..EngineConfig::default()
    }
}

fn work_done(happening: Happening) -> bool {
    happening == Happening::WorkDone
}

#[tokio::test(start_paused = true)]
async fn a_disabled_endpoint_gets_nothing_more() {
    let world = World::new();
    let lane = world.lane("https://a.example/").await;
    world
        .network
        .host("a.example", |_| Reaction::Answer(500, seconds(2)));
    let mut node = world.start(EngineConfig::default()).await;
    for _ in 0..20 {
        world.send(&node, &[lane]).await;
    }
    node.until(|happening| matches!(happening, Happening::Started(..)))
        .await;
    tokio::time::sleep(seconds(1)).await;
    world
        .set(&node, lane, |endpoint| endpoint.disabled = true)
        .await;
    let before = world.network.sent().len();
    node.until_recorded_of(lane, before).await;
    node.until(work_done).await;
    tokio::time::sleep(seconds(3_600)).await;

    assert_eq!(
        world.network.sent().len(),
        before,
        "nothing starts, and nothing is retried"
    );
    let results = world.results(lane).await;
    let count = |wanted| results.iter().filter(|result| **result == wanted).count();
    assert_eq!(count(AttemptResult::Failure), before);
    let ended = AttemptResult::Cancelled(EndReason::EndpointDisabled);
    assert_eq!(count(ended), 20, "each is ended once: {results:?}");
    assert_eq!(world.open_lanes().await, []);
    assert_eq!(node.engine.counters().in_flight, 0);
}

#[tokio::test(start_paused = true)]
async fn a_deleted_endpoint_gets_nothing_more() {
    let world = World::new();
    let lane = world.lane("https://a.example/").await;
    let mut node = world.start(EngineConfig::default()).await;
    let later = world.clock.now().plus(seconds(60));
    world
        .send_with(&node, &[lane], |message| message.deliver_at = Some(later))
        .await;
    world
        .change(Change::DeleteEndpoint(lane.application, lane.endpoint))
        .await;
    node.engine.changed(lane.application);
    node.until(work_done).await;
    tokio::time::sleep(seconds(120)).await;
    assert_eq!(world.network.sent(), []);
    let ended = AttemptResult::Cancelled(EndReason::EndpointDeleted);
    assert_eq!(world.results(lane).await, [ended]);
}

#[tokio::test(start_paused = true)]
async fn what_was_opened_for_an_endpoint_that_is_gone_is_ended() {
    let world = World::new();
    let lane = world.lane("https://a.example/").await;
    let mut node = world.start(EngineConfig::default()).await;
    let id = world.send(&node, &[lane]).await;
    node.until_recorded(1).await;
    world
        .set(&node, lane, |endpoint| endpoint.disabled = true)
        .await;
    node.until(work_done).await;
    world.resend(&node, lane, id.key()).await;
    node.until_recorded(1).await;
    let ended = AttemptResult::Cancelled(EndReason::EndpointDisabled);
    assert_eq!(world.results(lane).await, [AttemptResult::Success, ended]);
    assert_eq!(world.network.sent().len(), 1);
    assert_eq!(world.open_lanes().await, []);
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_that_says_it_is_gone_is_disabled_at_once() {
    let world = World::new();
    let lane = world.lane("https://gone.example/").await;
    world.network.host("gone.example", |_| answer(410));
    let mut node = world.start(EngineConfig::default()).await;
    let later = world.clock.now().plus(seconds(60));
    world
        .send_with(&node, &[lane], |message| message.deliver_at = Some(later))
        .await;
    world.send(&node, &[lane]).await;
    node.until_recorded(1).await;
    node.until(work_done).await;
    tokio::time::sleep(seconds(120)).await;
    assert!(world.endpoint_row(lane).await.endpoint.disabled);
    assert_eq!(world.network.sent().len(), 1);
    assert_eq!(world.reports.kinds(), [SecurityKind::EndpointDisabled]);
    let id = world.endpoint_row(lane).await.endpoint.id.to_string();
    assert!(world.reports.subjects().contains(&id));
    assert_eq!(world.open_lanes().await, []);
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_that_keeps_failing_is_disabled_after_its_time() {
    let world = World::new();
    let lane = world.lane("https://down.example/").await;
    world.network.host("down.example", |_| Reaction::Refuse);
    let config = EngineConfig {
        disable_after: seconds(1_000),
        ..retrying_every(100, 50)
    };
    let mut node = world.start(config).await;
    let began = world.clock.now();
    world.send(&node, &[lane]).await;
    node.until_recorded(1).await;
    assert_eq!(world.endpoint_row(lane).await.failing_since, Some(began));
    while !world.endpoint_row(lane).await.endpoint.disabled {
        node.until_recorded(1).await;
    }
    let failing = world.clock.now().since(began);
    assert!(
        (seconds(1_000)..seconds(1_150)).contains(&failing),
        "{failing:?}"
    );
    let sent = world.network.sent().len();
    tokio::time::sleep(seconds(10_000)).await;
    assert_eq!(world.network.sent().len(), sent);
    assert_eq!(world.reports.kinds(), [SecurityKind::EndpointDisabled]);
}

#[tokio::test(start_paused = true)]
async fn any_success_clears_since_when_an_endpoint_has_been_failing() {
    let world = World::new();
    let lane = world.lane("https://flaky.example/").await;
    world.network.host("flaky.example", |count| {
        answer(if count == 1 { 200 } else { 500 })
    });
    let config = EngineConfig {
        disable_after: seconds(250),
        ..retrying_every(100, 3)
    };
    let mut node = world.start(config).await;
    world.send(&node, &[lane]).await;
    node.until_recorded(1).await;
    assert!(world.endpoint_row(lane).await.failing_since.is_some());
    node.until_recorded(1).await;
    assert_eq!(world.endpoint_row(lane).await.failing_since, None);
    tokio::time::sleep(seconds(100)).await;
    let again = world.clock.now();
    world.send(&node, &[lane]).await;
    node.until_recorded(2).await;
    assert_eq!(world.endpoint_row(lane).await.failing_since, Some(again));
    assert!(!world.endpoint_row(lane).await.endpoint.disabled);
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_that_is_enabled_again_begins_anew() {
    let world = World::new();
    let lane = world.lane("https://down.example/").await;
    world.network.host("down.example", |_| answer(500));
    let config = EngineConfig {
        disable_after: seconds(250),
        ..retrying_every(100, 5)
    };
    let mut node = world.start(config).await;
    world.send(&node, &[lane]).await;
    while !world.endpoint_row(lane).await.endpoint.disabled {
        node.until_recorded(1).await;
    }
    world
        .set(&node, lane, |endpoint| endpoint.disabled = false)
        .await;
    world.send(&node, &[lane]).await;
    node.until_recorded(1).await;
    let row = world.endpoint_row(lane).await;
    assert!(
        !row.endpoint.disabled,
        "one failure does not disable it again"
    );
    assert_eq!(row.failing_since, Some(world.clock.now()));
}

#[tokio::test(start_paused = true)]
async fn a_url_that_the_policy_refuses_is_a_failed_attempt_and_reported() {
    let world = World::new();
    let lane = world.lane("http://10.0.0.1/").await;
    let mut node = world.start(EngineConfig::default()).await;
    world.send(&node, &[lane]).await;
    node.until_recorded(1).await;
    let attempts = world.attempts(lane).await;
    assert_eq!(attempts[0].attempt.result, AttemptResult::Failure);
    assert!(world.excerpt(lane, &attempts[0]).await.is_some());
    assert_eq!(world.reports.kinds(), [SecurityKind::DestinationBlocked]);
    assert_eq!(world.network.sent(), []);
    assert_eq!(world.open_lanes().await.len(), 1, "it will be tried again");
}

#[tokio::test(start_paused = true)]
async fn an_attempt_that_panics_lets_go_and_is_made_again() {
    let world = World::new();
    let lane = world.lane("https://a.example/").await;
    world.network.host("a.example", |count| {
        if count == 0 {
            Reaction::Panic
        } else {
            answer(200)
        }
    });
    let mut node = world.start(EngineConfig::default()).await;
    world.send(&node, &[lane]).await;
    node.until(|happening| matches!(happening, Happening::LetGo(..)))
        .await;
    let other = world.lane("https://b.example/").await;
    world.send(&node, &[other]).await;
    node.until_recorded_of(other, 1).await;
    node.until_recorded_of(lane, 1).await;
    assert_eq!(world.results(lane).await, [AttemptResult::Success]);
    assert_eq!(node.engine.counters().in_flight, 0);
}

#[tokio::test(start_paused = true)]
async fn nothing_is_sent_while_the_store_can_t_write() {
    let world = World::new();
    let lane = world.lane("https://a.example/").await;
    let mut node = world.start(EngineConfig::default()).await;
    let later = world.clock.now().plus(seconds(10));
    world
        .send_with(&node, &[lane], |message| message.deliver_at = Some(later))
        .await;
    world.faults.fail_commits(Some(CommitFault::Write));
    let refused = Change::DeleteEndpoint(lane.application, lane.endpoint);
    let refused = store::change::ChangeRequest {
        change: refused,
        idempotency: None,
        audit: None,
    };
    world
        .store
        .change(refused)
        .await
        .expect_err("the disk is broken");
    assert_eq!(*world.store.condition().borrow(), Condition::ReadOnly);
    tokio::time::sleep(seconds(300)).await;
    assert_eq!(world.network.sent(), []);

    world.faults.fail_commits(None);
    world.application(None).await;
    node.until_recorded(1).await;
    assert_eq!(world.network.sent().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_outcome_waits_for_the_disk_and_is_not_sent_twice() {
    let world = World::new();
    let lane = world.lane("https://a.example/").await;
    world
        .network
        .host("a.example", |_| Reaction::Answer(200, seconds(5)));
    let mut node = world.start(EngineConfig::default()).await;
    world.send(&node, &[lane]).await;
    tokio::time::sleep(seconds(1)).await;
    world.faults.fail_commits(Some(CommitFault::Write));
    tokio::time::sleep(seconds(100)).await;
    assert_eq!(world.results(lane).await, []);
    world.faults.fail_commits(None);
    world.store.step();
    node.until_recorded(1).await;
    assert_eq!(world.results(lane).await, [AttemptResult::Success]);
    assert_eq!(world.network.sent().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_lane_that_nobody_told_of_is_found() {
    let world = World::new();
    let lane = world.lane("https://a.example/").await;
    let mut node = world.start(EngineConfig::default()).await;
    let sent_at = world.clock.now();
    world.accept(None, &[lane], |_| {}).await;
    node.until_recorded(1).await;
    assert!(world.clock.now().since(sent_at) <= seconds(31));
}

#[tokio::test(start_paused = true)]
async fn what_has_reached_its_age_is_removed() {
    let world = World::new();
    let lane = world.lane("https://a.example/").await;
    let config = EngineConfig {
        retention: Retention {
            keep: seconds(3_600),
            ..Retention::default()
        },
        ..EngineConfig::default()
    };
    let mut node = world.start(config).await;
    world.send(&node, &[lane]).await;
    node.until_recorded(1).await;
    tokio::time::sleep(seconds(3_000)).await;
    let young = world.send(&node, &[lane]).await;
    node.until_recorded(1).await;
    assert_eq!(world.results(lane).await.len(), 2);
    tokio::time::sleep(seconds(700)).await;
    let left: Vec<_> = world
        .attempts(lane)
        .await
        .iter()
        .map(|row| row.attempt.message)
        .collect();
    assert_eq!(left, [young]);
}
