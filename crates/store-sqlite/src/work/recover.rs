//! Sending again what failed for good to an endpoint.
//!
//! Walks along the endpoint's failed attempts that were recorded before the work was asked for, so
//! that it never sends again what it has sent itself. A message counts at its first failed attempt;
//! its cursor is an attempt's key.

use super::EXAMINED_MAX;
use super::resending::{Seen, Span, resend};
use super::rows::Task;
use crate::batch::Batch;
use crate::columns::result;
use crate::failure::Failure;
use model::Timestamp;
use model::attempt::AttemptResult;
use model::id::{ApplicationKey, AttemptKey, EndpointKey, MessageKey};
use rusqlite::{Connection, OptionalExtension};
use store::work::Progress;

pub(super) fn advance(
    batch: &mut Batch<'_>,
    task: &Task,
    (endpoint, since, until): Span,
) -> Result<Progress, Failure> {
    let window = MessageKey::first_at(since)..MessageKey::first_at(until);
    let asked_at = task.id.key().integer();
    let look = |connection: &Connection, above| {
        let mut seen = failed_attempts(connection, endpoint, (above, asked_at))?;
        for (_, message) in &mut seen {
            *message = message.filter(|message| window.contains(message));
        }
        Ok(seen)
    };
    let due = |connection: &Connection, _: &_, (attempt, message)| {
        let lane = (task.application, endpoint);
        let for_good = failed_for_good(connection, lane, (attempt, message))?;
        Ok(for_good.then_some(Timestamp::from_micros(0)))
    };
    let start = AttemptKey::first_at(since).integer();
    resend(batch, task, (endpoint, start), (look, due))
}

/// Those among the endpoint's attempts without success. What was only ended is passed over, and is
/// looked at like the others: there may be millions in one piece.
fn failed_attempts(
    connection: &Connection,
    endpoint: EndpointKey,
    (above, below): (i64, i64),
) -> Result<Vec<Seen>, Failure> {
    let mut select = connection.prepare_cached(
        "SELECT id, message, result FROM attempt INDEXED BY attempt_failed
         WHERE endpoint = ?1 AND result > 0 AND id > ?2 AND id < ?3 ORDER BY id LIMIT ?4",
    )?;
    let mut rows = select.query([endpoint.integer(), above, below, EXAMINED_MAX as i64])?;
    let mut seen = Vec::new();
    while let Some(row) = rows.next()? {
        let message = MessageKey::from_integer(row.get(1)?);
        let failed = result(row, 2)? == AttemptResult::Failure;
        seen.push((row.get(0)?, failed.then_some(message)));
    }
    Ok(seen)
}

/// Whether this is the message's first failed attempt, none succeeded, no delivery is open, and its
/// payload is there.
fn failed_for_good(
    connection: &Connection,
    (application, endpoint): (ApplicationKey, EndpointKey),
    (attempt, message): (i64, MessageKey),
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
