//! Nodes that share a PostgreSQL: what is accepted by one, whatever becomes of it, and what another
//! knows of it.

mod at_once;
mod audit_log;
mod cluster;
mod detection;
mod erasure;
mod following;
mod live_pages;
mod rates;
mod refusals;
mod revocation;
mod roles;
mod rotation;
mod schedules;
mod schemas;
mod security_events;
mod sources;

use std::collections::BTreeSet;
use std::time::Duration;

use cluster::Cluster;
use e2e::{Answer, Api, Call, Gate, Receiver, eventually};
use serde_json::{Value, json};
use tokio::time::Instant;

/// How long a lease lasts that nobody renews.
const LEASE: Duration = Duration::from_secs(15);

#[tokio::test]
async fn a_node_that_was_killed_goes_on_with_what_was_open() {
    let cluster = Cluster::new().await;
    let mut node = cluster.node().await;
    let (api, gate) = (node.api().await, Gate::new());
    let receiver = held_back_by(&gate).await;
    shop(&api, &receiver).await;
    let sent = send(&[&api], 3).await;
    assert_eq!(ids(&receiver, 3).await, sent);
    node.kill().await;
    receiver.disconnected().await;
    gate.open();

    node.restart().await;
    assert_eq!(ids(&receiver, 3).await, sent, "they are sent again");
    all_delivered(&api, &sent).await;
    let after = send(&[&api], 1).await;
    assert_eq!(ids(&receiver, 1).await, after);
}

#[tokio::test]
async fn what_a_killed_node_held_another_takes_over() {
    let cluster = Cluster::new().await;
    let (mut first, mut second) = (cluster.node().await, cluster.node().await);
    let (api, gate) = (first.api().await, Gate::new());
    let other_api = second.api().await;
    let receiver = held_back_by(&gate).await;
    shop(&api, &receiver).await;
    let sent = send(&[&api], 3).await;
    assert_eq!(ids(&receiver, 3).await, sent);
    first.kill().await;
    receiver.disconnected().await;
    gate.open();

    assert_eq!(ids(&receiver, 3).await, sent, "the other one sends them");
    all_delivered(&other_api, &sent).await;
}

#[tokio::test]
async fn what_a_node_leaves_in_order_need_not_wait_for_its_lease() {
    let cluster = Cluster::new().await;
    let options = cluster.options().option("--drain-timeout", "0s");
    let mut first = cluster.node_with(options).await;
    let (api, gate) = (first.api().await, Gate::new());
    let receiver = held_back_by(&gate).await;
    shop(&api, &receiver).await;
    let sent = send(&[&api], 3).await;
    assert_eq!(ids(&receiver, 3).await, sent);
    let mut second = cluster.node().await;
    let begun = Instant::now();
    assert!(first.terminate().await.success());
    gate.open();

    assert_eq!(ids(&receiver, 3).await, sent, "the other one sends them");
    let waited = begun.elapsed();
    assert!(waited < LEASE / 2, "{waited:?}");
    all_delivered(&second.api().await, &sent).await;
}

#[tokio::test]
async fn two_nodes_deliver_what_either_accepts_and_nothing_twice() {
    let cluster = Cluster::new().await;
    let (mut first, mut second) = (cluster.node().await, cluster.node().await);
    let apis = [first.api().await, second.api().await];
    // Every tenth fails at first, so that retries are there for both to claim.
    let seen = std::sync::Mutex::new(BTreeSet::new());
    let receiver = Receiver::start(move |request| {
        let number = request.json()["n"].as_u64().expect("a number");
        let mut seen = seen.lock().expect("nobody panics with it");
        let fails = number.is_multiple_of(10) && seen.insert(number);
        Answer::status(if fails { 503 } else { 200 })
    })
    .await;
    shop(&apis[0], &receiver).await;
    let sent = send(&[&apis[0], &apis[1]], 200).await;
    all_delivered(&apis[0], &sent).await;
    let arrived = receiver.rest().await;
    assert_eq!(arrived.len(), 200 + 20, "each once, and the retries");
}

#[tokio::test]
async fn what_is_configured_on_one_node_holds_on_the_other_at_once() {
    let cluster = Cluster::new().await;
    let (mut first, mut second) = (cluster.node().await, cluster.node().await);
    let (here, there) = (first.api().await, second.api().await);
    let receiver = Receiver::willing().await;
    let endpoint = shop(&here, &receiver).await;
    let sent = send(&[&there], 1).await;
    assert_eq!(ids(&receiver, 1).await, sent);

    let disabled = json!({"disabled": true});
    let path = format!("/app/shop/endpoint/{endpoint}");
    here.patch(&path, &disabled).await.expect(200);
    let unsent = there.send("shop", "x", &json!({})).await;
    let path = format!("/app/shop/msg/{unsent}/endpoint");
    let endpoints = there.get(&path).await.expect(200).json();
    assert_eq!(endpoints["data"], json!([]), "it matched none");

    let body = json!({"eventType": "x", "payload": {}}).to_string();
    let repeated = |api: Api| async move {
        let call = Call::post("/app/shop/msg", body.clone()).header("idempotency-key", "once");
        api.call(call).await.expect(202).json()["id"].clone()
    };
    assert_eq!(repeated.clone()(here).await, repeated(there).await);
    assert_eq!(receiver.rest().await.len(), 0);
}

#[tokio::test]
async fn while_the_database_is_away_nothing_is_accepted_and_then_all_goes_on() {
    let mut postgres = private_postgres::Server::start();
    let url = postgres.database("postrider");
    let cluster = Cluster::on(url).await;
    let mut node = cluster.node().await;
    let (api, receiver) = (node.api().await, Receiver::willing().await);
    shop(&api, &receiver).await;
    let before = send(&[&api], 1).await;
    assert_eq!(ids(&receiver, 1).await, before);

    postgres.stop();
    let body = json!({"eventType": "x", "payload": {"n": 0}});
    api.post("/app/shop/msg", &body).await.expect(503);
    postgres.start_again();
    let accepted = eventually("a message to be accepted again", || async {
        let reply = api.post("/app/shop/msg", &body).await;
        match reply.status {
            202 => Ok(reply.json()["id"].clone()),
            503 => Err(reply.to_string()),
            _ => panic!("{reply}"),
        }
    })
    .await;
    let arrived = receiver.next().await;
    assert_eq!(accepted, arrived.id());
}

#[tokio::test]
async fn a_backup_of_a_database_is_restored_into_another() {
    let cluster = Cluster::new().await;
    let mut node = cluster.node().await;
    let (api, receiver) = (node.api().await, Receiver::willing().await);
    let endpoint = shop(&api, &receiver).await;
    let secret = api.secret("shop", &endpoint).await;
    let sent = send(&[&api], 1).await;
    all_delivered(&api, &sent).await;

    let backup = cluster.home().join("backup");
    let (backup, into) = (
        backup.to_str().expect("a path in UTF-8"),
        Cluster::new().await,
    );
    cluster.run(&["backup", backup]).await.expect(0);
    into.run(&["restore", backup]).await.expect(0);
    cluster
        .run(&["restore", backup])
        .await
        .expect(3)
        .complains_of("not empty");
    into.take_keys_of(&cluster);
    let mut restored = into.node().await;
    let api = restored.api().await;
    assert_eq!(api.secret("shop", &endpoint).await, secret);
    let list = api.get("/app/shop/msg").await.expect(200).json();
    assert_eq!(list["data"].as_array().map(Vec::len), Some(1), "{list}");
}

/// An application with one endpoint at the receiver; gives the endpoint.
async fn shop(api: &Api, receiver: &Receiver) -> String {
    api.application("shop").await;
    let body = json!({"url": receiver.url("/")});
    api.endpoint("shop", &body).await
}

/// Answers 200 once the gate is open.
async fn held_back_by(gate: &Gate) -> Receiver {
    let gate = gate.clone();
    Receiver::start(move |_| Answer::status(200).after(&gate)).await
}

/// Sends so many messages, to each node in turn; gives their ids.
async fn send(nodes: &[&Api], count: usize) -> BTreeSet<String> {
    let mut sent = BTreeSet::new();
    for number in 0..count {
        let api = nodes[number % nodes.len()];
        sent.insert(api.send("shop", "x", &json!({"n": number})).await);
    }
    sent
}

/// The ids of the next requests.
async fn ids(receiver: &Receiver, count: usize) -> BTreeSet<String> {
    let taken = receiver.take(count).await;
    taken
        .iter()
        .map(|request| request.id().to_owned())
        .collect()
}

/// Waits until each of the messages has been delivered, by what the API says.
async fn all_delivered(api: &Api, messages: &BTreeSet<String>) {
    for message in messages {
        eventually(format!("the delivery of {message}"), || async {
            let path = format!("/app/shop/attempt/msg/{message}");
            let attempts = api.get(&path).await.expect(200).json();
            let delivered = |attempt: &Value| attempt["status"] == 0;
            let data = attempts["data"].as_array().expect("a list");
            match data.iter().any(delivered) {
                true => Ok(()),
                false => Err(attempts.to_string()),
            }
        })
        .await;
    }
}
