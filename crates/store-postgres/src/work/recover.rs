//! Sending again what failed for good to an endpoint.
//!
//! Walks along the endpoint's failed attempts that were recorded before the work was asked for, so
//! that it never sends again what it has sent itself. A message counts at its first failed attempt;
//! its cursor is an attempt's key.

use super::rows::Task;
use super::{Progress, lane_due};
use crate::batch::Batch;
use crate::columns::{get, key};
use crate::failure::Failure;
use crate::keys::KEYS_APART;
use crate::sql::{Sql, columns_of, params};
use crate::{deliveries, endpoints, locks};
use model::Timestamp;
use model::delivery::Trigger;
use model::id::{ApplicationKey, AttemptKey, EndpointKey, MessageKey};
use store::rows::EndpointRow;
use store::work::{ENDPOINT_NOT_LIVE, SLICE_MAX};

/// A failed attempt, and its message. A slice looks at as many as it may write.
type Failed = (i64, MessageKey);

pub(super) async fn advance(
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
    let lane = (task.application, endpoint);
    if live(batch.sql, lane).await?.is_none() {
        progress.failure = Some(ENDPOINT_NOT_LIVE);
        return Ok(progress);
    }
    let below = task.id.key().integer();
    let mut failed = failed_attempts(batch.sql, lane, (progress.cursor, below)).await?;
    progress.finished = failed.len() < SLICE_MAX;
    if let Some((last, _)) = failed.last() {
        progress.cursor = *last;
    }
    let window = MessageKey::first_at(since)..MessageKey::first_at(until);
    failed.retain(|(_, message)| window.contains(message));
    let for_good = failed_for_good(batch.sql, lane, &failed).await?;
    let mut opened = Vec::with_capacity(for_good.len());
    for (_, message) in for_good {
        let delivery = deliveries::due_now(batch, (lane.0, endpoint, message), Trigger::Replay);
        progress.opened.push(lane_due(&delivery));
        opened.push((delivery, false));
    }
    progress.done = opened.len();
    deliveries::open(batch, &opened);
    Ok(progress)
}

/// The endpoint, if it is there and not disabled. It is locked: of two recoveries the second sees
/// what the first has opened.
pub(super) async fn live(
    sql: &Sql<'_>,
    (application, endpoint): (ApplicationKey, EndpointKey),
) -> Result<Option<EndpointRow>, Failure> {
    if locks::endpoints_of(sql, application).await?.is_none() {
        return Ok(None);
    }
    locks::endpoint(sql, endpoint).await?;
    let row = endpoints::by_key(sql, endpoint).await?;
    Ok(row.filter(|row| {
        let there = !row.deleted && row.endpoint.application == application;
        there && !row.endpoint.disabled
    }))
}

async fn failed_attempts(
    sql: &Sql<'_>,
    (application, endpoint): (ApplicationKey, EndpointKey),
    (above, below): (i64, i64),
) -> Result<Vec<Failed>, Failure> {
    let rows = sql.rows(
        "SELECT id, message FROM attempt
         WHERE application = $1 AND endpoint = $2 AND result > 0 AND result = 1
         AND id > $3 AND id < $4 ORDER BY id LIMIT $5",
        params![
            application.integer(),
            endpoint.integer(),
            above,
            below,
            SLICE_MAX as i64
        ],
    );
    let rows = rows.await?;
    rows.iter()
        .map(|row| Ok((get(row, 0)?, key(row, 1)?)))
        .collect()
}

/// Those that are their message's first failed attempt, where none succeeded, no delivery is open,
/// and the payload is there; it is kept until this is committed.
async fn failed_for_good(
    sql: &Sql<'_>,
    (application, endpoint): (ApplicationKey, EndpointKey),
    failed: &[Failed],
) -> Result<Vec<Failed>, Failure> {
    if failed.is_empty() {
        return Ok(Vec::new());
    }
    // Not by NOT EXISTS, nor by a plain join: the planner might read all that the endpoint, or the
    // application, ever got.
    let rows = sql.rows(
        "SELECT g.i, g.m FROM unnest($3, $4) AS g (i, m)
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
            application.integer(),
            endpoint.integer(),
            columns_of(failed, |one| one.0),
            columns_of(failed, |one| one.1.integer()),
            KEYS_APART
        ],
    );
    let rows = rows.await?;
    rows.iter()
        .map(|row| Ok((get(row, 0)?, key(row, 1)?)))
        .collect()
}
