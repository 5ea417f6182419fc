//! What comes again: honest repeats are answered as they were, and what somebody else sends again
//! is made nothing of.

use crate::sender::{BODY, FIRST, Sending, with_secrets};
use crate::world::World;
use model::protection::GenericSignature;
use model::source::SourceConfig;
use std::time::Duration;
use webhook::{GenericScheme, HmacKeys, HmacScheme};

const DAY: Duration = Duration::from_secs(86_400);

#[tokio::test]
async fn an_honest_repeat_is_answered_with_the_same_message_and_not_forwarded() {
    let world = World::new();
    let at = world
        .source("standard-webhooks", with_secrets(&[FIRST]))
        .await;
    let first = world.take(&world.standard(&at, "msg_1")).await.accepted();
    world.clock.advance(Duration::from_secs(60));
    // Its sender signs each attempt anew.
    let again = world.take(&world.standard(&at, "msg_1")).await.repeated();
    assert_eq!(first, again);
    let other = world.take(&world.standard(&at, "msg_2")).await.accepted();
    assert_ne!(first, other);
    assert_eq!(world.messages().await.len(), 2);
    assert!(world.events.take().is_empty());
}

#[tokio::test]
async fn an_id_is_told_for_as_long_as_a_request_could_be_genuine() {
    let world = World::new();
    let at = world
        .source("standard-webhooks", with_secrets(&[FIRST]))
        .await;
    let early = world.now() + 300;
    let sending = Sending::to(&at, BODY).signed("standard-webhooks", FIRST, ("msg_1", early));
    world.take(&sending).await.accepted();
    world.clock.advance(Duration::from_secs(600));
    world.take(&sending).await.repeated();
    world.clock.advance(Duration::from_secs(1));
    world.take(&sending).await.refused(401, "timestamp_stale");
}

#[tokio::test]
async fn the_same_signed_id_with_other_content_is_a_repeat_that_is_warned_about() {
    let world = World::new();
    let at = world
        .source("standard-webhooks", with_secrets(&[FIRST]))
        .await;
    let first = world.take(&world.standard(&at, "msg_1")).await.accepted();
    let moment = ("msg_1", world.now());
    let other = Sending::to(&at, "{}").signed("standard-webhooks", FIRST, moment);
    assert_eq!(world.take(&other).await.repeated(), first);
    assert_eq!(world.events.take_kinds(), ["ingest.replayed"]);
    assert_eq!(world.messages().await.len(), 1);
}

#[tokio::test]
async fn a_replay_with_another_unsigned_id_is_refused() {
    let world = World::new();
    let at = world.source("github", with_secrets(&["hush"])).await;
    let sending = |id| Sending::to(&at, BODY).signed("github", "hush", (id, 0));
    world.take(&sending("d-1")).await.accepted();
    world.take(&sending("d-1")).await.repeated();
    world.take(&sending("d-2")).await.refused(401, "replayed");
    assert_eq!(world.events.take_kinds(), ["ingest.replayed"]);
    world.clock.advance(29 * DAY);
    world.take(&sending("d-2")).await.refused(401, "replayed");
    assert_eq!(world.messages().await.len(), 1);
}

#[tokio::test]
async fn the_window_is_the_source_s_own_where_no_time_is_signed() {
    let world = World::new();
    let config = SourceConfig {
        replay_window_seconds: Some(3_600),
        ..with_secrets(&["hush"])
    };
    let at = world.source("github", config).await;
    let sending = Sending::to(&at, BODY).signed("github", "hush", ("d-1", 0));
    world.take(&sending).await.accepted();
    world.clock.advance(Duration::from_secs(3_600));
    world.take(&sending).await.repeated();
    world.clock.advance(Duration::from_secs(1));
    world.take(&sending).await.accepted();
}

#[tokio::test]
async fn two_sources_do_not_share_what_they_remember() {
    let world = World::new();
    let one = world
        .source("standard-webhooks", with_secrets(&[FIRST]))
        .await;
    let other = world
        .source("standard-webhooks", with_secrets(&[FIRST]))
        .await;
    world.take(&world.standard(&one, "msg_1")).await.accepted();
    world
        .take(&world.standard(&other, "msg_1"))
        .await
        .accepted();
}

#[tokio::test]
async fn nothing_is_a_repeat_where_nothing_is_signed() {
    let world = World::new();
    let config = SourceConfig {
        unverified: true,
        ..SourceConfig::default()
    };
    let at = world.source("generic-webhook", config).await;
    let sending = Sending::to(&at, BODY);
    let first = world.take(&sending).await.accepted();
    assert_ne!(world.take(&sending).await.accepted(), first);
}

/// Whose time is signed, and whose id is not.
#[tokio::test]
async fn what_an_honest_sender_signs_anew_is_a_repeat_by_its_unsigned_id() {
    let world = World::new();
    let described = GenericScheme {
        header: "x-signature",
        hash: "sha256",
        encoding: "hex",
        prefix: "",
        template: "{timestamp}.{body}",
        timestamp_header: None,
    };
    let scheme = HmacScheme::generic(described).expect("sound");
    let config = SourceConfig {
        signature: Some(GenericSignature {
            header: described.header.to_owned(),
            hash: described.hash.to_owned(),
            encoding: described.encoding.to_owned(),
            prefix: String::new(),
            template: described.template.to_owned(),
            timestamp_header: None,
        }),
        ..with_secrets(&["hush"])
    };
    let at = world.source("generic-webhook", config).await;
    let key = scheme.key("hush").expect("sound");
    let sending = |id: &str, body: &str, now: i64| {
        let keys = HmacKeys {
            current: &key,
            before: &[],
        };
        let signed = scheme.sign(keys, (id, now), body.as_bytes());
        let signed = signed.into_iter();
        let sending = signed.fold(Sending::to(&at, body), |sending, (name, value)| {
            sending.header(name, &value)
        });
        sending.header("webhook-id", id)
    };
    let first = sending("d-1", BODY, world.now());
    let message = world.take(&first).await.accepted();
    world.clock.advance(Duration::from_secs(60));
    let anew = sending("d-1", BODY, world.now());
    assert_eq!(world.take(&anew).await.repeated(), message);
    // Whoever has seen a request can't sign it anew.
    let mut stolen = first.clone();
    stolen.headers.retain(|(name, _)| name != "webhook-id");
    let stolen = stolen.header("webhook-id", "d-2");
    world.take(&stolen).await.refused(401, "replayed");
    world
        .take(&sending("d-1", "{}", world.now()))
        .await
        .accepted();
    world
        .take(&sending("d-3", BODY, world.now() + 1))
        .await
        .accepted();
    assert_eq!(world.messages().await.len(), 3);
}
