//! What the operator is told of deliveries and endpoints.

use crate::network::{Reaction, answer};
use crate::world::{Node, World};
use engine::{EngineConfig, Happening};
use model::Clock;
use model::application::Application;
use model::operational::{APPLICATION_UID, Happened};
use model::retry::RetrySchedule;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use store::change::Change;
use store::work::Work;
use store::{Lane, Lanes};

fn with_retries(count: usize) -> EngineConfig {
    let waits = vec![Duration::from_secs(10); count];
    EngineConfig {
        retry_schedule: RetrySchedule::new(waits).expect("a schedule"),
        ..EngineConfig::default()
    }
}

/// An endpoint that answers with a failure so many times, and then with success.
async fn failing(world: &World, times: usize) -> Lane {
    let lane = world.lane("https://a.example/").await;
    let asked = AtomicUsize::new(0);
    world.network.host("a.example", move |_| {
        let status = match asked.fetch_add(1, Ordering::Relaxed) < times {
            true => 500,
            false => 204,
        };
        answer(status)
    });
    lane
}

async fn is_the_operators(world: &World, node: &Node, lane: Lane) {
    let row = world.row(lane).await.application;
    let own = Application {
        uid: Some(APPLICATION_UID.parse().expect("a word")),
        ..row.application
    };
    let change = Change::ReplaceApplication {
        application: own,
        data_keys: row.data_keys,
        revision: row.revision,
    };
    world.change(change).await;
    node.engine.changed(lane.application);
}

#[tokio::test(start_paused = true)]
async fn a_delivery_that_runs_out_of_its_schedule_is_told_with_its_last_attempt() {
    let world = World::new();
    let lane = failing(&world, usize::MAX).await;
    let mut node = world.start(with_retries(5)).await;
    let message = world
        .send_with(&node, &[lane], |message| {
            message.event_id = Some("order-1".parse().expect("a word"));
        })
        .await;
    node.until_recorded(6).await;
    let told = world.told.all();
    let [
        Happened::AttemptFailing(failing),
        Happened::AttemptExhausted(last),
    ] = &told[..]
    else {
        panic!("{told:?}");
    };
    let attempts = world.attempts(lane).await;
    let ids: Vec<_> = attempts.iter().map(|row| row.attempt.id).collect();
    assert_eq!((failing.attempt, last.attempt), (ids[3], ids[5]));
    assert_eq!((last.status, last.message), (500, message));
    assert_eq!(
        last.event_id.as_ref().map(|id| id.as_str()),
        Some("order-1")
    );
    let row = world.row(lane).await;
    assert_eq!(last.application, row.application.application.id);
    assert_eq!(last.endpoint, row.endpoints[0].endpoint.id);
}

#[tokio::test(start_paused = true)]
async fn a_delivery_that_succeeds_late_is_told_as_recovered() {
    let world = World::new();
    let lane = failing(&world, 4).await;
    let mut node = world.start(with_retries(7)).await;
    world.send(&node, &[lane]).await;
    node.until_recorded(5).await;
    let expected = ["message.attempt.failing", "message.attempt.recovered"];
    assert_eq!(world.told.names(), expected);
}

#[tokio::test(start_paused = true)]
async fn an_early_success_and_a_failed_resend_are_told_to_nobody() {
    let world = World::new();
    let lane = failing(&world, 3).await;
    let mut node = world.start(with_retries(7)).await;
    let message = world.send(&node, &[lane]).await;
    node.until_recorded(4).await;
    world.network.host("a.example", |_| answer(500));
    world.resend(&node, lane, message.key()).await;
    node.until_recorded(1).await;
    assert_eq!(world.told.names(), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_that_is_disabled_by_its_answers_is_told_with_since_when_it_failed() {
    let world = World::new();
    let lane = failing(&world, usize::MAX).await;
    let config = EngineConfig {
        disable_after: Duration::from_secs(60),
        ..with_retries(0)
    };
    let mut node = world.start(config).await;
    world.send(&node, &[lane]).await;
    node.until_recorded(1).await;
    let since = world.endpoint_row(lane).await.failing_since;
    assert!(since.is_some_and(|since| since <= world.clock.now()));
    tokio::time::sleep(Duration::from_secs(120)).await;
    world.send(&node, &[lane]).await;
    node.until_recorded(1).await;
    let told = world.told.all();
    let Some(Happened::EndpointDisabled(named, fail_since)) = told.last() else {
        panic!("{told:?}");
    };
    assert_eq!(*fail_since, since);
    assert_eq!(named.endpoint.key(), lane.endpoint);
}

#[tokio::test(start_paused = true)]
async fn of_the_operators_own_endpoints_nobody_is_told() {
    let world = World::new();
    let lane = failing(&world, usize::MAX).await;
    world.network.host("a.example", |_| {
        Reaction::Answer(410, Duration::from_secs(1))
    });
    let mut node = world.start(with_retries(0)).await;
    is_the_operators(&world, &node, lane).await;
    world.send(&node, &[lane]).await;
    node.until_recorded(1).await;
    node.until(|happening| happening == Happening::WorkDone)
        .await;
    assert!(world.endpoint_row(lane).await.endpoint.disabled);
    assert_eq!(world.told.names(), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn background_work_is_told_once_when_it_has_ended_if_people_asked_for_it() {
    let world = World::new();
    let lane = failing(&world, 0).await;
    let mut node = world.start(with_retries(0)).await;
    let cancel = Change::CancelDeliveries {
        application: lane.application,
        endpoint: lane.endpoint,
        up_to: None,
    };
    world.change(cancel).await;
    let begun = Change::StartWork {
        tail: [7; 12],
        application: Some(lane.application),
        work: Work::ExpungeAll,
    };
    let store::change::Changed::Work(id, _) = world.change(begun).await else {
        panic!("it was not begun");
    };
    node.engine.work();
    // The first time may have been before.
    for _ in 0..3 {
        node.until(|happening| happening == Happening::WorkDone)
            .await;
    }
    assert_eq!(world.told.all(), [Happened::TaskFinished(id)]);
}
