//! Where messages stand with endpoints: an endpoint's messages, and a message's endpoints.

use crate::columns::result;
use crate::endpoints;
use crate::failure::Failure;
use crate::messages;
use model::Timestamp;
use model::attempt::AttemptResult;
use model::id::{EndpointKey, MessageKey};
use rusqlite::{Connection, params};
use store::query::{EndpointMessageQuery, Walk};
use store::rows::{EndpointMessageRow, MessageEndpointRow, Standing};
use store::walking::Walking;

/// The messages of an endpoint. It walks along its application's messages: those have one index
/// for all endpoints.
pub(crate) fn of_endpoint(
    connection: &Connection,
    query: &EndpointMessageQuery,
) -> Result<Walk<EndpointMessageRow, MessageKey>, Failure> {
    let mut walking = Walking::new(query.window.limit);
    let sql = messages::walk_sql(&query.filter, query.window.ascending);
    let mut select = connection.prepare_cached(&sql)?;
    let mut rows = select.query(params![
        query.application.integer(),
        query.window.above.integer(),
        query.window.below.integer()
    ])?;
    while let Some(row) = rows.next()? {
        let key = MessageKey::from_integer(row.get(0)?);
        if !walking.looks_at(key) {
            break;
        }
        if messages::passes(&query.filter, row, 1)?
            && let Some(found) = of_pair(connection, query, key)?
        {
            let bytes = found.message.payload.bytes();
            walking.keep_with_content(found, bytes);
        }
    }
    Ok(walking.end())
}

/// The endpoints of a message, deleted ones too.
pub(crate) fn of_message(
    connection: &Connection,
    message: MessageKey,
    after: EndpointKey,
    limit: usize,
) -> Result<Walk<MessageEndpointRow, EndpointKey>, Failure> {
    let mut walking = Walking::new(limit);
    let mut last = after;
    while let Some(key) = next_endpoint(connection, message, last)? {
        if !walking.looks_at(key) {
            break;
        }
        last = key;
        let endpoint = endpoints::by_key(connection, key)?;
        if let (Some(endpoint), Some(stand)) = (endpoint, stand(connection, message, key)?) {
            walking.keep(MessageEndpointRow {
                endpoint,
                standing: stand.standing,
                next_attempt: stand.next_attempt,
            });
        }
    }
    Ok(walking.end())
}

fn of_pair(
    connection: &Connection,
    query: &EndpointMessageQuery,
    key: MessageKey,
) -> Result<Option<EndpointMessageRow>, Failure> {
    let Some(stand) = stand(connection, key, query.endpoint)? else {
        return Ok(None);
    };
    let wanted = query.standing.as_ref();
    if wanted.is_some_and(|wanted| !wanted.contains(&stand.standing)) {
        return Ok(None);
    }
    let found = messages::load(connection, key, query.with_payload)?;
    Ok(found.map(|message| EndpointMessageRow {
        message,
        standing: stand.standing,
        next_attempt: stand.next_attempt,
    }))
}

struct Stand {
    standing: Standing,
    next_attempt: Option<Timestamp>,
}

/// Where a message stands with an endpoint; `None`: it was never meant for it.
fn stand(
    connection: &Connection,
    message: MessageKey,
    endpoint: EndpointKey,
) -> Result<Option<Stand>, Failure> {
    let pair = [message.integer(), endpoint.integer()];
    let due: Option<i64> = connection
        .prepare_cached(
            "SELECT min(due) FROM delivery INDEXED BY delivery_message
             WHERE message = ?1 AND endpoint = ?2",
        )?
        .query_row(pair, |row| row.get(0))?;
    let mut select = connection.prepare_cached(
        "SELECT result FROM attempt INDEXED BY attempt_message
         WHERE message = ?1 AND endpoint = ?2 ORDER BY id DESC",
    )?;
    let mut rows = select.query(pair)?;
    let (mut last, mut succeeded) = (None, false);
    while let Some(row) = rows.next()? {
        let result = result(row, 0)?;
        succeeded |= result == AttemptResult::Success;
        last.get_or_insert(result);
    }
    let standing = Standing::of(due.is_some(), last, succeeded);
    Ok(standing.map(|standing| Stand {
        standing,
        next_attempt: due.map(Timestamp::from_micros),
    }))
}

/// Jumps to the next endpoint that has an open delivery or an attempt of the message.
fn next_endpoint(
    connection: &Connection,
    message: MessageKey,
    after: EndpointKey,
) -> Result<Option<EndpointKey>, Failure> {
    let mut next: Option<i64> = None;
    for sql in [
        "SELECT min(endpoint) FROM delivery INDEXED BY delivery_message
         WHERE message = ?1 AND endpoint > ?2",
        "SELECT min(endpoint) FROM attempt INDEXED BY attempt_message
         WHERE message = ?1 AND endpoint > ?2",
    ] {
        let mut select = connection.prepare_cached(sql)?;
        let found: Option<i64> =
            select.query_row([message.integer(), after.integer()], |row| row.get(0))?;
        next = match (next, found) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        };
    }
    Ok(next.map(EndpointKey::from_integer))
}
