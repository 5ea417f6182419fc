//! Sole rights among nodes: one has it, until it gives it up or its lease ends.

mod nodes;

use model::id::EndpointKey;
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
    let lanes = node.store.lanes(EndpointKey::MIN, 10).await;
    lanes.expect("reads go on").len()
}

/// Waits until so many rights are left.
async fn until_given_up(database: &Database, left: usize) {
    let query = "SELECT count(*) FROM lane";
    until(database, query, |count| count.trim() == left.to_string()).await;
}

/// Whether the node gets the right; if so, it keeps it.
async fn owns(node: &Node, scope: Scope) -> Option<store::Sole> {
    owns_all(node, &[scope]).await.remove(0)
}

async fn owns_all(node: &Node, scopes: &[Scope]) -> Vec<Option<store::Sole>> {
    node.store.own(scopes).await.expect("the database answers")
}

fn endpoints(keys: impl Iterator<Item = i64>) -> Vec<Scope> {
    keys.map(|key| Scope::Endpoint(EndpointKey::from_integer(key)))
        .collect()
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
async fn of_many_rights_each_is_whose_it_was_first() {
    let database = Database::new();
    let (first, second, _) = two_nodes(&database).await;
    let had = owns_all(&first, &endpoints(3..6)).await;
    let mut asked = endpoints(1..=7);
    asked.reverse();
    let got = owns_all(&second, &asked).await;
    let given: Vec<bool> = got.iter().map(Option::is_some).collect();
    assert_eq!(given, [true, true, false, false, false, true, true]);
    drop((had, got));
    until_given_up(&database, 0).await;
    let twice = endpoints([4, 4, 3].into_iter());
    let rights = owns_all(&second, &twice).await;
    assert!(rights.iter().all(Option::is_some), "once each: {rights:?}");
}

/// Each node asks for all rights in its own order, gives them up, and asks again, while the other
/// does so.
#[tokio::test(flavor = "multi_thread")]
async fn nodes_that_ask_for_the_same_rights_at_once_share_them_and_don_t_fail() {
    const RIGHTS: i64 = 200;
    let database = Database::new();
    let (first, second, _) = two_nodes(&database).await;
    let scopes = endpoints(1..=RIGHTS);
    let reversed: Vec<Scope> = scopes.iter().rev().copied().collect();
    for _ in 0..5 {
        let (here, there) = tokio::join!(owns_all(&first, &scopes), owns_all(&second, &reversed));
        let count = |rights: &[Option<_>]| rights.iter().flatten().count() as i64;
        assert_eq!(count(&here) + count(&there), RIGHTS);
        for (here, there) in here.iter().zip(there.iter().rev()) {
            assert!(here.is_some() != there.is_some(), "one node has it");
        }
        drop((here, there));
        until_given_up(&database, 0).await;
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

#[tokio::test(flavor = "multi_thread")]
async fn a_lane_of_which_nothing_was_held_is_released_without_looking() {
    let database = Database::new();
    let (first, second, lane) = two_nodes(&database).await;
    left_for_anybody(&first, lane).await;
    let now = model::Clock::now(&*first.clock);
    let claimed = first.store.claim(lane, now, 1).await;
    drop(claimed.expect("it is due"));
    first.store.release(lane).await.expect("it writes");
    let mut locker = session(&database).await;
    let locked = locking(&mut locker, "LOCK TABLE delivery").await;
    for node in [&first, &second] {
        let released = node.store.release(lane);
        let released = tokio::time::timeout(nodes::PATIENCE / 3, released).await;
        released.expect("it does not look").expect("it is released");
    }
    drop(locked);
}
