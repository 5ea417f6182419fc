//! An event type's retry schedule is the same on every node within a second, whichever was told.

use e2e::{Answer, Api, Receiver, comes_to, eventually};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::cluster::Cluster;
use crate::shop;

const SCHEDULE: &str = "/event-type/order.paid/retry-schedule";

#[tokio::test]
async fn a_retry_schedule_changed_on_one_node_holds_on_the_other_within_a_second() {
    let cluster = Cluster::new().await;
    let (mut first, mut second) = (cluster.node().await, cluster.node().await);
    let (here, there) = (first.api().await, second.api().await);
    let receiver = Receiver::in_turn([Answer::status(500)]).await;
    shop(&here, &receiver).await;
    let event_type = json!({"name": "order.paid", "description": ""});
    here.post("/event-type", &event_type).await.expect(201);

    // The nodes' own is a second.
    assert_eq!(wait(&there).await, Wait::Short);
    set(&here, json!([3600])).await;
    comes_to(Wait::Long, async || wait(&there).await).await;
    assert_eq!(
        wait(&here).await,
        Wait::Long,
        "at once where it was changed"
    );
    set(&there, json!([1, 1])).await;
    comes_to(Wait::Short, async || wait(&here).await).await;
    set(&there, json!([3600])).await;
    comes_to(Wait::Long, async || wait(&here).await).await;
    set(&here, Value::Null).await;
    comes_to(Wait::Short, async || wait(&there).await).await;
}

/// Until a message is tried again: a second, or an hour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wait {
    Short,
    Long,
}

async fn set(api: &Api, schedule: Value) {
    let body = json!({ "retrySchedule": schedule });
    api.put(SCHEDULE, &body).await.expect(200);
}

/// How long a message that fails waits, which this node was sent and so tries first.
async fn wait(node: &Api) -> Wait {
    let message = node.send("shop", "order.paid", &json!({})).await;
    let tried = format!("/app/shop/attempt/msg/{message}");
    eventually(format!("the first attempt of {message}"), async || {
        let list = node.get(&tried).await.expect(200).json();
        let recorded = list["data"].as_array().is_some_and(|data| !data.is_empty());
        recorded.then_some(()).ok_or_else(|| list.to_string())
    })
    .await;
    let path = format!("/app/shop/msg/{message}/endpoint");
    let list = node.get(&path).await.expect(200).json();
    // That one which is to be tried in a second may be on its way already.
    let Some(next) = list["data"][0]["nextAttempt"].as_str() else {
        return Wait::Short;
    };
    let next: Timestamp = next.parse().expect("a time");
    match next.duration_since(Timestamp::now()) > SignedDuration::from_mins(30) {
        true => Wait::Long,
        false => Wait::Short,
    }
}
