//! An event type's own retry schedule, seen from the receiver.

use std::time::Duration;

use e2e::{Answer, Api, Gate, Options, Receiver, Server, eventually};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

/// What the server would wait: far longer than a test.
const SERVERS: &str = "3600,3600";
const SCHEDULE: &str = "/event-type/order.paid/retry-schedule";

#[tokio::test]
async fn messages_are_tried_again_by_their_event_types_own_schedule() {
    let mut server = Server::start(Options::dev().option("--retry-schedule", SERVERS)).await;
    let (api, receiver) = (
        server.api().await,
        Receiver::in_turn([500, 500, 200, 500].map(Answer::status)).await,
    );
    shop(&api, &receiver).await;
    let wait = json!({"secs": 1, "nanos": 0});
    let own = json!({"retrySchedule": [wait, wait]});
    let set = api.put(SCHEDULE, &own).await.expect(200).json();
    let read = api.get(SCHEDULE).await.expect(200).json();
    assert_eq!((&set, &read), (&own, &own));

    let message = api.send("shop", "order.paid", &json!({"n": 1})).await;
    let tries = receiver.take(3).await;
    assert!(tries.iter().all(|request| request.id() == message));
    for pair in tries.windows(2) {
        let gap = pair[1].at - pair[0].at;
        assert!(
            gap >= Duration::from_millis(800),
            "a second, less a fifth of jitter: {gap:?}"
        );
    }

    // A message of another type waits as the server has it.
    let message = api.send("shop", "order.lost", &json!({"n": 2})).await;
    receiver.take(1).await;
    let next = next_attempt(&api, &message).await;
    let wait = next.duration_since(Timestamp::now());
    assert!(wait > SignedDuration::from_mins(30), "{wait}");
}

#[tokio::test]
async fn a_schedule_that_changes_holds_for_what_is_on_its_way() {
    let mut server = Server::start(Options::dev().option("--retry-schedule", SERVERS)).await;
    let gate = Gate::new();
    let held = Answer::status(500).after(&gate);
    let (api, receiver) = (server.api().await, Receiver::in_turn([held]).await);
    shop(&api, &receiver).await;
    let message = api.send("shop", "order.paid", &json!({"n": 1})).await;
    receiver.take(1).await;
    let own = json!({"retrySchedule": [1, 1]});
    api.put(SCHEDULE, &own).await.expect(200);
    gate.open();
    let tries = receiver.take(2).await;
    assert!(tries.iter().all(|request| request.id() == message));
}

/// One application `shop` with one endpoint and an event type.
async fn shop(api: &Api, receiver: &Receiver) {
    api.application("shop").await;
    api.endpoint("shop", &json!({"url": receiver.url("/")}))
        .await;
    let event_type = json!({"name": "order.paid", "description": "An order was paid"});
    api.post("/event-type", &event_type).await.expect(201);
}

/// When a message is tried again whose first attempt failed, once that is recorded: until then the
/// next attempt is the first.
async fn next_attempt(api: &Api, message: &str) -> Timestamp {
    let tried = format!("/app/shop/attempt/msg/{message}");
    eventually(format!("the first attempt of {message}"), || async {
        let list = api.get(&tried).await.expect(200).json();
        let recorded = list["data"].as_array().is_some_and(|data| !data.is_empty());
        recorded.then_some(()).ok_or_else(|| list.to_string())
    })
    .await;
    let path = format!("/app/shop/msg/{message}/endpoint");
    eventually(format!("the next attempt of {message}"), || async {
        let list = api.get(&path).await.expect(200).json();
        match &list["data"][0]["nextAttempt"] {
            Value::String(time) => Ok(time.parse().expect("a time")),
            _ => Err(list.to_string()),
        }
    })
    .await
}
