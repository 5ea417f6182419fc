//! What leaves for endpoints whose payloads are encrypted, and what doesn't.

use crate::network::{Reaction, Sent, answer};
use crate::sending::{schedule, verify};
use crate::world::{PAYLOAD, Plan, SECRET, World};
use bytes::Bytes;
use engine::EngineConfig;
use model::message::PayloadForm;
use model::protection::{Encryption, EncryptionKey, Protection};
use model::security::SecurityKind;
use std::time::Duration;
use store::Lane;
use transport::Limits;
use webhook::HeaderFamily;
use webhook::jwe::{self, OpenError, Opened, PrivateJwk, Signed};

pub(crate) const EC: &str = r#"{"kty":"EC","crv":"P-256","kid":"a",
    "x":"9C08uigMrQ7srvvPbcvv7S3ClBevi5BhJg78qH6G8u4",
    "y":"k2DM1b2ZTHMWXeanlp8kgrazT1x0y11og48blgNAbRo",
    "d":"2J2RT_oL7hpeAfe7YAiHoLi5N17fvUKGxbo_GNiPZO8"}"#;
const X25519: &str = r#"{"kty":"OKP","crv":"X25519","kid":"b",
    "x":"J_bYB6Kp7PRFm89Bg4SeAaMOPefnaPRtNuNH-ZjYbg8",
    "d":"2BxE_aKynYedfFKiMzqynA82TURleXfZY2YcN7rdF0Y"}"#;
/// Where sets of keys are.
const SET: &str = "https://keys.example/jwks.json";

fn private(jwk: &str) -> PrivateJwk {
    PrivateJwk::parse(jwk).expect("a key")
}

pub(crate) fn given(jwk: &str, algorithm: Option<&str>) -> Encryption {
    Encryption {
        key: EncryptionKey::Given(private(jwk).public_json()),
        algorithm: algorithm.map(str::to_owned),
    }
}

pub(crate) fn published(url: &str, key_id: Option<&str>) -> Encryption {
    let (url, key_id) = (url.to_owned(), key_id.map(str::to_owned));
    Encryption {
        key: EncryptionKey::Published { url, key_id },
        algorithm: None,
    }
}

/// The set of the public halves of these keys.
fn set(keys: &[&str]) -> Reaction {
    let keys: Vec<_> = keys.iter().map(|jwk| private(jwk).public_json()).collect();
    Reaction::Body(format!(r#"{{"keys":[{}]}}"#, keys.join(",")).into())
}

async fn encrypted_lane(world: &World, encryption: Encryption) -> Lane {
    let application = world.application(None).await;
    let protection = Protection {
        encryption: Some(encryption),
        ..Protection::default()
    };
    let plan = Plan {
        protection,
        ..Plan::new("https://a.example/in")
    };
    world.endpoint(application, plan).await
}

/// Opens a request as its receiver does: the signature first, then the payload.
pub(crate) fn open(sent: &Sent, jwk: &str) -> Result<Opened, OpenError> {
    assert!(verify(sent, SECRET, HeaderFamily::Webhook));
    assert_eq!(sent.headers["content-type"], "application/jose");
    let timestamp = sent.headers["webhook-timestamp"].to_str().expect("ASCII");
    let signed = Signed {
        id: &sent.id,
        timestamp: timestamp.parse().expect("seconds"),
        event_type: None,
    };
    jwe::open(&sent.body, &[private(jwk)], signed)
}

#[tokio::test(start_paused = true)]
async fn a_payload_is_encrypted_then_signed_and_only_its_receiver_opens_it() {
    let cases = [
        (EC, None),
        (EC, Some("ECDH-ES")),
        (X25519, Some("ECDH-ES+A256KW")),
    ];
    for (jwk, algorithm) in cases {
        let world = World::new();
        let lane = encrypted_lane(&world, given(jwk, algorithm)).await;
        let mut node = world.start(EngineConfig::default()).await;
        world.send(&node, &[lane]).await;
        node.until_recorded(1).await;
        let sent = world.network.sent().remove(0);
        let opened = open(&sent, jwk).expect("it opens");
        assert_eq!(opened.payload, PAYLOAD);
        assert_eq!(opened.event_type, "order.paid");
        let other = if jwk == EC { X25519 } else { EC };
        assert!(open(&sent, other).is_err());
    }
}

#[tokio::test(start_paused = true)]
async fn a_retry_is_encrypted_anew_for_its_own_time_and_keeps_its_id() {
    let world = World::new();
    let lane = encrypted_lane(&world, given(EC, None)).await;
    world.network.host("a.example", |nth| match nth {
        0 => answer(500),
        _ => answer(200),
    });
    let mut node = world.start(schedule(&[120])).await;
    world.send(&node, &[lane]).await;
    node.until_recorded(2).await;
    let sent = world.network.sent();
    assert_eq!(sent[0].id, sent[1].id);
    for sent in &sent {
        assert_eq!(open(sent, EC).expect("it opens").payload, PAYLOAD);
    }
    // Header, key, IV, content and tag: none of them is the first attempt's.
    let parts = |sent: &Sent| -> Vec<Vec<u8>> {
        let parts = sent.body.split(|byte| *byte == b'.');
        parts.map(<[u8]>::to_vec).collect()
    };
    let (first, second) = (parts(&sent[0]), parts(&sent[1]));
    assert!(first.iter().zip(&second).all(|(one, other)| one != other));

    // What was encrypted for one attempt is no other's, whoever signs it.
    let timestamp = sent[1].headers["webhook-timestamp"]
        .to_str()
        .expect("ASCII");
    let signed = |id, event_type| Signed {
        id,
        timestamp: timestamp.parse().expect("seconds"),
        event_type,
    };
    let keys = [private(EC)];
    let of_first = jwe::open(&sent[0].body, &keys, signed(&sent[0].id, None));
    assert_eq!(of_first.err(), Some(OpenError::OtherTimestamp));
    let Sent { id, body, .. } = &sent[1];
    let renamed = jwe::open(body, &keys, signed("msg_other", None));
    assert_eq!(renamed.err(), Some(OpenError::OtherId));
    let retyped = jwe::open(body, &keys, signed(id, Some("order.refunded")));
    assert_eq!(retyped.err(), Some(OpenError::OtherEventType));
}

#[tokio::test(start_paused = true)]
async fn what_is_no_json_says_what_it_is() {
    let world = World::new();
    let lane = encrypted_lane(&world, given(X25519, None)).await;
    let mut node = world.start(EngineConfig::default()).await;
    let xml = |message: &mut store::accept::NewMessage| {
        let content_type = Some("text/xml".to_owned());
        message.form = PayloadForm::Raw { content_type };
    };
    world.send_with(&node, &[lane], xml).await;
    node.until_recorded(1).await;
    let sent = world.network.sent().remove(0);
    assert_eq!(open(&sent, X25519).err(), Some(OpenError::ContentType));
    let decrypted = jwe::decrypt(&sent.body, &[private(X25519)]).expect("it opens");
    assert_eq!(decrypted.payload, PAYLOAD);
    assert_eq!(decrypted.header.content_type.as_deref(), Some("text/xml"));
}

#[tokio::test(start_paused = true)]
async fn a_set_is_fetched_once_and_again_for_a_key_that_it_lacks() {
    let world = World::new();
    world.network.host("keys.example", |nth| match nth {
        0 | 1 => set(&[EC]),
        _ => set(&[EC, X25519]),
    });
    let first = encrypted_lane(&world, published(SET, None)).await;
    let mut node = world.start(schedule(&[40, 40])).await;
    for _ in 0..3 {
        world.send(&node, &[first]).await;
        node.until_recorded(1).await;
    }
    assert_eq!(world.network.sent_to("keys.example").len(), 1);

    // The key is published only after somebody has asked for it.
    let second = encrypted_lane(&world, published(SET, Some("b"))).await;
    world.send(&node, &[second]).await;
    node.until_recorded(2).await;
    assert_eq!(world.network.sent_to("keys.example").len(), 3);
    let sent = world.network.sent_to("a.example");
    assert_eq!(sent.len(), 4);
    for (index, sent) in sent.iter().enumerate() {
        let jwk = if index < 3 { EC } else { X25519 };
        assert_eq!(open(sent, jwk).expect("it opens").payload, PAYLOAD);
    }
    let attempts = world.attempts(second).await;
    let excerpt = world.excerpt(second, &attempts[0]).await.expect("a reason");
    assert!(
        excerpt.contains(r#"no key with the `kid` "b""#),
        "{excerpt}"
    );
}

/// Sends a message where no key is to be had; gives what the attempt says.
async fn refused(does: Reaction, encryption: Encryption) -> (String, Vec<SecurityKind>) {
    let world = World::new();
    world.network.host("keys.example", move |_| does.clone());
    let lane = encrypted_lane(&world, encryption).await;
    let other = world.lane("https://b.example/").await;
    let mut node = world.start(schedule(&[120])).await;
    world.send(&node, &[lane]).await;
    world.send(&node, &[other]).await;
    node.until_recorded_of(lane, 1).await;

    assert_eq!(world.network.sent_to("a.example"), []);
    assert_eq!(world.network.sent_to("b.example").len(), 1);
    let open = world.open_lanes().await;
    assert!(
        open.iter().any(|open| open.endpoint == lane.endpoint),
        "it is retried"
    );
    let attempts = world.attempts(lane).await;
    let excerpt = world.excerpt(lane, &attempts[0]).await.expect("a reason");
    (excerpt, world.reports.kinds())
}

#[tokio::test(start_paused = true)]
async fn without_a_key_nothing_is_sent_and_nothing_is_lost() {
    const UNAVAILABLE: SecurityKind = SecurityKind::EncryptionUnavailable;
    const BLOCKED: SecurityKind = SecurityKind::DestinationBlocked;
    let body = |text: &'static str| Reaction::Body(Bytes::from_static(text.as_bytes()));
    let signing = r#"{"keys":[{"kty":"oct","k":"c2VjcmV0"}]}"#;
    let cases = [
        (Reaction::Refuse, "refused", None),
        (Reaction::Hang, "timed out", None),
        (Reaction::Blocked, "blocked", Some(BLOCKED)),
        (answer(500), "answered 500", None),
        (answer(302), "answered 302, a redirect", None),
        (
            Reaction::Body(vec![b' '; 10 << 20].into()),
            "longer than",
            None,
        ),
        (body("<html>"), "a JWKS is a JSON object", None),
        (body(signing), "no key to encrypt to", None),
    ];
    for (does, says, besides) in cases {
        let (excerpt, kinds) = refused(does, published(SET, None)).await;
        let begins = "not sent: the payload can't be encrypted for its receiver: the key set ";
        assert!(excerpt.starts_with(begins), "{excerpt}");
        assert!(excerpt.contains(says), "{says:?} is not in: {excerpt}");
        let expected: Vec<_> = [Some(UNAVAILABLE), besides].into_iter().flatten().collect();
        assert_eq!(kinds, expected, "{excerpt}");
    }
    // What the policy let pass when it was set may be closed by now.
    let inside = published("https://169.254.169.254/jwks.json", None);
    let (excerpt, kinds) = refused(answer(200), inside).await;
    assert!(
        excerpt.contains("the key set's URL can't be called"),
        "{excerpt}"
    );
    assert_eq!(kinds, [UNAVAILABLE]);
}

#[tokio::test(start_paused = true)]
async fn a_key_is_waited_for_no_longer_than_an_attempt_may_take() {
    let world = World::new();
    world.network.host("keys.example", |_| Reaction::Hang);
    let lane = encrypted_lane(&world, published(SET, None)).await;
    let limits = Limits {
        total_timeout: Duration::from_secs(3),
        ..Limits::default()
    };
    let config = EngineConfig {
        limits,
        ..schedule(&[120])
    };
    let mut node = world.start(config).await;
    world.send(&node, &[lane]).await;
    node.until_recorded(1).await;
    let attempts = world.attempts(lane).await;
    assert_eq!(attempts[0].attempt.duration, Duration::from_secs(3));
    let excerpt = world.excerpt(lane, &attempts[0]).await.expect("a reason");
    assert!(excerpt.contains("was not there within 3 s"), "{excerpt}");
    assert_eq!(world.network.sent_to("a.example"), []);
}

#[tokio::test(start_paused = true)]
async fn what_a_key_took_is_of_the_time_that_its_attempt_has() {
    let world = World::new();
    world.network.host("keys.example", |_| {
        let keys = format!(r#"{{"keys":[{}]}}"#, private(EC).public_json());
        Reaction::Late(keys.into(), Duration::from_secs(2))
    });
    world.network.host("a.example", |_| Reaction::Hang);
    let lane = encrypted_lane(&world, published(SET, None)).await;
    let limits = Limits {
        total_timeout: Duration::from_secs(3),
        ..Limits::default()
    };
    let config = EngineConfig {
        limits,
        ..schedule(&[120])
    };
    let mut node = world.start(config).await;
    world.send(&node, &[lane]).await;
    node.until_recorded(1).await;
    assert_eq!(world.network.sent_to("a.example").len(), 1);
    let attempts = world.attempts(lane).await;
    assert_eq!(attempts[0].attempt.duration, limits.total_timeout);
}
