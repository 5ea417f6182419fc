//! What somebody ends while it waits in memory: it is not sent.

use crate::network::Reaction;
use crate::world::{Node, World};
use engine::{EngineConfig, Happening};
use model::attempt::AttemptResult;
use model::delivery::EndReason;
use model::id::MessageId;
use std::time::Duration;
use store::change::Change;
use store::{Lane, Lanes};

const ENDED: AttemptResult = AttemptResult::Cancelled(EndReason::Expunged);
/// As many attempts as a new lane makes at once.
const AT_ONCE: usize = 4;

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// A node with a lane whose slots are all taken for ten seconds, and messages that wait for them.
async fn with_waiting(world: &World, shared: bool) -> (Node, Lane, Vec<MessageId>) {
    let lane = world.lane("https://slow.example/").await;
    world
        .network
        .host("slow.example", |_| Reaction::Answer(200, seconds(10)));
    let config = EngineConfig {
        shared,
        ..EngineConfig::default()
    };
    let mut node = world.start(config).await;
    for _ in 0..AT_ONCE {
        world.send(&node, &[lane]).await;
    }
    until_all_slots_are_taken(&mut node).await;
    let mut waiting = Vec::new();
    for _ in 0..3 {
        waiting.push(world.send(&node, &[lane]).await);
    }
    assert_eq!(node.engine.counters().queued, 3);
    (node, lane, waiting)
}

async fn until_all_slots_are_taken(node: &mut Node) {
    while node.engine.counters().started < AT_ONCE as u64 {
        node.until(|happening| matches!(happening, Happening::Started(..)))
            .await;
    }
}

async fn expunge(world: &World, lane: Lane, messages: &[MessageId]) {
    let change = Change::ExpungePayloads {
        application: lane.application,
        messages: messages.iter().map(|id| id.key()).collect(),
    };
    world.change(change).await;
}

/// Only the last of those that waited is sent.
async fn only_the_last_is_sent(world: &World, mut node: Node, lane: Lane) {
    for _ in 0..2 {
        node.until(|happening| matches!(happening, Happening::LetGo(..)))
            .await;
    }
    let recorded = node.trace_recorded();
    node.until_recorded(AT_ONCE + 1 - recorded).await;
    assert_eq!(world.network.sent().len(), AT_ONCE + 1);
    let results = world.results(lane).await;
    let ended = results.iter().filter(|result| **result == ENDED).count();
    assert_eq!((ended, results.len()), (2, AT_ONCE + 3));
    assert_eq!(world.open_lanes().await, []);
    assert_eq!(node.engine.counters().queued, 0);
}

#[tokio::test(start_paused = true)]
async fn what_was_expunged_here_is_not_sent_from_memory() {
    let world = World::new();
    let (node, lane, waiting) = with_waiting(&world, false).await;
    expunge(&world, lane, &waiting[..2]).await;
    node.engine.changed(lane.application);
    only_the_last_is_sent(&world, node, lane).await;
}

#[tokio::test(start_paused = true)]
async fn what_was_expunged_on_another_node_is_not_sent_from_memory() {
    let world = World::new();
    let (node, lane, waiting) = with_waiting(&world, true).await;
    expunge(&world, lane, &waiting[..2]).await;
    only_the_last_is_sent(&world, node, lane).await;
}

#[tokio::test(start_paused = true)]
async fn what_was_claimed_before_it_was_expunged_is_not_sent() {
    let world = World::new();
    let lane = world.lane("https://slow.example/").await;
    world
        .network
        .host("slow.example", |_| Reaction::Answer(200, seconds(10)));
    let mut waiting = Vec::new();
    for _ in 0..AT_ONCE + 3 {
        waiting.push(world.accept(None, &[lane], |_| {}).await);
    }
    let mut node = world.start(EngineConfig::default()).await;
    node.until(|happening| matches!(happening, Happening::Claimed(..)))
        .await;
    until_all_slots_are_taken(&mut node).await;
    expunge(&world, lane, &waiting[AT_ONCE..AT_ONCE + 2]).await;
    node.engine.changed(lane.application);
    only_the_last_is_sent(&world, node, lane).await;
}

#[tokio::test(start_paused = true)]
async fn what_is_open_is_sent_although_its_application_changed() {
    let world = World::new();
    let (mut node, lane, _) = with_waiting(&world, false).await;
    let describe = |endpoint: &mut model::endpoint::Endpoint| endpoint.description.push('!');
    world.set(&node, lane, describe).await;
    node.until_recorded(AT_ONCE + 3).await;
    assert_eq!(world.results(lane).await, [AttemptResult::Success; 7]);
}

#[tokio::test(start_paused = true)]
async fn what_was_cancelled_is_not_sent_from_memory() {
    for shared in [false, true] {
        let world = World::new();
        let (mut node, lane, _) = with_waiting(&world, shared).await;
        tokio::time::sleep(seconds(1)).await;
        let change = Change::CancelDeliveries {
            application: lane.application,
            endpoint: lane.endpoint,
            up_to: None,
        };
        world.change(change).await;
        if !shared {
            node.engine.changed(lane.application);
            node.engine.work();
        }
        world.send(&node, &[lane]).await;
        node.until_recorded(AT_ONCE + 1).await;
        assert_eq!(world.network.sent().len(), AT_ONCE + 1);
        let results = world.results(lane).await;
        let cancelled = AttemptResult::Cancelled(EndReason::Cancelled);
        let ended = results.iter().filter(|result| **result == cancelled);
        // Those that were under way are ended too, and their outcomes kept.
        assert_eq!(ended.count(), AT_ONCE + 3, "{results:?}");
        assert_eq!(results.len(), 2 * AT_ONCE + 4);
        assert_eq!(world.open_lanes().await, []);
    }
}
