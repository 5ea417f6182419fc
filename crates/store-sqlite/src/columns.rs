//! How values of the domain are written into columns, and read back. What can't be read is an error
//! that names the column, never a guess.

use crate::failure::Failure;
use model::Timestamp;
use model::application::Metadata;
use model::attempt::AttemptResult;
use model::delivery::Trigger;
use model::id::Tail;
use model::name::Name;
use model::proof::Proof;
use rusqlite::Row;
use std::num::NonZeroU16;
use std::str::FromStr;
use store::{Sealed, encoding};

/// What [`encoding::join`] wrote; none for NULL.
pub(crate) fn words<C: FromIterator<Name>>(row: &Row<'_>, column: usize) -> Result<C, Failure> {
    let text = optional_text(row, column)?.unwrap_or_default();
    encoding::words(text).ok_or_else(|| unreadable(row, column))
}

/// What [`encoding::join`] wrote; `None` for NULL.
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

/// What [`Proof::to_stored`] wrote, or NULL.
pub(crate) fn proof(row: &Row<'_>, column: usize) -> Result<Option<Box<Proof>>, Failure> {
    let stored = optional_sealed(row, column)?;
    let read = stored.map(|stored| Proof::from_stored(&stored)).transpose();
    let read = read.map_err(|_| unreadable(row, column))?;
    Ok(read.map(Box::new))
}

/// A limit, where there is one.
pub(crate) fn rate(row: &Row<'_>, column: usize) -> Result<Option<NonZeroU16>, Failure> {
    Ok(row.get::<_, Option<u16>>(column)?.and_then(NonZeroU16::new))
}

/// What [`encoding::metadata_text`] wrote.
pub(crate) fn metadata(row: &Row<'_>, column: usize) -> Result<Metadata, Failure> {
    let text = optional_text(row, column)?.unwrap_or_default();
    encoding::metadata(text).ok_or_else(|| unreadable(row, column))
}

/// What [`encoding::trigger_number`] wrote.
pub(crate) fn trigger(row: &Row<'_>, column: usize) -> Result<Trigger, Failure> {
    encoding::trigger(row.get(column)?).ok_or_else(|| unreadable(row, column))
}

/// What [`encoding::result_number`] wrote.
pub(crate) fn result(row: &Row<'_>, column: usize) -> Result<AttemptResult, Failure> {
    encoding::result(row.get(column)?).ok_or_else(|| unreadable(row, column))
}

/// A text, or NULL.
pub(crate) fn optional_text<'r>(
    row: &'r Row<'_>,
    column: usize,
) -> Result<Option<&'r str>, Failure> {
    let text = row.get_ref(column)?.as_str_or_null();
    text.map_err(|_| unreadable(row, column))
}

pub(crate) fn unreadable(row: &Row<'_>, column: usize) -> Failure {
    let statement: &rusqlite::Statement<'_> = row.as_ref();
    Failure::unreadable(statement.column_name(column).unwrap_or("a column"))
}

/// The end of a statement that walks along keys.
pub(crate) fn direction(ascending: bool) -> &'static str {
    if ascending { "ASC" } else { "DESC" }
}
