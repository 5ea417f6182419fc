//! Attempts as rows: reading them, alone and in lists. How they ended and with which status stands
//! in the indexes, and what else is asked for in their messages; only those that pass are read.

use crate::columns::direction;
use crate::columns::{optional_sealed, result, tail, time, trigger};
use crate::endpoints::url_at;
use crate::failure::Failure;
use crate::{messages, observed};
use model::Timestamp;
use model::attempt::{Attempt, AttemptResult};
use model::delivery::Trigger;
use model::id::{
    ApplicationKey, AttemptId, AttemptKey, EndpointId, EndpointKey, MessageId, MessageKey, Tail,
};
use rusqlite::{Connection, OptionalExtension};
use std::time::Duration;
use store::Sealed;
use store::query::{AttemptQuery, AttemptScope, MessageFilter, ResultFilter, Walk};
use store::rows::AttemptRow;
use store::walking::Walking;

/// A list.
pub(crate) fn list(
    connection: &Connection,
    query: &AttemptQuery,
) -> Result<Walk<AttemptRow, AttemptKey>, Failure> {
    let mut walking = Walking::new(query.window.limit);
    if query.result == Some(ResultFilter::Nothing) {
        return Ok(walking.end());
    }
    let (above, below) = (query.window.above.integer(), query.window.below.integer());
    let mut values = match query.scope {
        AttemptScope::Endpoint(key) => vec![key.integer(), above, below],
        AttemptScope::Message(key, None) => vec![key.integer(), above, below],
        AttemptScope::Message(key, Some(endpoint)) => {
            vec![key.integer(), above, below, endpoint.integer()]
        }
    };
    if by_type_alone(&query.filter) {
        values.push(query.application.integer());
    }
    let mut select = connection.prepare_cached(&walk_sql(query, values.len()))?;
    let mut rows = select.query(rusqlite::params_from_iter(values))?;
    while let Some(row) = rows.next()? {
        let key = AttemptKey::from_integer(row.get(0)?);
        if !walking.looks_at(key) {
            break;
        }
        let ended_so = query.passes(row.get(1)?, result(row, 2)?);
        if !ended_so || !messages::passes(&query.filter, row, 3)? {
            continue;
        }
        if let Some(found) = load(connection, key, query)? {
            let bytes = found.content_bytes();
            walking.keep_with_content(found, bytes);
        }
    }
    Ok(walking.end())
}

/// One attempt of a message with its excerpt, and what was observed of its request.
pub(crate) fn one(
    connection: &Connection,
    (application, message): (ApplicationKey, MessageKey),
    id: AttemptId,
) -> Result<Option<AttemptRow>, Failure> {
    let Some(attempt) = read(connection, id.key())? else {
        return Ok(None);
    };
    if attempt.message != message || attempt.id != id {
        return Ok(None);
    }
    let of = messages::load(connection, message, false)?;
    let Some(of) = of.filter(|of| of.message.application == application) else {
        return Ok(None);
    };
    Ok(Some(AttemptRow {
        attempt: attempt.whole(connection, of.message.id)?,
        event_type: of.message.event_type,
        channels: of.message.channels,
        excerpt: excerpt(connection, id.key())?,
        message: None,
        observed: observed::of(connection, id.key())?.map(Box::new),
    }))
}

fn by_type_alone(filter: &MessageFilter) -> bool {
    filter.event_types.is_some() && filter.channels.is_none() && filter.tag.is_none()
}

/// The statement that walks along attempts: key, status, result, and what [`messages::passes`]
/// looks at. `last` is the number of its last parameter.
fn walk_sql(query: &AttemptQuery, last: usize) -> String {
    let scope = match query.scope {
        AttemptScope::Endpoint(_) if query.takes_successes() => {
            ("attempt_endpoint", "attempt.endpoint = ?1")
        }
        AttemptScope::Endpoint(_) => (
            "attempt_failed",
            "attempt.endpoint = ?1 AND attempt.result > 0",
        ),
        AttemptScope::Message(_, None) => ("attempt_message", "attempt.message = ?1"),
        AttemptScope::Message(_, Some(_)) => (
            "attempt_message",
            "attempt.message = ?1 AND attempt.endpoint = ?4",
        ),
    };
    let (index, scope) = scope;
    // Without a filter, the attempt's index tells all; by type alone, the message's index does.
    let (looked_at, of) = if query.filter == MessageFilter::default() {
        ("NULL, NULL, NULL", String::new())
    } else if by_type_alone(&query.filter) {
        let of = format!(
            "LEFT JOIN message INDEXED BY message_application
             ON message.application = ?{last} AND message.id = attempt.message"
        );
        ("message.event_type, NULL, NULL", of)
    } else {
        let of = "LEFT JOIN message ON message.id = attempt.message".to_owned();
        ("message.event_type, message.channels, message.tags", of)
    };
    format!(
        "SELECT attempt.id, attempt.status_code, attempt.result, {looked_at}
         FROM attempt INDEXED BY {index} {of}
         WHERE {scope} AND attempt.id > ?2 AND attempt.id < ?3 ORDER BY attempt.id {}",
        direction(query.window.ascending)
    )
}

fn load(
    connection: &Connection,
    key: AttemptKey,
    query: &AttemptQuery,
) -> Result<Option<AttemptRow>, Failure> {
    let Some(attempt) = read(connection, key)? else {
        return Ok(None);
    };
    let with_payload = query.with_message && query.with_payload;
    let of = messages::load(connection, attempt.message, with_payload)?;
    let Some(of) = of.filter(|of| of.message.application == query.application) else {
        return Ok(None);
    };
    let excerpt = match query.with_excerpt {
        true => excerpt(connection, key)?,
        false => None,
    };
    Ok(Some(AttemptRow {
        attempt: attempt.whole(connection, of.message.id)?,
        event_type: of.message.event_type.clone(),
        channels: of.message.channels.clone(),
        excerpt,
        message: query.with_message.then_some(of),
        observed: None,
    }))
}

/// An attempt's own row.
struct Bare {
    id: AttemptId,
    message: MessageKey,
    endpoint: EndpointKey,
    trigger: Trigger,
    number: u16,
    started_at: Timestamp,
    duration_ms: u32,
    status_code: u16,
    result: AttemptResult,
    revision: u32,
}

impl Bare {
    fn whole(self, connection: &Connection, message: MessageId) -> Result<Attempt, Failure> {
        Ok(Attempt {
            id: self.id,
            message,
            endpoint: EndpointId::new(self.endpoint, endpoint_tail(connection, self.endpoint)?),
            trigger: self.trigger,
            number: self.number,
            started_at: self.started_at,
            duration: Duration::from_millis(self.duration_ms.into()),
            status_code: self.status_code,
            result: self.result,
            url: url_at(connection, self.endpoint, self.revision)?,
        })
    }
}

fn read(connection: &Connection, key: AttemptKey) -> Result<Option<Bare>, Failure> {
    let mut select = connection.prepare_cached(
        "SELECT tail, message, endpoint, trigger, number, started_at, duration_ms, status_code,
         result, revision FROM attempt WHERE id = ?1",
    )?;
    let mut rows = select.query([key.integer()])?;
    let Some(row) = rows.next()? else {
        return Ok(None);
    };
    Ok(Some(Bare {
        id: AttemptId::new(key, tail(row, 0)?),
        message: MessageKey::from_integer(row.get(1)?),
        endpoint: EndpointKey::from_integer(row.get(2)?),
        trigger: trigger(row, 3)?,
        number: row.get(4)?,
        started_at: time(row, 5)?,
        duration_ms: row.get(6)?,
        status_code: row.get(7)?,
        result: result(row, 8)?,
        revision: row.get(9)?,
    }))
}

fn excerpt(connection: &Connection, key: AttemptKey) -> Result<Option<Sealed>, Failure> {
    let mut select = connection.prepare_cached("SELECT body FROM excerpt WHERE attempt = ?1")?;
    let mut rows = select.query([key.integer()])?;
    let body = rows
        .next()?
        .map(|row| optional_sealed(row, 0))
        .transpose()?;
    Ok(body.flatten())
}

fn endpoint_tail(connection: &Connection, endpoint: EndpointKey) -> Result<Tail, Failure> {
    let mut select = connection.prepare_cached("SELECT tail FROM endpoint WHERE id = ?1")?;
    let tail = select.query_row([endpoint.integer()], |row| row.get(0));
    Ok(tail.optional()?.unwrap_or_default())
}
