//! What endpoints get where something is taken from payloads.

use crate::network::answer;
use crate::sending::{paid, verify};
use crate::world::{Node, PAYLOAD, Plan, SECRET, World};
use engine::EngineConfig;
use model::redaction::{paths, rules};
use model::retry::RetrySchedule;
use std::time::Duration;
use store::change::{Change, Expect, OwnRedaction};
use webhook::HeaderFamily;

/// Makes the type of the messages that are sent here, whose schema marks these places.
async fn make_event_type(world: &World, marked: &str) {
    let mut event_type = paid();
    event_type.sensitive = paths(marked).expect("they are paths");
    let expect = Expect::NoneLive;
    world
        .change(Change::PutEventType { event_type, expect })
        .await;
}

/// Gives it rules, as the API does.
async fn set_rules(world: &World, node: &Node, text: &str) {
    let put = Change::PutRedaction(OwnRedaction {
        event_type: paid().name,
        rules: rules(text).expect("they are rules"),
        redactions_max: 1,
    });
    world.change(put).await;
    node.registry.forget_redactions();
}

#[tokio::test(start_paused = true)]
async fn an_event_types_rules_hold_for_all_endpoints_and_what_is_left_is_signed() {
    let world = World::new();
    let lanes = [
        world.lane("https://a.example/").await,
        world.lane("https://b.example/").await,
    ];
    let mut node = world.start(EngineConfig::default()).await;
    make_event_type(&world, "").await;
    set_rules(&world, &node, "drop /order").await;
    for lane in lanes {
        world.send(&node, &[lane]).await;
    }
    node.until_recorded(2).await;
    let sent = world.network.sent();
    for sent in &sent {
        assert_eq!(sent.body, &br#"{ "total": 1.50 }"#[..]);
        assert!(verify(sent, SECRET, HeaderFamily::Webhook));
    }
    assert_eq!(sent.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn what_is_marked_is_dropped_and_hashes_are_those_of_the_application() {
    let world = World::new();
    let first = world.application(None).await;
    let second = world.application(None).await;
    let mut lanes = Vec::new();
    for (application, url) in [
        (first, "https://a.example/"),
        (first, "https://b.example/"),
        (second, "https://c.example/"),
    ] {
        lanes.push(world.endpoint(application, Plan::new(url)).await);
    }
    let mut node = world.start(EngineConfig::default()).await;
    make_event_type(&world, "/total").await;
    set_rules(&world, &node, "hash /order").await;
    for lane in lanes {
        world.send(&node, &[lane]).await;
    }
    node.until_recorded(3).await;
    let body = |host: &str| {
        let sent = world.network.sent_to(host);
        String::from_utf8(sent[0].body.to_vec()).expect("it is text")
    };
    let (a, b, c) = (body("a.example"), body("b.example"), body("c.example"));
    assert!(
        a.starts_with(r#"{ "order":  "hash:"#) && !a.contains("total"),
        "{a}"
    );
    assert!(!a.contains("1001"), "{a}");
    assert_eq!(a, b);
    assert_ne!(a, c);
}

#[tokio::test(start_paused = true)]
async fn rules_hold_for_what_is_on_its_way_from_the_next_attempt_on() {
    let world = World::new();
    let lane = world.lane("https://down.example/").await;
    world.network.host("down.example", |_| answer(500));
    let waits = vec![Duration::from_secs(100); 2];
    let mut node = world
        .start(EngineConfig {
            retry_schedule: RetrySchedule::new(waits).expect("a schedule"),
            ..EngineConfig::default()
        })
        .await;
    make_event_type(&world, "").await;
    world.send(&node, &[lane]).await;
    node.until_recorded(1).await;
    set_rules(&world, &node, "drop /total").await;
    node.until_recorded(1).await;
    set_rules(&world, &node, "").await;
    node.until_recorded(1).await;
    let bodies: Vec<_> = world
        .network
        .sent()
        .into_iter()
        .map(|sent| sent.body)
        .collect();
    assert_eq!(bodies, [PAYLOAD, br#"{ "order":  "1001" }"#, PAYLOAD]);
}
