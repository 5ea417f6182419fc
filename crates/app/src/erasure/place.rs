//! A place in a payload: `/customer/email`, a JSON Pointer (RFC 6901), or `customer.email`, names
//! with dots between them, of which `*` is any. A place in a list is its number from 0.
//!
//! Payloads are read as they were written, piece by piece: a name that an object has twice is
//! looked at twice, and a number is compared by its own digits.

use serde::de::{IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

/// The longest place, in characters.
pub const PLACE_LENGTH_MAX: usize = 2_000;
/// What is a place, as a pattern.
pub const PLACE_PATTERN: &str = r"^((/([^~/]|~[01])*){1,32}|[^/.][^.]*(\.[^.]+){0,31})$";
/// The most steps of a place.
const STEPS_MAX: usize = 32;

/// Steps from the whole payload inwards.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Place(Vec<Step>);

#[derive(Debug, PartialEq, Eq)]
enum Step {
    /// The member of this name, or the element of this number.
    To(String),
    /// Each of them.
    Any,
}

/// Why a text is no place.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be a place of at most {STEPS_MAX} steps, such as /customer/email, or customer.email")]
pub(super) struct PlaceError;

impl FromStr for Place {
    type Err = PlaceError;

    fn from_str(text: &str) -> Result<Self, PlaceError> {
        if text.chars().count() > PLACE_LENGTH_MAX {
            return Err(PlaceError);
        }
        let steps: Option<Vec<Step>> = match text.strip_prefix('/') {
            Some(pointer) => pointer.split('/').map(unescaped).collect(),
            None => text.split('.').map(named).collect(),
        };
        let steps = steps.filter(|steps| steps.len() <= STEPS_MAX);
        steps.map(Self).ok_or(PlaceError)
    }
}

impl Place {
    /// Whether a payload has this value there.
    pub(super) fn holds(&self, payload: &[u8], value: &str) -> bool {
        let read = serde_json::from_slice::<&RawValue>(payload);
        read.is_ok_and(|whole| holds(whole, (&self.0, value)))
    }
}

fn unescaped(step: &str) -> Option<Step> {
    let escapes = step.split('~').skip(1);
    let right = escapes.into_iter().all(|rest| rest.starts_with(['0', '1']));
    right.then(|| Step::To(step.replace("~1", "/").replace("~0", "~")))
}

fn named(name: &str) -> Option<Step> {
    match name {
        "" => None,
        "*" => Some(Step::Any),
        name => Some(Step::To(name.to_owned())),
    }
}

/// Goes as deep as the place has steps.
fn holds(part: &RawValue, (steps, value): (&[Step], &str)) -> bool {
    let text = part.get();
    let Some((step, rest)) = steps.split_first() else {
        return is(text, value);
    };
    let inwards = |part: &&RawValue| holds(part, (rest, value));
    match text.as_bytes().first() {
        Some(b'{') => members(text, step).iter().any(inwards),
        Some(b'[') => {
            let parts: Vec<&RawValue> = serde_json::from_str(text).unwrap_or_default();
            match step {
                Step::Any => parts.iter().any(inwards),
                Step::To(number) => number
                    .parse::<usize>()
                    .is_ok_and(|number| parts.get(number).is_some_and(inwards)),
            }
        }
        _ => false,
    }
}

fn is(text: &str, value: &str) -> bool {
    match text.as_bytes().first() {
        Some(b'"') => serde_json::from_str::<Cow<'_, str>>(text).is_ok_and(|it| it == value),
        Some(b'{' | b'[') | None => false,
        Some(_) => text == value,
    }
}

/// What an object has under a name, or all that it has.
fn members<'t>(text: &'t str, step: &Step) -> Vec<&'t RawValue> {
    struct Members<'s>(&'s Step);

    impl<'t> Visitor<'t> for Members<'_> {
        type Value = Vec<&'t RawValue>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: MapAccess<'t>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut found = Vec::new();
            while let Some(name) = map.next_key::<Cow<'t, str>>()? {
                let is_wanted = match self.0 {
                    Step::Any => true,
                    Step::To(wanted) => *wanted == name,
                };
                match is_wanted {
                    true => found.push(map.next_value()?),
                    false => drop(map.next_value::<IgnoredAny>()?),
                }
            }
            Ok(found)
        }
    }

    let mut reader = serde_json::Deserializer::from_str(text);
    let read = serde::Deserializer::deserialize_map(&mut reader, Members(step));
    read.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn place(text: &str) -> Place {
        text.parse().expect("it is a place")
    }

    #[test]
    fn a_value_is_found_where_it_is_and_nowhere_else() {
        let payload = br#" {"a": {"b": "x", "b/c": "y", "~": "z", "": "e"}, "list": [{"n": "one"},
            {"n": "two"}], "id": 42, "big": 12345678901234567890123, "on": true, "none": null,
            "a.b": "dot", "u": "\u0061", "o": {}, "twice": 1, "twice": 2, "wide": 1e999} "#;
        for (path, value, expected) in [
            ("/a/b", "x", true),
            ("a.b", "x", true),
            ("/a.b", "dot", true),
            ("/a/b~1c", "y", true),
            ("a.b/c", "y", true),
            ("/a/~0", "z", true),
            ("/a/", "e", true),
            ("/a", "x", false),
            ("b", "x", false),
            ("a.b.c", "x", false),
            ("/list/0/n", "one", true),
            ("list.1.n", "two", true),
            ("list.1.n", "one", false),
            ("list.2.n", "one", false),
            ("list.*.n", "two", true),
            ("/list/*/n", "two", false),
            ("*.b", "x", true),
            ("*", "42", true),
            ("id", "42", true),
            ("id", "42.0", false),
            ("big", "12345678901234567890123", true),
            ("on", "true", true),
            ("none", "null", true),
            ("u", "a", true),
            ("o", "{}", false),
            ("twice", "1", true),
            ("twice", "2", true),
            ("wide", "1e999", true),
        ] {
            let found = place(path).holds(payload, value);
            assert_eq!(found, expected, "{path} = {value}");
        }
        for payload in [&b""[..], b"text", b"{\"a\":", b"\xff", b"\"x\"", b"[[[["] {
            assert!(!place("a").holds(payload, "x"));
        }
    }

    #[test]
    fn what_is_no_place_is_refused_as_the_pattern_says() {
        let pattern = jsonschema_regex::to_rust_regex(PLACE_PATTERN);
        let pattern = pattern.expect("it is one").into_owned();
        let pattern = regex::Regex::new(&pattern).expect("it is one");
        let long = ["a"; 32].join(".");
        let too_long = ["a"; 33].join(".");
        let steps = "/".repeat(32);
        for (text, expected) in [
            ("", false),
            ("/", true),
            ("a", true),
            (".a", false),
            ("a.", false),
            ("a..b", false),
            ("/a~", false),
            ("/a~2", false),
            ("/~01", true),
            ("a~2", true),
            ("a/b", true),
            ("$.a", true),
            (&long, true),
            (&too_long, false),
            (&steps, true),
        ] {
            let is_place = text.parse::<Place>().is_ok();
            assert_eq!(is_place, expected, "{text}");
            assert_eq!(pattern.is_match(text), expected, "{text}");
        }
    }

    proptest! {
        #[test]
        fn nothing_that_is_looked_through_is_too_much(
            path in "[a./*~01]{0,40}",
            payload in prop::collection::vec(any::<u8>(), 0..200),
        ) {
            if let Ok(place) = path.parse::<Place>() {
                let _ = place.holds(&payload, "x");
            }
        }
    }
}
