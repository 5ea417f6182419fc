//! The message by which a receiver is asked whether it wants what an endpoint is to get: a
//! challenge, which it gives back. Pure: who sends it, and when, is decided elsewhere.

use crate::json::{Kind, Tokens};
use crate::name::Name;

/// The event type of such messages. Nobody else may send it, and no endpoint has it by what it
/// wants to hear: a challenge is for one endpoint alone.
pub const EVENT_TYPE: &str = "endpoint.challenge";

/// The member of its payload, and of an answer, that has the challenge.
const MEMBER: &str = "challenge";

/// How many random bytes a challenge is made of.
pub const BYTES: usize = 24;

/// Whether it is the event type of challenges.
pub fn is_challenge(event_type: &Name) -> bool {
    event_type.as_str() == EVENT_TYPE
}

/// The event type, as a name.
pub fn event_type() -> Name {
    EVENT_TYPE.parse().expect("it is a name")
}

/// The payload that asks for this text, which is to need no escaping in JSON.
pub fn payload(challenge: &str) -> String {
    format!(r#"{{"type":"{EVENT_TYPE}","{MEMBER}":"{challenge}"}}"#)
}

/// The challenge of a payload that [`payload`] wrote.
pub fn of_payload(payload: &[u8]) -> Option<&str> {
    member(payload)
}

/// Whether an answer gives the challenge back: as a JSON object with a member `challenge`, as a
/// JSON string, or as the text alone.
pub fn is_echoed(challenge: &str, answer: &[u8]) -> bool {
    let alone = answer.trim_ascii();
    let quoted = alone
        .strip_prefix(b"\"")
        .and_then(|text| text.strip_suffix(b"\""));
    quoted.unwrap_or(alone) == challenge.as_bytes() || member(answer) == Some(challenge)
}

/// The text of the first member of that name, at the top, as it is spelled.
fn member(text: &[u8]) -> Option<&str> {
    let mut depth = 0_usize;
    let mut is_next = false;
    let mut found = None;
    for token in Tokens::of(text) {
        let token = token.ok()?;
        let inside = text.get(token.at.start + 1..token.at.end.saturating_sub(1));
        match token.kind {
            Kind::Object | Kind::Array => depth += 1,
            Kind::End => depth -= 1,
            Kind::String if is_next && found.is_none() => found = inside,
            _ => {}
        }
        is_next = token.kind == Kind::Name && depth == 1 && inside == Some(MEMBER.as_bytes());
    }
    std::str::from_utf8(found?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_asked_is_read_again_and_echoed_whole() {
        let payload = payload("abc-_123");
        assert_eq!(of_payload(payload.as_bytes()), Some("abc-_123"));
        assert!(is_echoed("abc-_123", payload.as_bytes()));
        assert!(is_challenge(&event_type()));
    }

    #[test]
    fn an_answer_echoes_in_one_of_three_ways() {
        let cases: [(&str, bool); 17] = [
            ("abc", true),
            (" abc\r\n", true),
            ("\"abc\"", true),
            (r#"{"challenge":"abc"}"#, true),
            (r#" { "ok": true, "challenge" : "abc" } "#, true),
            (r#"{"a":{"challenge":"no"},"challenge":"abc"}"#, true),
            ("", false),
            ("ab", false),
            ("abcd", false),
            ("abc abc", false),
            ("\"abc", false),
            (r#"{"challenge":"ab"}"#, false),
            (r#"{"a":{"challenge":"abc"}}"#, false),
            (r#"[{"challenge":"abc"}]"#, false),
            (r#"{"challenge":["abc"]}"#, false),
            (r#"{"other":"challenge","abc":"abc"}"#, false),
            (r#"{"challenge":"abc""#, false),
        ];
        for (answer, expected) in cases {
            assert_eq!(is_echoed("abc", answer.as_bytes()), expected, "{answer}");
        }
    }

    proptest! {
        #[test]
        fn no_answer_is_a_panic(answer: Vec<u8>) {
            prop_assert!(!is_echoed("a challenge that nobody guesses", &answer));
        }
    }
}
