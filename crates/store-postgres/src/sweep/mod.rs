//! Removing what has reached its age, a slice at a time: payloads by their own expiry, attempts and
//! messages by theirs, idempotency keys by the hour. One node at a time does it.
//!
//! A message takes with it all that points at it: its open deliveries are ended, and its attempts
//! go although some may be younger, since nothing could be told of them without it.
//!
//! Here is what is done row by row, within a commit of the writer's, and what must come before a
//! partition can go: the ends of open deliveries. [`clear`] and [`whole`] do the rest beside it.

mod borders;
mod by_age;
mod clear;
mod messages;
mod payloads;
mod whole;

pub(crate) use borders::Wanted;
pub(crate) use clear::Cleared;
pub(crate) use payloads::remove as remove_payloads;
pub(crate) use whole::retire;

use crate::batch::Batch;
use crate::columns::get;
use crate::deliveries::COLUMNS;
use crate::failure::Failure;
use crate::sql::{Sql, params};
use crate::{access, deliveries, locks, observed, security_events};
use borders::Borders;
use model::delivery::{Delivery, EndReason};
use model::id::AttemptKey;
use std::collections::HashMap;
use store::encoding::HOUR;
use store::work::{SweepLimits, Swept};

/// Endpoints whose statistics one sweep looks at.
const ROLLUP_ENDPOINTS: i64 = 200;
/// Rows that go with each message, for a slice of usual size.
const ROWS_PER_MESSAGE: usize = 4;

/// Does one slice. None while another node does one.
pub(crate) async fn sweep(batch: &mut Batch<'_>, wanted: Wanted) -> Result<Option<Swept>, Failure> {
    if !locks::sweeper(batch.sql, batch.epoch).await? {
        return Ok(None);
    }
    let limits = wanted.limits;
    let borders = Borders::of(batch.sql, wanted, batch.now).await?;
    let mut swept = Swept::default();
    payloads::expire(batch, limits.rows_max, (borders.payloads, &mut swept)).await?;
    end_of_old(batch, (borders.keys.0, limits), &mut swept).await?;
    by_age::remove_attempts(batch, limits, (borders.keys, &mut swept)).await?;
    messages::remove(batch, limits, (borders.keys, &mut swept)).await?;
    remove_keys(batch, limits, (borders.hours, &mut swept)).await?;
    remove_statistics(batch, limits).await?;
    remove_finished_work(batch.sql, limits).await?;
    swept.more |= access::sweep(batch.sql, batch.now, limits).await?;
    swept.more |= security_events::sweep(batch.sql, limits).await?;
    // Below this there are no attempts, or only such as go with their partitions.
    let floor = borders.keys.0.max(batch.rounds.swept_attempts.floor);
    let below = AttemptKey::from_integer(floor);
    swept.more |= observed::sweep(batch.sql, (below, limits)).await?;
    Ok(Some(swept))
}

/// Ends what is open of messages below a key, which go with their partitions.
async fn end_of_old(
    batch: &mut Batch<'_>,
    (below, limits): (i64, SweepLimits),
    swept: &mut Swept,
) -> Result<(), Failure> {
    let statement = format!(
        "SELECT {COLUMNS} FROM delivery WHERE message < $1
         ORDER BY message, endpoint LIMIT $2 FOR UPDATE"
    );
    let rows = batch.sql.rows(&statement, params![below, limit(limits)]);
    let open: Vec<Delivery> = rows
        .await?
        .iter()
        .map(deliveries::read)
        .collect::<Result<_, _>>()?;
    swept.ended += deliveries::end(batch, &open, EndReason::PayloadGone).await?;
    swept.more |= open.len() == limits.rows_max;
    batch.flush().await
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
    ((first, end), swept): ((i64, i64), &mut Swept),
) -> Result<(), Failure> {
    if first >= end {
        return Ok(());
    }
    let (from, after) = batch.rounds.swept_keys.clone().max((first, Vec::new()));
    let old = batch.sql.rows(
        "SELECT hour, fingerprint FROM idempotency
         WHERE hour BETWEEN $1 AND $3 AND (hour, fingerprint) > ($1, $2)
         ORDER BY hour, fingerprint LIMIT $4",
        params![from, after.clone(), end - 1, limit(limits)],
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
                 AND (hour, fingerprint) <= ($3, $4)",
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
        _ => (end - 2, Vec::new()),
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
        "DELETE FROM rollup WHERE endpoint = ANY($1) AND hour < $2",
        params![endpoints, border],
    );
    removed.await.map(drop)
}

async fn remove_finished_work(sql: &Sql<'_>, limits: SweepLimits) -> Result<(), Failure> {
    let border = AttemptKey::first_at(limits.keep_since).integer();
    let removed = sql.run(
        "DELETE FROM task WHERE id IN
         (SELECT id FROM task WHERE id < $1 AND state > 0 ORDER BY id LIMIT $2)",
        params![border, limit(limits)],
    );
    removed.await.map(drop)
}
