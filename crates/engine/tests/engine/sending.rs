//! What is sent, when it is tried again, and what is written down.

use crate::network::{Reaction, Sent, answer};
use crate::world::{Node, PAYLOAD, Plan, SECRET, World};
use engine::{EngineConfig, Happening};
use model::attempt::AttemptResult;
use model::delivery::{EndReason, Trigger};
use model::endpoint::SigningSecrets;
use model::event_type::EventType;
use model::hops::Hops;
use model::message::PayloadForm;
use model::protection::{Auth, Credential, KeyPlace, Protection, Withdrawn};
use model::retry::RetrySchedule;
use model::{Clock, Secret, Timestamp};
use std::time::Duration;
use store::Lane;
use store::accept::NewMessage;
use store::change::{Change, Expect, OwnSchedule};
use webhook::{HeaderFamily, Verifier, VerifyingKey};

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

pub(crate) fn schedule(waits: &[u64]) -> EngineConfig {
    let waits = waits.iter().copied().map(Duration::from_secs).collect();
    EngineConfig {
        retry_schedule: RetrySchedule::new(waits).expect("a schedule"),
        ..EngineConfig::default()
    }
}

pub(crate) fn verify(sent: &crate::network::Sent, secret: &str, family: HeaderFamily) -> bool {
    let headers: Vec<_> = sent
        .headers
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_bytes()))
        .collect();
    let keys = [VerifyingKey::parse(secret).expect("a key")];
    let verifier = Verifier {
        keys: &keys,
        family,
        tolerance_seconds: 5,
    };
    verifier
        .verify(headers.iter().copied(), &sent.body, sent.at.seconds())
        .is_ok()
}

#[tokio::test(start_paused = true)]
async fn a_message_is_sent_from_memory_signed_and_byte_for_byte() {
    let world = World::new();
    let lane = world.lane("https://a.example/hook").await;
    let mut node = world.start(EngineConfig::default()).await;
    let id = world.send(&node, &[lane]).await;
    node.until_recorded(1).await;

    let sent = world.network.sent();
    assert_eq!(sent.len(), 1);
    assert_eq!(
        (sent[0].id.clone(), &sent[0].body[..]),
        (id.to_string(), PAYLOAD)
    );
    assert!(verify(&sent[0], SECRET, HeaderFamily::Webhook));
    let header = |name| {
        sent[0]
            .headers
            .get(name)
            .map(|value| value.to_str().unwrap())
    };
    assert_eq!(header("content-type"), Some("application/json"));
    assert_eq!(header("accept"), Some("*/*"));
    assert!(header("user-agent").unwrap().starts_with("Postrider/"));
    assert_eq!(header("svix-id"), None);

    let counters = node.engine.counters();
    assert_eq!(
        (counters.handed_over, counters.claimed, counters.succeeded),
        (1, 0, 1)
    );
    let attempts = world.attempts(lane).await;
    let attempt = &attempts[0].attempt;
    assert_eq!((attempt.number, attempt.status_code), (1, 200));
    assert_eq!(
        (attempt.result, attempt.trigger),
        (AttemptResult::Success, Trigger::Scheduled)
    );
    assert_eq!(
        world.excerpt(lane, &attempts[0]).await.as_deref(),
        Some("status 200")
    );
    assert_eq!(world.open_lanes().await, []);
}

#[tokio::test(start_paused = true)]
async fn both_header_families_and_custom_headers_are_sent() {
    let world = World::new();
    let application = world.application(None).await;
    let headers = [
        ("X-Api-Key", "k"),
        ("Authorization", "Bearer b"),
        ("accept", "text/plain"),
    ];
    let lane = world
        .endpoint(
            application,
            Plan {
                headers: &headers,
                ..Plan::new("https://a.example/")
            },
        )
        .await;
    let config = EngineConfig {
        header_family: HeaderFamily::Both,
        ..EngineConfig::default()
    };
    let mut node = world.start(config).await;
    world.send(&node, &[lane]).await;
    node.until_recorded(1).await;
    let sent = world.network.sent().remove(0);
    for family in [
        HeaderFamily::Webhook,
        HeaderFamily::Svix,
        HeaderFamily::Both,
    ] {
        assert!(verify(&sent, SECRET, family), "{family}");
    }
    assert_eq!(sent.headers["x-api-key"], "k");
    assert_eq!(sent.headers["authorization"], "Bearer b");
    assert_eq!(sent.headers["accept"], "text/plain");
}

#[tokio::test(start_paused = true)]
async fn every_request_tells_how_many_deliveries_its_event_has_been_through() {
    let world = World::new();
    let application = world.application(None).await;
    let plan = Plan {
        headers: &[("webhook-hops", "0")],
        ..Plan::new("https://a.example/")
    };
    let lane = world.endpoint(application, plan).await;
    let once = Hops::NONE.next();
    let set = |message: &mut NewMessage| message.hops = once;
    let claimed = world.accept(None, &[lane], set).await;
    // Each is tried again once.
    world
        .network
        .host("a.example", |n| answer([500, 200][n % 2]));
    let mut node = world.start(schedule(&[10])).await;
    node.until_recorded(2).await;
    let fresh = world.send(&node, &[lane]).await;
    node.until_recorded(2).await;
    let set = |message: &mut NewMessage| message.hops = once.next();
    let third = world.send_with(&node, &[lane], set).await;
    node.until_recorded(2).await;
    world.resend(&node, lane, third.key()).await;
    node.until_recorded(1).await;

    let told = |sent: Sent| {
        let values = sent.headers.get_all("webhook-hops").iter();
        let values: Vec<_> = values.map(|value| value.to_str().unwrap()).collect();
        (sent.id, values.join(", "))
    };
    let told: Vec<_> = world.network.sent().into_iter().map(told).collect();
    let expected = [(claimed, "2", 2), (fresh, "1", 2), (third, "3", 3)];
    let expected = expected
        .iter()
        .flat_map(|(id, hops, times)| vec![(id.to_string(), (*hops).to_owned()); *times]);
    assert_eq!(told, expected.collect::<Vec<_>>());
}

async fn protected_lane(world: &World, protection: Protection) -> Lane {
    let application = world.application(None).await;
    let plan = Plan {
        headers: &[("authorization", "Bearer of-the-headers")],
        protection,
        ..Plan::new("https://a.example/in")
    };
    world.endpoint(application, plan).await
}

fn bearer(token: &str) -> Credential {
    Credential::Bearer {
        token: Secret::from(token.to_owned()),
    }
}

fn authorizations(world: &World) -> Vec<String> {
    let text = |sent: &Sent| sent.headers["authorization"].to_str().map(str::to_owned);
    world.network.sent().iter().flat_map(text).collect()
}

#[tokio::test(start_paused = true)]
async fn what_an_endpoint_is_known_by_is_on_its_requests() {
    let cases = [
        (bearer("t"), Some("Bearer t"), None),
        (
            Credential::Basic {
                username: "ann".to_owned(),
                password: Secret::from("open sesame".to_owned()),
            },
            Some("Basic YW5uOm9wZW4gc2VzYW1l"),
            None,
        ),
        (
            Credential::ApiKey {
                place: KeyPlace::Header,
                name: "X-Key".to_owned(),
                value: Secret::from("k".to_owned()),
            },
            Some("Bearer of-the-headers"),
            Some("k"),
        ),
    ];
    for (current, authorization, key) in cases {
        let world = World::new();
        let auth = Auth {
            current,
            previous: None,
        };
        let protection = Protection {
            auth: Some(auth),
            ..Protection::default()
        };
        let lane = protected_lane(&world, protection).await;
        let mut node = world.start(EngineConfig::default()).await;
        world.send(&node, &[lane]).await;
        node.until_recorded(1).await;
        let sent = world.network.sent().remove(0);
        let header = |name| sent.headers.get(name).and_then(|value| value.to_str().ok());
        assert_eq!(
            (header("authorization"), header("x-key")),
            (authorization, key)
        );
    }
}

#[tokio::test(start_paused = true)]
async fn the_credential_before_is_tried_where_the_new_one_is_refused_and_until_it_ends() {
    let world = World::new();
    let until = world.clock.now().plus(seconds(60));
    let auth = Auth {
        current: bearer("new"),
        previous: Some((until, bearer("old"))),
    };
    let protection = Protection {
        auth: Some(auth),
        ..Protection::default()
    };
    let lane = protected_lane(&world, protection).await;
    world.network.host("a.example", |nth| match nth {
        0 | 2 => answer(401),
        _ => answer(200),
    });
    let mut node = world.start(schedule(&[120])).await;
    world.send(&node, &[lane]).await;
    node.until_recorded(1).await;
    assert_eq!(authorizations(&world), ["Bearer new", "Bearer old"]);
    let counters = node.engine.counters();
    assert_eq!(
        (counters.succeeded, world.attempts(lane).await.len()),
        (1, 1)
    );

    tokio::time::sleep(seconds(61)).await;
    world.send(&node, &[lane]).await;
    node.until_recorded(1).await;
    assert_eq!(authorizations(&world)[2..], ["Bearer new"]);
    assert_eq!(world.attempts(lane).await.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn what_lost_its_credentials_gets_nothing_and_loses_nothing() {
    let world = World::new();
    let protection = Protection {
        withdrawn: [Withdrawn::Auth].into(),
        ..Protection::default()
    };
    let lane = protected_lane(&world, protection).await;
    let mut node = world.start(schedule(&[120])).await;
    world.send(&node, &[lane]).await;
    node.until_recorded(1).await;
    assert_eq!(world.network.sent(), []);
    let attempts = world.attempts(lane).await;
    let excerpt = world.excerpt(lane, &attempts[0]).await.expect("a reason");
    assert!(excerpt.contains("taken away (auth)"), "{excerpt}");
    assert!(!world.open_lanes().await.is_empty());
    assert_eq!(world.endpoint_row(lane).await.failing_since, None);
}

#[tokio::test(start_paused = true)]
async fn old_secrets_sign_until_they_expire() {
    const OLD: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
    let world = World::new();
    let now = world.clock.now();
    let mut secrets = SigningSecrets::new(Secret::from(OLD.to_owned()));
    secrets.rotate(Secret::from(SECRET.to_owned()), now.plus(seconds(60)), now);
    let application = world.application(None).await;
    let lane = world
        .endpoint(
            application,
            Plan {
                secrets,
                ..Plan::new("https://a.example/")
            },
        )
        .await;
    let mut node = world.start(EngineConfig::default()).await;
    for pause in [0, 61] {
        tokio::time::sleep(seconds(pause)).await;
        world.send(&node, &[lane]).await;
        node.until_recorded(1).await;
    }
    let sent = world.network.sent();
    let signed = |sent| [SECRET, OLD].map(|secret| verify(sent, secret, HeaderFamily::Webhook));
    assert_eq!(
        (signed(&sent[0]), signed(&sent[1])),
        ([true, true], [true, false])
    );
}

#[tokio::test(start_paused = true)]
async fn a_raw_payload_has_its_own_content_type() {
    let world = World::new();
    let lane = world.lane("https://a.example/").await;
    let mut node = world.start(EngineConfig::default()).await;
    let content_type = Some("text/xml; charset=utf-8".to_owned());
    world
        .send_with(&node, &[lane], |message| {
            message.form = PayloadForm::Raw {
                content_type: content_type.clone(),
            };
        })
        .await;
    node.until_recorded(1).await;
    assert_eq!(
        world.network.sent()[0].headers["content-type"],
        "text/xml; charset=utf-8"
    );
}

#[tokio::test(start_paused = true)]
async fn a_failing_endpoint_is_tried_by_the_schedule_and_then_given_up() {
    let world = World::new();
    let lane = world.lane("https://down.example/").await;
    world.network.host("down.example", |_| answer(500));
    let mut node = world.start(EngineConfig::default()).await;
    let id = world.send(&node, &[lane]).await;
    node.until_recorded(8).await;

    let sent = world.network.sent();
    let waits: Vec<u64> = sent
        .windows(2)
        .map(|two| two[1].at.since(two[0].at).as_secs())
        .collect();
    let schedule = [5, 300, 1_800, 7_200, 18_000, 36_000, 36_000];
    for (wait, planned) in waits.iter().zip(schedule) {
        let allowed = planned * 8 / 10..=planned * 12 / 10;
        assert!(
            allowed.contains(wait),
            "waited {wait} s where {planned} s were planned"
        );
    }
    assert!(
        sent.iter().all(|sent| sent.id == id.to_string()),
        "the id never changes"
    );
    assert!(
        sent.iter()
            .all(|sent| verify(sent, SECRET, HeaderFamily::Webhook))
    );

    assert_eq!(world.open_lanes().await, []);
    let attempts = world.attempts(lane).await;
    let numbers: Vec<u16> = attempts.iter().map(|row| row.attempt.number).collect();
    assert_eq!(numbers, [1, 2, 3, 4, 5, 6, 7, 8]);
    assert!(attempts.iter().all(|row| row.attempt.status_code == 500));
}

/// Makes the type of the messages that are sent here.
async fn make_event_type(world: &World) {
    let event_type = paid();
    let expect = Expect::NoneLive;
    world
        .change(Change::PutEventType { event_type, expect })
        .await;
}

pub(crate) fn paid() -> EventType {
    EventType {
        name: "order.paid".parse().expect("it is a word"),
        description: String::new(),
        archived: false,
        deprecated: false,
        schemas: None,
        sensitive: Vec::new(),
        feature_flags: Vec::new(),
        group_name: None,
        created_at: Timestamp::default(),
        updated_at: Timestamp::default(),
    }
}

/// Gives it a schedule of its own, or takes it away, as the API does.
async fn set_schedule(world: &World, node: &Node, waits: Option<&[u64]>) {
    let waits = waits.map(|waits| waits.iter().copied().map(seconds).collect());
    let put = Change::PutRetrySchedule(OwnSchedule {
        event_type: "order.paid".parse().expect("it is a word"),
        schedule: waits.map(|waits| RetrySchedule::new(waits).expect("a schedule")),
        schedules_max: 1,
    });
    world.change(put).await;
    node.registry.forget_schedules();
}

#[tokio::test(start_paused = true)]
async fn an_event_types_own_schedule_holds_from_the_next_failure_on() {
    let world = World::new();
    let lane = world.lane("https://down.example/").await;
    world.network.host("down.example", |_| answer(500));
    let mut node = world.start(schedule(&[10_000, 10_000])).await;
    make_event_type(&world).await;
    set_schedule(&world, &node, Some(&[100, 1_000, 1_000])).await;
    world.send(&node, &[lane]).await;
    node.until_recorded(1).await;
    // What is waited for already stays as it was decided.
    set_schedule(&world, &node, Some(&[7, 200, 300])).await;
    node.until_recorded(2).await;
    set_schedule(&world, &node, None).await;
    node.until_recorded(1).await;

    let sent = world.network.sent();
    let waits = sent
        .windows(2)
        .map(|two| two[1].at.since(two[0].at).as_secs());
    for (wait, planned) in waits.zip([100, 200, 300]) {
        let allowed = planned * 8 / 10..=planned * 12 / 10;
        assert!(
            allowed.contains(&wait),
            "waited {wait} s where {planned} s were planned"
        );
    }
    assert_eq!(sent.len(), 4);
    assert_eq!(
        world.open_lanes().await,
        [],
        "the server's own schedule has two waits"
    );
}

#[tokio::test(start_paused = true)]
async fn a_receiver_s_retry_after_is_honoured_within_bounds() {
    let world = World::new();
    let lane = world.lane("https://busy.example/").await;
    world.network.host("busy.example", |count| match count {
        0 => Reaction::RetryAfter(503, "150"),
        1 => Reaction::RetryAfter(429, "86400"),
        _ => answer(200),
    });
    let mut node = world.start(schedule(&[100, 100])).await;
    world.send(&node, &[lane]).await;
    node.until_recorded(3).await;
    let sent = world.network.sent();
    let waits = [1, 2].map(|index| sent[index].at.since(sent[index - 1].at).as_secs());
    assert!((120..=180).contains(&waits[0]), "{waits:?}");
    assert!(
        (160..=240).contains(&waits[1]),
        "twice the wait at the most: {waits:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_time_out_is_recorded_and_waits_for_a_minute_at_least() {
    let world = World::new();
    let lane = world.lane("https://hang.example/").await;
    world.network.host("hang.example", |count| {
        if count == 0 {
            Reaction::Hang
        } else {
            answer(204)
        }
    });
    let mut node = world.start(EngineConfig::default()).await;
    world.send(&node, &[lane]).await;
    node.until_recorded(2).await;
    let sent = world.network.sent();
    let wait = sent[1].at.since(sent[0].at).as_secs();
    assert!((30 + 48..=30 + 72).contains(&wait), "{wait}");
    let attempts = world.attempts(lane).await;
    assert_eq!(attempts[0].attempt.status_code, 0);
    assert_eq!(attempts[0].attempt.duration, seconds(30));
    assert_eq!(
        world.excerpt(lane, &attempts[0]).await.as_deref(),
        Some("request timed out")
    );
    assert_eq!(attempts[1].attempt.result, AttemptResult::Success);
}

#[tokio::test(start_paused = true)]
async fn a_message_for_later_is_sent_then() {
    let world = World::new();
    let lane = world.lane("https://a.example/").await;
    let mut node = world.start(EngineConfig::default()).await;
    let at = world.clock.now().plus(seconds(3_600));
    world
        .send_with(&node, &[lane], |message| message.deliver_at = Some(at))
        .await;
    world
        .send_with(&node, &[lane], |message| {
            message.deliver_at = Some(at.plus(seconds(60)))
        })
        .await;
    node.until_recorded(2).await;
    let late = |index: usize| world.network.sent()[index].at.since(at);
    assert!(late(0) < seconds(1), "{:?}", late(0));
    assert!(
        (seconds(60)..seconds(61)).contains(&late(1)),
        "{:?}",
        late(1)
    );
}

#[tokio::test(start_paused = true)]
async fn a_resend_is_one_try_and_leaves_the_automatic_series_alone() {
    let world = World::new();
    let lane = world.lane("https://down.example/").await;
    world.network.host("down.example", |_| answer(500));
    let mut node = world.start(schedule(&[1_000])).await;
    let id = world.send(&node, &[lane]).await;
    node.until_recorded(1).await;
    world.resend(&node, lane, id.key()).await;
    node.until_recorded(2).await;
    let triggers: Vec<Trigger> = world
        .attempts(lane)
        .await
        .iter()
        .map(|row| row.attempt.trigger)
        .collect();
    assert_eq!(
        triggers,
        [Trigger::Scheduled, Trigger::Manual, Trigger::Scheduled]
    );
    assert_eq!(world.open_lanes().await, []);
}

#[tokio::test(start_paused = true)]
async fn a_payload_that_has_expired_ends_its_delivery() {
    let world = World::new();
    let lane = world.lane("https://a.example/").await;
    let now = world.clock.now();
    let mut node = world.start(EngineConfig::default()).await;
    world
        .send_with(&node, &[lane], |message| {
            message.deliver_at = Some(now.plus(seconds(10)));
            message.expires_at = now.plus(seconds(5));
        })
        .await;
    node.until_recorded(1).await;
    assert_eq!(
        world.results(lane).await,
        [AttemptResult::Cancelled(EndReason::PayloadGone)]
    );
    assert_eq!(world.network.sent(), []);
    assert_eq!(world.open_lanes().await, []);
}

#[tokio::test(start_paused = true)]
async fn the_same_seed_gives_the_same_run() {
    async fn run() -> (Vec<Happening>, Vec<crate::network::Sent>) {
        let world = World::from_seed(7);
        let lanes = [
            world.lane("https://a.example/").await,
            world.lane("https://flaky.example/").await,
            world.lane("https://slow.example/").await,
        ];
        world.network.host("flaky.example", |count| {
            answer(if count % 3 == 0 { 200 } else { 503 })
        });
        world.network.host("slow.example", |_| {
            Reaction::Answer(200, Duration::from_millis(700))
        });
        let mut node = world.start(schedule(&[5, 5, 5])).await;
        for round in 0..12 {
            world.send(&node, &[lanes[round % 3]]).await;
        }
        let idle = world.clock.now().plus(seconds(60));
        while world.clock.now() < idle {
            node.until(|happening| happening == Happening::Surveyed)
                .await;
        }
        (node.trace, world.network.sent())
    }
    let (first, second) = (run().await, run().await);
    assert!(first.1.len() > 12, "some were tried again");
    assert_eq!(first, second);
}
