//! Erasure by several nodes: what one asks for, any of them does, and none sends what was erased.

use crate::cluster::Cluster;
use crate::{held_back_by, ids, shop};
use e2e::{Api, Gate, eventually};
use serde_json::{Value, json};

const ADA: &str = "ada@example.com";
const BOB: &str = "bob@example.com";
/// As many attempts as a node makes at once at a new endpoint.
const AT_ONCE: usize = 4;
/// Several slices.
const MANY: usize = 600;

async fn send(api: &Api, email: &str) -> String {
    api.send("shop", "x", &json!({"email": email})).await
}

/// Begins an erasure of what is Ada's; gives the task's id.
async fn erase(api: &Api) -> String {
    let body = json!({"where": {"path": "/email", "value": ADA}});
    let begun = api.post("/message/expunge", &body).await;
    let id = begun.expect(202).json()["id"].as_str().map(str::to_owned);
    id.expect("it has an id")
}

/// What came of it, as any node tells.
async fn erased(api: &Api, task: &str) -> Value {
    let path = format!("/background-task/{task}");
    eventually("the end of the erasure", async || {
        let task = api.get(&path).await.expect(200).json();
        match task["status"] == "finished" {
            true => Ok(task["data"].clone()),
            false => Err(task.to_string()),
        }
    })
    .await
}

/// Waits until a node knows what is changed at another from now on, within a second.
async fn hears_of_changes(changed: &Api, told: &Api) {
    let (path, name) = ("/app/shop", json!("renamed"));
    changed
        .patch(path, &json!({"name": name}))
        .await
        .expect(200);
    eventually("the new name", async || {
        let shown = told.get(path).await.expect(200).json();
        (shown["name"] == name)
            .then_some(())
            .ok_or_else(|| shown.to_string())
    })
    .await;
    changed
        .patch(path, &json!({"name": "shop"}))
        .await
        .expect(200);
}

#[tokio::test]
async fn what_a_node_holds_in_memory_another_erases_and_it_is_not_sent() {
    let cluster = Cluster::new().await;
    let (mut first, mut second) = (cluster.node().await, cluster.node().await);
    let (api, other, gate) = (first.api().await, second.api().await, Gate::new());
    let receiver = held_back_by(&gate).await;
    shop(&api, &receiver).await;
    let nodes = [&api, &other];
    for api in nodes {
        for _ in 0..AT_ONCE {
            send(api, BOB).await;
        }
    }
    ids(&receiver, AT_ONCE * nodes.len()).await;
    // Each node holds one that waits for the others.
    for api in nodes {
        send(api, ADA).await;
    }
    let task = erase(&other).await;
    assert_eq!(erased(&api, &task).await["messagesPurged"], 2);
    for (changed, told) in [(&api, &other), (&other, &api)] {
        hears_of_changes(changed, told).await;
    }
    let last = send(&api, BOB).await;
    gate.open();
    assert_eq!(ids(&receiver, 1).await, [last].into());
    assert!(receiver.rest().await.is_empty());
    for node in [&first, &second] {
        assert!(!node.log().contains(ADA));
    }
}

#[tokio::test]
async fn an_erasure_goes_on_at_another_node_when_its_own_is_killed() {
    let cluster = Cluster::new().await;
    let (mut first, mut second) = (cluster.node().await, cluster.node().await);
    let (api, other) = (first.api().await, second.api().await);
    api.application("shop").await;
    for _ in 0..MANY / 200 {
        let message = |number: usize| {
            let email = if number.is_multiple_of(2) { ADA } else { BOB };
            json!({"eventType": "x", "payload": {"email": email}})
        };
        let messages: Vec<Value> = (0..200).map(message).collect();
        let batch = json!({"messages": messages});
        api.post("/app/shop/msg/batch", &batch).await.expect(202);
    }
    let task = erase(&other).await;
    second.kill().await;
    let report = erased(&api, &task).await;
    assert_eq!(report["messagesLookedAt"], MANY, "{report}");
    assert_eq!(report["messagesPurged"], MANY / 2, "{report}");
    let list = api.get("/app/shop/msg?limit=250").await.expect(200);
    let list = list.json().to_string();
    assert!(list.contains(BOB) && !list.contains(ADA), "{list}");
}
