//! A standby is promoted, and its primary goes on without knowing: it takes connections and writes,
//! and nothing that it is asked to write is answered. What became of a commit that was under way is
//! what the new primary has of it, and nodes end up there.

mod nodes;

use nodes::{Node, PATIENCE};
use private_postgres::{Server, Standby};
use std::time::Duration;
use store::Store as _;
use store::accept::{Accept, AcceptError, Accepted};
use store_postgres::PostgresConfig;
use tokio::task::JoinHandle;

const DATABASE: &str = "nodes";
/// Commits that wait for a standby.
const WAITING: &str = "SELECT backend_xid FROM pg_stat_activity WHERE wait_event = 'SyncRep'";
const END_LEASES: &str = "UPDATE node SET expires_at = '-infinity', epoch = nextval('node_epoch')";

struct Pair {
    old: Server,
    new: Standby,
}

impl Pair {
    fn start() -> Self {
        let old = Server::start();
        old.database(DATABASE);
        let new = Standby::start(&old, &[]);
        Self { old, new }
    }

    /// A node that knows both.
    async fn node(&self, statement_timeout: Duration) -> Node {
        let hosts = [self.old.directory(), self.new.directory()];
        let hosts = hosts.map(|place| place.display().to_string().replace('/', "%2F"));
        let config = PostgresConfig {
            url: format!(
                "postgres://postgres@{}:5432,{}:5432/{DATABASE}",
                hosts[0], hosts[1]
            ),
            statement_timeout,
            ..PostgresConfig::default()
        };
        Node::running(config, Duration::ZERO).await
    }

    /// Waits until a commit waits for a standby on the old one. Its transaction.
    async fn under_way(&self) -> i64 {
        let waiting = async {
            loop {
                if let Ok(transaction) = self.old.psql(DATABASE, WAITING).trim().parse() {
                    return transaction;
                }
                tokio::task::yield_now().await;
            }
        };
        let waited = tokio::time::timeout(PATIENCE, waiting).await;
        waited.expect("it waits for one")
    }

    /// Gives transactions to others on the new one, this one among them if it is none of it.
    fn take_transactions(&self, last: i64) {
        let taking = format!(
            "DO $$ BEGIN
               WHILE pg_snapshot_xmax(pg_current_snapshot())::text::bigint <= {last} LOOP
                 PERFORM pg_current_xact_id();
                 COMMIT;
               END LOOP;
             END $$"
        );
        self.new.psql(DATABASE, &taking);
    }

    /// How many messages the new one has.
    fn messages(&self) -> String {
        self.new.psql(DATABASE, "SELECT count(*) FROM message")
    }
}

/// Waits until a statement gives this.
async fn until(psql: impl Fn() -> String, expected: &str) {
    let asking = async {
        while psql() != expected {
            tokio::task::yield_now().await;
        }
    };
    let answered = tokio::time::timeout(PATIENCE, asking).await;
    answered.expect("it comes true in time");
}

/// A message to accept, as one that was accepted: all that there has to be for it is there.
async fn item(node: &Node) -> Accept {
    let lane = node.lane().await;
    let item = node.message(lane.application, Some(lane.endpoint)).await;
    let accepted = node.store.accept(vec![item.clone()]).await.remove(0);
    accepted.expect("all is well");
    item
}

type Answer = Result<Accepted, AcceptError>;

fn accepting(node: &Node, item: Accept) -> JoinHandle<Answer> {
    let store = node.store.clone();
    tokio::spawn(async move { store.accept(vec![item]).await.remove(0) })
}

async fn answer(accepting: JoinHandle<Answer>) -> Answer {
    let answered = tokio::time::timeout(PATIENCE, accepting).await;
    answered.expect("it is answered").expect("no panic")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_leaves_a_primary_that_answers_no_commit_and_goes_to_the_promoted_one() {
    let pair = Pair::start();
    let node = pair.node(Duration::from_secs(5)).await;
    let item = item(&node).await;
    pair.new.promote();
    let accepted = accepting(&node, item);
    pair.under_way().await;
    let accepted = answer(accepted).await;
    assert!(matches!(accepted, Ok(Accepted::New { .. })), "{accepted:?}");
    assert_eq!(pair.messages(), "2\n");
    let takes_writes = pair.old.psql(DATABASE, "SHOW transaction_read_only");
    assert_eq!(takes_writes, "off\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_that_the_promoted_standby_has_not_is_not_taken_for_another_of_its_number() {
    let mut pair = Pair::start();
    let node = pair.node(Duration::from_secs(10)).await;
    let item = item(&node).await;
    pair.new.promote();
    let accepted = accepting(&node, item);
    let transaction = pair.under_way().await;
    pair.new.psql(DATABASE, END_LEASES);
    pair.take_transactions(transaction);
    pair.old.stop();
    let accepted = answer(accepted).await;
    assert!(matches!(accepted, Ok(Accepted::New { .. })), "{accepted:?}");
    assert_eq!(pair.messages(), "2\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_that_the_promoted_standby_has_is_answered_as_done_once() {
    let mut pair = Pair::start();
    let node = pair.node(Duration::from_secs(10)).await;
    let item = item(&node).await;
    // The standby has it, and isn't asked.
    for setting in [
        "ALTER SYSTEM SET synchronous_standby_names = 'nobody'",
        "SELECT pg_reload_conf()",
    ] {
        pair.old.psql(DATABASE, setting);
    }
    until(|| pair.old.is_synchronous().to_string(), "false").await;
    let accepted = accepting(&node, item);
    let transaction = pair.under_way().await;
    until(|| pair.messages(), "2\n").await;
    pair.new.promote();
    pair.new.psql(DATABASE, END_LEASES);
    pair.take_transactions(transaction);
    pair.old.stop();
    let accepted = answer(accepted).await;
    assert!(matches!(accepted, Ok(Accepted::New { .. })), "{accepted:?}");
    assert_eq!(pair.messages(), "2\n");
}
