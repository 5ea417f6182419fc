//! Who works on the database, and what each of them holds.

use super::drafts::Ending;
use super::world::World;
use model::node::Node;

pub(super) async fn a_store_that_was_just_opened_lists_itself_once_and_alive(world: &mut World) {
    for _ in 0..3 {
        let node = only_node(world).await;
        assert!(node.alive, "{node:?}");
        assert_eq!(node.deliveries, 0);
        let lasts = node.lease_ends.is_none_or(|ends| ends > node.since);
        assert!(lasts, "{node:?}");
        world.reopen().await;
    }
}

pub(super) async fn a_node_holds_what_it_was_given_until_that_has_ended(world: &World) {
    let lane = world.lane().await;
    world.message(lane.application).await;
    assert_eq!(only_node(world).await.deliveries, 0, "nobody holds it");
    let handed_over = world.handed_over(lane).await;
    assert_eq!(only_node(world).await.deliveries, 1);
    let claimed = world.claim_one(lane).await;
    assert_eq!(only_node(world).await.deliveries, 2);
    world.end(handed_over, Ending::Success).await;
    assert_eq!(only_node(world).await.deliveries, 1);
    let later = Ending::Retry(world.now().plus(super::drafts::HOUR));
    world.end(claimed, later).await;
    assert_eq!(only_node(world).await.deliveries, 0);
}

async fn only_node(world: &World) -> Node {
    let mut nodes = world.store().nodes().await.expect("reads go on");
    assert_eq!(nodes.len(), 1, "{nodes:?}");
    nodes.remove(0)
}
