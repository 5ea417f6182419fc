//! What is told of a payload that does not match: where, and what would be right. Nothing of the
//! payload but names on the way.

use super::compile::{Bound, Counted, Least, Types};
use super::keywords::TYPES;
use super::number::is_whole;
use serde_json::{Number, Value};

/// The longest piece of a schema, of a document, or of a payload's names that is told, in bytes.
const PIECE_BYTES_MAX: usize = 200;

/// The names and numbers on a way through a payload.
pub(super) fn path(payload: &Value, way: &[usize]) -> Vec<String> {
    let mut path = Vec::with_capacity(way.len());
    let mut value = payload;
    for index in way {
        let next = match value {
            Value::Array(items) => items.get(*index).map(|item| (index.to_string(), item)),
            Value::Object(members) => {
                let member = members.iter().nth(*index);
                member.map(|(name, value)| (clipped(name), value))
            }
            _ => None,
        };
        let Some((name, next)) = next else {
            break;
        };
        path.push(name);
        value = next;
    }
    path
}

/// A text, or its beginning.
pub(crate) fn clipped(text: &str) -> String {
    if text.len() <= PIECE_BYTES_MAX {
        return text.to_owned();
    }
    let end = text.floor_char_boundary(PIECE_BYTES_MAX);
    format!("{}…", &text[..end])
}

/// The kinds that a value is of, as bits.
pub(super) fn kind(value: &Value) -> u8 {
    match value {
        Value::Null => 1,
        Value::Bool(_) => 2,
        Value::Number(number) if is_whole(number) => 4 | 8,
        Value::Number(_) => 8,
        Value::String(_) => 16,
        Value::Array(_) => 32,
        Value::Object(_) => 64,
    }
}

pub(super) fn kinds(allowed: Types, value: &Value) -> String {
    let name = |bits: u8| {
        let names = TYPES.iter().filter(move |(_, bit)| bits & bit != 0);
        names.map(|(name, _)| *name)
    };
    let is = name(kind(value)).next().unwrap_or_default();
    let allowed = name(allowed.0).collect::<Vec<_>>().join(" or ");
    format!("must be of type {allowed}, not {is}")
}

pub(super) fn choices(choices: &[Value]) -> String {
    let mut texts = choices.iter().map(Value::to_string);
    match choices.len() {
        0 => "can't be anything: the schema's `enum` is empty".to_owned(),
        1 => format!("must be {}", clipped(&texts.next().unwrap_or_default())),
        // So many are enough to fill what is told.
        _ => {
            let texts = texts.take(PIECE_BYTES_MAX).collect::<Vec<_>>().join(", ");
            format!("must be one of {}", clipped(&texts))
        }
    }
}

pub(super) fn bound(limit: &Number, bound: Bound) -> String {
    let side = match bound {
        Bound::AtLeast => "at least",
        Bound::AtMost => "at most",
        Bound::Above => "more than",
        Bound::Below => "less than",
    };
    format!("must be {side} {limit}")
}

pub(super) fn multiple(of: &Number) -> String {
    format!("must be a multiple of {of}")
}

pub(super) fn count(counted: Counted, least: Least, limit: u64) -> String {
    let (one, many) = match counted {
        Counted::Characters => ("character", "characters"),
        Counted::Items => ("item", "items"),
        Counted::Properties => ("property", "properties"),
    };
    let side = match least {
        Least::Least => "at least",
        Least::Most => "at most",
    };
    let unit = if limit == 1 { one } else { many };
    format!("must have {side} {limit} {unit}")
}

pub(super) fn pattern(text: &str) -> String {
    format!("must match the pattern `{}`", clipped(text))
}

pub(super) fn required() -> String {
    "is missing".to_owned()
}

pub(super) fn needed(by: &str) -> String {
    format!(
        "is missing, which is needed where there is `{}`",
        clipped(by)
    )
}

pub(super) fn nothing() -> String {
    "is not allowed here".to_owned()
}

pub(super) fn name() -> String {
    "has a name that the schema's `propertyNames` do not allow".to_owned()
}

pub(super) fn unique() -> String {
    "must not hold the same item twice".to_owned()
}

pub(super) fn contains() -> String {
    "must hold an item that matches the schema's `contains`".to_owned()
}

pub(super) fn any_of() -> String {
    "must match one of the schema's `anyOf`".to_owned()
}

pub(super) fn one_of(matching: usize) -> String {
    let is = if matching == 0 {
        "none"
    } else {
        "more than one"
    };
    format!("must match exactly one of the schema's `oneOf`, and matches {is}")
}

pub(super) fn not() -> String {
    "must not match the schema's `not`".to_owned()
}
