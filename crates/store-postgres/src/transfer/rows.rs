//! Rows in their neutral form, read and written: a chunk at a time, whose size in memory is bounded
//! however large its rows are.

use super::statements;
use crate::failure::Failure;
use crate::partitions::{self, Partition};
use bytes::Bytes;
use model::Timestamp;
use model::id::Key;
use std::collections::BTreeSet;
use store::transfer::{CHUNK_BYTES, Chunk, Cursor, Kind, Row, Table, Value};
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, IsolationLevel, Transaction};

/// Rows that come at once: few enough to hold in memory, though each be as large as they come.
const ROWS_AT_ONCE: i32 = 32;

/// The next rows of a table behind a cursor, at most so many.
pub(super) async fn read(
    client: &mut Client,
    table: &Table,
    (after, rows_max): (Option<&Cursor>, usize),
) -> Result<Chunk, Failure> {
    let transaction = client
        .build_transaction()
        .isolation_level(IsolationLevel::RepeatableRead)
        .read_only(true)
        .start()
        .await?;
    // One more tells whether there is more.
    let sql = statements::select(table, after.is_some(), rows_max + 1);
    let statement = transaction.prepare(&sql).await?;
    let parameters: Vec<Box<dyn ToSql + Sync + Send>> =
        after.into_iter().flatten().map(parameter).collect();
    let parameters: Vec<&(dyn ToSql + Sync)> = parameters
        .iter()
        .map(|value| &**value as &(dyn ToSql + Sync))
        .collect();
    let portal = transaction.bind(&statement, &parameters).await?;
    let columns = table.columns.len();
    let (mut rows, mut bytes, mut last) = (Vec::new(), 0, Cursor::new());
    let more = 'read: loop {
        let found = transaction.query_portal(&portal, ROWS_AT_ONCE).await?;
        for row in &found {
            if rows.len() == rows_max || bytes >= CHUNK_BYTES {
                break 'read true;
            }
            let mut values = (0..row.len())
                .map(|place| value(row, place))
                .collect::<Result<Row, _>>()?;
            last = values.split_off(columns);
            bytes += values.iter().map(Value::bytes).sum::<usize>();
            rows.push(values);
        }
        if found.len() < ROWS_AT_ONCE as usize {
            break false;
        }
    };
    drop(portal);
    transaction.commit().await?;
    let next = more.then_some(last);
    Ok(Chunk { rows, next })
}

/// How many rows a table has.
pub(super) async fn count(client: &mut Client, table: &Table) -> Result<u64, Failure> {
    let transaction = client.transaction().await?;
    // All of it is looked at, for which an index is the longest way.
    transaction
        .batch_execute("SET LOCAL enable_seqscan = on")
        .await?;
    let row = transaction
        .query_one(&statements::count(table), &[])
        .await?;
    transaction.commit().await?;
    Ok(row.try_get::<_, i64>(0)?.unsigned_abs())
}

/// Writes rows, at least one.
pub(super) async fn write(
    transaction: &Transaction<'_>,
    table: &Table,
    rows: &[Row],
) -> Result<(), Failure> {
    let arrays = table.columns.iter().enumerate();
    let arrays: Vec<(Box<dyn ToSql + Sync + Send + '_>, Type)> = arrays
        .map(|(place, column)| array(column.kind, rows.iter().map(move |row| &row[place])))
        .collect();
    let arrays: Vec<(&(dyn ToSql + Sync), Type)> = arrays
        .iter()
        .map(|(array, kind)| (&**array as &(dyn ToSql + Sync), kind.clone()))
        .collect();
    transaction
        .query_typed(&statements::insert(table), &arrays)
        .await?;
    Ok(())
}

/// Where rows belong.
pub(super) fn partitions(table: &Table, rows: &[Row]) -> BTreeSet<Partition> {
    let integer = |row: &Row, name| match table.place(name).map(|place| &row[place]) {
        Some(Value::Integer(integer)) => Some(*integer),
        _ => None,
    };
    let by_key = |row: &Row, kind| {
        let key = Key::<()>::from_integer(integer(row, "id")?);
        Some(Partition::at(kind, key.time()))
    };
    let mut needed = BTreeSet::new();
    for row in rows {
        match table.name {
            "message" => {
                needed.extend(by_key(row, partitions::Table::Message));
                let expires_at = integer(row, "expires_at").map(Timestamp::from_micros);
                let kept = table.place("payload").map(|place| &row[place]) != Some(&Value::Null);
                let expires_at = expires_at.filter(|_| kept);
                needed.extend(expires_at.map(|at| Partition::at(partitions::Table::Payload, at)));
            }
            "attempt" => {
                needed.extend(by_key(row, partitions::Table::Attempt));
                needed.extend(by_key(row, partitions::Table::Excerpt));
            }
            "idempotency" => needed.extend(integer(row, "hour").map(Partition::of_hour)),
            _ => return needed,
        }
    }
    needed
}

fn value(row: &tokio_postgres::Row, place: usize) -> Result<Value, Failure> {
    let column = &row.columns()[place];
    let read = match *column.type_() {
        Type::INT8 => row.try_get::<_, Option<i64>>(place)?.map(Value::Integer),
        Type::BYTEA => {
            let read = row.try_get::<_, Option<&[u8]>>(place)?;
            read.map(|bytes| Value::Bytes(Bytes::copy_from_slice(bytes)))
        }
        Type::TEXT => row.try_get::<_, Option<String>>(place)?.map(Value::Text),
        _ => return Err(Failure::unreadable(column.name())),
    };
    Ok(read.unwrap_or(Value::Null))
}

/// Of a cursor.
fn parameter(value: &Value) -> Box<dyn ToSql + Sync + Send> {
    match value {
        Value::Null => Box::new(None::<i64>),
        Value::Integer(integer) => Box::new(*integer),
        Value::Text(text) => Box::new(text.clone()),
        Value::Bytes(bytes) => Box::new(bytes.to_vec()),
    }
}

/// A column of many rows.
fn array<'r>(
    kind: Kind,
    values: impl Iterator<Item = &'r Value>,
) -> (Box<dyn ToSql + Sync + Send + 'r>, Type) {
    match kind {
        Kind::Integer => {
            let integers = values.map(|value| match value {
                Value::Integer(integer) => Some(*integer),
                _ => None,
            });
            (Box::new(integers.collect::<Vec<_>>()), Type::INT8_ARRAY)
        }
        Kind::Text => {
            let texts = values.map(|value| match value {
                Value::Text(text) => Some(text.as_str()),
                _ => None,
            });
            (Box::new(texts.collect::<Vec<_>>()), Type::TEXT_ARRAY)
        }
        Kind::Bytes => {
            let bytes = values.map(|value| match value {
                Value::Bytes(bytes) => Some(&bytes[..]),
                _ => None,
            });
            (Box::new(bytes.collect::<Vec<_>>()), Type::BYTEA_ARRAY)
        }
    }
}
