//! Removing what has reached its age, a slice at a time: payloads by their own expiry, attempts and
//! messages by theirs, idempotency keys by the hour. One node at a time does it. It drops no
//! partitions.
//!
//! A message takes with it all that points at it: its open deliveries are ended, and its attempts
//! go although some may be younger, since nothing could be told of them without it.

mod by_age;
mod messages;
mod payloads;

use crate::batch::Batch;
use crate::columns::get;
use crate::failure::Failure;
use crate::sql::{Sql, params};
use crate::{deliveries, locks};
use model::delivery::EndReason;
use model::id::AttemptKey;
use std::collections::HashMap;
use store::encoding::HOUR;
use store::work::{SweepLimits, Swept};

/// Endpoints whose statistics one sweep looks at.
const ROLLUP_ENDPOINTS: i64 = 200;
/// Rows that go with each message, for a slice of usual size.
const ROWS_PER_MESSAGE: usize = 4;

/// Does one slice; nothing while another node does one.
pub(crate) async fn sweep(batch: &mut Batch<'_>, limits: SweepLimits) -> Result<Swept, Failure> {
    let mut swept = Swept::default();
    if !locks::sweep(batch.sql).await? {
        return Ok(swept);
    }
    payloads::expire(batch, limits.rows_max, &mut swept).await?;
    by_age::remove_attempts(batch, limits, &mut swept).await?;
    messages::remove(batch, limits, &mut swept).await?;
    remove_keys(batch, limits, &mut swept).await?;
    remove_statistics(batch, limits).await?;
    remove_finished_work(batch.sql, limits).await?;
    Ok(swept)
}

/// The most rows of a statement.
fn limit(limits: SweepLimits) -> i64 {
    i64::try_from(limits.rows_max).unwrap_or(i64::MAX)
}

/// How many of some messages, each with so many rows that go with it, belong into this slice. One
/// message can carry many rows with it: a slice ends early then.
fn fitting(swept: &mut Swept, rows_max: usize, carried: impl Iterator<Item = usize>) -> usize {
    let mut going = swept.ended + swept.attempts;
    let mut fitting = 0;
    for carried in carried {
        if going > ROWS_PER_MESSAGE * rows_max {
            swept.more = true;
            break;
        }
        going += carried;
        fitting += 1;
    }
    fitting
}

/// How many open deliveries messages have, of those that have any.
async fn count_open(sql: &Sql<'_>, messages: Vec<i64>) -> Result<HashMap<i64, usize>, Failure> {
    let counted = sql.rows(
        "SELECT message, count(*) FROM delivery WHERE message = ANY($1) GROUP BY message",
        params![messages],
    );
    counts(&counted.await?)
}

/// Rows of a key and a count.
fn counts(rows: &[tokio_postgres::Row]) -> Result<HashMap<i64, usize>, Failure> {
    rows.iter()
        .map(|row| Ok((get(row, 0)?, crate::columns::number(row, 1)?)))
        .collect()
}

/// Ends what is open of messages whose payloads this transaction has removed.
async fn end_open_deliveries(
    batch: &mut Batch<'_>,
    messages: Vec<i64>,
    swept: &mut Swept,
) -> Result<(), Failure> {
    let open = locks::open_deliveries(batch.sql, messages).await?;
    swept.ended += deliveries::end(batch, &open, EndReason::PayloadGone).await?;
    Ok(())
}

/// By the hour in which they expired.
async fn remove_keys(
    batch: &mut Batch<'_>,
    limits: SweepLimits,
    swept: &mut Swept,
) -> Result<(), Failure> {
    let now = batch.now.micros().div_euclid(HOUR);
    let (from, after) = batch.rounds.swept_keys.clone();
    let old = batch.sql.rows(
        "SELECT hour, fingerprint FROM idempotency
         WHERE hour BETWEEN $1 AND $3 AND (hour, fingerprint) > ($1, $2)
         ORDER BY hour, fingerprint LIMIT $4",
        params![from, after.clone(), now, limit(limits)],
    );
    let last = old
        .await?
        .last()
        .map(|row| Ok::<_, Failure>((get(row, 0)?, get(row, 1)?)));
    let last: Option<(i64, Vec<u8>)> = last.transpose()?;
    // As one range: to find each of them anew, the planner might read all that there are.
    swept.keys = match &last {
        None => 0,
        Some((hour, fingerprint)) => {
            let gone = batch.sql.run(
                "DELETE FROM idempotency
                 WHERE hour BETWEEN $1 AND $3 AND (hour, fingerprint) > ($1, $2)
                 AND (hour, fingerprint) <= ($3, $4) RETURNING 1",
                params![from, after, *hour, fingerprint.clone()],
            );
            gone.await?
        }
    };
    let more = swept.keys >= limits.rows_max;
    swept.more |= more;
    batch.rounds.swept_keys = match last {
        Some(last) if more => last,
        // Whatever the clock of another node says, it keeps none that expired an hour ago.
        _ => (now - 1, Vec::new()),
    };
    Ok(())
}

/// Goes round by endpoint: there are few rows, and no index by hour.
async fn remove_statistics(batch: &mut Batch<'_>, limits: SweepLimits) -> Result<(), Failure> {
    let next = batch.sql.rows(
        "SELECT id FROM endpoint WHERE id > $1 ORDER BY id LIMIT $2",
        params![batch.rounds.swept_rollup, ROLLUP_ENDPOINTS],
    );
    let endpoints: Vec<i64> = next
        .await?
        .iter()
        .map(|row| get(row, 0))
        .collect::<Result<_, _>>()?;
    batch.rounds.swept_rollup = endpoints.last().copied().unwrap_or(0);
    let border = limits.keep_since.micros().div_euclid(HOUR);
    let removed = batch.sql.run(
        "DELETE FROM rollup WHERE endpoint = ANY($1) AND hour < $2 RETURNING 1",
        params![endpoints, border],
    );
    removed.await.map(drop)
}

async fn remove_finished_work(sql: &Sql<'_>, limits: SweepLimits) -> Result<(), Failure> {
    let border = AttemptKey::first_at(limits.keep_since).integer();
    let removed = sql.run(
        "DELETE FROM task WHERE id IN
         (SELECT id FROM task WHERE id < $1 AND finished ORDER BY id LIMIT $2) RETURNING 1",
        params![border, limit(limits)],
    );
    removed.await.map(drop)
}
