//! Thin events, and the payloads that are fetched for them.

use crate::demanding::{demand, demands};
use crate::encrypting::{EC, given, open};
use crate::network::{Sent, answer};
use crate::sending::{paid, schedule, verify};
use crate::world::{Node, PAYLOAD, Plan, SECRET, World};
use engine::{EngineConfig, Fetcher};
use http::{HeaderMap, HeaderName};
use model::Clock;
use model::id::MessageId;
use model::policy::{Demand, Policy};
use model::protection::{Auth, Credential, PayloadMode, Protection, Rotated};
use model::redaction::rules;
use std::time::Duration;
use store::change::{Change, Expect, OwnRedaction};
use store::{Fetching, Lane, MessageRef, Store};
use transport::Purpose;
use vault::{SealedDataKey, ShownTicket, Ticket};
use webhook::HeaderFamily;

const PUBLIC_URL: &str = "https://hooks.shop.example/base";

fn reachable(config: EngineConfig) -> EngineConfig {
    EngineConfig {
        public_url: Some(PUBLIC_URL.to_owned()),
        ..config
    }
}

async fn thin_lane(world: &World, more: Protection) -> Lane {
    let application = world.application(None).await;
    let plan = Plan {
        headers: &[("x-own", "only for deliveries")],
        protection: Protection {
            payload: Some(PayloadMode::Thin),
            ..more
        },
        ..Plan::new("https://a.example/in")
    };
    world.endpoint(application, plan).await
}

/// What is fetched, as if it had been sent: so it can be verified in the same way.
async fn fetch(world: &World, node: &Node, lane: Lane, id: MessageId) -> Option<Sent> {
    let fetcher = Fetcher::new(world.parts(&node.registry), &EngineConfig::default());
    let message = world
        .store
        .message(lane.application, &MessageRef::Id(id))
        .await
        .expect("reads go on")
        .expect("the message is there");
    let fetched = fetcher.fetched(lane, message).await.expect("reads go on")?;
    let headers = fetched.headers.iter().map(|(name, value)| {
        let name: HeaderName = name.parse().expect("a name");
        (name, value.parse().expect("a value"))
    });
    Some(Sent {
        at: world.clock.now(),
        host: String::new(),
        id: id.to_string(),
        purpose: Purpose::Delivery,
        headers: headers.collect::<HeaderMap>(),
        body: fetched.body,
        pins: Vec::new(),
    })
}

/// The text of a thin event, up to the ticket in it, and the ticket.
fn split(body: &[u8]) -> (String, String) {
    let body = std::str::from_utf8(body).expect("a text");
    let (before, ticket) = body.rsplit_once('/').expect("a URL");
    (
        before.to_owned(),
        ticket.strip_suffix("\"}").expect("the end").to_owned(),
    )
}

async fn ticket(world: &World, lane: Lane, text: &str) -> Ticket {
    let row = world.row(lane).await.application;
    let keys: Vec<_> = row
        .data_keys
        .iter()
        .map(|key| SealedDataKey::from_bytes(key.as_ref()))
        .collect();
    let ring = world.vault.key_ring(row.application.id, &keys);
    let shown = ShownTicket::parse(text).expect("a ticket");
    ring.expect("they open").check(&shown).expect("genuine")
}

#[tokio::test(start_paused = true)]
async fn a_thin_event_says_where_its_payload_is_and_nothing_of_it() {
    let world = World::new();
    let lane = thin_lane(&world, Protection::default()).await;
    let mut node = world.start(reachable(EngineConfig::default())).await;
    let id = world.send(&node, &[lane]).await;
    let begun = world.clock.now();
    node.until_recorded(1).await;
    let sent = world.network.sent().remove(0);
    assert!(verify(&sent, SECRET, HeaderFamily::Webhook));
    assert_eq!(sent.headers["content-type"], "application/json");
    assert_eq!(sent.headers["x-own"], "only for deliveries");
    let (before, text) = split(&sent.body);
    let time = accepted_at(id);
    assert_eq!(
        before,
        format!(
            r#"{{"id":"{id}","type":"order.paid","timestamp":"{time}","url":"{PUBLIC_URL}/api/v1/payload"#
        )
    );
    let issued = Ticket {
        application: lane.application,
        endpoint: lane.endpoint,
        message: id,
        until: begun.plus(Duration::from_secs(86_400)),
    };
    assert_eq!(ticket(&world, lane, &text).await, issued);
}

/// When a message was accepted, as texts have it. The clock begins at a whole second.
fn accepted_at(id: MessageId) -> &'static str {
    assert_eq!(id.key().time().micros(), 1_795_000_000_000_000);
    "2026-11-18T11:06:40Z"
}

#[tokio::test(start_paused = true)]
async fn a_retry_has_a_url_of_its_own() {
    let world = World::new();
    let lane = thin_lane(&world, Protection::default()).await;
    world.network.host("a.example", |nth| match nth {
        0 => answer(500),
        _ => answer(200),
    });
    let mut node = world.start(reachable(schedule(&[120]))).await;
    world.send(&node, &[lane]).await;
    node.until_recorded(2).await;
    let sent = world.network.sent();
    let mut tickets = Vec::new();
    for sent in &sent {
        tickets.push(ticket(&world, lane, &split(&sent.body).1).await);
    }
    let waited = tickets[1].until.since(tickets[0].until);
    assert_eq!(waited, sent[1].at.since(sent[0].at));
    assert!(waited >= Duration::from_secs(100), "{waited:?}");
    assert_eq!(sent[0].id, sent[1].id);
}

#[tokio::test(start_paused = true)]
async fn what_is_fetched_is_signed_at_that_time_and_carries_nothing_of_the_endpoint_s_own() {
    let world = World::new();
    let token = model::Secret::from("a token".to_owned());
    let auth: Auth = Rotated {
        current: Credential::Bearer { token },
        previous: None,
    };
    let more = Protection {
        auth: Some(auth),
        ..Protection::default()
    };
    let lane = thin_lane(&world, more).await;
    let mut node = world.start(reachable(EngineConfig::default())).await;
    let id = world.send(&node, &[lane]).await;
    node.until_recorded(1).await;
    tokio::time::advance(Duration::from_secs(3_600)).await;
    let fetched = fetch(&world, &node, lane, id).await.expect("it is there");
    assert_eq!(fetched.body, PAYLOAD);
    assert!(verify(&fetched, SECRET, HeaderFamily::Webhook));
    let names: Vec<_> = fetched.headers.keys().map(HeaderName::as_str).collect();
    let expected = [
        "webhook-id",
        "webhook-timestamp",
        "webhook-signature",
        "content-type",
    ];
    assert_eq!(names, expected);
}

#[tokio::test(start_paused = true)]
async fn an_event_and_its_payload_are_both_encrypted() {
    let world = World::new();
    let more = Protection {
        encryption: Some(given(EC, None)),
        ..Protection::default()
    };
    let lane = thin_lane(&world, more).await;
    let mut node = world.start(reachable(EngineConfig::default())).await;
    let id = world.send(&node, &[lane]).await;
    node.until_recorded(1).await;
    let sent = world.network.sent().remove(0);
    let event = open(&sent, EC).expect("it opens").payload;
    assert!(split(&event).0.contains(PUBLIC_URL));
    let fetched = fetch(&world, &node, lane, id).await.expect("it is there");
    assert_eq!(open(&fetched, EC).expect("it opens").payload, PAYLOAD);
}

#[tokio::test(start_paused = true)]
async fn what_is_taken_from_payloads_is_taken_from_what_is_fetched_too() {
    let world = World::new();
    let lane = thin_lane(&world, Protection::default()).await;
    let mut node = world.start(reachable(EngineConfig::default())).await;
    let (event_type, expect) = (paid(), Expect::NoneLive);
    let put = Change::PutEventType { event_type, expect };
    world.change(put).await;
    let put = Change::PutRedaction(OwnRedaction {
        event_type: paid().name,
        rules: rules("drop /order").expect("they are rules"),
        redactions_max: 1,
    });
    world.change(put).await;
    node.registry.forget_redactions();
    let id = world.send(&node, &[lane]).await;
    node.until_recorded(1).await;
    let fetched = fetch(&world, &node, lane, id).await.expect("it is there");
    assert_eq!(fetched.body, &br#"{ "total": 1.50 }"#[..]);
    assert!(verify(&fetched, SECRET, HeaderFamily::Webhook));
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_that_gets_nothing_fetches_nothing() {
    let world = World::new();
    let held = Protection {
        withdrawn: [model::protection::Withdrawn::Auth].into(),
        ..Protection::default()
    };
    let unencryptable = Protection {
        encryption: Some(crate::encrypting::published("https://keys.example/", None)),
        ..Protection::default()
    };
    world.network.host("keys.example", |_| answer(500));
    let live = thin_lane(&world, Protection::default()).await;
    let lanes = [
        (live, true),
        (thin_lane(&world, held).await, false),
        (thin_lane(&world, unencryptable).await, false),
    ];
    let node = world.start(reachable(EngineConfig::default())).await;
    for (lane, gets) in lanes {
        let id = world.send(&node, &[lane]).await;
        let fetched = fetch(&world, &node, lane, id).await;
        assert_eq!(fetched.is_some(), gets);
    }
    let id = world.send(&node, &[live]).await;
    demand(&world, &node, &demands(&[], &[Demand::Encryption])).await;
    assert_eq!(fetch(&world, &node, live, id).await, None);
    demand(&world, &node, &Policy::default()).await;
    assert!(fetch(&world, &node, live, id).await.is_some());
    let disabled = |endpoint: &mut model::endpoint::Endpoint| endpoint.disabled = true;
    world.set(&node, live, disabled).await;
    assert_eq!(fetch(&world, &node, live, id).await, None);
    world
        .set(&node, live, |endpoint| endpoint.disabled = false)
        .await;
    assert!(fetch(&world, &node, live, id).await.is_some());
    let delete = Change::DeleteEndpoint(live.application, live.endpoint);
    world.change(delete).await;
    node.registry.forget(live.application);
    assert_eq!(fetch(&world, &node, live, id).await, None);
}

#[tokio::test(start_paused = true)]
async fn a_node_that_knows_no_public_url_sends_no_thin_event_and_loses_none() {
    let world = World::new();
    let lane = thin_lane(&world, Protection::default()).await;
    let mut node = world.start(schedule(&[120])).await;
    world.send(&node, &[lane]).await;
    node.until_recorded(1).await;
    assert_eq!(world.network.sent(), []);
    let attempts = world.attempts(lane).await;
    let excerpt = world.excerpt(lane, &attempts[0]).await.expect("a reason");
    assert!(excerpt.contains("--public-url"), "{excerpt}");
    let open = world.open_lanes().await;
    assert_eq!(open.len(), 1, "it is retried");
}
