//! What happens beside commits, claims and leases that take long, or end in the middle: nobody
//! waits for long, nothing counts twice, and a node that can't be sure of its lease says so.

mod nodes;

use model::attempt::AttemptResult;
use model::{Clock, Timestamp};
use nodes::{Node, PATIENCE, config, locking, name, session, until, until_waiting};
use private_postgres::Database;
use std::sync::Arc;
use std::time::Duration;
use store::accept::{Accept, AcceptError, Accepted, ReplayEntry};
use store::idempotency::{AUTO_KEY_LIFE, IdempotencyKey};
use store::record::{HealthChange, NewAttempt, Observed, Outcome, Then};
use store::rows::Claimed;
use store::{Condition, Lane, Store};
use store_postgres::PostgresConfig;

/// Longer than a lease may go without being renewed, shorter than it lasts.
const BEFORE_ITS_END: Duration = Duration::from_secs(13);

/// Whoever waits in the database does so for longer than a test.
fn patient(database: &Database) -> PostgresConfig {
    PostgresConfig {
        statement_timeout: 2 * PATIENCE,
        ..config(database)
    }
}

/// Has both nodes judge what they are asked before either has written anything.
async fn accept_at_once(
    database: &Database,
    nodes: [&Node; 2],
    items: [Accept; 2],
) -> [Result<Accepted, AcceptError>; 2] {
    let mut locker = session(database).await;
    let locked = locking(&mut locker, "LOCK TABLE message, event_key IN SHARE MODE").await;
    let [one, other] = items.map(|item| vec![item]);
    let releasing = async {
        until_waiting(database, 2).await;
        locked.commit().await.expect("it ends");
    };
    let (mut one, mut other, ()) = tokio::join!(
        nodes[0].store.accept(one),
        nodes[1].store.accept(other),
        releasing
    );
    [one.remove(0), other.remove(0)]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_two_nodes_take_on_both_sides_of_an_hour_is_one_request() {
    let database = Database::new();
    let first = Node::running(config(&database), Duration::ZERO).await;
    let second = Node::running(config(&database), Duration::ZERO).await;
    let application = first.application(1).await;
    let hour = Timestamp::from_seconds(1_767_229_200);
    first
        .clock
        .set(Timestamp::from_micros(hour.micros() - 5_000));
    second.clock.set(hour.plus(Duration::from_millis(5)));
    let mut item = first.message(application, None).await;
    item.idempotency = Some(IdempotencyKey {
        fingerprint: [1; 16],
        body: [2; 16],
        life: AUTO_KEY_LIFE,
        status: 202,
    });
    let items = [item.clone(), item];
    match accept_at_once(&database, [&first, &second], items).await {
        [Ok(Accepted::New { .. }), Ok(Accepted::Repeated(_))]
        | [Ok(Accepted::Repeated(_)), Ok(Accepted::New { .. })] => {}
        other => panic!("one is new and one is a repeat, not {other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_nodes_that_take_an_event_id_at_once_one_is_told_that_it_is_taken() {
    let database = Database::new();
    let first = Node::running(config(&database), Duration::ZERO).await;
    let second = Node::running(config(&database), Duration::ZERO).await;
    let lane = first.lane().await;
    for round in 0..20 {
        let mut item = first.message(lane.application, Some(lane.endpoint)).await;
        item.message.event_id = Some(name(&format!("event-{round}")));
        let items = [item.clone(), item];
        match accept_at_once(&database, [&first, &second], items).await {
            [Ok(_), Err(AcceptError::EventIdTaken)] | [Err(AcceptError::EventIdTaken), Ok(_)] => {}
            other => panic!("one is new and one is taken, not {other:?}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_in_at_two_nodes_at_once_comes_in_once() {
    let database = Database::new();
    let first = Node::running(config(&database), Duration::ZERO).await;
    let second = Node::running(config(&database), Duration::ZERO).await;
    let application = first.application(1).await;
    for round in 0..20_u8 {
        let until = first.clock.now().plus(Duration::from_secs(60));
        let mut item = first.message(application, None).await;
        item.replay = Some(ReplayEntry {
            // Every other one is there already, and has reached its end.
            key: [round / 2; 16],
            unsigned_id: None,
            second: None,
            content: [2; 16],
            until,
        });
        let items = [item.clone(), item];
        match accept_at_once(&database, [&first, &second], items).await {
            [Ok(Accepted::New { id, .. }), Ok(Accepted::Seen(seen))]
            | [Ok(Accepted::Seen(seen)), Ok(Accepted::New { id, .. })] => {
                assert_eq!((seen.id, seen.entry.until), (id, until));
            }
            other => panic!("one is new and one was seen, not {other:?}"),
        }
        for node in [&first, &second] {
            node.clock.set(until.plus(Duration::from_micros(1)));
        }
    }
}

/// Accepts a message with a delivery that is nobody's. Its lane.
async fn due_delivery(node: &Node) -> Lane {
    let lane = node.lane().await;
    let item = node.message(lane.application, Some(lane.endpoint)).await;
    let accepted = node.store.accept(vec![item]).await.remove(0);
    accepted.expect("it is in order");
    lane
}

/// Claims a lane's deliveries, in the middle of which it waits for a lock until `locked` ends.
fn claiming(node: &Node, lane: Lane) -> impl Future<Output = Vec<Claimed>> + use<> {
    let (store, now) = (node.store.clone(), Clock::now(&*node.clock));
    async move {
        let claimed = store.claim(lane, now, 10).await;
        claimed.expect("the database is there")
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_claim_under_way_keeps_no_commit_waiting() {
    let database = Database::new();
    let node = Node::running(patient(&database), Duration::ZERO).await;
    let lane = due_delivery(&node).await;
    let mut locker = session(&database).await;
    let locked = locking(&mut locker, "LOCK TABLE payload IN ACCESS EXCLUSIVE MODE").await;
    let claim = tokio::spawn(claiming(&node, lane));
    until_waiting(&database, 1).await;
    let committed = tokio::time::timeout(PATIENCE, node.application(2)).await;
    committed.expect("it need not wait for the claim");
    locked.commit().await.expect("it ends");
    assert_eq!(claim.await.expect("no panic").len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_that_stands_still_is_ended_by_the_database() {
    let database = Database::new();
    let node = Node::running(config(&database), Duration::ZERO).await;
    let lane = due_delivery(&node).await;
    let mut locker = session(&database).await;
    let locked = locking(&mut locker, "LOCK TABLE payload IN ACCESS EXCLUSIVE MODE").await;
    let mut claim = Box::pin(claiming(&node, lane));
    tokio::select! {
        biased;
        _ = &mut claim => panic!("it is locked out"),
        () = until_waiting(&database, 1) => {}
    }
    locked.commit().await.expect("it ends");
    // Nobody polls the claim any more.
    let standing = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()
                    AND state = 'idle in transaction'
                    AND state_change < clock_timestamp() - interval '1 s'";
    until(&database, standing, |count| count == "1\n").await;
    until(&database, standing, |count| count == "0\n").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_that_waits_for_long_keeps_nobody_waiting_for_the_next() {
    let database = Database::new();
    let node = Node::running(patient(&database), Duration::ZERO).await;
    let lane = node.lane().await;
    let mut locker = session(&database).await;
    let locked = locking(&mut locker, "SELECT FROM node FOR UPDATE").await;
    let under_way = node.message(lane.application, None).await;
    let mut first = Box::pin(node.store.accept(vec![under_way]));
    tokio::select! {
        biased;
        _ = &mut first => panic!("it is locked out"),
        () = until_waiting(&database, 1) => {}
    }
    let next = node.message(lane.application, None).await;
    let refused = tokio::time::timeout(PATIENCE, node.store.accept(vec![next]));
    let refused = refused.await.expect("it need not wait for that").remove(0);
    assert!(matches!(refused, Err(AcceptError::Store(_))), "{refused:?}");
    locked.commit().await.expect("it ends");
    first.await.remove(0).expect("it waited for this");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lease_that_is_not_renewed_in_time_is_not_healthy() {
    let database = Database::new();
    let node = Node::running(patient(&database), Duration::ZERO).await;
    node.application(1).await;
    let mut locker = session(&database).await;
    let locked = locking(&mut locker, "SELECT FROM node FOR UPDATE").await;
    node.until(Condition::ReadOnly, BEFORE_ITS_END).await;
    locked.commit().await.expect("it ends");
    node.until(Condition::Writable, PATIENCE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_whose_lease_has_ended_says_so_until_it_has_another() {
    let database = Database::new();
    let node = Node::running(config(&database), Duration::ZERO).await;
    node.application(1).await;
    let mut locker = session(&database).await;
    let locked = locking(
        &mut locker,
        "SELECT pg_advisory_xact_lock(x'50735264'::bigint)",
    )
    .await;
    database.psql("UPDATE node SET expires_at = '-infinity', epoch = nextval('node_epoch')");
    node.until(Condition::ReadOnly, PATIENCE).await;
    locked.commit().await.expect("it ends");
    node.until(Condition::Writable, PATIENCE).await;
}

fn outcome(claimed: Claimed, tail: u8, then: Then) -> Outcome {
    Outcome {
        message: claimed.message.message.id,
        event_type: name("order.paid"),
        attempt: NewAttempt {
            tail: [tail; 12],
            number: 1,
            started_at: claimed.delivery.due,
            duration: Duration::ZERO,
            status_code: 200,
            result: AttemptResult::Success,
            endpoint_revision: 1,
            excerpt: None,
            observed: Observed::default(),
        },
        delivery: claimed.delivery,
        then,
        health: HealthChange::None,
        hold: claimed.hold,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hold_of_an_ended_lease_is_worth_nothing_beside_one_of_the_next() {
    let database = Database::new();
    let node = Node::running(config(&database), Duration::ZERO).await;
    let lane = due_delivery(&node).await;
    let old = claiming(&node, lane).await.remove(0);
    database.psql("UPDATE node SET expires_at = 'epoch'");
    let reading = async {
        loop {
            if let Some(claimed) = claiming_again(&node, lane).await {
                return claimed;
            }
            tokio::task::yield_now().await;
        }
    };
    let new = tokio::time::timeout(PATIENCE, reading).await;
    let new = new.expect("it is nobody's soon");
    assert!(old.hold.has_ended() && !new.hold.has_ended());
    let later = Then::Reschedule(old.delivery.due);
    let recorded = node.store.record(outcome(old, 1, later)).await;
    assert!(recorded.expect("it can write").stale);
    let recorded = node.store.record(outcome(new, 2, Then::Close)).await;
    assert!(!recorded.expect("it can write").stale);
    assert_eq!(database.psql("SELECT count(*) FROM delivery"), "0\n");
    assert_eq!(database.psql("SELECT count(*) FROM attempt"), "2\n");
}

async fn claiming_again(node: &Node, lane: Lane) -> Option<Claimed> {
    // It fails while the node has no lease.
    let claimed = node.store.claim(lane, Clock::now(&*node.clock), 10).await;
    claimed.ok()?.pop()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_was_read_only_is_connected_to_anew() {
    let database = Database::new();
    let node = Node::running(config(&database), Duration::ZERO).await;
    node.application(1).await;
    let session = session(&database).await;
    let (named, others) = (database.name(), "pid <> pg_backend_pid()");
    // The one after the other: whoever connects in between is read-only already.
    for statement in [
        format!("ALTER DATABASE \"{named}\" SET default_transaction_read_only = on"),
        format!(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
             WHERE datname = current_database() AND {others}"
        ),
    ] {
        session.batch_execute(&statement).await.expect("it may");
    }
    node.until(Condition::ReadOnly, PATIENCE).await;
    let read_only = database.psql("SHOW transaction_read_only");
    assert_eq!(read_only, "on\n");
    let writable = format!("ALTER DATABASE \"{named}\" RESET default_transaction_read_only");
    session.batch_execute(&writable).await.expect("it may");
    node.until(Condition::Writable, PATIENCE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn readers_leave_the_writer_its_connection() {
    let database = Database::new();
    let config = PostgresConfig {
        connections: 4,
        ..patient(&database)
    };
    let node = Arc::new(Node::running(config, Duration::ZERO).await);
    node.application(1).await;
    let mut locker = session(&database).await;
    let _locked = locking(
        &mut locker,
        "LOCK TABLE event_type IN ACCESS EXCLUSIVE MODE",
    )
    .await;
    for _ in 0..8 {
        let node = node.clone();
        let name = ["order.paid".parse().expect("a name")];
        tokio::spawn(async move { node.store.event_types_named(&name).await });
    }
    until_waiting(&database, 2).await;
    let committed = tokio::time::timeout(PATIENCE, node.application(2)).await;
    committed.expect("it has a connection of its own");
}
