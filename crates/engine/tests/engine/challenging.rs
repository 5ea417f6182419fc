//! Asking receivers whether they want what their endpoints are to get.

use crate::demanding::demand;
use crate::network::{Reaction, answer};
use crate::sending::{schedule, verify};
use crate::world::{Node, PAYLOAD, Plan, SECRET, World};
use bytes::Bytes;
use engine::EngineConfig;
use model::attempt::AttemptResult;
use model::policy::{Demand, Policy};
use model::proof::{Outcome, Proof};
use model::protection::Protection;
use model::redaction::{Action, EndpointRedaction, Rule};
use std::time::Duration;
use store::Lane;
use store::rows::ApplicationRef;
use transport::Purpose;
use webhook::HeaderFamily;

const URL: &str = "https://a.example/hook";
const CHALLENGE: &str = "q83vEjRWeJA";

fn config() -> EngineConfig {
    EngineConfig {
        origin: "hooks.example".to_owned(),
        ..schedule(&[5, 5])
    }
}

async fn begin(does: impl Fn(usize) -> Reaction + Send + Sync + 'static) -> (World, Node, Lane) {
    let world = World::new();
    let lane = world.lane(URL).await;
    world.network.host("a.example", does);
    let node = world.start(config()).await;
    (world, node, lane)
}

async fn proof(world: &World, lane: Lane) -> Option<Proof> {
    world.endpoint_row(lane).await.proof().cloned()
}

/// Why it failed.
async fn reason(world: &World, lane: Lane) -> String {
    match proof(world, lane).await.and_then(|proof| proof.told) {
        Some(told) => match told.outcome {
            Outcome::Failed { reason } => reason,
            Outcome::Proved { .. } => panic!("it has proved itself"),
        },
        None => panic!("nothing is known"),
    }
}

#[tokio::test(start_paused = true)]
async fn a_handshake_that_is_allowed_proves_an_endpoint_without_a_message() {
    let (world, mut node, lane) = begin(|_| Reaction::Allow("hooks.example", Some("120"))).await;
    world.challenge(&node, lane, CHALLENGE).await;
    node.until_recorded(1).await;
    let sent = world.network.sent();
    assert_eq!(sent.len(), 1);
    assert_eq!(sent[0].purpose, Purpose::Challenge);
    assert_eq!(sent[0].headers["webhook-request-origin"], "hooks.example");
    assert_eq!(sent[0].headers.get("webhook-request-rate"), None);
    assert!(sent[0].body.is_empty());
    assert_eq!(world.results(lane).await, [AttemptResult::Success]);
    let row = world.endpoint_row(lane).await;
    assert!(row.is_proved());
    assert_eq!(row.per_minute().map(u32::from), Some(120));
}

#[tokio::test(start_paused = true)]
async fn the_rate_that_was_allowed_is_kept() {
    let (world, mut node, lane) = begin(|_| Reaction::Allow("*", Some("30"))).await;
    world.challenge(&node, lane, CHALLENGE).await;
    node.until_recorded(1).await;
    for _ in 0..4 {
        world.send(&node, &[lane]).await;
    }
    node.until_recorded(4).await;
    let sent: Vec<i64> = world
        .network
        .sent()
        .iter()
        .map(|sent| sent.at.micros())
        .collect();
    assert_eq!(sent.len(), 5);
    // The first one asked for it.
    for pair in sent[1..].windows(2) {
        let apart = pair[1] - pair[0];
        assert!(
            (2_000_000..2_100_000).contains(&apart),
            "{apart} microseconds"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_limited_endpoint_asks_for_its_rate() {
    let world = World::new();
    let application = world.application(None).await;
    let plan = Plan {
        rate_limit: Some(5),
        headers: &[("authorization", "Bearer t")],
        ..Plan::new(URL)
    };
    let lane = world.endpoint(application, plan).await;
    world
        .network
        .host("a.example", |_| Reaction::Allow("*", Some("*")));
    let mut node = world.start(config()).await;
    world.challenge(&node, lane, CHALLENGE).await;
    node.until_recorded(1).await;
    let sent = world.network.sent();
    assert_eq!(sent[0].headers["webhook-request-rate"], "300");
    assert_eq!(sent[0].headers["authorization"], "Bearer t");
    assert_eq!(world.endpoint_row(lane).await.per_minute(), None);
}

#[tokio::test(start_paused = true)]
async fn where_no_handshake_is_known_a_signed_challenge_is_given_back() {
    let (world, mut node, lane) = begin(|count| match count {
        0 => answer(405),
        _ => Reaction::Echo,
    })
    .await;
    let id = world.challenge(&node, lane, CHALLENGE).await;
    node.until_recorded(1).await;
    let sent = world.network.sent();
    assert_eq!(sent.len(), 2);
    assert_eq!(sent[1].purpose, Purpose::Delivery);
    assert_eq!(sent[1].id, id.to_string());
    assert!(verify(&sent[1], SECRET, HeaderFamily::Webhook));
    assert_eq!(sent[1].body, model::challenge::payload(CHALLENGE));
    assert_eq!(world.results(lane).await, [AttemptResult::Success]);
    assert!(world.endpoint_row(lane).await.is_proved());
}

#[tokio::test(start_paused = true)]
async fn a_challenge_is_not_redacted() {
    let world = World::new();
    let application = world.application(None).await;
    let redaction = EndpointRedaction {
        rules: vec![Rule {
            path: "/challenge".parse().expect("a path"),
            action: Action::Drop,
        }],
        ..EndpointRedaction::default()
    };
    let plan = Plan {
        protection: Protection {
            redaction: Some(redaction),
            ..Protection::default()
        },
        ..Plan::new(URL)
    };
    let lane = world.endpoint(application, plan).await;
    world.network.host("a.example", |_| Reaction::Echo);
    let mut node = world.start(config()).await;
    world.challenge(&node, lane, CHALLENGE).await;
    node.until_recorded(1).await;
    assert!(world.endpoint_row(lane).await.is_proved());
}

#[tokio::test(start_paused = true)]
async fn a_success_that_gives_nothing_back_fails_and_is_tried_again() {
    let (world, mut node, lane) = begin(|count| match count {
        0..=3 => answer(200),
        _ => Reaction::Body(Bytes::from(CHALLENGE)),
    })
    .await;
    world.challenge(&node, lane, CHALLENGE).await;
    node.until_recorded(1).await;
    let why = reason(&world, lane).await;
    assert!(why.contains("does not give the challenge back"), "{why}");
    let attempts = world.attempts(lane).await;
    let first = world.excerpt(lane, &attempts[0]).await;
    assert_eq!(first.as_deref(), Some(&*why));
    assert_eq!(attempts[0].attempt.status_code, 200);
    node.until_recorded(2).await;
    let (failure, success) = (AttemptResult::Failure, AttemptResult::Success);
    assert_eq!(world.results(lane).await, [failure, failure, success]);
    assert!(world.endpoint_row(lane).await.is_proved());
}

#[tokio::test(start_paused = true)]
async fn what_is_no_proof_is_told_with_its_reason() {
    let large = Bytes::from(vec![b' '; 10 << 20]);
    let cases: [(Reaction, &str); 7] = [
        (answer(302), "the status 302"),
        (answer(500), "the status 500"),
        (Reaction::Body(large), "does not give the challenge back"),
        (Reaction::Body(Bytes::from("another")), "does not give"),
        (Reaction::Allow("other.example", None), "does not give"),
        (Reaction::Hang, "request timed out"),
        (Reaction::Refuse, "the connection was refused"),
    ];
    for (reaction, expected) in cases {
        let does = reaction.clone();
        let (world, mut node, lane) = begin(move |_| does.clone()).await;
        world.challenge(&node, lane, CHALLENGE).await;
        node.until_recorded(1).await;
        let why = reason(&world, lane).await;
        assert!(why.contains(expected), "{reaction:?}: {why}");
        assert_eq!(world.results(lane).await, [AttemptResult::Failure]);
        node.end().await;
    }
}

#[tokio::test(start_paused = true)]
async fn both_requests_take_no_longer_than_one_attempt_may() {
    let (world, mut node, lane) = begin(|_| Reaction::Hang).await;
    world.challenge(&node, lane, CHALLENGE).await;
    node.until_recorded(1).await;
    let attempts = world.attempts(lane).await;
    let whole = EngineConfig::default().limits.total_timeout;
    let took = attempts[0].attempt.duration;
    assert!(took <= whole + Duration::from_secs(1), "{took:?}");
    assert_eq!(world.network.sent().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn nobody_is_asked_twice_who_can_not_be_reached() {
    let (world, mut node, lane) = begin(|_| Reaction::Blocked).await;
    world.challenge(&node, lane, CHALLENGE).await;
    node.until_recorded(1).await;
    assert_eq!(world.network.sent().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_proof_outlives_a_later_failure_and_no_change_of_the_url() {
    let (world, mut node, lane) = begin(|count| match count {
        0 => Reaction::Allow("*", Some("60")),
        _ => answer(500),
    })
    .await;
    world.challenge(&node, lane, CHALLENGE).await;
    node.until_recorded(1).await;
    world.challenge(&node, lane, "another").await;
    node.until_recorded(1).await;
    assert!(world.endpoint_row(lane).await.is_proved());
    world
        .set(&node, lane, |it| it.url = "https://b.example/".to_owned())
        .await;
    assert_eq!(proof(&world, lane).await, None);
}

/// Another node knows what this one wrote, as of any change of an application.
#[tokio::test(start_paused = true)]
async fn what_was_proved_makes_the_applications_revision_grow() {
    let (world, mut node, lane) = begin(|_| Reaction::Echo).await;
    let before = world.row(lane).await.application.revision;
    world.challenge(&node, lane, CHALLENGE).await;
    node.until_recorded(1).await;
    assert_eq!(world.row(lane).await.application.revision, before + 1);
    let reference = ApplicationRef::Key(lane.application);
    let known = node.registry.find(&reference).await.expect("reads go on");
    let known = known.expect("it is there");
    assert!(
        known
            .endpoint(lane.endpoint)
            .expect("it is live")
            .is_proved()
    );
}

#[tokio::test(start_paused = true)]
async fn only_a_challenge_gets_to_an_endpoint_that_must_prove_itself_first() {
    let (world, mut node, lane) = begin(|_| Reaction::Echo).await;
    let policy = Policy {
        require: [Demand::Verification].into_iter().collect(),
        ..Policy::default()
    };
    demand(&world, &node, &policy).await;
    world.send(&node, &[lane]).await;
    node.until_recorded(1).await;
    assert!(world.network.sent().is_empty());
    world.challenge(&node, lane, CHALLENGE).await;
    node.until_recorded_of(lane, 1).await;
    while world.network.sent_to("a.example").len() < 3 {
        node.until_recorded(1).await;
    }
    let sent = world.network.sent();
    assert_eq!(sent[1].body, model::challenge::payload(CHALLENGE));
    assert_eq!(sent[2].body, PAYLOAD, "what was held back follows");
}
