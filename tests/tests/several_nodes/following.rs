//! What one node accepts, read and listened to on another; and work that another goes on with.

use e2e::{Api, eventually};
use serde_json::{Value, json};

use crate::cluster::Cluster;

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

#[tokio::test]
async fn who_listens_on_one_node_hears_what_another_accepts() {
    let cluster = Cluster::new().await;
    let (mut first, mut second) = (cluster.node().await, cluster.node().await);
    let (here, there) = (first.api().await, second.api().await);
    here.application("shop").await;
    let mut iterator = listen(&there, None).await["iterator"].clone();
    let mut sent = Vec::new();
    for number in 0..3 {
        let api = if number == 1 { &there } else { &here };
        let payload = json!({"number": number});
        sent.push(api.send("shop", "order.paid", &payload).await);
    }
    let mut heard: Vec<Value> = Vec::new();
    while heard.len() < sent.len() {
        let next = listen(&there, Some(&iterator)).await;
        let letters = next["data"].as_array().expect("a list").iter();
        heard.extend(letters.map(|letter| letter["id"].clone()));
        iterator = next["iterator"].clone();
    }
    heard.sort_by_key(|id| sent.iter().position(|one| id == one));
    assert_eq!(json!(heard), json!(sent), "each once");
}

#[tokio::test]
async fn a_broadcast_goes_on_on_another_node() {
    let cluster = Cluster::new().await;
    let (mut first, mut second) = (cluster.node().await, cluster.node().await);
    let (here, there) = (first.api().await, second.api().await);
    here.applications(250).await;
    let body = json!({"eventType": "notice", "payload": {}});
    let begun = here.post("/msg/broadcast", &body).await.expect(202).json();
    first.kill().await;
    let path = format!("/background-task/{}", begun["id"].as_str().expect("an id"));
    let data = eventually("the end of the broadcast", async || {
        let task = there.get(&path).await.expect(200).json();
        match task["status"] == "finished" {
            true => Ok(task["data"].clone()),
            false => Err(task.to_string()),
        }
    });
    let expected = json!({"applications": 250, "messagesSent": 250, "conflicts": 0});
    assert_eq!(data.await, expected);
    for number in [0, 100, 249] {
        let list = there.get(&format!("/app/app-{number}/msg")).await;
        let list = list.expect(200).json();
        assert_eq!(list["data"].as_array().map(Vec::len), Some(1));
    }
}

async fn listen(api: &Api, iterator: Option<&Value>) -> Value {
    let mut body = json!({"secret": SECRET, "waitSeconds": 20});
    if let Some(iterator) = iterator {
        body["iterator"] = iterator.clone();
    }
    api.post("/app/shop/listen", &body).await.expect(200).json()
}
