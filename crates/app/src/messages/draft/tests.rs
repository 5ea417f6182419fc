//! Every rule that a message must keep, and what a message becomes that keeps them.

use super::*;
use crate::Violation;
use model::message::PayloadForm;
use proptest::prelude::*;

const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);
const KEPT: Duration = Duration::from_secs(90 * 86_400);
const BOUNDS: Bounds = Bounds {
    now: NOW,
    hops: Hops::NONE,
    trace: None,
    payload_bytes_max: 1_000,
    retention: KEPT,
};

const SIX: [&str; 6] = ["1", "2", "3", "4", "5", "6"];

fn message() -> MessageInput {
    MessageInput {
        event_type: "invoice.paid".to_owned(),
        payload: Bytes::from_static(b"{}"),
        ..MessageInput::default()
    }
}

fn list(texts: &[&str]) -> Option<Vec<String>> {
    Some(texts.iter().map(|text| (*text).to_owned()).collect())
}

fn raw(content_type: &str) -> Option<RawInput> {
    let text = Bytes::from_static(b"hello");
    Some(RawInput {
        text,
        content_type: Some(content_type.to_owned()),
    })
}

/// The fields that the rules name; empty for a message that keeps them.
fn broken(input: MessageInput, bounds: Bounds) -> Vec<String> {
    match input.judge(bounds) {
        Ok(_) => Vec::new(),
        Err(AppError::Invalid(broken)) => broken
            .iter()
            .map(|violation| violation.location.join("."))
            .collect(),
        Err(other) => panic!("{other}"),
    }
}

#[test]
fn every_broken_rule_names_its_field() {
    type Case = (fn(&mut MessageInput), &'static [&'static str]);
    let cases: &[Case] = &[
        (|_| {}, &[]),
        (|m| m.event_type.clear(), &["body.eventType.__all__"]),
        (|m| m.event_type.push(' '), &["body.eventType.__all__"]),
        (
            |m| m.event_type = "a".repeat(257),
            &["body.eventType.__all__"],
        ),
        (|m| m.event_id = Some("order-1".into()), &[]),
        (|m| m.event_id = Some("".into()), &["body.eventId.__all__"]),
        (
            |m| m.event_id = Some("msg_1".into()),
            &["body.eventId.__all__"],
        ),
        (|m| m.channels = list(&["1"; 5]), &[]),
        (|m| m.channels = list(&["1"; 6]), &["body.channels"]),
        (|m| m.channels = list(&[]), &["body.channels"]),
        (|m| m.channels = list(&SIX), &["body.channels"]),
        (
            |m| m.channels = list(&["a", "a/b"]),
            &["body.channels[1].__all__"],
        ),
        (|m| m.tags = list(&[]), &[]),
        (|m| m.tags = list(&SIX), &["body.tags"]),
        (|m| m.retention_days = Some(5), &[]),
        (|m| m.retention_days = Some(90), &[]),
        (
            |m| m.retention_days = Some(4),
            &["body.payloadRetentionPeriod"],
        ),
        (
            |m| m.retention_days = Some(91),
            &["body.payloadRetentionPeriod"],
        ),
        (
            |m| m.retention_days = Some(i64::MIN),
            &["body.payloadRetentionPeriod"],
        ),
        (|m| m.retention_hours = Some(1), &[]),
        (
            |m| m.retention_hours = Some(0),
            &["body.payloadRetentionHours"],
        ),
        (
            |m| m.retention_hours = Some(65_537),
            &["body.payloadRetentionHours"],
        ),
        (|m| m.deliver_at = Some(NOW.plus(DELIVER_AT_MAX)), &[]),
        (
            |m| m.deliver_at = Some(NOW.plus(DELIVER_AT_MAX + HOUR)),
            &["body.deliverAt"],
        ),
        (|m| m.deliver_at = Some(Timestamp::MIN), &[]),
        (|m| m.deliver_at = Some(Timestamp::MAX), &["body.deliverAt"]),
        (|m| m.raw = raw("text/plain; charset=utf-8"), &[]),
        (
            |m| m.raw = raw("text/plain\r\nx: y"),
            &["body.transformationsParams"],
        ),
        (|m| m.raw = raw(" "), &["body.transformationsParams"]),
        (|m| m.payload = Bytes::from_static(b"[]"), &["body.payload"]),
    ];
    for (index, (spoil, expected)) in cases.iter().enumerate() {
        let mut input = message();
        spoil(&mut input);
        assert_eq!(broken(input, BOUNDS), *expected, "case {index}");
    }
}

#[test]
fn all_broken_rules_are_told_together() {
    let input = MessageInput {
        event_type: "é".to_owned(),
        event_id: Some(String::new()),
        payload: Bytes::from_static(b"null"),
        retention_days: Some(1),
        ..MessageInput::default()
    };
    let expected = [
        "body.eventType.__all__",
        "body.eventId.__all__",
        "body.payload",
        "body.payloadRetentionPeriod",
    ];
    assert_eq!(broken(input, BOUNDS), expected);
}

#[test]
fn payload_must_be_an_object() {
    for text in ["[]", "null", "1", "\"{}\"", "true"] {
        let payload = Bytes::copy_from_slice(text.as_bytes());
        let refused = MessageInput {
            payload,
            ..message()
        }
        .judge(BOUNDS)
        .unwrap_err();
        let AppError::Invalid(broken) = refused else {
            panic!("{refused}")
        };
        assert_eq!(
            broken,
            [Violation::body(&["payload"], "Payload must be an object.")]
        );
    }
}

#[test]
fn what_is_sent_is_what_is_measured() {
    let big = Bytes::from(format!("{{\"a\":\"{}\"}}", "x".repeat(1_000)));
    let exact = Bytes::from(format!("{{\"a\":\"{}\"}}", "x".repeat(1_000 - 8)));
    let raw = |text: Bytes| {
        Some(RawInput {
            text,
            content_type: None,
        })
    };
    let judged = |payload: &Bytes, raw: Option<RawInput>| {
        MessageInput {
            payload: payload.clone(),
            raw,
            ..message()
        }
        .judge(BOUNDS)
    };
    assert_eq!(judged(&exact, None).unwrap().payload.len(), 1_000);
    assert!(matches!(judged(&big, None), Err(AppError::TooLarge(_))));
    assert!(matches!(
        judged(&exact, raw(big.clone())),
        Err(AppError::TooLarge(_))
    ));
    let sent = judged(&big, raw(exact.clone())).unwrap();
    assert_eq!(
        (sent.payload, sent.form),
        (exact, PayloadForm::Raw { content_type: None })
    );
}

#[test]
fn payloads_are_kept_as_asked_but_never_longer_than_the_operator_keeps_any() {
    let month = Bounds {
        retention: DAY * 30,
        ..BOUNDS
    };
    let cases = [
        (None, None, 0, BOUNDS, KEPT),
        (Some(7), None, 0, BOUNDS, DAY * 7),
        (None, Some(7), 0, BOUNDS, HOUR * 7),
        (Some(7), Some(7), 0, BOUNDS, HOUR * 7),
        (Some(90), None, 0, month, DAY * 30),
        (None, None, 10, month, DAY * 20),
        (Some(7), None, 10, month, DAY * 7),
    ];
    for (days, hours, wait, bounds, expected) in cases {
        let input = MessageInput {
            retention_days: days,
            retention_hours: hours,
            deliver_at: Some(NOW.plus(DAY * wait)),
            ..message()
        };
        let draft = input.clone().judge(bounds).unwrap();
        assert_eq!(draft.retention, expected, "{input:?}");
    }
}

#[test]
fn a_message_is_not_put_off_until_its_payload_is_gone() {
    let month = Bounds {
        retention: DAY * 30,
        ..BOUNDS
    };
    let at = |days| MessageInput {
        deliver_at: Some(NOW.plus(DAY * days)),
        ..message()
    };
    assert_eq!(broken(at(29), month), [""; 0]);
    assert_eq!(broken(at(30), month), ["body.deliverAt"]);
}

proptest! {
    #[test]
    fn judging_never_panics_and_changes_no_payload(
        event_type in ".{0,8}",
        event_id in proptest::option::of(".{0,8}"),
        text in proptest::collection::vec(any::<u8>(), 0..64),
        days in proptest::option::of(any::<i64>()),
        hours in proptest::option::of(any::<i64>()),
        deliver_at in proptest::option::of(any::<i64>()),
    ) {
        let input = MessageInput {
            event_type,
            event_id,
            payload: Bytes::from(text.clone()),
            retention_days: days,
            retention_hours: hours,
            deliver_at: deliver_at.map(Timestamp::from_micros),
            ..MessageInput::default()
        };
        if let Ok(draft) = input.judge(BOUNDS) {
            prop_assert_eq!(&draft.payload[..], &text[..]);
        }
    }
}
