//! Event types as rows: reading them, by name and in lists.

use crate::columns::{direction, get, name, optional_name, time, unreadable, words};
use crate::failure::Failure;
use crate::paging::{self, Listing, Seen, SeenIn};
use crate::sql::{Sql, columns_of, params};
use model::event_type::EventType;
use model::name::Name;
use model::redaction::{self, Path, TypeRedaction};
use std::collections::HashMap;
use store::query::{EventTypeQuery, Walk};
use tokio_postgres::Row;

/// The event type of this name, archived or not.
pub(crate) async fn find(sql: &Sql<'_>, name: &Name) -> Result<Option<EventType>, Failure> {
    let mut found = load(sql, std::slice::from_ref(name), true).await?;
    Ok(found.remove(name))
}

/// Those of these names that exist, in the order they were asked for.
pub(crate) async fn named(sql: &Sql<'_>, names: &[Name]) -> Result<Vec<EventType>, Failure> {
    let found = load(sql, names, true).await?;
    let in_order = names.iter().filter_map(|name| found.get(name).cloned());
    Ok(in_order.collect())
}

/// A list.
pub(crate) async fn list(
    sql: &Sql<'_>,
    query: &EventTypeQuery,
) -> Result<Walk<EventType, Name>, Failure> {
    paging::walk(&EventTypes { sql, query }, query.limit).await
}

struct EventTypes<'q> {
    sql: &'q Sql<'q>,
    query: &'q EventTypeQuery,
}

impl Listing for EventTypes<'_> {
    type Position = Name;
    type Passed = ();
    type Row = EventType;

    async fn look(&self, beyond: Option<&Name>, rows: usize) -> Result<Vec<SeenIn<Self>>, Failure> {
        let beyond = beyond.or(self.query.beyond.as_ref());
        let condition = match (beyond, self.query.ascending) {
            (None, _) => "",
            (Some(_), true) => "WHERE name > $2",
            (Some(_), false) => "WHERE name < $2",
        };
        let sql = format!(
            "SELECT name, archived, feature_flags FROM event_type {condition}
             ORDER BY name {} LIMIT $1",
            direction(self.query.ascending)
        );
        let mut params = params![paging::limit(rows)];
        if let Some(beyond) = beyond {
            params.extend(params![beyond.as_str()]);
        }
        let read = |row: &Row| {
            let flags: Vec<Name> = words(row, 2)?;
            Ok(Seen {
                position: name(row, 0)?,
                passes: self.query.passes(get(row, 1)?, &flags).then_some(()),
            })
        };
        self.sql
            .rows(&sql, params)
            .await?
            .iter()
            .map(read)
            .collect()
    }

    async fn load(&self, passed: &[(Name, ())]) -> Result<HashMap<Name, EventType>, Failure> {
        let names: Vec<Name> = columns_of(passed, |(name, ())| name.clone());
        load(self.sql, &names, self.query.with_schemas).await
    }

    fn with_content(&self) -> bool {
        self.query.with_schemas
    }

    fn content_bytes(row: &EventType) -> usize {
        row.schemas.as_ref().map_or(0, String::len)
    }
}

/// Schemas may be large: they are read where they are wanted.
pub(crate) async fn load(
    sql: &Sql<'_>,
    names: &[Name],
    with_schemas: bool,
) -> Result<HashMap<Name, EventType>, Failure> {
    let schemas = if with_schemas { "schemas" } else { "NULL" };
    let statement = format!(
        "SELECT name, description, archived, deprecated, {schemas}, feature_flags, group_name,
         created_at, updated_at, sensitive FROM event_type WHERE name = ANY($1)"
    );
    let names = columns_of(names, Name::as_str);
    let rows = sql.rows(&statement, params![names]).await?;
    rows.iter()
        .map(|row| Ok((name(row, 0)?, read(row)?)))
        .collect()
}

/// What is taken from payloads, of those event types that take something, by name.
pub(crate) async fn redactions(sql: &Sql<'_>) -> Result<Vec<(Name, TypeRedaction)>, Failure> {
    let rows = sql.rows(
        "SELECT name, redaction, sensitive FROM event_type
         WHERE redaction IS NOT NULL OR sensitive IS NOT NULL ORDER BY name",
        params![],
    );
    let read = |row: &Row| {
        let rules: Option<&str> = get(row, 1)?;
        let rules = redaction::rules(rules.unwrap_or_default());
        let redaction = TypeRedaction {
            rules: rules.ok_or_else(|| unreadable(row, 1))?,
            marked: paths(row, 2)?,
        };
        Ok((name(row, 0)?, redaction))
    };
    rows.await?.iter().map(read).collect()
}

fn paths(row: &Row, column: usize) -> Result<Vec<Path>, Failure> {
    let paths: Option<&str> = get(row, column)?;
    redaction::paths(paths.unwrap_or_default()).ok_or_else(|| unreadable(row, column))
}

fn read(row: &Row) -> Result<EventType, Failure> {
    Ok(EventType {
        name: name(row, 0)?,
        description: get(row, 1)?,
        archived: get(row, 2)?,
        deprecated: get(row, 3)?,
        schemas: get(row, 4)?,
        feature_flags: words(row, 5)?,
        group_name: optional_name(row, 6)?,
        created_at: time(row, 7)?,
        updated_at: time(row, 8)?,
        sensitive: paths(row, 9)?,
    })
}
