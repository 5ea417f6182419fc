//! An order of all JSON values, in which those are equal that JSON Schema takes for the same.

use super::number::compare;
use serde_json::Value;
use std::cmp::Ordering;

/// By kind, then by value.
pub(super) fn order(one: &Value, other: &Value) -> Ordering {
    match (one, other) {
        (Value::Bool(one), Value::Bool(other)) => one.cmp(other),
        (Value::Number(one), Value::Number(other)) => compare(one, other),
        (Value::String(one), Value::String(other)) => one.cmp(other),
        (Value::Array(one), Value::Array(other)) => {
            let items = one.iter().zip(other).map(|(one, other)| order(one, other));
            first_difference(items).then_with(|| one.len().cmp(&other.len()))
        }
        (Value::Object(one), Value::Object(other)) => {
            // Both are sorted by their names.
            let members = one
                .iter()
                .zip(other)
                .map(|((name, one), (other_name, other))| {
                    name.cmp(other_name).then_with(|| order(one, other))
                });
            first_difference(members).then_with(|| one.len().cmp(&other.len()))
        }
        _ => kind(one).cmp(&kind(other)),
    }
}

/// Whether JSON Schema takes them for the same.
pub(super) fn same(one: &Value, other: &Value) -> bool {
    order(one, other) == Ordering::Equal
}

/// How many values it is, with those within.
pub(super) fn size(value: &Value) -> u64 {
    1 + match value {
        Value::Array(items) => items.iter().map(size).sum(),
        Value::Object(members) => members.values().map(size).sum(),
        Value::String(text) => text.len() as u64 / 64,
        _ => 0,
    }
}

fn first_difference(mut orders: impl Iterator<Item = Ordering>) -> Ordering {
    orders
        .find(|order| *order != Ordering::Equal)
        .unwrap_or(Ordering::Equal)
}

fn kind(value: &Value) -> u8 {
    match value {
        Value::Null => 0,
        Value::Bool(_) => 1,
        Value::Number(_) => 2,
        Value::String(_) => 3,
        Value::Array(_) => 4,
        Value::Object(_) => 5,
    }
}
