//! Sending again what failed for good to an endpoint.
//!
//! Walks along the endpoint's failed attempts that were recorded before the work was asked for, so
//! that it never sends again what it has sent itself. A message counts at its first failed attempt;
//! its cursor is an attempt's key.

use super::rows::Task;
use super::{Progress, lane_due};
use crate::batch::Batch;
use crate::failure::Failure;
use crate::{deliveries, endpoints};
use model::Timestamp;
use model::delivery::Trigger;
use model::id::{ApplicationKey, AttemptKey, EndpointKey, MessageKey};
use rusqlite::{Connection, OptionalExtension};
use store::work::{ENDPOINT_NOT_LIVE, SLICE_MAX};

/// Failed attempts that one slice looks at.
const EXAMINED_MAX: usize = 2_000;

pub(super) fn advance(
    batch: &mut Batch<'_>,
    task: &Task,
    (endpoint, since, until): (EndpointKey, Timestamp, Timestamp),
) -> Result<Progress, Failure> {
    let start = AttemptKey::first_at(since).integer().saturating_sub(1);
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
    let window = MessageKey::first_at(since)..MessageKey::first_at(until);
    let failed = failed_attempts(batch.connection, endpoint, (progress.cursor, task))?;
    progress.finished = failed.len() < EXAMINED_MAX;
    for (attempt, message) in failed {
        if progress.done == SLICE_MAX {
            progress.finished = false;
            break;
        }
        progress.cursor = attempt;
        let lane = (row.endpoint.application, endpoint);
        if window.contains(&message) && failed_for_good(batch.connection, lane, message, attempt)? {
            let ends = (lane.0, endpoint, message);
            let delivery = deliveries::due_now(batch, ends, Trigger::Replay);
            deliveries::open(batch, &delivery)?;
            progress.done += 1;
            progress.opened.push(lane_due(&delivery));
        }
    }
    Ok(progress)
}

fn failed_attempts(
    connection: &Connection,
    endpoint: EndpointKey,
    (above, task): (i64, &Task),
) -> Result<Vec<(i64, MessageKey)>, Failure> {
    let mut select = connection.prepare_cached(
        "SELECT id, message FROM attempt INDEXED BY attempt_failed
         WHERE endpoint = ?1 AND result > 0 AND result = 1 AND id > ?2 AND id < ?3
         ORDER BY id LIMIT ?4",
    )?;
    let below = task.id.key().integer();
    let mut rows = select.query([endpoint.integer(), above, below, EXAMINED_MAX as i64])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push((row.get(0)?, MessageKey::from_integer(row.get(1)?)));
    }
    Ok(found)
}

/// Whether this is the message's first failed attempt, none succeeded, no delivery is open, and its
/// payload is there.
fn failed_for_good(
    connection: &Connection,
    (application, endpoint): (ApplicationKey, EndpointKey),
    message: MessageKey,
    attempt: i64,
) -> Result<bool, Failure> {
    let mut select = connection.prepare_cached(
        "SELECT 1 FROM message WHERE id = ?1 AND application = ?2 AND payload IS NOT NULL
         AND NOT EXISTS (SELECT 1 FROM attempt INDEXED BY attempt_message
             WHERE message = ?1 AND endpoint = ?3 AND (result = 0 OR (result = 1 AND id < ?4)))
         AND NOT EXISTS (SELECT 1 FROM delivery INDEXED BY delivery_message
             WHERE message = ?1 AND endpoint = ?3)",
    )?;
    let params = [
        message.integer(),
        application.integer(),
        endpoint.integer(),
        attempt,
    ];
    Ok(select.query_row(params, |_| Ok(())).optional()?.is_some())
}
