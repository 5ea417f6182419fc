//! What was suspicious at one node, every node lists.

use std::collections::BTreeSet;

use e2e::{Api, eventually};

use crate::cluster::Cluster;

const PATH: &str = "/security/event?kind=api.authentication_failed";

#[tokio::test]
async fn what_was_suspicious_at_one_node_every_node_lists() {
    let cluster = Cluster::new().await;
    let (mut first, mut second) = (cluster.node().await, cluster.node().await);
    let (here, there) = (first.api().await, second.api().await);
    for api in [&here, &there] {
        api.with_token("made-up").get("/app").await.expect(401);
    }
    let listed = both(&here).await;
    assert_eq!(both(&there).await, listed);
}

/// The ids of two events, each of which happened once.
async fn both(api: &Api) -> BTreeSet<String> {
    eventually("two events", || async {
        let list = api.get(PATH).await.expect(200).json();
        let rows = list["data"].as_array().expect("a list").iter();
        let once = rows.filter(|row| row["count"] == 1);
        let ids: BTreeSet<String> = once.map(|row| row["id"].to_string()).collect();
        let both = (ids.len() == 2).then_some(ids);
        both.ok_or_else(|| list.to_string())
    })
    .await
}
