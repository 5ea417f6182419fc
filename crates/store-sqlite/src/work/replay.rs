//! Sending messages to an endpoint again, whatever became of them, and those that it never got.
//!
//! Both walk along the application's messages that were accepted before the work was asked for, and
//! look at each once; the cursor is a message's key.

use super::rows::Task;
use super::{Progress, lane_due};
use crate::batch::Batch;
use crate::columns::result;
use crate::failure::Failure;
use crate::{deliveries, endpoints, messages};
use model::Timestamp;
use model::attempt::AttemptResult;
use model::delivery::Trigger;
use model::id::{ApplicationKey, EndpointKey, MessageKey};
use rusqlite::{Connection, OptionalExtension};
use std::collections::BTreeSet;
use store::query::MessageFilter;
use store::rows::{EndpointRow, Standing};
use store::work::{ENDPOINT_NOT_LIVE, ReplayFilter, SLICE_MAX};

/// Messages that one slice looks at.
const EXAMINED_MAX: usize = 2_000;

/// Messages accepted at or after the second, and before the third, to the endpoint.
pub(super) type Span = (EndpointKey, Timestamp, Timestamp);

/// Replays what an endpoint was meant to get.
pub(super) fn bulk(
    batch: &mut Batch<'_>,
    task: &Task,
    (span, filter): (Span, &ReplayFilter),
) -> Result<Progress, Failure> {
    let due = |connection: &Connection, _: &EndpointRow, message| {
        let stood = stood(connection, message, span.0)?;
        let wanted = stood.is_some_and(|(standing, code)| filter.passes(standing, code));
        let there = wanted && has_payload(connection, message)?;
        Ok(there.then_some(Timestamp::from_micros(0)))
    };
    walk(batch, task, (span, &filter.messages), due)
}

/// Sends what an endpoint wants and never got.
pub(super) fn missing(batch: &mut Batch<'_>, task: &Task, span: Span) -> Result<Progress, Failure> {
    let fanned_out = fanned_out(batch.connection, task.application)?;
    let due = |connection: &Connection, row: &EndpointRow, message: MessageKey| {
        let coming = fanned_out.contains(&message) && span.0.integer() < message.integer();
        if coming || is_known(connection, message, span.0)? || !has_payload(connection, message)? {
            return Ok(None);
        }
        let found = messages::load(connection, message, false)?.map(|found| found.message);
        let wanted = found.filter(|found| row.endpoint.wants(&found.event_type, &found.channels));
        let own_time = |time: Option<Timestamp>| time.unwrap_or(Timestamp::from_micros(0));
        Ok(wanted.map(|found| own_time(found.deliver_at)))
    };
    walk(batch, task, (span, &MessageFilter::default()), due)
}

/// Opens a replay of each message for which `due` gives a time: then, or at once where that has
/// passed.
fn walk(
    batch: &mut Batch<'_>,
    task: &Task,
    ((endpoint, since, until), filter): (Span, &MessageFilter),
    due: impl Fn(&Connection, &EndpointRow, MessageKey) -> Result<Option<Timestamp>, Failure>,
) -> Result<Progress, Failure> {
    let start = MessageKey::first_at(since).integer().saturating_sub(1);
    let mut progress = Progress {
        cursor: task.cursor.max(start),
        finished: true,
        ..Progress::default()
    };
    let row = endpoints::by_key(batch.connection, endpoint)?;
    let Some(row) = row.filter(|row| !row.deleted && !row.endpoint.disabled) else {
        progress.failure = Some(ENDPOINT_NOT_LIVE);
        return Ok(progress);
    };
    let below = MessageKey::first_at(until)
        .integer()
        .min(task.id.key().integer());
    let window = (task.application, progress.cursor, below);
    let seen = look(batch.connection, window, filter)?;
    progress.finished = seen.len() < EXAMINED_MAX;
    for (message, passes) in seen {
        if progress.done == SLICE_MAX {
            progress.finished = false;
            break;
        }
        progress.cursor = message.integer();
        if passes && let Some(time) = due(batch.connection, &row, message)? {
            let ends = (task.application, endpoint, message);
            let mut delivery = deliveries::due_now(batch, ends, Trigger::Replay);
            delivery.due = delivery.due.max(time);
            deliveries::open(batch, &delivery)?;
            progress.done += 1;
            progress.opened.push(lane_due(&delivery));
        }
    }
    Ok(progress)
}

/// Messages of an application, and whether they are such as are wanted.
fn look(
    connection: &Connection,
    (application, above, below): (ApplicationKey, i64, i64),
    filter: &MessageFilter,
) -> Result<Vec<(MessageKey, bool)>, Failure> {
    let sql = messages::walk_sql(filter, true);
    let mut select = connection.prepare_cached(&sql)?;
    let mut rows = select.query([application.integer(), above, below])?;
    let mut seen = Vec::new();
    while seen.len() < EXAMINED_MAX
        && let Some(row) = rows.next()?
    {
        let key = MessageKey::from_integer(row.get(0)?);
        seen.push((key, messages::passes(filter, row, 1)?));
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

fn has_payload(connection: &Connection, message: MessageKey) -> Result<bool, Failure> {
    let mut select =
        connection.prepare_cached("SELECT 1 FROM message WHERE id = ?1 AND payload IS NOT NULL")?;
    let found = select.query_row([message.integer()], |_| Ok(()));
    Ok(found.optional()?.is_some())
}

/// The messages of an application whose fan-out is under way.
fn fanned_out(
    connection: &Connection,
    application: ApplicationKey,
) -> Result<BTreeSet<MessageKey>, Failure> {
    let mut select = connection.prepare_cached(
        "SELECT subject FROM task INDEXED BY task_open
         WHERE state = 0 AND kind < 32 AND kind = 0 AND application = ?1",
    )?;
    let keys = select.query_map([application.integer()], |row| {
        row.get(0).map(MessageKey::from_integer)
    })?;
    Ok(keys.collect::<Result<_, _>>()?)
}
