//! A database of which several hosts are named: one is taken that answers, whatever the others do.

mod nodes;

use nodes::{Node, PATIENCE};
use private_postgres::{Database, Server};
use std::time::Duration;
use store_postgres::PostgresConfig;
use tokio::net::TcpListener;

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_takes_connections_and_says_nothing_is_passed_over() {
    let database = Database::new();
    // Nobody accepts what the system takes: as where a machine stands still, but for its kernel.
    let silent = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = silent.local_addr().expect("it is bound").port();
    let there = Server::shared().directory().display().to_string();
    let there = there.replace('/', "%2F");
    let config = PostgresConfig {
        url: format!(
            "postgres://postgres@127.0.0.1:{port},{there}:5432/{}",
            database.name()
        ),
        ..nodes::config(&database)
    };
    let node = tokio::time::timeout(PATIENCE, Node::running(config, Duration::ZERO));
    let node = node.await.expect("it finds the other one");
    node.application(1).await;
}
