//! A source whose requests any node takes: what comes to two at once is one message, so is what one
//! did not live to answer, and a token that was given up at one is refused by all.

use std::collections::{BTreeMap, BTreeSet};

use e2e::senders::Event;
use e2e::{Receiver, Sender, Server, Signed, Source, comes_to, within};
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::cluster::Cluster;

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
/// Enough for many to be in work on both nodes at one time.
const EVENTS: usize = 100;
/// How many requests are open at a time.
const OPEN: usize = 16;

fn events(count: usize) -> Vec<Event> {
    let event = |number: usize| Event {
        id: format!("delivery-{number}"),
        event_type: "push".to_owned(),
        timestamp: 0,
        body: format!(r#"{{"number": {number}}}"#).into(),
    };
    (0..count).map(event).collect()
}

/// A source, made at the first, as both nodes have it.
async fn source(nodes: [&mut Server; 2], receiver: &Receiver) -> [Source; 2] {
    let [first, second] = nodes;
    let (here, there) = (first.api().await, second.api().await);
    let source = Source::new(&here, "github", json!({"secret": SECRET})).await;
    source.endpoint(&receiver.url("/")).await;
    let other = source.at(&there);
    // What was made here is known there within a second.
    let probe = &Sender::Octokit.sign(SECRET, &events(1)).await[0];
    comes_to(200, async || other.send(probe).await.status).await;
    receiver.next().await;
    [source, other]
}

#[tokio::test]
async fn what_comes_to_two_nodes_at_once_is_one_message() {
    let cluster = Cluster::new().await;
    let (mut first, mut second) = (cluster.node().await, cluster.node().await);
    let receiver = Receiver::willing().await;
    let [here, there] = source([&mut first, &mut second], &receiver).await;
    let requests = Sender::Octokit.sign(SECRET, &events(EVENTS)[1..]).await;
    let (these, those) = tokio::join!(here.send_all(&requests), there.send_all(&requests));
    let mut taken = BTreeSet::new();
    for (this, that) in these.into_iter().zip(those) {
        let (this, that) = (this.expect(200).json(), that.expect(200).json());
        assert_eq!(this["id"], that["id"]);
        let repeats = [&this, &that].map(|told| told["duplicate"] == true);
        assert_ne!(repeats[0], repeats[1], "one came first: {this} {that}");
        taken.insert(text(&this["id"]));
    }
    assert_eq!(taken.len(), requests.len());
    let arrived = receiver.take(requests.len()).await;
    let arrived: BTreeSet<_> = arrived.iter().map(|one| one.id().to_owned()).collect();
    assert_eq!(arrived, taken);
    assert!(receiver.rest().await.is_empty());
}

/// Sends all to the first, and what it does not answer to the second; gives the messages.
async fn send_until_answered(
    [first, second]: [&Source; 2],
    requests: &[Signed],
    answered: &watch::Sender<usize>,
) -> Vec<Value> {
    let mut sending = JoinSet::new();
    for start in 0..OPEN {
        let (first, second) = (first.clone(), second.clone());
        let (requests, answered) = (requests.to_vec(), answered.clone());
        sending.spawn(async move {
            let mut told = Vec::new();
            for request in requests.iter().skip(start).step_by(OPEN) {
                let reply = match first.try_send(request).await {
                    Ok(reply) => reply,
                    Err(_) => second.send(request).await,
                };
                told.push(reply.expect(200).json());
                answered.send_modify(|count| *count += 1);
            }
            told
        });
    }
    sending.join_all().await.into_iter().flatten().collect()
}

#[tokio::test]
async fn what_a_killed_node_did_not_answer_another_takes_once() {
    let cluster = Cluster::new().await;
    let (mut first, mut second) = (cluster.node().await, cluster.node().await);
    let receiver = Receiver::willing().await;
    let [here, there] = source([&mut first, &mut second], &receiver).await;
    let requests = Sender::Octokit.sign(SECRET, &events(4 * EVENTS)[1..]).await;
    let answered = watch::Sender::new(0);
    let mut count = answered.subscribe();
    let kill = async {
        let begun = count.wait_for(|count| *count >= EVENTS);
        let begun = within("the first answers", begun).await;
        begun.expect("the test holds it");
        first.kill().await;
    };
    let sending = send_until_answered([&here, &there], &requests, &answered);
    let (told, ()) = tokio::join!(sending, kill);
    let ids: BTreeSet<_> = told.iter().map(|one| text(&one["id"])).collect();
    assert_eq!(ids.len(), requests.len());

    // What the killed node had sent, and not said so, comes again when its lease has ended.
    let mut arrived: BTreeMap<u64, String> = BTreeMap::new();
    while arrived.len() < requests.len() {
        let request = receiver.next().await;
        let number = request.json()["number"].as_u64().expect("a number");
        let other = arrived.insert(number, request.id().to_owned());
        assert!(other.is_none_or(|other| other == request.id()), "{number}");
    }
    assert_eq!(arrived.into_values().collect::<BTreeSet<_>>(), ids);
}

#[tokio::test]
async fn a_token_that_was_exchanged_at_one_node_is_refused_by_the_other() {
    let cluster = Cluster::new().await;
    let (mut first, mut second) = (cluster.node().await, cluster.node().await);
    let receiver = Receiver::willing().await;
    let [here, there] = source([&mut first, &mut second], &receiver).await;
    let request = &Sender::Octokit.sign(SECRET, &events(1)).await[0];
    let exchanged = here.rotate().await;
    here.send(request).await.expect(401);
    comes_to(401, async || there.send(request).await.status).await;
    let exchanged = exchanged.at(&second.api().await);
    let told = exchanged.send(request).await.expect(200).json();
    assert_eq!(told["duplicate"], true, "what came before is remembered");
    assert!(receiver.rest().await.is_empty());
}

fn text(value: &Value) -> String {
    value.as_str().expect("an id is text").to_owned()
}
