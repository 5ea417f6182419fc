//! The trace that a sender has its message in goes on at its receivers, attempt by attempt.

use e2e::{Answer, Call, Options, Receiver, Server};
use serde_json::json;
use std::collections::BTreeSet;

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const PARENT: &str = "00f067aa0ba902b7";

#[tokio::test]
async fn a_senders_trace_goes_on_with_each_attempt_as_a_step_of_its_own() {
    let options = Options::dev().option("--retry-schedule", "1");
    let mut server = Server::start(options).await;
    let api = server.api().await;
    let receiver = Receiver::in_turn([Answer::status(500), Answer::status(200)]).await;
    api.application("shop").await;
    api.endpoint("shop", &json!({"url": receiver.url("/")}))
        .await;
    let body = json!({"eventType": "order.paid", "payload": {}}).to_string();
    let call = Call::post("/app/shop/msg", body.clone())
        .header("traceparent", &format!("00-{TRACE}-{PARENT}-01"))
        .header("tracestate", "vendor=secret");
    api.call(call).await.expect(202);
    let mut steps = BTreeSet::from([PARENT.to_owned()]);
    for attempt in 1..=2 {
        let request = receiver.next().await;
        let told = request.headers["traceparent"].to_str().expect("a text");
        let parts: Vec<&str> = told.split('-').collect();
        assert_eq!((parts[0], parts[1], parts[3]), ("00", TRACE, "01"));
        assert!(steps.insert(parts[2].to_owned()), "{attempt}: {told}");
        assert!(!request.headers.contains_key("tracestate"));
    }

    for wrong in ["00-x", ""] {
        let call = Call::post("/app/shop/msg", body.clone()).header("traceparent", wrong);
        api.call(call).await.expect(202);
        let request = receiver.next().await;
        assert!(!request.headers.contains_key("traceparent"), "{wrong}");
    }
}
