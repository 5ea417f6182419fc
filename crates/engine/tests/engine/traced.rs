//! What receivers, and whoever records traces, are told of a message's trace.

use crate::network::answer;
use crate::sending::schedule;
use crate::world::World;
use model::trace::{Taken, TraceParent};

const SAMPLED: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
const UNSAMPLED: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00";

fn read(text: &str) -> TraceParent {
    text.parse().expect("it is one")
}

#[tokio::test(start_paused = true)]
async fn the_step_that_is_told_is_the_one_that_the_receiver_was_told() {
    let world = World::new();
    let lane = world.lane("https://a.example/").await;
    world.network.host("a.example", |earlier| match earlier {
        0 => answer(503),
        _ => answer(200),
    });
    let mut node = world.start(schedule(&[5])).await;
    let trace = read(SAMPLED);
    let id = world
        .send_with(&node, &[lane], |message| message.trace = Some(trace))
        .await;
    node.until_recorded(2).await;

    let told: Vec<_> = world
        .network
        .sent()
        .iter()
        .map(|sent| read(sent.headers["traceparent"].to_str().expect("a text")))
        .collect();
    let steps = world.reports.steps();
    let at: Vec<_> = steps.iter().map(|step| step.at).collect();
    assert_eq!(at, told);
    assert_ne!(at[0].step(), at[1].step());
    for (step, (expected_status, expected_number)) in steps.iter().zip([(503, 1), (200, 2)]) {
        assert_eq!((step.after, step.message), (Some(trace), id));
        assert_eq!(step.at.trace(), trace.trace());
        let application = step.application.expect("it is there");
        assert_eq!(application.key(), lane.application);
        let Taken::Attempt {
            endpoint,
            number,
            status_code,
            failed,
        } = step.what
        else {
            panic!("the engine makes attempts: {step:?}");
        };
        assert_eq!(endpoint.map(|id| id.key()), Some(lane.endpoint));
        assert_eq!((status_code, number), (expected_status, expected_number));
        assert_eq!(failed, status_code != 200);
        assert!(step.began <= step.ended);
    }
}

#[tokio::test(start_paused = true)]
async fn a_trace_that_is_not_recorded_goes_on_and_nobody_is_told() {
    let world = World::new();
    let lane = world.lane("https://a.example/").await;
    let mut node = world.start(schedule(&[])).await;
    world
        .send_with(&node, &[lane], |message| {
            message.trace = Some(read(UNSAMPLED));
        })
        .await;
    world.send(&node, &[lane]).await;
    node.until_recorded(2).await;
    let sent = world.network.sent();
    let traced = sent
        .iter()
        .filter(|sent| sent.headers.contains_key("traceparent"));
    assert_eq!(traced.count(), 1);
    assert_eq!(world.reports.steps(), []);
}
