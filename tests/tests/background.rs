//! Background work and a server that is killed (SIGKILL) in the middle of it: it goes on where it
//! was, and does nothing twice but what was on its way to the endpoint.

use std::collections::BTreeSet;

use e2e::{Api, Options, Received, Receiver, Server, eventually};
use serde_json::{Value, json};

/// Many slices of background work.
const MESSAGES: usize = 5_000;
/// Messages in one request.
const BATCH: usize = 1_000;
const KILLS: usize = 3;
/// So many may have reached their endpoint without that being on disk at each kill.
const IN_FLIGHT_MAX: usize = 32;

#[tokio::test]
async fn a_replay_goes_on_after_kills_and_sends_every_message() {
    let receiver = Receiver::willing().await;
    let (mut server, api, sent) = with_messages().await;
    let body = json!({"uid": "late", "url": receiver.url("/late")});
    api.endpoint("shop", &body).await;
    let since = json!({"since": sent.since});
    let path = "/app/shop/endpoint/late/replay-missing";
    let task = api.post(path, &since).await.expect(202).json();
    let mut arrived = Vec::new();
    let mut note = |received: Vec<Received>| {
        arrived.extend(received.iter().map(|one| one.id().to_owned()));
    };
    for _ in 0..KILLS {
        note(vec![receiver.next().await]);
        server.kill().await;
        receiver.disconnected().await;
        note(receiver.rest().await);
        server.restart().await;
    }
    finishes(&api, &task, json!({"messagesSent": MESSAGES})).await;
    eventually("the last replay to be recorded", async || {
        let stats = api.get("/app/shop/endpoint/late/stats").await;
        let stats = stats.expect(200).json();
        match (&stats["pending"], &stats["sending"]) == (&json!(0), &json!(0)) {
            true => Ok(()),
            false => Err(stats.to_string()),
        }
    })
    .await;
    note(receiver.rest().await);
    let distinct: BTreeSet<&String> = arrived.iter().collect();
    assert_eq!(distinct, sent.ids.iter().collect(), "each arrived");
    let repeats = arrived.len() - distinct.len();
    assert!(repeats <= KILLS * IN_FLIGHT_MAX, "{repeats} arrived twice");
}

#[tokio::test]
async fn all_payloads_go_although_the_server_is_killed() {
    let (mut server, api, sent) = with_messages().await;
    let path = "/app/shop/msg/expunge-all-contents";
    let task = api.post(path, &Value::Null).await.expect(202).json();
    server.kill().await;
    server.restart().await;
    finishes(&api, &task, json!({"messagesPurged": MESSAGES})).await;
    for id in [sent.ids.first(), sent.ids.last()].into_iter().flatten() {
        let message = api.get(&format!("/app/shop/msg/{id}")).await;
        let payload = message.expect(200).json()["payload"].clone();
        assert_eq!(payload, json!({"expired": true}));
    }
}

/// What was accepted.
struct Sent {
    ids: BTreeSet<String>,
    /// When the first was.
    since: Value,
}

/// A server with an application that has messages and no endpoint.
async fn with_messages() -> (Server, Api, Sent) {
    let options = Options::dev().option("--attempts-in-flight-max", IN_FLIGHT_MAX.to_string());
    let mut server = Server::start(options).await;
    let api = server.api().await;
    api.application("shop").await;
    let message = json!({"eventType": "order.paid", "payload": {"total": 12}});
    let batch = json!({"messages": vec![message; BATCH]});
    let mut results = Vec::new();
    for _ in 0..MESSAGES / BATCH {
        let answer = api.post("/app/shop/msg/batch", &batch).await.expect(202);
        let many = answer.json()["results"].clone();
        results.extend(many.as_array().expect("a list").clone());
    }
    let id = |result: &Value| result["message"]["id"].as_str().map(str::to_owned);
    let sent = Sent {
        ids: results.iter().filter_map(id).collect(),
        since: results[0]["message"]["timestamp"].clone(),
    };
    assert_eq!(sent.ids.len(), MESSAGES);
    (server, api, sent)
}

/// Waits until background work has come to its end with this.
async fn finishes(api: &Api, task: &Value, data: Value) {
    let id = task["id"].as_str().expect("an id");
    eventually(format!("{id} to end with {data}"), async || {
        let shown = api.get(&format!("/background-task/{id}")).await;
        let shown = shown.expect(200).json();
        match shown["status"] == "finished" && shown["data"] == data {
            true => Ok(()),
            false => Err(shown.to_string()),
        }
    })
    .await;
}
