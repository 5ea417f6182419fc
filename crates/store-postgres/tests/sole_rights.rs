//! Sole rights among nodes: one has it, until it gives it up or its lease ends.

mod nodes;

use nodes::{Node, config, locking, session, until};
use private_postgres::Database;
use std::time::Duration;
use store::{Lane, Scope, Store};

async fn two_nodes(database: &Database) -> (Node, Node, Lane) {
    let first = Node::running(config(database), Duration::ZERO).await;
    let second = Node::running(config(database), Duration::ZERO).await;
    let lane = first.lane().await;
    (first, second, lane)
}

/// Accepts a message to a lane, of whose delivery nobody takes hold.
async fn left_for_anybody(node: &Node, lane: Lane) {
    let item = node.message(lane.application, Some(lane.endpoint)).await;
    let accepted = node.store.accept(vec![item]).await.remove(0);
    accepted.expect("it is in order");
}

async fn sees(node: &Node) -> usize {
    let lanes = node.store.lanes(model::id::EndpointKey::MIN, 10).await;
    lanes.expect("reads go on").len()
}

/// Waits until so many rights are left.
async fn until_given_up(database: &Database, left: usize) {
    let query = "SELECT count(*) FROM lane";
    until(database, query, |count| count.trim() == left.to_string()).await;
}

/// Whether the node gets the right; if so, it keeps it.
async fn owns(node: &Node, scope: Scope) -> Option<store::Sole> {
    node.store.own(scope).await.expect("the database answers")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_right_is_one_node_s_until_it_is_given_up() {
    let database = Database::new();
    let (first, second, lane) = two_nodes(&database).await;
    for scope in [
        Scope::Endpoint(lane.endpoint),
        Scope::Application(lane.application),
    ] {
        let right = owns(&first, scope).await.expect("nobody has it");
        assert!(owns(&second, scope).await.is_none());
        let again = owns(&first, scope).await.expect("it has it");
        drop(right);
        assert!(owns(&second, scope).await.is_none(), "one is still used");
        drop(again);
        until_given_up(&database, 0).await;
        assert!(owns(&second, scope).await.is_some());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_is_given_up_and_taken_again_at_once_stays() {
    let database = Database::new();
    let (first, second, lane) = two_nodes(&database).await;
    let scope = Scope::Endpoint(lane.endpoint);
    for _ in 0..100 {
        drop(owns(&first, scope).await.expect("it has it"));
    }
    let _right = owns(&first, scope).await.expect("it has it");
    // After another right was given up, all rounds before have passed.
    let other = Scope::Application(lane.application);
    drop(owns(&first, other).await.expect("nobody has it"));
    until_given_up(&database, 1).await;
    assert!(owns(&second, scope).await.is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_right_ends_with_the_lease() {
    let database = Database::new();
    let (first, second, lane) = two_nodes(&database).await;
    let scope = Scope::Endpoint(lane.endpoint);
    let right = owns(&first, scope).await.expect("nobody has it");
    first.store.close();
    first.store.leave().await;
    assert!(owns(&second, scope).await.is_some(), "it left");
    drop(right);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_right_is_not_taken_from_a_lease_that_nobody_has_ended() {
    let database = Database::new();
    let (first, second, lane) = two_nodes(&database).await;
    let scope = Scope::Endpoint(lane.endpoint);
    let _right = owns(&first, scope).await.expect("nobody has it");
    let mut locker = session(&database).await;
    let expired = "UPDATE node SET expires_at = clock_timestamp() - interval '1 s'
                   WHERE slot = 1";
    let locked = locking(&mut locker, expired).await;
    assert!(owns(&second, scope).await.is_none());
    locked.commit().await.expect("it ends");
    until_given_up(&database, 0).await;
    assert!(owns(&second, scope).await.is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn lanes_of_which_another_node_has_the_right_are_not_told_of() {
    let database = Database::new();
    let (first, second, lane) = two_nodes(&database).await;
    left_for_anybody(&first, lane).await;
    for scope in [
        Scope::Endpoint(lane.endpoint),
        Scope::Application(lane.application),
    ] {
        let right = owns(&first, scope).await.expect("nobody has it");
        assert_eq!((sees(&first).await, sees(&second).await), (1, 0));
        drop(right);
        until_given_up(&database, 0).await;
        assert_eq!((sees(&first).await, sees(&second).await), (1, 1));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_node_lets_go_of_can_be_claimed_by_another_once_it_is_released() {
    let database = Database::new();
    let (first, second, lane) = two_nodes(&database).await;
    for _ in 0..3 {
        left_for_anybody(&first, lane).await;
    }
    let now = model::Clock::now(&*first.clock);
    let mut claimed = first.store.claim(lane, now, 3).await.expect("it is due");
    let kept = claimed.pop().expect("all three");
    drop(claimed);
    let count = async |node: &Node| {
        let claimed = node.store.claim(lane, now, 3).await;
        claimed.expect("the database answers").len()
    };
    assert_eq!(count(&second).await, 0, "they are still the first one's");
    first.store.release(lane).await.expect("it writes");
    assert_eq!(count(&second).await, 2, "what is held stays held");
    drop(kept);
}
