//! How values of the domain are written into columns, and read back. What can't be read is an error
//! that names the column, never a guess.

use crate::failure::Failure;
use model::Timestamp;
use model::application::Metadata;
use model::attempt::AttemptResult;
use model::delivery::{Class, EndReason, Trigger};
use model::id::Tail;
use model::name::Name;
use rusqlite::Row;
use std::num::NonZeroU16;
use std::str::FromStr;
use store::Sealed;

/// Words with a space between them: their alphabet has none.
pub(crate) fn join<'n>(words: impl IntoIterator<Item = &'n Name>) -> String {
    let mut text = String::new();
    for word in words {
        if !text.is_empty() {
            text.push(' ');
        }
        text.push_str(word.as_str());
    }
    text
}

/// As [`join`], `None` where there are none.
pub(crate) fn join_some<'n>(words: impl IntoIterator<Item = &'n Name>) -> Option<String> {
    Some(join(words)).filter(|text| !text.is_empty())
}

/// What [`join`] wrote; none for NULL.
pub(crate) fn words<C: FromIterator<Name>>(row: &Row<'_>, column: usize) -> Result<C, Failure> {
    let text = optional_text(row, column)?.unwrap_or_default();
    let words = text.split(' ').filter(|word| !word.is_empty());
    words
        .map(|word| Name::from_str(word).map_err(|_| unreadable(row, column)))
        .collect()
}

/// Whether a word is among those that [`join`] wrote; of NULL, none is.
pub(crate) fn has_word(row: &Row<'_>, column: usize, word: &Name) -> Result<bool, Failure> {
    let text = optional_text(row, column)?.unwrap_or_default();
    Ok(text.split(' ').any(|other| other == word.as_str()))
}

/// What [`join`] wrote; `None` for NULL.
pub(crate) fn optional_words<C: FromIterator<Name>>(
    row: &Row<'_>,
    column: usize,
) -> Result<Option<C>, Failure> {
    let some = optional_text(row, column)?.is_some();
    some.then(|| words(row, column)).transpose()
}

/// A word.
pub(crate) fn name(row: &Row<'_>, column: usize) -> Result<Name, Failure> {
    optional_name(row, column)?.ok_or_else(|| unreadable(row, column))
}

/// A word, or NULL.
pub(crate) fn optional_name(row: &Row<'_>, column: usize) -> Result<Option<Name>, Failure> {
    let text = optional_text(row, column)?;
    text.map(|text| Name::from_str(text).map_err(|_| unreadable(row, column)))
        .transpose()
}

/// A point in time.
pub(crate) fn time(row: &Row<'_>, column: usize) -> Result<Timestamp, Failure> {
    Ok(Timestamp::from_micros(row.get(column)?))
}

/// A point in time, or NULL.
pub(crate) fn optional_time(row: &Row<'_>, column: usize) -> Result<Option<Timestamp>, Failure> {
    Ok(row
        .get::<_, Option<i64>>(column)?
        .map(Timestamp::from_micros))
}

/// The random part of an id.
pub(crate) fn tail(row: &Row<'_>, column: usize) -> Result<Tail, Failure> {
    Ok(row.get(column)?)
}

/// Sealed bytes, or NULL.
pub(crate) fn optional_sealed(row: &Row<'_>, column: usize) -> Result<Option<Sealed>, Failure> {
    let bytes = row.get_ref(column)?.as_blob_or_null();
    let bytes = bytes.map_err(|_| unreadable(row, column))?;
    Ok(bytes.map(Sealed::copy_from_slice))
}

/// Sealed bytes.
pub(crate) fn sealed(row: &Row<'_>, column: usize) -> Result<Sealed, Failure> {
    optional_sealed(row, column)?.ok_or_else(|| unreadable(row, column))
}

/// A limit, where there is one.
pub(crate) fn rate(row: &Row<'_>, column: usize) -> Result<Option<NonZeroU16>, Failure> {
    Ok(row.get::<_, Option<u16>>(column)?.and_then(NonZeroU16::new))
}

/// Notes, as compact JSON.
pub(crate) fn metadata_text(metadata: &Metadata) -> String {
    serde_json::to_string(metadata).expect("a map of texts is JSON")
}

/// What [`metadata_text`] wrote.
pub(crate) fn metadata(row: &Row<'_>, column: usize) -> Result<Metadata, Failure> {
    let text = optional_text(row, column)?.unwrap_or_default();
    serde_json::from_str(text).map_err(|_| unreadable(row, column))
}

/// The number of a trigger.
pub(crate) fn trigger_number(trigger: Trigger) -> u8 {
    match trigger {
        Trigger::Scheduled => 0,
        Trigger::Manual => 1,
        Trigger::Replay => 2,
    }
}

/// What [`trigger_number`] wrote.
pub(crate) fn trigger(row: &Row<'_>, column: usize) -> Result<Trigger, Failure> {
    match row.get::<_, u8>(column)? {
        0 => Ok(Trigger::Scheduled),
        1 => Ok(Trigger::Manual),
        2 => Ok(Trigger::Replay),
        _ => Err(unreadable(row, column)),
    }
}

/// The number of a class, in the order of a lane.
pub(crate) fn class_number(class: Class) -> u8 {
    match class {
        Class::Live => 0,
        Class::Replayed => 1,
    }
}

/// The number of an end's reason, as results have it.
pub(crate) fn reason_number(reason: EndReason) -> u8 {
    match reason {
        EndReason::EndpointDisabled => 2,
        EndReason::EndpointDeleted => 3,
        EndReason::PayloadGone => 4,
    }
}

/// What [`reason_number`] wrote.
pub(crate) fn reason_of(number: u8) -> Option<EndReason> {
    match number {
        2 => Some(EndReason::EndpointDisabled),
        3 => Some(EndReason::EndpointDeleted),
        4 => Some(EndReason::PayloadGone),
        _ => None,
    }
}

/// The number of an attempt's result.
pub(crate) fn result_number(result: AttemptResult) -> u8 {
    match result {
        AttemptResult::Success => 0,
        AttemptResult::Failure => 1,
        AttemptResult::Cancelled(reason) => reason_number(reason),
    }
}

/// What [`result_number`] wrote.
pub(crate) fn result(row: &Row<'_>, column: usize) -> Result<AttemptResult, Failure> {
    match row.get(column)? {
        0 => Ok(AttemptResult::Success),
        1 => Ok(AttemptResult::Failure),
        number => reason_of(number)
            .map(AttemptResult::Cancelled)
            .ok_or_else(|| unreadable(row, column)),
    }
}

/// A text, or NULL.
pub(crate) fn optional_text<'r>(
    row: &'r Row<'_>,
    column: usize,
) -> Result<Option<&'r str>, Failure> {
    let text = row.get_ref(column)?.as_str_or_null();
    text.map_err(|_| unreadable(row, column))
}

fn unreadable(row: &Row<'_>, column: usize) -> Failure {
    let statement: &rusqlite::Statement<'_> = row.as_ref();
    Failure::unreadable(statement.column_name(column).unwrap_or("a column"))
}
