//! Which deliveries a list has to look at next: in its order, each once, at most so many, and as
//! many as there are if those are fewer.

use super::position;
use crate::attempts::first_of;
use crate::columns::{direction, get, key};
use crate::failure::Failure;
use crate::paging;
use crate::sql::{Params, Sql, columns_of, params};
use model::id::{ApplicationKey, EndpointKey, MessageKey};
use std::collections::HashMap;
use store::Lane;
use store::deliveries::{Among, DeliveryPosition, DeliveryQuery, DeliveryScope, DeliveryWindow};
use store::query::EXAMINED_MAX;
use tokio_postgres::Row;

/// A place to look at.
#[derive(Debug, Clone, Copy)]
pub(super) struct Candidate {
    pub(super) position: DeliveryPosition,
    pub(super) application: ApplicationKey,
    /// Whether the list is about it. If not, it is only passed over.
    pub(super) counts: bool,
}

/// The next ones in a window.
pub(super) async fn candidates(
    sql: &Sql<'_>,
    query: &DeliveryQuery,
    rows: usize,
) -> Result<Vec<Candidate>, Failure> {
    let mut found = match query.among() {
        Among::Messages => of_messages(sql, query, rows).await?,
        Among::Unfinished { open, given_up } => {
            let mut found = Vec::new();
            if open {
                found.extend(open_ones(sql, query, rows).await?);
            }
            if given_up {
                found.extend(given_up_ones(sql, query, rows).await?);
            }
            found
        }
    };
    found.sort_unstable_by_key(|one| one.position);
    found.dedup_by_key(|one| one.position);
    if !query.window.ascending {
        found.reverse();
    }
    found.truncate(rows);
    Ok(found)
}

/// Between which positions, as the first four parameters, and how many, as the fifth.
fn between(window: &DeliveryWindow, rows: usize) -> Params<'static> {
    params![
        window.above.message.integer(),
        window.above.endpoint.integer(),
        window.below.message.integer(),
        window.below.endpoint.integer(),
        paging::limit(rows)
    ]
}

const BETWEEN: &str = "(message, endpoint) > ($1, $2) AND (message, endpoint) < ($3, $4)";

fn ordered(window: &DeliveryWindow) -> String {
    let direction = direction(window.ascending);
    format!("ORDER BY message {direction}, endpoint {direction} LIMIT $5")
}

/// A row of message, endpoint and application.
fn candidate(row: &Row, counts: impl Fn(ApplicationKey, EndpointKey) -> bool) -> Read {
    let (position, application) = (position(row)?, key(row, 2)?);
    Ok(Candidate {
        position,
        application,
        counts: counts(application, position.endpoint),
    })
}

type Read = Result<Candidate, Failure>;

/// By an index of what was given up, and nothing else.
async fn given_up_ones(
    sql: &Sql<'_>,
    query: &DeliveryQuery,
    rows: usize,
) -> Result<Vec<Candidate>, Failure> {
    let (statement, params) = match query.scope {
        DeliveryScope::All => given_up("given_up", query, rows),
        DeliveryScope::Application(application) => {
            let (statement, mut params) = given_up("application = $7 AND given_up", query, rows);
            params.extend(params![application.integer()]);
            (statement, params)
        }
        DeliveryScope::Endpoint(lane) => given_up_to(lane, query, rows),
    };
    let found = sql.rows(&statement, params).await?;
    let read = found.iter().map(|row| candidate(row, |_, _| true));
    read.collect()
}

fn given_up(scope: &str, query: &DeliveryQuery, rows: usize) -> (String, Params<'static>) {
    let window = &query.window;
    let statement = format!(
        "SELECT DISTINCT ON (message, endpoint) message, endpoint, application FROM attempt
         WHERE {scope} AND {BETWEEN} AND id > $6 {}",
        ordered(window)
    );
    let mut params = between(window, rows);
    params.extend(params![first_of(window.above.message).integer()]);
    (statement, params)
}

fn given_up_to(lane: Lane, query: &DeliveryQuery, rows: usize) -> (String, Params<'static>) {
    let (above, below) = query.messages();
    let statement = format!(
        "SELECT DISTINCT ON (message) message, endpoint, application FROM attempt
         WHERE application = $1 AND endpoint = $2 AND given_up AND message > $3 AND message < $4
         AND id > $5 ORDER BY message {} LIMIT $6",
        direction(query.window.ascending)
    );
    let params = params![
        lane.application.integer(),
        lane.endpoint.integer(),
        above.integer(),
        below.integer(),
        first_of(above).integer(),
        paging::limit(rows)
    ];
    (statement, params)
}

/// All that is open, and passes over what is others'; or what is open to the endpoints that it is
/// about, if that is not too much to be sorted.
async fn open_ones(
    sql: &Sql<'_>,
    query: &DeliveryQuery,
    rows: usize,
) -> Result<Vec<Candidate>, Failure> {
    let window = &query.window;
    let mut params = between(window, rows);
    let few = few_endpoints(sql, query.scope).await?;
    let source = match few {
        None => format!("delivery WHERE {BETWEEN}"),
        Some(endpoints) => {
            params.extend(params![endpoints]);
            // Not by the order of messages: that would look through what is others'.
            format!(
                "(SELECT message, endpoint, application FROM delivery
                  WHERE endpoint = ANY($6) OFFSET 0) d WHERE {BETWEEN}"
            )
        }
    };
    let statement = format!(
        "SELECT DISTINCT ON (message, endpoint) message, endpoint, application FROM {source} {}",
        ordered(window)
    );
    let counts = |application, endpoint| match query.scope {
        DeliveryScope::All => true,
        DeliveryScope::Application(wanted) => wanted == application,
        DeliveryScope::Endpoint(lane) => lane.endpoint == endpoint,
    };
    let found = sql.rows(&statement, params).await?;
    found.iter().map(|row| candidate(row, counts)).collect()
}

/// The endpoints that a list is about, deleted ones too, if little is open to them.
async fn few_endpoints(sql: &Sql<'_>, scope: DeliveryScope) -> Result<Option<Vec<i64>>, Failure> {
    let (condition, key) = match scope {
        DeliveryScope::All => return Ok(None),
        DeliveryScope::Application(application) => ("application", application.integer()),
        DeliveryScope::Endpoint(lane) => ("id", lane.endpoint.integer()),
    };
    let statement = format!(
        "SELECT e.id, o.open FROM endpoint e CROSS JOIN LATERAL
         (SELECT sum(pending + retrying)::bigint AS open FROM open_count
          WHERE endpoint = e.id) o WHERE e.{condition} = $1"
    );
    let found = sql.rows(&statement, params![key]).await?;
    let (mut open, mut endpoints) = (0i64, Vec::with_capacity(found.len()));
    for row in &found {
        let open_here: Option<i64> = get(row, 1)?;
        open = open.saturating_add(open_here.unwrap_or_default());
        endpoints.push(get(row, 0)?);
    }
    Ok((open <= EXAMINED_MAX as i64).then_some(endpoints))
}

/// What there is of the next messages. A message that has nothing for the list is one row to look
/// at all the same: there may be many. But not one that was looked at before.
async fn of_messages(
    sql: &Sql<'_>,
    query: &DeliveryQuery,
    rows: usize,
) -> Result<Vec<Candidate>, Failure> {
    // One more, for the one that the window begins in.
    let messages = messages(sql, query, rows.saturating_add(1)).await?;
    let mut endpoints = match query.scope {
        DeliveryScope::Endpoint(_) => HashMap::new(),
        _ => endpoints_of(sql, (&messages, &query.window), rows).await?,
    };
    let window = &query.window;
    let mut found = Vec::new();
    for (message, application) in messages {
        let of_message = match query.scope {
            DeliveryScope::Endpoint(lane) => vec![lane.endpoint],
            _ => endpoints.remove(&message).unwrap_or_default(),
        };
        let positions = of_message.into_iter();
        let mut positions: Vec<_> = positions
            .map(|endpoint| DeliveryPosition { message, endpoint })
            .filter(|position| window.holds(*position))
            .map(|position| (position, true))
            .collect();
        if positions.is_empty() && !window.begins_in(message) {
            positions.push((window.end_of(message), false));
        }
        found.extend(positions.into_iter().map(|(position, counts)| Candidate {
            position,
            application,
            counts,
        }));
    }
    Ok(found)
}

async fn messages(
    sql: &Sql<'_>,
    query: &DeliveryQuery,
    rows: usize,
) -> Result<Vec<(MessageKey, ApplicationKey)>, Failure> {
    let (above, below) = query.messages();
    let mut params = params![above.integer(), below.integer(), paging::limit(rows)];
    let of_one = ("application = $4 AND id > $1 AND id < $2", "id");
    let (scope, order) = match query.scope {
        // The sum is what the index over all applications has; the key says which partitions.
        DeliveryScope::All => (
            "id > $1 AND id < $2 AND id + 0 > $1 AND id + 0 < $2",
            "id + 0",
        ),
        DeliveryScope::Application(application) => {
            params.extend(params![application.integer()]);
            of_one
        }
        DeliveryScope::Endpoint(lane) => {
            params.extend(params![lane.application.integer()]);
            of_one
        }
    };
    let statement = format!(
        "SELECT id, application FROM message WHERE {scope} ORDER BY {order} {} LIMIT $3",
        direction(query.window.ascending)
    );
    let found = sql.rows(&statement, params).await?;
    let read = |row: &Row| Ok((key(row, 0)?, key(row, 1)?));
    found.iter().map(read).collect()
}

/// The endpoints that have something of these messages, within a window: the first so many pairs of
/// what was attempted and of what is open, in the order of the walk. Messages behind those may have
/// more; but a walk that wants no more than so many does not get there.
async fn endpoints_of(
    sql: &Sql<'_>,
    (of, window): (&[(MessageKey, ApplicationKey)], &DeliveryWindow),
    rows: usize,
) -> Result<HashMap<MessageKey, Vec<EndpointKey>>, Failure> {
    let direction = direction(window.ascending);
    // Message by message, as they are given, and no further than is asked for.
    let statement = |table: &str, of_one: &str| {
        format!(
            "SELECT g.message, found.endpoint
             FROM unnest($1, $2, $3, $4, $5) AS g (application, message, first, low, high)
             CROSS JOIN LATERAL (SELECT DISTINCT endpoint FROM {table}
                 WHERE {of_one} message = g.message AND endpoint > g.low AND endpoint < g.high
                 ORDER BY endpoint {direction}) AS found LIMIT $6"
        )
    };
    let attempted = statement(
        "attempt",
        "application = g.application AND id >= g.first AND",
    );
    let open = statement("delivery", "");
    let (attempted, open) = tokio::try_join!(
        sql.rows(&attempted, ends(of, window, rows)),
        sql.rows(&open, ends(of, window, rows))
    )?;
    let mut endpoints: HashMap<MessageKey, Vec<EndpointKey>> = HashMap::new();
    for row in attempted.iter().chain(&open) {
        endpoints
            .entry(key(row, 0)?)
            .or_default()
            .push(key(row, 1)?);
    }
    Ok(endpoints)
}

/// What [`endpoints_of`] asks by.
fn ends(
    of: &[(MessageKey, ApplicationKey)],
    window: &DeliveryWindow,
    rows: usize,
) -> Params<'static> {
    let end = |end: DeliveryPosition, message, open: i64| match end.message == message {
        true => end.endpoint.integer(),
        false => open,
    };
    params![
        columns_of(of, |(_, application)| application.integer()),
        columns_of(of, |(message, _)| message.integer()),
        columns_of(of, |(message, _)| first_of(*message).integer()),
        columns_of(of, |(message, _)| end(window.above, *message, i64::MIN)),
        columns_of(of, |(message, _)| end(window.below, *message, i64::MAX)),
        paging::limit(rows)
    ]
}
