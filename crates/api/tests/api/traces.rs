//! The trace that a message's sender has it in: what is accepted in it is a step of its own.

use crate::sinks::STEP;
use crate::world::World;
use model::trace::{Taken, TraceParent};
use serde_json::json;

const SAMPLED: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
const UNSAMPLED: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00";

#[tokio::test]
async fn what_is_accepted_goes_on_from_a_step_that_is_told_once() {
    let world = World::new();
    let app = world.application("acme").await;
    world.endpoint(&app, json!({})).await;
    let message = json!({ "eventType": "order.paid", "payload": {} });
    let post = |trace: &str| {
        let call = world.post(format!("/app/{app}/msg"), message.clone());
        call.header("traceparent", trace)
            .header("idempotency-key", trace)
    };
    let sent_in: TraceParent = SAMPLED.parse().expect("it is one");
    let id = post(SAMPLED).await.is(202)["id"].clone();
    let kept = world.lanes.take_one().claimed.message.message;
    assert_eq!(kept.trace, Some(sent_in.from_here(STEP)));
    let steps = world.events.take_steps();
    let [step] = steps.as_slice() else {
        panic!("one message, one step: {steps:?}");
    };
    assert_eq!(
        (step.at, step.after),
        (sent_in.from_here(STEP), Some(sent_in))
    );
    assert_eq!((step.what, step.message), (Taken::Accept, kept.id));
    assert_eq!(json!(step.message.to_string()), id);
    let application = step.application.map(|id| id.to_string());
    assert_eq!(application.as_deref(), Some(app.as_str()));

    post(SAMPLED).await.is(202);
    assert_eq!(world.events.take_steps(), [], "it was accepted before");
    post(UNSAMPLED).await.is(202);
    assert_eq!(world.events.take_steps(), [], "it is not recorded");
}
