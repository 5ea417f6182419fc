//! What messages are held against is the same on every node within a second, whichever was told.

use e2e::{Api, comes_to};
use serde_json::{Value, json};

use crate::cluster::Cluster;

#[tokio::test]
async fn a_setting_or_a_schema_changed_on_one_node_holds_on_the_other_within_a_second() {
    let cluster = Cluster::new().await;
    let (mut first, mut second) = (cluster.node().await, cluster.node().await);
    let (here, there) = (first.api().await, second.api().await);
    here.application("shop").await;
    asks_for(&here, &json!("string")).await;
    is_answered(&there, 202).await;

    enforce(&here, true).await;
    is_answered(&here, 422).await;
    comes_to(422, async || status(&there).await).await;
    asks_for(&there, &json!("integer")).await;
    is_answered(&there, 202).await;
    comes_to(202, async || status(&here).await).await;
    asks_for(&here, &json!("null")).await;
    comes_to(422, async || status(&there).await).await;
    enforce(&there, false).await;
    is_answered(&there, 202).await;
    comes_to(202, async || status(&here).await).await;
}

async fn enforce(api: &Api, on: bool) {
    let settings = json!({ "enforceEventTypeSchemas": on });
    let set = api.patch("/environment/settings", &settings).await;
    assert_eq!(set.expect(200).json()["enforceEventTypeSchemas"], on);
}

/// The schema of `x` is that its `id` is of this type.
async fn asks_for(api: &Api, kind: &Value) {
    let schema = json!({ "properties": { "id": { "type": kind } } });
    let body = json!({ "description": "", "schemas": { "1": schema } });
    let put = api.put("/event-type/x", &body).await;
    assert!(matches!(put.status, 200 | 201), "{}", put.status);
}

async fn status(api: &Api) -> u16 {
    let message = json!({ "eventType": "x", "payload": { "id": 1 } });
    api.post("/app/shop/msg", &message).await.status
}

async fn is_answered(api: &Api, expected: u16) {
    assert_eq!(status(api).await, expected);
}
