//! Event types as rows: reading them, by name and in lists.

use crate::columns::direction;
use crate::columns::{name, optional_name, optional_text, time, unreadable, words};
use crate::failure::Failure;
use model::event_type::EventType;
use model::name::Name;
use model::redaction::{self, Path, TypeRedaction};
use rusqlite::{Connection, Row, params_from_iter};
use store::query::{EventTypeQuery, Walk};
use store::walking::Walking;

/// The event type of this name, archived or not.
pub(crate) fn find(connection: &Connection, name: &Name) -> Result<Option<EventType>, Failure> {
    let sql = select_sql(true, "WHERE name = ?1");
    let mut select = connection.prepare_cached(&sql)?;
    let mut rows = select.query([name.as_str()])?;
    rows.next()?.map(read).transpose()
}

/// Those of these names that exist, in the order they were asked for.
pub(crate) fn named(connection: &Connection, names: &[Name]) -> Result<Vec<EventType>, Failure> {
    let found = names.iter().map(|name| find(connection, name));
    found.filter_map(Result::transpose).collect()
}

/// A list.
pub(crate) fn list(
    connection: &Connection,
    query: &EventTypeQuery,
) -> Result<Walk<EventType, Name>, Failure> {
    let condition = match (&query.beyond, query.ascending) {
        (None, _) => "",
        (Some(_), true) => "WHERE name > ?1",
        (Some(_), false) => "WHERE name < ?1",
    };
    let order = direction(query.ascending);
    let sql = select_sql(
        query.with_schemas,
        &format!("{condition} ORDER BY name {order}"),
    );
    let mut select = connection.prepare_cached(&sql)?;
    let mut rows = select.query(params_from_iter(query.beyond.iter().map(Name::as_str)))?;
    let mut walking = Walking::new(query.limit);
    while let Some(row) = rows.next()? {
        if !walking.looks_at(name(row, 0)?) {
            break;
        }
        let event_type = read(row)?;
        if query.passes(event_type.archived, &event_type.feature_flags) {
            let bytes = event_type.schemas.as_ref().map_or(0, String::len);
            walking.keep_with_content(event_type, bytes);
        }
    }
    Ok(walking.end())
}

/// Schemas may be large: they are read where they are wanted.
fn select_sql(with_schemas: bool, rest: &str) -> String {
    let schemas = if with_schemas { "schemas" } else { "NULL" };
    format!(
        "SELECT name, description, archived, deprecated, {schemas}, feature_flags, group_name,
         created_at, updated_at, sensitive FROM event_type {rest}"
    )
}

/// What is taken from payloads, of those event types that take something, by name.
pub(crate) fn redactions(connection: &Connection) -> Result<Vec<(Name, TypeRedaction)>, Failure> {
    let mut select = connection.prepare_cached(
        "SELECT name, redaction, sensitive FROM event_type
         WHERE redaction IS NOT NULL OR sensitive IS NOT NULL ORDER BY name",
    )?;
    let mut rows = select.query([])?;
    let mut all = Vec::new();
    while let Some(row) = rows.next()? {
        let rules = redaction::rules(optional_text(row, 1)?.unwrap_or_default());
        let redaction = TypeRedaction {
            rules: rules.ok_or_else(|| unreadable(row, 1))?,
            marked: paths(row, 2)?,
        };
        all.push((name(row, 0)?, redaction));
    }
    Ok(all)
}

fn paths(row: &Row<'_>, column: usize) -> Result<Vec<Path>, Failure> {
    let paths = redaction::paths(optional_text(row, column)?.unwrap_or_default());
    paths.ok_or_else(|| unreadable(row, column))
}

fn read(row: &Row<'_>) -> Result<EventType, Failure> {
    Ok(EventType {
        name: name(row, 0)?,
        description: optional_text(row, 1)?.unwrap_or_default().to_owned(),
        archived: row.get(2)?,
        deprecated: row.get(3)?,
        schemas: row.get(4)?,
        feature_flags: words(row, 5)?,
        group_name: optional_name(row, 6)?,
        created_at: time(row, 7)?,
        updated_at: time(row, 8)?,
        sensitive: paths(row, 9)?,
    })
}
