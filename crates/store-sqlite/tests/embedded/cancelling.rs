//! Callers that go away while what they asked for waits: it happens whole or not at all, and no
//! delivery stays in the hands of nobody.

use crate::support::World;
use std::future::Future;
use std::path::Path;
use store::query::{AttemptQuery, AttemptScope, MessageFilter, Window};
use store::{Lane, Store};
use store_sqlite::{SqliteConfig, WriterLoop};

/// A store with so many messages of one lane, whose writer does not run yet.
async fn at_rest(path: &Path, messages: usize, config: SqliteConfig) -> (World, Lane, WriterLoop) {
    let world = World::open_inline(path, SqliteConfig::default());
    let lane = world.lane().await;
    for _ in 0..messages {
        world.send(lane).await.expect("it is accepted");
    }
    drop(world);
    let (world, writer, _) = World::open_without_loops(path, config);
    (world, lane, writer)
}

/// Asks, and goes away before there is an answer.
async fn go_away<T>(asked: impl Future<Output = T>) {
    tokio::select! {
        biased;
        _ = asked => panic!("nothing can have been answered"),
        () = std::future::ready(()) => {}
    }
}

async fn attempts(world: &World, lane: Lane) -> usize {
    let query = AttemptQuery {
        application: lane.application,
        scope: AttemptScope::Endpoint(lane.endpoint),
        window: Window {
            above: model::id::Key::MIN,
            below: model::id::Key::MAX,
            ascending: true,
            limit: 100,
        },
        result: None,
        status_codes: None,
        filter: MessageFilter::default(),
        with_excerpt: false,
        with_message: false,
        with_payload: false,
    };
    let walk = world.store.attempts(&query).await;
    walk.expect("reads go on").rows.len()
}

#[tokio::test]
async fn a_message_that_nobody_waits_for_any_more_is_kept_and_can_be_claimed() {
    let home = tempfile::tempdir().expect("a temporary directory");
    let (mut world, lane, writer) = at_rest(home.path(), 0, SqliteConfig::default()).await;
    let mut item = world.item(lane).await;
    item.deliveries[0].owned = true;
    go_away(world.store.accept(vec![item])).await;
    world.run(writer);
    // What is asked later is done later.
    world.send(lane).await.expect("it is accepted");
    assert_eq!(world.waiting(lane).await, 2, "nobody holds them");
}

#[tokio::test]
async fn an_outcome_that_nobody_waits_for_any_more_is_recorded() {
    let home = tempfile::tempdir().expect("a temporary directory");
    let (mut world, lane, writer) = at_rest(home.path(), 1, SqliteConfig::default()).await;
    let outcome = world.outcome(lane).await;
    go_away(world.store.record(outcome)).await;
    assert_eq!(world.waiting(lane).await, 0, "it is held until then");
    world.run(writer);
    world.send(lane).await.expect("it is accepted");
    assert_eq!(world.waiting(lane).await, 1, "the new one");
    assert_eq!(attempts(&world, lane).await, 1);
}

#[tokio::test]
async fn what_was_given_up_before_there_was_room_does_not_happen() {
    let home = tempfile::tempdir().expect("a temporary directory");
    let small = SqliteConfig {
        inbox_kib: 2,
        ..SqliteConfig::default()
    };
    let (mut world, lane, writer) = at_rest(home.path(), 1, small).await;
    let filling = world.item(lane).await;
    go_away(world.store.accept(vec![filling])).await;
    let (item, outcome) = (world.item(lane).await, world.outcome(lane).await);
    go_away(world.store.record(outcome)).await;
    go_away(world.store.accept(vec![item])).await;
    assert_eq!(
        world.waiting(lane).await,
        1,
        "the outcome's delivery was let go of"
    );
    world.run(writer);
    world.send(lane).await.expect("there is room");
    assert_eq!(
        world.waiting(lane).await,
        3,
        "without the one that was given up"
    );
    assert_eq!(attempts(&world, lane).await, 0);
}
