//! Background work that a node can't read, as that of a newer program may be: it keeps none of the
//! rest from being done.

mod nodes;

use nodes::{Node, config};
use private_postgres::Database;
use std::time::Duration;
use store::Store;
use store::change::{Change, ChangeRequest};
use store::work::{OutsideKind, OutsideWork, Work};

/// A node, and work of two kinds that it does not know: one is done in the store.
async fn node(database: &Database) -> Node {
    let node = Node::running(config(database), Duration::ZERO).await;
    database.psql(
        "INSERT INTO task (id, tail, application, kind, subject, low, high, detail, cursor, done,
             state, updated_at)
         SELECT kind, '\\x010203040506070809101112', 5, kind, 0, 0, 0, 0, 0, 0, 0, 0
         FROM unnest('{30,90}'::smallint[]) AS k (kind)",
    );
    node
}

async fn start(node: &Node, work: Work) {
    let change = Change::StartWork {
        tail: [7; 12],
        application: match work {
            Work::Outside(_) => None,
            _ => Some(node.application(1).await),
        },
        work,
    };
    let request = ChangeRequest {
        change,
        idempotency: None,
        audit: None,
    };
    node.store.change(request).await.expect("it is started");
}

#[tokio::test(flavor = "multi_thread")]
async fn work_that_cannot_be_read_leaves_its_turn_to_the_rest() {
    let database = Database::new();
    let node = node(&database).await;
    start(&node, Work::ExpungeAll).await;
    assert!(node.store.work().await.is_err(), "it can't be read");
    let slice = node.store.work().await.expect("the other one can");
    assert!(slice.task.is_some() && slice.more);
    assert!(node.store.work().await.is_err(), "it is still there");
}

#[tokio::test(flavor = "multi_thread")]
async fn work_done_outside_that_cannot_be_read_leaves_its_turn_to_the_rest() {
    let database = Database::new();
    let node = node(&database).await;
    let outside = OutsideWork {
        kind: OutsideKind::Broadcast,
        arguments: b"what is to be done".to_vec().into(),
    };
    start(&node, Work::Outside(outside)).await;
    assert!(node.store.take_work().await.is_err(), "it can't be read");
    let taken = node.store.take_work().await.expect("the other one can");
    assert!(taken.is_some());
}
