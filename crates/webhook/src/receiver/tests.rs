//! In which order a request is judged, what its sender is told, and that nothing is burned by a
//! request that was no good.

use super::*;
use crate::Refused;
use crate::jwe::{Context, DecryptError, PublicJwk, RANDOM_BYTES, Recipient};
use crate::provider::Outgoing;
use crate::replay::{GuardError, InMemory, Reserve, Ticket};
use serde::Deserialize;

const NOW: i64 = 1_764_000_000;
const STANDARD: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const BODY: &[u8] = br#"{"type":"order.paid","order":7}"#;
const JWK: &str = r#"{
    "kty": "OKP", "crv": "X25519", "kid": "2026-11",
    "x": "H3aIKQpVxwtX1_AbE1_KeL5YLB0ZraC2lKspX4RUzWk",
    "d": "qPlnYgbDllK7rdYVApgLRIGHaOihM4hS6NwKbyqx_U0"
}"#;

#[derive(Deserialize, Debug)]
struct Paid {
    order: u64,
}

/// A request that a provider would send.
#[derive(Clone)]
struct Sent {
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

fn provider(name: &str) -> Provider {
    Provider::named(name).expect("known")
}

fn secret(name: &str) -> &'static str {
    match name {
        "standard-webhooks" => STANDARD,
        _ => "sesame",
    }
}

fn sent(name: &str, (id, timestamp): (&str, i64), body: &[u8]) -> Sent {
    let outgoing = Outgoing {
        method: "POST",
        url: "https://shop.example/hooks",
        id,
        timestamp,
        body,
    };
    let headers = provider(name).sign(&[secret(name)], &outgoing);
    Sent {
        headers: headers.expect("signed"),
        body: body.to_owned(),
    }
}

fn receiver(name: &str) -> (Receiver, Arc<InMemory>) {
    let guard = Arc::new(InMemory::new(16));
    let receiver = Receiver::new(provider(name), &[secret(name)], guard.clone());
    (receiver.expect("a secret"), guard)
}

type Received = Result<(Webhook<Paid>, Reservation), Rejection>;

fn receive(receiver: &Receiver, sent: &Sent, now: i64) -> Received {
    let headers: Vec<_> = sent
        .headers
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_bytes()))
        .collect();
    let request = Request {
        method: "POST",
        url: "https://shop.example/hooks",
        headers: &headers,
        body: &sent.body,
    };
    receiver.receive(&request, now)
}

fn private() -> PrivateJwk {
    PrivateJwk::parse(JWK).expect("a key")
}

fn sealed(id: &str, timestamp: i64) -> Vec<u8> {
    let public = PublicJwk::parse(&private().public_json()).expect("its half");
    let context = Context {
        id,
        timestamp,
        event_type: "order.paid",
        content_type: "application/json",
    };
    let recipient = Recipient::new(&public, None).expect("usable");
    let text = recipient.encrypt(context, br#"{"order":7}"#, &[7; RANDOM_BYTES]);
    text.expect("encrypted").into_bytes()
}

#[test]
fn a_genuine_event_is_read_with_all_that_is_said_of_it() {
    let (receiver, _) = receiver("standard-webhooks");
    let sent = sent("standard-webhooks", ("msg_1", NOW), BODY);
    let (webhook, _held) = receive(&receiver, &sent, NOW).expect("genuine");
    assert_eq!(webhook.event.order, 7);
    let about = &webhook.about;
    assert_eq!(
        (about.id.as_deref(), about.is_id_signed),
        (Some("msg_1"), true)
    );
    assert_eq!(about.signed_at, Some(NOW));
    assert_eq!(about.event_type.as_deref(), Some("order.paid"));
    assert_eq!(about.payload, BODY);
    assert!(
        !format!("{about:?}").contains("order\\\""),
        "no payload is printed"
    );
}

#[test]
fn each_rejection_has_its_status_and_no_two_forgeries_differ() {
    let (receiver, guard) = receiver("standard-webhooks");
    let receiver = receiver.body_bytes_max(40);
    let name = "standard-webhooks";
    let good = sent(name, ("msg_1", NOW), BODY);
    let unsigned = Sent {
        headers: Vec::new(),
        ..good.clone()
    };
    let changed = Sent {
        body: br#"{"order":8}"#.to_vec(),
        ..good.clone()
    };
    let too_long = sent(name, ("msg_1", NOW), &[b' '; 41]);
    let refused = "the request was refused";
    let unusable = "the payload can't be used";
    for (case, status, detail) in [
        (unsigned, 401, refused),
        (changed, 401, refused),
        (sent(name, ("msg_1", NOW - 301), BODY), 401, refused),
        (sent(name, ("msg_1", NOW + 301), BODY), 401, refused),
        (sent(name, ("msg_1", NOW), b"{"), 400, unusable),
        (
            sent(name, ("msg_1", NOW), br#"{"order":"x"}"#),
            400,
            unusable,
        ),
        (too_long, 413, "the body is too long"),
    ] {
        let rejection = receive(&receiver, &case, NOW).expect_err("no good");
        assert_eq!(
            (rejection.status(), rejection.detail()),
            (status, detail),
            "{rejection}"
        );
        assert!(guard.is_empty(), "burned by: {rejection}");
    }
    assert!(receive(&receiver, &good, NOW).is_ok());
}

#[test]
fn what_is_wrong_with_a_payload_repeats_nothing_of_it() {
    let (receiver, _) = receiver("standard-webhooks");
    let body = br#"{"order":"4111 1111"}"#;
    let sent = sent("standard-webhooks", ("msg_1", NOW), body);
    let rejection = receive(&receiver, &sent, NOW).expect_err("no number");
    assert!(
        !format!("{rejection} {rejection:?}").contains("4111"),
        "{rejection}"
    );
    let no_json = self::sent("standard-webhooks", ("msg_1", NOW), b"{\n\"order");
    let no_json = receive(&receiver, &no_json, NOW).expect_err("no JSON");
    assert_eq!(
        [rejection.to_string(), no_json.to_string()],
        [
            "the payload is not of the type that is expected: see line 1, column 20",
            "the payload is not JSON: it goes wrong at line 2, column 6",
        ]
    );
}

#[test]
fn a_handler_that_fails_burns_nothing_and_one_that_is_done_is_not_asked_again() {
    let (receiver, _) = receiver("standard-webhooks");
    let sent_at = |seconds| sent("standard-webhooks", ("msg_1", NOW + seconds), BODY);
    let (_, held) = receive(&receiver, &sent_at(0), NOW).expect("new");
    let busy = receive(&receiver, &sent_at(1), NOW + 1).expect_err("held");
    assert_eq!(busy.status(), 409);
    drop(held);
    let (_, held) = receive(&receiver, &sent_at(2), NOW + 2).expect("given back");
    held.confirm().expect("held");
    // Signed anew, as a sender's next attempt is.
    let seen = receive(&receiver, &sent_at(9), NOW + 9).expect_err("a repeat");
    assert!(matches!(seen, Rejection::Seen));
    assert_eq!(seen.status(), 200);
}

#[test]
fn keys_are_remembered_for_as_long_as_a_replay_could_be_genuine() {
    const DAY: u32 = 24 * 60 * 60;
    for (name, tolerance, window, expected) in [
        ("standard-webhooks", None, None, 600),
        ("standard-webhooks", Some(1_000), None, 2_000),
        ("standard-webhooks", None, Some(DAY), DAY),
        ("standard-webhooks", Some(DAY), Some(DAY), 2 * DAY),
        ("github", None, None, 30 * DAY),
        ("github", None, Some(DAY), DAY),
        ("telegram", None, None, 30 * DAY),
    ] {
        let (mut receiver, _) = receiver(name);
        if let Some(seconds) = tolerance {
            receiver = receiver.tolerance_seconds(seconds);
        }
        if let Some(seconds) = window {
            receiver = receiver.replay_window_seconds(seconds);
        }
        let sent = sent(name, ("msg_1", NOW), BODY);
        let (webhook, _held) = receive(&receiver, &sent, NOW).expect("genuine");
        let until = webhook.about.remember.until;
        assert_eq!(until - NOW, i64::from(expected), "{name}");
    }
}

#[test]
fn another_unsigned_id_makes_a_replay_no_other_message() {
    let (receiver, guard) = receiver("github");
    let first = sent("github", ("a", NOW), BODY);
    let (webhook, held) = receive(&receiver, &first, NOW).expect("new");
    assert!(!webhook.about.is_id_signed);
    held.confirm().expect("held");
    let renamed = sent("github", ("b", NOW), BODY);
    let seen = receive(&receiver, &renamed, NOW).expect_err("the same content");
    assert!(matches!(seen, Rejection::Seen));
    let other = sent("github", ("a", NOW), br#"{"order":8}"#);
    let other = receive(&receiver, &other, NOW).expect_err("the same id");
    assert!(matches!(other, Rejection::OtherContent));
    assert_eq!(other.status(), 409);
    assert_eq!(guard.len(), 2, "of what was refused, nothing is remembered");
    let next = sent("github", ("b", NOW), br#"{"order":8}"#);
    assert!(receive(&receiver, &next, NOW).is_ok());
}

#[test]
fn sources_that_share_a_guard_share_no_ids() {
    let guard = Arc::new(InMemory::new(16));
    let named = |source| {
        let provider = provider("standard-webhooks");
        let receiver = Receiver::new(provider, &[STANDARD], guard.clone());
        receiver.expect("a secret").source(source)
    };
    let sent = sent("standard-webhooks", ("msg_1", NOW), BODY);
    let _first = receive(&named("a"), &sent, NOW).expect("new");
    let _second = receive(&named("b"), &sent, NOW).expect("another source's");
    let busy = receive(&named("a"), &sent, NOW).expect_err("held");
    assert!(matches!(busy, Rejection::InProgress));
}

#[test]
fn an_encrypted_payload_is_opened_only_as_the_message_that_was_signed() {
    let name = "standard-webhooks";
    let (receiver, guard) = receiver(name);
    let receiver = receiver.decrypt_with(vec![private()]);
    for (case, expected) in [
        (
            sent(name, ("msg_2", NOW), &sealed("msg_1", NOW)),
            OpenError::OtherId,
        ),
        (
            sent(name, ("msg_1", NOW), &sealed("msg_1", NOW - 1)),
            OpenError::OtherTimestamp,
        ),
        (
            sent(name, ("msg_1", NOW), BODY),
            DecryptError::Malformed.into(),
        ),
    ] {
        match receive(&receiver, &case, NOW).expect_err("no good") {
            Rejection::Encryption(error) => assert_eq!(error, expected),
            other => panic!("{other}"),
        }
        assert!(guard.is_empty());
    }
    let sent = sent(name, ("msg_1", NOW), &sealed("msg_1", NOW));
    let (webhook, _held) = receive(&receiver, &sent, NOW).expect("genuine");
    assert_eq!(webhook.about.event_type.as_deref(), Some("order.paid"));
    assert_eq!(webhook.about.payload, br#"{"order":7}"#);
}

#[test]
fn the_header_of_a_signed_jwe_says_what_the_scheme_does_not() {
    let (receiver, _) = receiver("github");
    let receiver = receiver.decrypt_with(vec![private()]);
    let first = sent("github", ("unsigned", NOW), &sealed("msg_1", NOW));
    let (webhook, held) = receive(&receiver, &first, NOW).expect("genuine");
    let about = &webhook.about;
    assert_eq!(
        (about.id.as_deref(), about.is_id_signed),
        (Some("msg_1"), true)
    );
    held.confirm().expect("held");
    let next_attempt = sent("github", ("other", NOW), &sealed("msg_1", NOW + 9));
    let seen = receive(&receiver, &next_attempt, NOW + 9).expect_err("a repeat");
    assert!(matches!(seen, Rejection::Seen));
    let old = sent("github", ("other", NOW), &sealed("msg_2", NOW));
    let old = receive(&receiver, &old, NOW + 301).expect_err("a replay");
    assert!(matches!(old, Rejection::Refused(Refused::TooOld { .. })));
}

#[test]
fn what_nobody_signed_is_not_decrypted() {
    let (receiver, _) = receiver("telegram");
    let receiver = receiver.decrypt_with(vec![private()]);
    let sent = sent("telegram", ("msg_1", NOW), &sealed("msg_1", NOW));
    let rejection = receive(&receiver, &sent, NOW).expect_err("unsigned");
    assert!(matches!(
        rejection,
        Rejection::Encryption(OpenError::Unsigned)
    ));
}

/// A guard whose database is away.
struct Away;

impl Guard for Away {
    fn reserve(&self, _: &Key, _: i64, _: i64) -> Result<Reserve, GuardError> {
        Err(GuardError::Failed("connection refused".into()))
    }

    fn confirm(&self, _: &Key, _: Ticket) -> Result<(), GuardError> {
        Ok(())
    }

    fn release(&self, _: &Key, _: Ticket) {}
}

#[test]
fn nothing_is_taken_while_the_guard_cannot_answer() {
    let receiver = Receiver::new(provider("standard-webhooks"), &[STANDARD], Arc::new(Away));
    let receiver = receiver.expect("a secret");
    let sent = sent("standard-webhooks", ("msg_1", NOW), BODY);
    let rejection = receive(&receiver, &sent, NOW).expect_err("unknown");
    assert_eq!(rejection.status(), 503);
    let forged = Sent {
        headers: Vec::new(),
        ..sent
    };
    let rejection = receive(&receiver, &forged, NOW).expect_err("unsigned");
    assert_eq!(rejection.status(), 401, "forgeries don't reach the guard");
}

#[test]
fn a_handshake_is_answered_and_is_no_event() {
    let (slack, _) = receiver("slack");
    let body = br#"{"type":"url_verification","challenge":"abc"}"#;
    let signed = sent("slack", ("", NOW), body);
    match receive(&slack, &signed, NOW).expect_err("no event") {
        Rejection::Handshake(answer) => assert_eq!(answer.body, "abc"),
        other => panic!("{other}"),
    }
    let forged = Sent {
        body: signed.body.to_ascii_uppercase(),
        ..signed
    };
    let refused = receive(&slack, &forged, NOW).expect_err("forged");
    assert_eq!(refused.status(), 401);
}

#[test]
fn a_handshake_that_cant_be_signed_holds_one_of_the_tokens() {
    let ask = |token: &str| {
        let (meta, _) = receiver("meta");
        let url =
            "https://shop.example/?hub.mode=subscribe&hub.challenge=7&hub.verify_token=sesame";
        let request = Request {
            method: "GET",
            url,
            headers: &[],
            body: b"",
        };
        let meta = meta.verify_tokens(&[token]);
        meta.accept(&request, NOW).expect_err("no event").status()
    };
    assert_eq!(ask("sesame"), 200);
    assert_eq!(ask("another"), 401);
}

/// Two items of Adyen's, signed with the key `44782DEF…` of its vectors.
const ITEMS: [&str; 2] = [
    r#"{"NotificationRequestItem":{"additionalData":{"hmacSignature":"K2psOimjPtCD41Woj76iE26kfBx+yAVc2R33gyjkG4I="},"eventCode":"CAPTURE","pspReference":"1","success":"true"}}"#,
    r#"{"NotificationRequestItem":{"additionalData":{"hmacSignature":"pUT4fakrWZ5auAUArE2aTRNkbedINZNcjU+X+/HL/K8="},"eventCode":"CAPTURE","pspReference":"2","success":"true"}}"#,
];

#[test]
fn an_item_that_came_before_is_told_wherever_it_stands() {
    let guard = Arc::new(InMemory::new(16));
    let key = "44782DEF547AAA06C910C43932B1EB0C71FC68D9D0C057550C48EC2ACF6BA056";
    let adyen = Receiver::new(provider("adyen"), &[key], guard).expect("a key");
    let take = |items: &[&str]| {
        let body = format!(r#"{{"notificationItems":[{}]}}"#, items.join(","));
        let request = Request {
            method: "POST",
            url: "https://shop.example/hooks",
            headers: &[],
            body: body.as_bytes(),
        };
        adyen.accept(&request, NOW)
    };
    let (event, held) = take(&ITEMS[..1]).expect("genuine");
    assert_eq!(event.id.as_deref(), Some("1:CAPTURE:true"));
    assert_eq!(event.event_type.as_deref(), Some("CAPTURE"));
    held.confirm().expect("held");
    let again = take(&[ITEMS[0], ITEMS[0]]).expect_err("a replay, twice");
    assert!(matches!(again, Rejection::Seen), "{again}");
    let among_others = take(&[ITEMS[1], ITEMS[0]]).expect_err("a replay beside another");
    assert!(matches!(among_others, Rejection::Several), "{among_others}");
    assert!(take(&ITEMS[1..]).is_ok(), "it was not burned");
}
