//! Nodes that share out the work: some accept, others deliver. And the list of nodes, which says
//! who does what, and who is gone.

use std::collections::BTreeSet;

use e2e::command::postrider;
use e2e::{Api, Receiver, Server, eventually};
use serde_json::{Value, json};

use crate::cluster::Cluster;
use crate::{all_delivered, ids, send, shop};

/// Where they all are reached.
const PUBLIC: &str = "https://hooks.shop.example";

#[tokio::test]
async fn what_one_node_accepts_another_delivers_and_the_list_names_both() {
    let cluster = Cluster::new().await;
    let mut accepting = with_role(&cluster, "api").await;
    let mut delivering = with_role(&cluster, "deliver").await;
    let (api, receiver) = (accepting.api().await, Receiver::willing().await);
    shop(&api, &receiver).await;
    let sent = send(&[&api], 3).await;
    assert_eq!(ids(&receiver, 3).await, sent);
    all_delivered(&api, &sent).await;
    let both = json!([["api"], ["deliver"]]);
    let listed = nodes(&api).await;
    assert_eq!(roles(&listed), both, "{listed}");
    for node in listed.as_array().expect("a list") {
        assert_eq!(node["alive"], true, "{listed}");
        assert_eq!(node["version"], env!("CARGO_PKG_VERSION"), "{listed}");
        let time = |name: &str| {
            let time = node[name].as_str().expect("a time is text");
            time.parse::<jiff::Timestamp>().expect("a time")
        };
        assert!(time("since") < time("leaseEndsAt"), "{listed}");
    }

    let asked = delivering.api().await;
    asked.get("/health").await.expect(200);
    let refused = asked.get("/app/shop").await;
    let told = refused.expect_error(503, "service_unavailable");
    assert!(told.contains("`api`"), "{told}");
}

#[tokio::test]
async fn a_payload_that_one_node_told_of_is_fetched_from_one_that_delivers_none() {
    let cluster = Cluster::new().await;
    let mut accepting = with_role(&cluster, "api").await;
    let _delivering = with_role(&cluster, "deliver").await;
    let (api, receiver) = (accepting.api().await, Receiver::willing().await);
    let endpoint = shop(&api, &receiver).await;
    let path = format!("/app/shop/endpoint/{endpoint}/payload");
    api.put(&path, &json!({"mode": "thin"})).await.expect(204);
    let message = api.send("shop", "x", &json!({"total": 12})).await;
    let event = receiver.next().await.json();
    let url = event["url"].as_str().expect("a URL");
    let path = url
        .strip_prefix(PUBLIC)
        .expect("it is below the public one");
    let path = path.strip_prefix("/api/v1").expect("it is the API's");
    let fetched = api.get(path).await.expect(200);
    assert_eq!(fetched.json(), json!({"total": 12}));
    assert_eq!(fetched.headers["webhook-id"], message);
    let disabled = json!({"disabled": true});
    let endpoint = format!("/app/shop/endpoint/{endpoint}");
    api.patch(&endpoint, &disabled).await.expect(200);
    api.get(path).await.expect_error(404, "not_found");
}

#[tokio::test]
async fn a_killed_node_is_gone_from_the_list_with_its_lease_and_nothing_is_lost() {
    let cluster = Cluster::new().await;
    let mut accepting = with_role(&cluster, "api").await;
    let mut delivering = with_role(&cluster, "deliver").await;
    let (api, receiver) = (accepting.api().await, Receiver::willing().await);
    shop(&api, &receiver).await;
    delivering.kill().await;
    let sent = send(&[&api], 3).await;
    let both = json!([["api"], ["deliver"]]);
    assert_eq!(roles(&nodes(&api).await), both, "its lease goes on");
    eventually("the killed node's end", || async {
        let listed = nodes(&api).await;
        match roles(&listed) == json!([["api"]]) {
            true => Ok(()),
            false => Err(listed.to_string()),
        }
    })
    .await;
    assert_eq!(receiver.rest().await.len(), 0, "nobody is there to deliver");

    let _other = with_role(&cluster, "deliver").await;
    assert_eq!(ids(&receiver, 3).await, sent);
    let shown = cluster.run(&["node", "list", "--json"]).await;
    let shown: Value = serde_json::from_str(shown.text()).expect("it is JSON");
    assert_eq!(roles(&shown["data"]), both, "{shown}");
}

#[tokio::test]
async fn the_list_of_nodes_is_shown_although_none_answers() {
    let cluster = Cluster::new().await;
    let mut node = with_role(&cluster, "deliver").await;
    let shown = cluster.run(&["node", "list"]).await;
    let words: BTreeSet<_> = shown.text().split_whitespace().collect();
    assert!(
        words.contains("deliver") && words.contains("yes"),
        "{shown:?}"
    );
    node.terminate().await;
    let shown = cluster.run(&["node", "list", "--json"]).await;
    assert_eq!(shown.text(), r#"{"data":[]}"#);
}

#[tokio::test]
async fn a_node_that_is_alone_does_everything() {
    for role in ["api", "deliver"] {
        let refused = postrider(&["serve", "--role", role]).await;
        refused.expect(2).complains_of("`database_url`");
    }
    let allowed = postrider(&["config", "--role", "deliver,api"]).await;
    assert!(allowed.text().contains(r#"role = ["api","deliver"]"#));
}

async fn with_role(cluster: &Cluster, role: &str) -> Server {
    let options = cluster.options().option("--role", role);
    let options = options.option("--public-url", PUBLIC);
    cluster.node_with(options).await
}

async fn nodes(api: &Api) -> Value {
    api.get("/node").await.expect(200).json()["data"].clone()
}

/// The roles of each, in the order in which they were started.
fn roles(nodes: &Value) -> Value {
    let mut roles: Vec<_> = nodes.as_array().expect("a list").iter().collect();
    roles.sort_by_key(|node| node["since"].as_str());
    roles.iter().map(|node| node["roles"].clone()).collect()
}
