//! What was configured on one node a moment ago is known to what another accepts next.

use std::collections::BTreeSet;

use e2e::{Api, Receiver};
use serde_json::json;
use tokio::task::JoinSet;

use crate::cluster::Cluster;

/// Several at once, so that what one reads and what another commits get mixed up if they can.
const APPLICATIONS: usize = 4;
/// A node that went by what it knew would miss most of these: it looks again after a second.
const ENDPOINTS: usize = 100;

#[tokio::test]
async fn an_endpoint_made_on_one_node_is_never_missed_by_a_message_to_another() {
    let cluster = Cluster::new().await;
    let (mut first, mut second) = (cluster.node().await, cluster.node().await);
    let (here, there) = (first.api().await, second.api().await);
    let receiver = Receiver::willing().await;
    let mut shops = JoinSet::new();
    for shop in 0..APPLICATIONS {
        let (here, there, url) = (here.clone(), there.clone(), receiver.url("/"));
        shops.spawn(async move { make_and_send(&here, &there, &url, shop).await });
    }
    let sent: BTreeSet<String> = shops.join_all().await.into_iter().flatten().collect();
    assert_eq!(sent.len(), APPLICATIONS * ENDPOINTS);

    let arrived = receiver.take(sent.len()).await;
    let arrived = arrived.iter().map(|request| request.id().to_owned());
    let missed: Vec<_> = {
        let arrived: BTreeSet<_> = arrived.collect();
        sent.difference(&arrived).cloned().collect()
    };
    assert_eq!(missed, Vec::<String>::new());
}

/// Makes an endpoint on the one node and sends a message for it alone to the other, at once, again
/// and again; gives the messages.
async fn make_and_send(here: &Api, there: &Api, url: &str, shop: usize) -> Vec<String> {
    let shop = format!("shop-{shop}");
    here.application(&shop).await;
    let mut sent = Vec::with_capacity(ENDPOINTS);
    for number in 0..ENDPOINTS {
        let channels = [format!("channel-{number}")];
        here.endpoint(&shop, &json!({"url": url, "channels": channels}))
            .await;
        let message = json!({"eventType": "x", "channels": channels, "payload": {}});
        let reply = there.post(&format!("/app/{shop}/msg"), &message).await;
        let id = reply.expect(202).json()["id"].clone();
        sent.push(id.as_str().expect("an id is text").to_owned());
    }
    sent
}
