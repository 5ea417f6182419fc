//! Rows in their neutral form, and as they lie in this store's tables. Both have the same columns
//! but for an attempt, which here has its application by way of its endpoint and what was answered
//! in a table of its own, and for idempotency keys and what came in at sources, which here are
//! numbered within their hour.

use crate::failure::Failure;
use crate::replays::HOUR_OF_MOVED;
use bytes::Bytes;
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, Statement, ToSql, params_from_iter};
use store::transfer::{CHUNK_BYTES, Chunk, Column, Cursor, Kind, MARKER, Row, Table, Value};

/// The next rows of a table behind a cursor, at most so many, and of what came in at sources only
/// what was not over by then.
pub(super) fn read(
    connection: &Connection,
    table: &Table,
    (after, rows_max): (Option<&Cursor>, usize),
    live_since: i64,
) -> Result<Chunk, Failure> {
    let order = order(table);
    let mut select = connection.prepare_cached(&select(table, after.is_some(), live_since))?;
    let columns = table.columns.len();
    let empty = Cursor::new();
    let values = after.unwrap_or(&empty).iter().map(Parameter);
    let mut found = select.query(params_from_iter(values))?;
    let (mut rows, mut bytes, mut last) = (Vec::new(), 0, Cursor::new());
    while let Some(row) = found.next()? {
        if rows.len() == rows_max || bytes >= CHUNK_BYTES {
            return Ok(Chunk {
                rows,
                next: Some(last),
            });
        }
        let read = |place| value(row.get_ref(place)?).ok_or_else(|| misread(table, place));
        let values = (0..columns).map(read).collect::<Result<Row, _>>()?;
        let ends = columns..columns + order.len();
        last = ends.map(read).collect::<Result<_, _>>()?;
        bytes += values.iter().map(Value::bytes).sum::<usize>();
        rows.push(values);
    }
    Ok(Chunk { rows, next: None })
}

/// How many rows of a table are read.
pub(super) fn count(
    connection: &Connection,
    table: &Table,
    live_since: i64,
) -> Result<u64, Failure> {
    let sql = match kept(table, live_since) {
        Some(kept) => format!("SELECT count(*) FROM {} t WHERE {kept}", table.name),
        None => format!("SELECT count(*) FROM {}", table.name),
    };
    let count: i64 = connection.query_row(&sql, [], |row| row.get(0))?;
    Ok(count.unsigned_abs())
}

/// Which rows of a table are read, if not all.
fn kept(table: &Table, live_since: i64) -> Option<String> {
    match table.name {
        "setting" => Some(format!("t.name <> '{MARKER}'")),
        "replay_key" => Some(format!("t.until >= {live_since}")),
        _ => None,
    }
}

/// Writes rows into the transaction that is open.
pub(super) fn write(connection: &Connection, table: &Table, rows: &[Row]) -> Result<(), Failure> {
    let mut insert = connection.prepare_cached(&insert(table))?;
    match table.name {
        "attempt" => write_attempts(connection, table, (&mut insert, rows)),
        _ => rows.iter().try_for_each(|row| put(&mut insert, row.iter())),
    }
}

fn write_attempts(
    connection: &Connection,
    table: &Table,
    (insert, rows): (&mut Statement<'_>, &[Row]),
) -> Result<(), Failure> {
    let mut excerpts = connection
        .prepare_cached("INSERT INTO excerpt (attempt, body, head) VALUES (?1, ?2, ?3)")?;
    let place = |name| table.place(name).expect("attempts have this column");
    let (id, answered) = (place("id"), [place("excerpt"), place("head")]);
    for row in rows {
        let kept = row.iter().zip(table.columns);
        put(
            insert,
            kept.filter(|(_, column)| is_attempts_own(column))
                .map(|(value, _)| value),
        )?;
        let [excerpt, head] = answered.map(|place| &row[place]);
        if *excerpt != Value::Null || *head != Value::Null {
            put(&mut excerpts, [&row[id], excerpt, head])?;
        }
    }
    Ok(())
}

fn put<'v>(
    insert: &mut Statement<'_>,
    values: impl IntoIterator<Item = &'v Value>,
) -> Result<(), Failure> {
    insert.execute(params_from_iter(values.into_iter().map(Parameter)))?;
    Ok(())
}

/// Neither known by way of another table nor in one.
fn is_attempts_own(column: &Column) -> bool {
    !["application", "excerpt", "head"].contains(&column.name)
}

fn insert(table: &Table) -> String {
    let of_attempts = table.name == "attempt";
    let columns = table.columns.iter();
    let columns = columns.filter(|column| !of_attempts || is_attempts_own(column));
    let mut names: Vec<&str> = columns.map(|column| column.name).collect();
    let mut values: Vec<String> = (1..=names.len()).map(|place| format!("?{place}")).collect();
    // Below every number that is written from now on: see `crate::remembered`.
    let number = |hour: &str| {
        let name = table.name;
        format!("(SELECT coalesce(max(k.id), 0) + 1 FROM {name} k WHERE k.hour = {hour})")
    };
    match table.name {
        "idempotency" => {
            names.push("id");
            values.push(number("?1"));
        }
        "replay_key" => {
            names.extend(["hour", "id"]);
            values.extend([HOUR_OF_MOVED.to_owned(), number(HOUR_OF_MOVED)]);
        }
        _ => {}
    }
    format!(
        "INSERT INTO {} ({}) VALUES ({})",
        table.name,
        names.join(", "),
        values.join(", ")
    )
}

/// The columns of a table, then those that it is read in the order of.
fn select(table: &Table, behind: bool, live_since: i64) -> String {
    let own = |column: &Column| match (table.name, column.name) {
        ("attempt", "application") => "e.application".to_owned(),
        ("attempt", "excerpt") => "x.body".to_owned(),
        ("attempt", "head") => "x.head".to_owned(),
        (_, name) => format!("t.{name}"),
    };
    let order: Vec<String> = order(table)
        .iter()
        .map(|name| format!("t.{name}"))
        .collect();
    let columns = table.columns.iter().map(own).chain(order.iter().cloned());
    let columns = columns.collect::<Vec<_>>().join(", ");
    let joined = match table.name {
        "attempt" => {
            " LEFT JOIN endpoint e ON e.id = t.endpoint LEFT JOIN excerpt x ON x.attempt = t.id"
        }
        _ => "",
    };
    let mut conditions: Vec<String> = kept(table, live_since).into_iter().collect();
    let order = order.join(", ");
    if behind {
        let places = (1..=self::order(table).len()).map(|place| format!("?{place}"));
        let places = places.collect::<Vec<_>>().join(", ");
        conditions.push(format!("({order}) > ({places})"));
    }
    let conditions = match conditions.is_empty() {
        true => String::new(),
        false => format!(" WHERE {}", conditions.join(" AND ")),
    };
    format!(
        "SELECT {columns} FROM {} t{joined}{conditions} ORDER BY {order}",
        table.name
    )
}

/// As the rows of a table lie.
fn order(table: &Table) -> &'static [&'static str] {
    match table.name {
        "setting" | "event_type" => &["name"],
        "retry_schedule" => &["event_type"],
        "data_key" => &["application", "position"],
        "endpoint_url" => &["endpoint", "revision"],
        "event_key" => &["application", "event_id"],
        "delivery" => &["endpoint", "class", "due", "id"],
        "open_count" => &["endpoint"],
        "rollup" => &["endpoint", "hour", "event_type", "result"],
        "idempotency" | "replay_key" => &["hour", "id"],
        "access_version" => &["one"],
        "revoked_token" => &["token"],
        "token_floor" => &["application", "session", "issued_before"],
        "one_time_token" => &["hash"],
        "audit_checkpoint" => &["previous"],
        "audit_left" => &["tail"],
        "audit_start" => &["one"],
        "chain_shown" => &["key"],
        _ => &["id"],
    }
}

fn value(value: ValueRef<'_>) -> Option<Value> {
    Some(match value {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(integer) => Value::Integer(integer),
        ValueRef::Text(text) => Value::Text(std::str::from_utf8(text).ok()?.to_owned()),
        ValueRef::Blob(bytes) => Value::Bytes(Bytes::copy_from_slice(bytes)),
        ValueRef::Real(_) => return None,
    })
}

fn misread(table: &Table, place: usize) -> Failure {
    let column = table.columns.get(place);
    let kind = column.map_or(Kind::Integer, |column| column.kind);
    let name = column.map_or("a key", |column| column.name);
    Failure::unreadable(&format!("{}.{name} ({kind:?})", table.name))
}

/// A value as SQLite takes it.
struct Parameter<'v>(&'v Value);

impl ToSql for Parameter<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self.0 {
            Value::Null => ValueRef::Null,
            Value::Integer(integer) => ValueRef::Integer(*integer),
            Value::Text(text) => ValueRef::Text(text.as_bytes()),
            Value::Bytes(bytes) => ValueRef::Blob(bytes),
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whoever adds a column says here how it is moved.
    #[test]
    fn every_column_is_moved_or_is_this_stores_own() {
        let connection = Connection::open_in_memory().unwrap();
        crate::schema::migrate(&connection, 0).unwrap();
        let mut columns = connection
            .prepare(
                "SELECT t.name, c.name FROM sqlite_schema t, pragma_table_info(t.name) c
                 WHERE t.type = 'table'",
            )
            .unwrap();
        let columns = columns.query_map([], |row| Ok((row.get(0)?, row.get(1)?)));
        let columns: Vec<(String, String)> = columns.unwrap().map(Result::unwrap).collect();
        assert!(columns.len() > 80, "{columns:?}");
        // Found anew at the start, or numbers that nothing points at, or part of an attempt.
        let own = [
            "excerpt",
            "idempotency_run",
            "idempotency_sorted",
            "probe",
            "replay_key_run",
            "replay_key_sorted",
            "sequence",
        ];
        let numbers = [
            ("event_type", "id"),
            ("idempotency", "id"),
            ("replay_key", "hour"),
            ("replay_key", "id"),
        ];
        let mut forgotten = columns.iter().filter(|(table, column)| {
            let moved = Table::named(table).is_some_and(|table| table.place(column).is_some());
            let known = own.contains(&&**table) || numbers.contains(&(table, column));
            !moved && !known
        });
        assert_eq!(forgotten.next(), None);
    }
}
