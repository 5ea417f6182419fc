//! Sending again what failed for good to an endpoint.
//!
//! Walks along the endpoint's failed attempts that were recorded before the work was asked for, so
//! that it never sends again what it has sent itself. A message counts at its first failed attempt;
//! its cursor is an attempt's key.

use super::resending::{Resending, Span};
use super::rows::Task;
use crate::batch::Batch;
use crate::columns::{get, key, result};
use crate::failure::Failure;
use crate::keys::KEYS_APART;
use crate::sql::{Sql, columns_of, params};
use model::attempt::AttemptResult;
use model::id::{AttemptKey, MessageKey};
use store::Lane;
use store::work::{Progress, SLICE_MAX};

/// An attempt, and its message.
type Attempted = (i64, MessageKey);

pub(super) async fn advance(
    batch: &mut Batch<'_>,
    task: &Task,
    (endpoint, since, until): Span,
) -> Result<Progress, Failure> {
    let start = AttemptKey::first_at(since).integer();
    let begun = Resending::begin(batch.sql, task, (endpoint, start));
    let mut resending = match begun.await? {
        Ok(resending) => resending,
        Err(ended) => return Ok(ended),
    };
    let (lane, above) = (resending.lane, resending.progress.cursor);
    let asked_at = task.id.key().integer();
    let seen = without_success(batch.sql, lane, (above, asked_at)).await?;
    resending.looked_at(seen.len(), seen.last().map(|((attempt, _), _)| *attempt));
    let window = MessageKey::first_at(since)..MessageKey::first_at(until);
    let failed = seen.into_iter().filter_map(|(attempted, result)| {
        let failed = result == AttemptResult::Failure && window.contains(&attempted.1);
        failed.then_some(attempted)
    });
    let failed: Vec<Attempted> = failed.collect();
    let for_good = failed_for_good(batch.sql, lane, &failed).await?;
    Ok(resending.open(batch, for_good.into_iter().map(|message| (message, None))))
}

/// The endpoint's next attempts without success, as many as a slice may write. Those that were only
/// ended are among them: there may be millions in one piece.
async fn without_success(
    sql: &Sql<'_>,
    lane: Lane,
    (above, below): (i64, i64),
) -> Result<Vec<(Attempted, AttemptResult)>, Failure> {
    let rows = sql.rows(
        "SELECT id, message, result FROM attempt
         WHERE application = $1 AND endpoint = $2 AND result > 0 AND id > $3 AND id < $4
         ORDER BY id LIMIT $5",
        params![
            lane.application.integer(),
            lane.endpoint.integer(),
            above,
            below,
            SLICE_MAX as i64
        ],
    );
    let rows = rows.await?;
    rows.iter()
        .map(|row| Ok(((get(row, 0)?, key(row, 1)?), result(row, 2)?)))
        .collect()
}

/// Those that are their message's first failed attempt, where none succeeded, no delivery is open,
/// and the payload is there; it is kept until this is committed.
async fn failed_for_good(
    sql: &Sql<'_>,
    lane: Lane,
    failed: &[Attempted],
) -> Result<Vec<MessageKey>, Failure> {
    if failed.is_empty() {
        return Ok(Vec::new());
    }
    // Not by NOT EXISTS, nor by a plain join: the planner might read all that the endpoint, or the
    // application, ever got.
    let rows = sql.rows(
        "SELECT g.m FROM unnest($3, $4) AS g (i, m)
         CROSS JOIN LATERAL (SELECT expires_at FROM message
             WHERE application = $1 AND id = g.m LIMIT 1) AS m
         CROSS JOIN LATERAL (SELECT 1 FROM payload
             WHERE application = $1 AND message = g.m AND expires_at = m.expires_at
             LIMIT 1 FOR KEY SHARE) AS p
         WHERE (SELECT a.id FROM attempt a
             WHERE a.application = $1 AND a.message = g.m AND a.endpoint = $2
             AND a.id > g.m - $5
             AND (a.result = 0 OR (a.result = 1 AND a.id < g.i)) LIMIT 1) IS NULL
         AND (SELECT d.id FROM delivery d
             WHERE d.message = g.m AND d.endpoint = $2 LIMIT 1) IS NULL
         ORDER BY g.i",
        params![
            lane.application.integer(),
            lane.endpoint.integer(),
            columns_of(failed, |one| one.0),
            columns_of(failed, |one| one.1.integer()),
            KEYS_APART
        ],
    );
    rows.await?.iter().map(|row| key(row, 0)).collect()
}
