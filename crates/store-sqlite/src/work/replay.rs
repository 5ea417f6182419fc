//! Sending messages to an endpoint again, whatever became of them, and those that it never got.
//!
//! Both walk along the application's messages that were accepted before the work was asked for, and
//! look at each once; the cursor is a message's key.

use super::EXAMINED_MAX;
use super::resending::{Seen, Span, resend};
use super::rows::Task;
use crate::batch::Batch;
use crate::columns::result;
use crate::failure::Failure;
use crate::messages;
use model::Timestamp;
use model::attempt::AttemptResult;
use model::id::{ApplicationKey, EndpointKey, MessageKey};
use rusqlite::Connection;
use std::collections::BTreeSet;
use store::query::MessageFilter;
use store::rows::{EndpointRow, Standing};
use store::work::{Progress, ReplayFilter};

/// Replays what an endpoint was meant to get.
pub(super) fn bulk(
    batch: &mut Batch<'_>,
    task: &Task,
    (span, filter): (Span, &ReplayFilter),
) -> Result<Progress, Failure> {
    let due = |connection: &Connection, _: &EndpointRow, message| {
        let stood = stood(connection, message, span.0)?;
        let wanted = stood.is_some_and(|(standing, code)| filter.passes(standing, code));
        let there = wanted && messages::has_payload(connection, message)?;
        Ok(there.then_some(Timestamp::from_micros(0)))
    };
    walk(batch, task, (span, &filter.messages), due)
}

/// Sends what an endpoint wants and never got.
pub(super) fn missing(batch: &mut Batch<'_>, task: &Task, span: Span) -> Result<Progress, Failure> {
    let coming = coming(batch.connection, (task.application, span.0))?;
    let due = |connection: &Connection, row: &EndpointRow, message: MessageKey| {
        let known = coming.contains(&message) || is_known(connection, message, span.0)?;
        if known || !messages::has_payload(connection, message)? {
            return Ok(None);
        }
        let found = messages::load(connection, message, false)?.map(|found| found.message);
        let wanted = found.filter(|found| row.endpoint.wants(&found.event_type, &found.channels));
        let own_time = |time: Option<Timestamp>| time.unwrap_or(Timestamp::from_micros(0));
        Ok(wanted.map(|found| own_time(found.deliver_at)))
    };
    walk(batch, task, (span, &MessageFilter::default()), due)
}

/// Looks at the messages of a span, and sends those for which `due` gives a time.
fn walk(
    batch: &mut Batch<'_>,
    task: &Task,
    ((endpoint, since, until), filter): (Span, &MessageFilter),
    due: impl Fn(&Connection, &EndpointRow, MessageKey) -> Result<Option<Timestamp>, Failure>,
) -> Result<Progress, Failure> {
    let asked_at = task.id.key().integer();
    let below = MessageKey::first_at(until).integer().min(asked_at);
    let look = |connection: &Connection, above| {
        let window = (task.application, above, below);
        look(connection, window, filter)
    };
    let due =
        |connection: &Connection, row: &EndpointRow, (_, message)| due(connection, row, message);
    let start = MessageKey::first_at(since).integer();
    resend(batch, task, (endpoint, start), (look, due))
}

/// Messages of an application, of which those may be sent that are such as are wanted.
fn look(
    connection: &Connection,
    (application, above, below): (ApplicationKey, i64, i64),
    filter: &MessageFilter,
) -> Result<Vec<Seen>, Failure> {
    let sql = messages::walk_sql(filter, true);
    let mut select = connection.prepare_cached(&sql)?;
    let mut rows = select.query([application.integer(), above, below])?;
    let mut seen = Vec::new();
    while seen.len() < EXAMINED_MAX
        && let Some(row) = rows.next()?
    {
        let key = row.get(0)?;
        let passes = messages::passes(filter, row, 1)?;
        seen.push((key, passes.then_some(MessageKey::from_integer(key))));
    }
    Ok(seen)
}

/// How a message stands with an endpoint that it is not on its way to, and what its last request
/// was answered with. `None`: it is on its way, or was never meant for it.
fn stood(
    connection: &Connection,
    message: MessageKey,
    endpoint: EndpointKey,
) -> Result<Option<(Standing, Option<u16>)>, Failure> {
    if is_open(connection, message, endpoint)? {
        return Ok(None);
    }
    let mut select = connection.prepare_cached(
        "SELECT result, status_code FROM attempt INDEXED BY attempt_message
         WHERE message = ?1 AND endpoint = ?2 ORDER BY id DESC",
    )?;
    let mut rows = select.query([message.integer(), endpoint.integer()])?;
    let (mut last, mut succeeded, mut code) = (None, false, None);
    while let Some(row) = rows.next()? {
        let result = result(row, 0)?;
        succeeded |= result == AttemptResult::Success;
        last.get_or_insert(result);
        if code.is_none() && !matches!(result, AttemptResult::Cancelled(_)) {
            code = Some(row.get(1)?);
        }
    }
    Ok(Standing::of(false, last, succeeded).map(|standing| (standing, code)))
}

/// Whether a message has a delivery or an attempt to an endpoint.
fn is_known(
    connection: &Connection,
    message: MessageKey,
    endpoint: EndpointKey,
) -> Result<bool, Failure> {
    let mut select = connection.prepare_cached(
        "SELECT 1 FROM attempt INDEXED BY attempt_message
         WHERE message = ?1 AND endpoint = ?2 LIMIT 1",
    )?;
    let tried = select.exists([message.integer(), endpoint.integer()])?;
    Ok(tried || is_open(connection, message, endpoint)?)
}

fn is_open(
    connection: &Connection,
    message: MessageKey,
    endpoint: EndpointKey,
) -> Result<bool, Failure> {
    let mut select = connection.prepare_cached(
        "SELECT 1 FROM delivery INDEXED BY delivery_message
         WHERE message = ?1 AND endpoint = ?2 LIMIT 1",
    )?;
    Ok(select.exists([message.integer(), endpoint.integer()])?)
}

/// The messages that a fan-out under way has yet to bring to an endpoint, where it wants them. What
/// was passed over comes no more.
fn coming(
    connection: &Connection,
    (application, endpoint): (ApplicationKey, EndpointKey),
) -> Result<BTreeSet<MessageKey>, Failure> {
    let mut select = connection.prepare_cached(
        "SELECT subject FROM task INDEXED BY task_open
         WHERE state = 0 AND kind < 32 AND kind = 0 AND application = ?1
         AND cursor < ?2 AND subject > ?2",
    )?;
    let keys = select.query_map([application.integer(), endpoint.integer()], |row| {
        row.get(0).map(MessageKey::from_integer)
    })?;
    Ok(keys.collect::<Result<_, _>>()?)
}
