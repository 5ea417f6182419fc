//! Work whose slices are done outside the store, among nodes: one has it, until its step is written
//! or its lease ends; then it goes on elsewhere.

mod nodes;

use model::id::TaskId;
use nodes::{Node, config, session};
use private_postgres::Database;
use std::time::Duration;
use store::Store;
use store::change::{Change, ChangeRequest, Changed};
use store::work::{Advanced, OutsideKind, OutsideWork, TakenWork, Work, WorkStep};

async fn two_nodes(database: &Database) -> (Node, Node, TaskId) {
    let first = Node::running(config(database), Duration::ZERO).await;
    let second = Node::running(config(database), Duration::ZERO).await;
    let work = Work::Outside(OutsideWork {
        kind: OutsideKind::Broadcast,
        arguments: b"what is to be done".to_vec().into(),
    });
    let request = ChangeRequest {
        change: Change::StartWork {
            tail: [7; 12],
            application: None,
            work,
        },
        idempotency: None,
        audit: None,
    };
    match first.store.change(request).await {
        Ok(Changed::Work(id, _)) => (first, second, id),
        other => panic!("started work, was told of {other:?}"),
    }
}

async fn take(node: &Node) -> Option<TakenWork> {
    node.store.take_work().await.expect("the database answers")
}

async fn advance(node: &Node, taken: &TakenWork, cursor: i64) -> Advanced {
    let step = WorkStep {
        cursor,
        ..WorkStep::default()
    };
    let advanced = node.store.advance_work(taken, step).await;
    advanced.expect("it can write")
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_node_has_taken_no_other_takes_before_its_step() {
    let database = Database::new();
    let (first, second, id) = two_nodes(&database).await;
    let taken = take(&first).await.expect("nobody has it");
    assert_eq!((taken.row.id, taken.cursor), (id, 0));
    assert!(take(&second).await.is_none(), "the first has it");
    let moved = advance(&first, &taken, 5).await;
    assert!(matches!(moved, Advanced::Moved(_)), "{moved:?}");
    let there = take(&second).await.expect("the slice is over");
    assert_eq!((there.row.id, there.cursor), (id, 5));
    let late = advance(&first, &taken, 6).await;
    assert!(matches!(late, Advanced::Lost), "{late:?}");
    drop(taken);
    assert!(take(&first).await.is_none(), "the second has it");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_let_go_of_without_a_step_is_taken_again_where_it_was() {
    let database = Database::new();
    let (first, second, id) = two_nodes(&database).await;
    drop(take(&first).await.expect("nobody has it"));
    assert!(take(&second).await.is_none(), "it is still the first one's");
    let again = take(&first).await.expect("it has it");
    assert_eq!((again.row.id, again.cursor), (id, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_node_has_taken_goes_on_elsewhere_when_its_lease_has_ended() {
    let database = Database::new();
    let (first, second, id) = two_nodes(&database).await;
    let taken = take(&first).await.expect("nobody has it");
    let other = session(&database).await;
    let expired = "UPDATE node SET expires_at = clock_timestamp() - interval '1 s'
                   WHERE slot = 1";
    other.batch_execute(expired).await.expect("it writes");
    let there = take(&second).await.expect("the lease has ended");
    assert_eq!((there.row.id, there.cursor), (id, 0));
    let late = advance(&first, &taken, 5).await;
    assert!(matches!(late, Advanced::Lost), "{late:?}");
    let moved = advance(&second, &there, 6).await;
    assert!(matches!(moved, Advanced::Moved(_)), "{moved:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_node_has_taken_goes_on_elsewhere_when_it_leaves() {
    let database = Database::new();
    let (first, second, id) = two_nodes(&database).await;
    let taken = take(&first).await.expect("nobody has it");
    first.store.close();
    first.store.leave().await;
    assert_eq!(take(&second).await.map(|there| there.row.id), Some(id));
    drop(taken);
}
