//! Access tokens: got before anything is sent, once for all who need them, and once more where a
//! receiver refuses one.

use crate::network::{Reaction, answer};
use crate::world::{Node, Plan, World};
use bytes::Bytes;
use engine::EngineConfig;
use model::attempt::AttemptResult;
use model::oauth::{ClientAuthentication, Grant, OauthConfig};
use model::protection::{Auth, Credential, KeyPlace, Protection, Rotated};
use model::retry::RetrySchedule;
use model::security::SecurityKind;
use model::{Clock, Secret};
use std::time::Duration;
use store::Lane;
use transport::Limits;

const SECRET: &str = "s3cr3t";

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn retrying_after(wait: u64) -> EngineConfig {
    EngineConfig {
        retry_schedule: RetrySchedule::new(vec![seconds(wait)]).expect("a schedule"),
        ..EngineConfig::default()
    }
}

fn client(id: &str) -> OauthConfig {
    OauthConfig {
        token_url: "https://login.example/token".to_owned(),
        client_id: id.to_owned(),
        authentication: ClientAuthentication::SecretPost(Secret::from(SECRET.to_owned())),
        grant: Grant::ClientCredentials,
        scopes: Vec::new(),
        extra_params: Vec::new(),
        extra_headers: Vec::new(),
    }
}

fn only(client: OauthConfig) -> Protection {
    Protection {
        oauth: Some(Rotated {
            current: client,
            previous: None,
        }),
        ..Protection::default()
    }
}

/// An endpoint that wants a token.
async fn lane(world: &World, protection: Protection) -> Lane {
    let application = world.application(None).await;
    let plan = Plan {
        headers: &[("authorization", "Bearer of-the-headers")],
        protection,
        ..Plan::new("https://a.example/in")
    };
    world.endpoint(application, plan).await
}

/// A token by this name, for an hour.
fn token(name: impl std::fmt::Display) -> Reaction {
    let body = format!(r#"{{"access_token":"{name}","token_type":"Bearer","expires_in":3600}}"#);
    Reaction::Body(Bytes::from(body))
}

/// The token server gives `t0`, `t1` and so on.
fn gives_tokens(world: &World) {
    let nth_token = |nth: usize| token(format!("t{nth}"));
    world.network.host("login.example", nth_token);
}

/// What the receiver was shown.
fn shown(world: &World) -> Vec<String> {
    let sent = world.network.sent_to("a.example");
    let text = |value: &http::HeaderValue| value.to_str().expect("visible ASCII").to_owned();
    sent.iter()
        .map(|sent| text(&sent.headers["authorization"]))
        .collect()
}

/// Who asked for tokens.
fn asked(world: &World) -> Vec<String> {
    let sent = world.network.sent_to("login.example");
    let client = |sent: &crate::network::Sent| {
        let form = std::str::from_utf8(&sent.body).expect("a form");
        let id = form
            .split('&')
            .find_map(|pair| pair.strip_prefix("client_id="));
        id.expect("a client").to_owned()
    };
    sent.iter().map(client).collect()
}

async fn reason(world: &World, lane: Lane, nth: usize) -> String {
    let attempts = world.attempts(lane).await;
    assert_eq!(attempts[nth].attempt.status_code, 0);
    let reason = world.excerpt(lane, &attempts[nth]).await;
    reason.expect("a reason")
}

async fn send_one(world: &World, node: &mut Node, lane: Lane) {
    world.send(node, &[lane]).await;
    node.until_recorded_of(lane, 1).await;
}

#[tokio::test(start_paused = true)]
async fn one_token_serves_many_attempts_until_it_expires() {
    let world = World::new();
    let first = lane(&world, only(client("c"))).await;
    let second = lane(&world, only(client("c"))).await;
    gives_tokens(&world);
    let mut node = world.start(EngineConfig::default()).await;
    for lane in [first, second, first, second] {
        world.send(&node, &[lane]).await;
    }
    node.until_recorded(4).await;
    tokio::time::sleep(seconds(3_600)).await;
    send_one(&world, &mut node, first).await;
    let expected = ["t0", "t0", "t0", "t0", "t1"].map(|token| format!("Bearer {token}"));
    assert_eq!(shown(&world), expected);
    assert_eq!(asked(&world), ["c", "c"]);
}

#[tokio::test(start_paused = true)]
async fn a_token_that_ended_in_flight_is_replaced_once_within_the_attempt() {
    let world = World::new();
    let lane = lane(&world, only(client("c"))).await;
    gives_tokens(&world);
    world.network.host("a.example", |nth| match nth {
        0 => Reaction::Answer(401, seconds(5)),
        _ => answer(200),
    });
    let mut node = world.start(EngineConfig::default()).await;
    send_one(&world, &mut node, lane).await;
    assert_eq!(shown(&world), ["Bearer t0", "Bearer t1"]);
    assert_eq!(world.results(lane).await, [AttemptResult::Success]);
}

#[tokio::test(start_paused = true)]
async fn a_receiver_that_takes_no_token_fails_after_one_more() {
    for (status, sent) in [(401, 2), (403, 1)] {
        let world = World::new();
        let lane = lane(&world, only(client("c"))).await;
        gives_tokens(&world);
        world.network.host("a.example", move |_| answer(status));
        let mut node = world.start(retrying_after(1_000)).await;
        send_one(&world, &mut node, lane).await;
        assert_eq!((shown(&world).len(), asked(&world).len()), (sent, sent));
        let attempts = world.attempts(lane).await;
        assert_eq!(attempts[0].attempt.status_code, status);
        assert!(!world.open_lanes().await.is_empty(), "it is tried again");
    }
}

#[tokio::test(start_paused = true)]
async fn a_refusal_stays_the_attempt_s_answer_where_no_other_token_is_had() {
    let world = World::new();
    let lane = lane(&world, only(client("c"))).await;
    world.network.host("login.example", |nth| match nth {
        0 => token("t0"),
        _ => answer(503),
    });
    world.network.host("a.example", |_| answer(401));
    let mut node = world.start(retrying_after(1_000)).await;
    send_one(&world, &mut node, lane).await;
    assert_eq!(shown(&world), ["Bearer t0"]);
    assert_eq!(world.attempts(lane).await[0].attempt.status_code, 401);
}

#[tokio::test(start_paused = true)]
async fn without_a_token_nothing_is_sent_nothing_is_lost_and_others_go_on() {
    let unsuitable = Bytes::from_static(br#"{"access_token":"t\r\nx: y"}"#);
    let cases = [
        (answer(500), "it answered 500"),
        (answer(302), "a redirect, which is not followed"),
        (Reaction::Hang, "request timed out"),
        (Reaction::Refuse, "the connection was refused"),
        (Reaction::Blocked, "IP range are blocked"),
        (
            Reaction::Body(Bytes::from(vec![b' '; 10 << 20])),
            "longer than 65536 bytes",
        ),
        (Reaction::Body(unsuitable), "not visible"),
    ];
    for (reaction, expected) in cases {
        let world = World::new();
        let lane = lane(&world, only(client("c"))).await;
        let other = world.lane("https://b.example/").await;
        let first = reaction.clone();
        world.network.host("login.example", move |nth| match nth {
            0 => first.clone(),
            _ => token("t1"),
        });
        let mut node = world.start(retrying_after(100)).await;
        world.send(&node, &[lane]).await;
        world.send(&node, &[other]).await;
        node.until_recorded_of(other, 1).await;
        assert_eq!(world.results(other).await, [AttemptResult::Success]);
        node.until_recorded_of(lane, 1).await;
        assert_eq!(shown(&world), [""; 0], "{expected}");
        let said = reason(&world, lane, 0).await;
        assert!(
            said.starts_with("no access token from the token server: "),
            "{said}"
        );
        assert!(said.contains(expected) && !said.contains(SECRET), "{said}");
        let took = world.attempts(lane).await[0].attempt.duration;
        assert!(took <= seconds(10), "{took:?}");
        let blocked = matches!(reaction, Reaction::Blocked);
        let reported = world
            .reports
            .kinds()
            .contains(&SecurityKind::DestinationBlocked);
        assert_eq!(reported, blocked);

        node.until_recorded_of(lane, 1).await;
        assert_eq!(shown(&world), ["Bearer t1"]);
        assert_eq!(world.open_lanes().await, []);
    }
}

#[tokio::test(start_paused = true)]
async fn a_token_is_waited_for_no_longer_than_an_attempt_may_take() {
    let world = World::new();
    let lane = lane(&world, only(client("c"))).await;
    world.network.host("login.example", |_| Reaction::Hang);
    let limits = Limits {
        total_timeout: seconds(2),
        ..Limits::default()
    };
    let config = EngineConfig {
        limits,
        ..retrying_after(1_000)
    };
    let mut node = world.start(config).await;
    send_one(&world, &mut node, lane).await;
    let took = world.attempts(lane).await[0].attempt.duration;
    assert_eq!(took, limits.total_timeout);
    let said = reason(&world, lane, 0).await;
    assert!(said.ends_with("request timed out"), "{said}");
}

/// Two clients of which the one before ends in a minute.
fn overlapping(world: &World) -> Protection {
    let now = world.clock.now();
    let before = only(client("old")).oauth;
    let until = Some(now.plus(seconds(60)));
    Protection {
        oauth: Some(Rotated::after(before, client("new"), until, now)),
        ..Protection::default()
    }
}

#[tokio::test(start_paused = true)]
async fn the_client_before_is_asked_where_the_new_one_is_refused_and_until_it_ends() {
    let world = World::new();
    let lane = lane(&world, overlapping(&world)).await;
    world.network.host("login.example", |nth| match nth {
        1 => token("of-old"),
        _ => answer(401),
    });
    let mut node = world.start(retrying_after(1_000)).await;
    send_one(&world, &mut node, lane).await;
    assert_eq!(asked(&world), ["new", "old"]);
    assert_eq!(shown(&world), ["Bearer of-old"]);

    tokio::time::sleep(seconds(61)).await;
    send_one(&world, &mut node, lane).await;
    assert_eq!(asked(&world)[2..], ["new"]);
    assert_eq!(shown(&world).len(), 1);
    let said = reason(&world, lane, 1).await;
    assert!(said.ends_with("it answered 401"), "{said}");
}

#[tokio::test(start_paused = true)]
async fn the_client_before_is_asked_where_the_receiver_refuses_the_new_one_s_token() {
    let world = World::new();
    let lane = lane(&world, overlapping(&world)).await;
    gives_tokens(&world);
    world.network.host("a.example", |nth| match nth {
        0 => answer(403),
        _ => answer(200),
    });
    let mut node = world.start(EngineConfig::default()).await;
    send_one(&world, &mut node, lane).await;
    assert_eq!(asked(&world), ["new", "old"]);
    assert_eq!(shown(&world), ["Bearer t0", "Bearer t1"]);
    assert_eq!(world.results(lane).await, [AttemptResult::Success]);
}

#[tokio::test(start_paused = true)]
async fn a_token_takes_the_place_of_another_authorization_and_stands_beside_a_key() {
    let key = Credential::ApiKey {
        place: KeyPlace::Header,
        name: "x-key".to_owned(),
        value: Secret::from("k".to_owned()),
    };
    let bearer = Credential::Bearer {
        token: Secret::from("never sent".to_owned()),
    };
    for (credential, expected) in [(bearer, None), (key, Some("k"))] {
        let world = World::new();
        let protection = Protection {
            auth: Some(Auth {
                current: credential,
                previous: None,
            }),
            ..only(client("c"))
        };
        let lane = lane(&world, protection).await;
        gives_tokens(&world);
        let mut node = world.start(EngineConfig::default()).await;
        send_one(&world, &mut node, lane).await;
        assert_eq!(shown(&world), ["Bearer t0"]);
        let sent = world.network.sent_to("a.example").remove(0);
        let key = sent.headers.get("x-key");
        assert_eq!(key.map(|key| key.to_str().expect("ASCII")), expected);
    }
}
