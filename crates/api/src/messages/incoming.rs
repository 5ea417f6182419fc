//! Messages as clients write them. The payload is taken out of the body as the text it is, without
//! being read: what a receiver gets is byte for byte what was posted.

use crate::applications::ApplicationIn;
use crate::bounds::{RetentionDays, RetentionHours, Tags, Word, Words};
use crate::render::Time;
use app::messages::{MessageInput, MessageRequest, RawInput};
use bytes::Bytes;
use model::message::MESSAGE_CHANNELS_MAX;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

/// A message.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct MessageIn {
    #[schemars(with = "Word")]
    event_type: String,
    #[schemars(with = "Option<Word>")]
    event_id: Option<String>,
    #[schemars(with = "Option<Words<MESSAGE_CHANNELS_MAX>>")]
    channels: Option<Vec<String>>,
    #[schemars(with = "Option<Tags>")]
    tags: Option<Vec<String>>,
    #[serde(alias = "data")]
    #[schemars(with = "Map<String, Value>")]
    payload: Box<RawValue>,
    #[serde(default, deserialize_with = "some")]
    #[schemars(with = "RetentionDays")]
    payload_retention_period: Option<i64>,
    #[schemars(with = "Option<RetentionHours>")]
    payload_retention_hours: Option<i64>,
    deliver_at: Option<Time>,
    application: Option<ApplicationIn>,
    transformations_params: Option<TransformationsParams>,
}

/// What clients' helpers for other payloads than JSON send beside an empty payload.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct TransformationsParams {
    raw_payload: Option<String>,
    headers: Option<Value>,
}

impl From<MessageIn> for MessageRequest {
    fn from(body: MessageIn) -> Self {
        let message = MessageInput {
            event_type: body.event_type,
            event_id: body.event_id,
            channels: body.channels,
            tags: body.tags,
            payload: own_bytes(body.payload.into()),
            raw: body
                .transformations_params
                .and_then(TransformationsParams::raw),
            retention_days: body.payload_retention_period,
            retention_hours: body.payload_retention_hours,
            deliver_at: body.deliver_at.map(|Time(at)| at),
        };
        Self {
            message,
            application: body.application.map(Into::into),
        }
    }
}

impl TransformationsParams {
    fn raw(self) -> Option<RawInput> {
        let content_type = self.headers.as_ref().and_then(content_type);
        let text = own_bytes(self.raw_payload?.into_boxed_str());
        Some(RawInput { text, content_type })
    }
}

fn content_type(headers: &Value) -> Option<String> {
    let is_it = |name: &str| name.eq_ignore_ascii_case("content-type");
    let (_, value) = headers.as_object()?.iter().find(|(name, _)| is_it(name))?;
    value.as_str().map(str::to_owned)
}

/// The bytes in memory of exactly their size, not as a part of the request's buffer.
pub(super) fn own_bytes(text: Box<str>) -> Bytes {
    text.into_boxed_bytes().into()
}

/// A field that may be missing, but not null.
fn some<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i64>, D::Error> {
    i64::deserialize(deserializer).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::body::parse;
    use app::AppError;
    use proptest::prelude::*;

    /// The payload as it is taken from a message's body.
    fn taken(body: &str) -> Result<MessageInput, AppError> {
        let body: MessageIn = parse(body.as_bytes())?;
        Ok(MessageRequest::from(body).message)
    }

    fn around(name: &str, payload: &str) -> String {
        format!("{{ \"x\": [1, {{}}], \"{name}\" : {payload} ,\"eventType\":\"a\"}}")
    }

    #[test]
    fn payload_is_taken_byte_for_byte() {
        let deep = format!("{{\"a\":{}{}}}", "[".repeat(50_000), "]".repeat(50_000));
        let texts = [
            "{}",
            "{ }",
            "{\n\t\"b\" : 1 ,\r\n \"a\" : 2 }",
            r#"{"a":1,"a":2}"#,
            r#"{"z":1,"a":{"z":[ ],"a":null}}"#,
            r#"{"n":[1.0,1e5,1E+05,-0,-0.0,123456789012345678901234567890,0.1e-400]}"#,
            r#"{"s":"\u0041\/\"\\\n\ud83d\ude00\ud800 é 😀"}"#,
            "{\"\u{2028}\":\"\u{7f}\"}",
            deep.as_str(),
        ];
        for text in texts {
            for name in ["payload", "data"] {
                let input = taken(&around(name, text)).expect("it is an object");
                assert_eq!(input.payload, text.as_bytes());
            }
        }
    }

    #[test]
    fn what_is_no_json_is_refused() {
        for text in [
            "{",
            "{]",
            "{\"a\":01}",
            "{\"a\":1,}",
            "{'a':1}",
            "{\"a\":\"\u{1}\"}",
            "{\"a\":NaN}",
            "{\"a\":\"\\x\"}",
            "{}{}",
            "",
        ] {
            let refused = taken(&around("payload", text));
            assert!(
                matches!(refused, Err(AppError::Invalid(_))),
                "{text}: {refused:?}"
            );
        }
        let mut not_text = around("payload", "{\"a\":\"?\"}").into_bytes();
        let place = not_text.iter().position(|byte| *byte == b'?').unwrap();
        not_text[place] = 0xff;
        assert!(matches!(
            parse::<MessageIn>(&not_text),
            Err(AppError::Invalid(_))
        ));
    }

    #[test]
    fn fields_that_are_wrong_are_named() {
        let cases = [
            (r#"{"eventType":"a"}"#, "body.."),
            (r#"{"payload":{}}"#, "body.."),
            (r#"{"eventType":"a","payload":{},"data":{}}"#, "body.."),
            (r#"{"eventType":1,"payload":{}}"#, "body.eventType"),
            (
                r#"{"eventType":"a","payload":{},"channels":[1]}"#,
                "body.channels[0]",
            ),
            (
                r#"{"eventType":"a","payload":{},"payloadRetentionPeriod":null}"#,
                "body.payloadRetentionPeriod",
            ),
            (
                r#"{"eventType":"a","payload":{},"deliverAt":"soon"}"#,
                "body.deliverAt",
            ),
            (
                r#"{"eventType":"a","payload":{},"application":{"name":1}}"#,
                "body.application.name",
            ),
            (
                r#"{"eventType":"a","payload":{},"transformationsParams":{"rawPayload":1}}"#,
                "body.transformationsParams.rawPayload",
            ),
        ];
        for (body, location) in cases {
            let Err(AppError::Invalid(broken)) = taken(body) else {
                panic!("{body}")
            };
            assert_eq!(broken[0].location.join("."), location, "{body}");
        }
    }

    #[test]
    fn a_raw_payload_is_taken_with_its_content_type() {
        let body = |params: &str| {
            format!("{{\"eventType\":\"a\",\"payload\":{{}},\"transformationsParams\":{params}}}")
        };
        let cases = [
            (r#"{"rawPayload":"<a>\n</a>"}"#, Some(("<a>\n</a>", None))),
            (
                r#"{"rawPayload":"","headers":{"Content-Type":"text/xml","x":1}}"#,
                Some(("", Some("text/xml"))),
            ),
            (
                r#"{"rawPayload":"a","headers":["content-type"],"more":{}}"#,
                Some(("a", None)),
            ),
            (r#"{"rawPayload":null}"#, None),
            ("{}", None),
            ("null", None),
        ];
        for (params, expected) in cases {
            let raw = taken(&body(params)).expect(params).raw;
            let found = raw.map(|raw| (raw.text, raw.content_type));
            let expected = expected.map(|(text, content_type): (&str, Option<&str>)| {
                (
                    Bytes::copy_from_slice(text.as_bytes()),
                    content_type.map(str::to_owned),
                )
            });
            assert_eq!(found, expected, "{params}");
        }
    }

    /// JSON objects as texts, with white space, escapes and repeated names.
    fn object() -> impl Strategy<Value = String> {
        let space = "[ \n\t\r]{0,2}";
        let string = r#""([a-zA-Z0-9 é😀]|\\["\\/bfnrt]|\\u[0-9a-fA-F]{4}){0,6}""#;
        let number = r"-?(0|[1-9][0-9]{0,20})(\.[0-9]{1,4})?([eE][+-]?[0-9]{1,3})?";
        let leaf = prop_oneof![
            Just("null".to_owned()),
            Just("true".to_owned()),
            number,
            string
        ];
        let value = leaf.prop_recursive(4, 32, 4, move |inner| {
            let padded = (space, inner, space).prop_map(|(a, value, b)| a + &value + &b);
            let member = (string, space, padded.clone()).prop_map(|(k, s, v)| k + &s + ":" + &v);
            prop_oneof![
                proptest::collection::vec(padded, 0..4)
                    .prop_map(|items| format!("[{}]", items.join(","))),
                proptest::collection::vec(member, 0..4)
                    .prop_map(|members| format!("{{{}}}", members.join(","))),
            ]
        });
        value.prop_map(|value| format!("{{\"v\":{value}}}"))
    }

    proptest! {
        #[test]
        fn any_object_is_taken_byte_for_byte(text in object()) {
            prop_assert_eq!(taken(&around("payload", &text)).unwrap().payload, text.as_bytes());
        }

        #[test]
        fn no_body_makes_parsing_panic(text in ".{0,64}") {
            let _ = taken(&text);
            let _ = taken(&around("payload", &text));
        }
    }
}
