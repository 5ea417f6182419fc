//! How columns are read back into values of the domain. What can't be read is an error that names
//! the column, never a guess.

use crate::failure::Failure;
use model::Timestamp;
use model::application::Metadata;
use model::attempt::AttemptResult;
use model::delivery::Trigger;
use model::id::{Key, Tail};
use model::name::Name;
use model::proof::Proof;
use std::num::NonZeroU16;
use std::str::FromStr;
use store::{Sealed, encoding};
use tokio_postgres::Row;
use tokio_postgres::types::FromSql;

/// Any column.
pub(crate) fn get<'r, T: FromSql<'r>>(row: &'r Row, column: usize) -> Result<T, Failure> {
    row.try_get(column).map_err(|_| unreadable(row, column))
}

/// A number that the database has no unsigned type for.
pub(crate) fn number<T: TryFrom<i64>>(row: &Row, column: usize) -> Result<T, Failure> {
    let wide = match row.columns()[column].type_().name() {
        "int2" => i64::from(get::<i16>(row, column)?),
        "int4" => i64::from(get::<i32>(row, column)?),
        _ => get::<i64>(row, column)?,
    };
    T::try_from(wide).map_err(|_| unreadable(row, column))
}

/// A key.
pub(crate) fn key<K>(row: &Row, column: usize) -> Result<Key<K>, Failure> {
    Ok(Key::from_integer(get(row, column)?))
}

/// What [`encoding::join`] wrote; none for NULL.
pub(crate) fn words<C: FromIterator<Name>>(row: &Row, column: usize) -> Result<C, Failure> {
    let text = get::<Option<&str>>(row, column)?.unwrap_or_default();
    encoding::words(text).ok_or_else(|| unreadable(row, column))
}

/// What [`encoding::join`] wrote; `None` for NULL.
pub(crate) fn optional_words<C: FromIterator<Name>>(
    row: &Row,
    column: usize,
) -> Result<Option<C>, Failure> {
    let some = get::<Option<&str>>(row, column)?.is_some();
    some.then(|| words(row, column)).transpose()
}

/// A word.
pub(crate) fn name(row: &Row, column: usize) -> Result<Name, Failure> {
    optional_name(row, column)?.ok_or_else(|| unreadable(row, column))
}

/// A word, or NULL.
pub(crate) fn optional_name(row: &Row, column: usize) -> Result<Option<Name>, Failure> {
    let text = get::<Option<&str>>(row, column)?;
    text.map(|text| Name::from_str(text).map_err(|_| unreadable(row, column)))
        .transpose()
}

/// A point in time.
pub(crate) fn time(row: &Row, column: usize) -> Result<Timestamp, Failure> {
    Ok(Timestamp::from_micros(get(row, column)?))
}

/// A point in time, or NULL.
pub(crate) fn optional_time(row: &Row, column: usize) -> Result<Option<Timestamp>, Failure> {
    Ok(get::<Option<i64>>(row, column)?.map(Timestamp::from_micros))
}

/// The random part of an id.
pub(crate) fn tail(row: &Row, column: usize) -> Result<Tail, Failure> {
    get::<&[u8]>(row, column)?
        .try_into()
        .map_err(|_| unreadable(row, column))
}

/// Sealed bytes, or NULL.
pub(crate) fn optional_sealed(row: &Row, column: usize) -> Result<Option<Sealed>, Failure> {
    Ok(get::<Option<&[u8]>>(row, column)?.map(Sealed::copy_from_slice))
}

/// Sealed bytes.
pub(crate) fn sealed(row: &Row, column: usize) -> Result<Sealed, Failure> {
    optional_sealed(row, column)?.ok_or_else(|| unreadable(row, column))
}

/// What [`Proof::to_stored`] wrote, or NULL.
pub(crate) fn proof(row: &Row, column: usize) -> Result<Option<Box<Proof>>, Failure> {
    let stored = optional_sealed(row, column)?;
    let read = stored.map(|stored| Proof::from_stored(&stored)).transpose();
    let read = read.map_err(|_| unreadable(row, column))?;
    Ok(read.map(Box::new))
}

/// A limit, where there is one.
pub(crate) fn rate(row: &Row, column: usize) -> Result<Option<NonZeroU16>, Failure> {
    let wide = get::<Option<i32>>(row, column)?.unwrap_or_default();
    let wide = u16::try_from(wide).map_err(|_| unreadable(row, column))?;
    Ok(NonZeroU16::new(wide))
}

/// What [`encoding::metadata_text`] wrote.
pub(crate) fn metadata(row: &Row, column: usize) -> Result<Metadata, Failure> {
    encoding::metadata(get(row, column)?).ok_or_else(|| unreadable(row, column))
}

/// What [`encoding::trigger_number`] wrote.
pub(crate) fn trigger(row: &Row, column: usize) -> Result<Trigger, Failure> {
    encoding::trigger(number(row, column)?).ok_or_else(|| unreadable(row, column))
}

/// What [`encoding::result_number`] wrote.
pub(crate) fn result(row: &Row, column: usize) -> Result<AttemptResult, Failure> {
    encoding::result(number(row, column)?).ok_or_else(|| unreadable(row, column))
}

/// The end of a statement that walks along keys.
pub(crate) fn direction(ascending: bool) -> &'static str {
    if ascending { "ASC" } else { "DESC" }
}

/// A column that does not hold what it should.
pub(crate) fn unreadable(row: &Row, column: usize) -> Failure {
    let named = row.columns().get(column);
    Failure::unreadable(named.map_or("a column", |column| column.name()))
}
