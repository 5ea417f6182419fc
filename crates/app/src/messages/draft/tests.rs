use super::*;
use model::message::PayloadForm;
use proptest::prelude::*;

const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);
const KEPT: Duration = Duration::from_secs(90 * 86_400);
const BOUNDS: Bounds = Bounds {
    now: NOW,
    payload_bytes_max: 1_000,
    retention: KEPT,
};

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
    let long = "a".repeat(257);
    let raw = |content_type: &str| {
        Some(RawInput {
            text: Bytes::from_static(b"hello"),
            content_type: Some(content_type.to_owned()),
        })
    };
    let in_days = |days: u64| Some(NOW.plus(DAY * u32::try_from(days).unwrap()));
    let six = list(&["1", "2", "3", "4", "5", "6"]);
    let cases: Vec<(MessageInput, &[&str])> = vec![
        (message(), &[]),
        (
            MessageInput {
                event_type: String::new(),
                ..message()
            },
            &["body.eventType"],
        ),
        (
            MessageInput {
                event_type: "a b".into(),
                ..message()
            },
            &["body.eventType"],
        ),
        (
            MessageInput {
                event_type: long.clone(),
                ..message()
            },
            &["body.eventType"],
        ),
        (
            MessageInput {
                event_id: Some("order-1".into()),
                ..message()
            },
            &[],
        ),
        (
            MessageInput {
                event_id: Some(String::new()),
                ..message()
            },
            &["body.eventId"],
        ),
        (
            MessageInput {
                event_id: Some("msg_1".into()),
                ..message()
            },
            &["body.eventId"],
        ),
        (
            MessageInput {
                channels: list(&["a"]),
                ..message()
            },
            &[],
        ),
        (
            MessageInput {
                channels: list(&["a", "a", "b", "c", "d", "e"]),
                ..message()
            },
            &[],
        ),
        (
            MessageInput {
                channels: list(&[]),
                ..message()
            },
            &["body.channels"],
        ),
        (
            MessageInput {
                channels: six.clone(),
                ..message()
            },
            &["body.channels"],
        ),
        (
            MessageInput {
                channels: list(&["a/b"]),
                ..message()
            },
            &["body.channels"],
        ),
        (
            MessageInput {
                tags: list(&[]),
                ..message()
            },
            &[],
        ),
        (
            MessageInput {
                tags: six,
                ..message()
            },
            &["body.tags"],
        ),
        (
            MessageInput {
                retention_days: Some(5),
                ..message()
            },
            &[],
        ),
        (
            MessageInput {
                retention_days: Some(90),
                ..message()
            },
            &[],
        ),
        (
            MessageInput {
                retention_days: Some(4),
                ..message()
            },
            &["body.payloadRetentionPeriod"],
        ),
        (
            MessageInput {
                retention_days: Some(91),
                ..message()
            },
            &["body.payloadRetentionPeriod"],
        ),
        (
            MessageInput {
                retention_days: Some(i64::MIN),
                ..message()
            },
            &["body.payloadRetentionPeriod"],
        ),
        (
            MessageInput {
                retention_hours: Some(1),
                ..message()
            },
            &[],
        ),
        (
            MessageInput {
                retention_hours: Some(0),
                ..message()
            },
            &["body.payloadRetentionHours"],
        ),
        (
            MessageInput {
                retention_hours: Some(65_537),
                ..message()
            },
            &["body.payloadRetentionHours"],
        ),
        (
            MessageInput {
                deliver_at: in_days(30),
                ..message()
            },
            &[],
        ),
        (
            MessageInput {
                deliver_at: in_days(31),
                ..message()
            },
            &["body.deliverAt"],
        ),
        (
            MessageInput {
                deliver_at: Some(Timestamp::MIN),
                ..message()
            },
            &[],
        ),
        (
            MessageInput {
                deliver_at: Some(Timestamp::MAX),
                ..message()
            },
            &["body.deliverAt"],
        ),
        (
            MessageInput {
                raw: raw("text/plain; charset=utf-8"),
                ..message()
            },
            &[],
        ),
        (
            MessageInput {
                raw: raw("text/plain\r\nx: y"),
                ..message()
            },
            &["body.transformationsParams"],
        ),
        (
            MessageInput {
                raw: raw(" "),
                ..message()
            },
            &["body.transformationsParams"],
        ),
        (
            MessageInput {
                event_type: "é".into(),
                event_id: Some(long),
                payload: Bytes::from_static(b"[]"),
                ..message()
            },
            &["body.eventType", "body.eventId", "body.payload"],
        ),
    ];
    for (input, expected) in cases {
        assert_eq!(broken(input.clone(), BOUNDS), expected, "{input:?}");
    }
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
    let later = |days: u32| Some(NOW.plus(DAY * days));
    let cases = [
        (message(), BOUNDS, KEPT),
        (
            MessageInput {
                retention_days: Some(7),
                ..message()
            },
            BOUNDS,
            DAY * 7,
        ),
        (
            MessageInput {
                retention_hours: Some(7),
                ..message()
            },
            BOUNDS,
            HOUR * 7,
        ),
        (
            MessageInput {
                retention_hours: Some(7),
                retention_days: Some(7),
                ..message()
            },
            BOUNDS,
            HOUR * 7,
        ),
        (
            MessageInput {
                retention_days: Some(90),
                ..message()
            },
            month,
            DAY * 30,
        ),
        (
            MessageInput {
                deliver_at: later(10),
                ..message()
            },
            month,
            DAY * 20,
        ),
        (
            MessageInput {
                deliver_at: later(10),
                retention_days: Some(7),
                ..message()
            },
            month,
            DAY * 7,
        ),
    ];
    for (input, bounds, expected) in cases {
        assert_eq!(
            input.clone().judge(bounds).unwrap().retention,
            expected,
            "{input:?}"
        );
    }
    let too_late = MessageInput {
        deliver_at: later(30),
        ..message()
    };
    assert_eq!(broken(too_late, month), ["body.deliverAt"]);
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
