//! A list that is read forwards never passes what another node is yet to commit, whatever the
//! clocks of both say, and whoever comes and goes; and no node keeps it back by joining.

mod nodes;

use model::id::ApplicationKey;
use nodes::{Node, config};
use private_postgres::Database;
use std::time::Duration;
use store::Store as _;
use store::accept::Accepted;

const START: ApplicationKey = ApplicationKey::MIN;

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_joins_hides_nothing() {
    let database = Database::new();
    let first = Node::running(config(&database), Duration::ZERO).await;
    let made = first.application(1).await;
    first.clock.advance(Duration::from_secs(1));
    assert_eq!(first.forward(START).await, [made]);
    let second = Node::still(config(&database), Duration::ZERO).await;
    assert_eq!(first.forward(START).await, [made], "it has only joined");
    second.store.leave().await;
    let _third = Node::still(config(&database), Duration::ZERO).await;
    assert_eq!(first.forward(START).await, [made], "in the other's slot");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_node_with_a_slow_clock_writes_comes_behind_what_was_read_before_it_joined() {
    let database = Database::new();
    let first = Node::running(config(&database), Duration::ZERO).await;
    let read = first.application(1).await;
    first.clock.advance(Duration::from_secs(1));
    assert_eq!(first.forward(START).await, [read]);
    let second = Node::running(config(&database), Duration::from_secs(5)).await;
    let late = second.application(2).await;
    first.clock.advance(Duration::from_secs(50));
    assert_eq!(first.forward(read).await, [late]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_nobody_has_ended_may_still_commit() {
    let database = Database::new();
    // Nobody looks after leases here.
    let mut first = Node::still(config(&database), Duration::ZERO).await;
    let (writer, _leases) = first.loops.take().expect("it stands still");
    tokio::spawn(writer.run());
    let _second = Node::still(config(&database), Duration::from_secs(5)).await;
    first.clock.advance(Duration::from_secs(30));
    let made = first.application(1).await;
    first.clock.advance(Duration::from_secs(1));
    let over = "SET expires_at = clock_timestamp() - interval '1 s' WHERE slot = 2";
    database.psql(&format!("UPDATE node {over}"));
    assert_eq!(first.forward(START).await, [], "a commit may be under way");
    database.psql("UPDATE node SET expires_at = '-infinity', epoch = 99 WHERE slot = 2");
    assert_eq!(first.forward(START).await, [made]);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_has_the_slot_now_holds_back_a_node_that_lost_it() {
    let database = Database::new();
    let mut first = Node::still(config(&database), Duration::ZERO).await;
    let (writer, _leases) = first.loops.take().expect("it stands still");
    let writer = tokio::spawn(writer.run());
    let made = first.application(1).await;
    first.clock.advance(Duration::from_secs(1));
    assert_eq!(first.forward(START).await, [made]);
    writer.abort();
    database.psql("UPDATE node SET expires_at = '-infinity', epoch = nextval('node_epoch')");
    let _second = Node::still(config(&database), Duration::ZERO).await;
    assert_eq!(
        database.psql("UPDATE node SET floor = 1 RETURNING slot"),
        "1\n"
    );
    assert_eq!(first.forward(START).await, [], "the other's floor is lower");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_reader_passes_a_smaller_id_whose_accept_is_still_open() {
    let database = Database::new();
    let first = Node::running(config(&database), Duration::ZERO).await;
    let second = Node::running(config(&database), Duration::ZERO).await;
    let application = first.application(1).await;
    let (mut held, mut later) = (
        first.message(application, None).await,
        second.message(application, None).await,
    );
    held.message.event_id = Some(nodes::name("held"));
    later.message.tail = [4; 12];
    let border = second.store.forward_border().await.expect("reads go on");

    // Whoever has the event id keeps the first node's commit open, whose key is given by then.
    let mut session = nodes::session(&database).await;
    let taken = format!(
        "INSERT INTO event_key VALUES ({}, 'held', 1)",
        application.integer()
    );
    let holds = nodes::locking(&mut session, &taken).await;
    let store = first.store.clone();
    let accepting = tokio::spawn(async move { store.accept(vec![held]).await.remove(0) });
    nodes::until_waiting(&database, 1).await;
    for clock in [&first.clock, &second.clock] {
        clock.advance(Duration::from_secs(1));
    }
    let Ok(Accepted::New { id: later, .. }) = second.store.accept(vec![later]).await.remove(0)
    else {
        panic!("it is in order");
    };
    second.clock.advance(Duration::from_secs(1));
    for reader in [&first, &second] {
        let found = (reader.of_one(application).await, reader.of_all().await);
        assert_eq!(found, (vec![], vec![]), "a smaller id may come");
        let border = reader.store.forward_border().await.expect("reads go on");
        assert!(border < later.key(), "nor does anybody begin behind it");
    }

    holds.rollback().await.expect("it lets go");
    let Ok(Accepted::New { id: held, .. }) = accepting.await.expect("it does not panic") else {
        panic!("it is in order");
    };
    assert!(border <= held.key() && held < later);
    let both = vec![held, later];
    let seen = async {
        for reader in [&first, &second] {
            // Each hears of the other's floor when that next renews its lease.
            while (reader.of_one(application).await, reader.of_all().await)
                != (both.clone(), both.clone())
            {
                first.clock.advance(Duration::from_millis(4));
                tokio::task::yield_now().await;
            }
        }
    };
    let seen = tokio::time::timeout(nodes::PATIENCE, seen).await;
    seen.expect("both are read when nothing is open");
}
