//! Removing what has reached its age, a slice at a time: payloads by their own expiry, attempts and
//! messages by theirs, idempotency keys by the hour.
//!
//! A message stays for as long as an attempt or an open delivery points at it.

use crate::batch::{Batch, HOUR};
use crate::deliveries;
use crate::failure::Failure;
use crate::idempotency::sweep_expired;
use model::delivery::EndReason;
use model::id::{AttemptKey, MessageKey};
use rusqlite::params;
use store::work::{SweepLimits, Swept};

/// Endpoints whose statistics one sweep looks at.
const ROLLUP_ENDPOINTS: i64 = 16;

/// Does one slice.
pub(crate) fn sweep(batch: &mut Batch<'_>, limits: SweepLimits) -> Result<Swept, Failure> {
    let mut swept = Swept::default();
    let limit = limits.rows_max;
    expire_payloads(batch, limit, &mut swept)?;
    remove_attempts(batch, limits, &mut swept)?;
    remove_messages(batch, limits, &mut swept)?;
    let (keys, more) = sweep_expired(batch.connection, batch.now, limit)?;
    swept.keys = keys;
    swept.more |= more;
    remove_statistics(batch, limits)?;
    remove_finished_work(batch, limits)?;
    if swept.attempts + swept.messages > 0 {
        batch.write_down_last_key();
    }
    Ok(swept)
}

fn expire_payloads(batch: &mut Batch<'_>, limit: usize, swept: &mut Swept) -> Result<(), Failure> {
    let expired = keys(
        batch,
        "SELECT id FROM message INDEXED BY message_expiry
         WHERE payload IS NOT NULL AND expires_at <= ?1 ORDER BY expires_at LIMIT ?2",
        (batch.now.micros(), limit),
    )?;
    swept.more |= expired.len() == limit;
    for key in expired {
        let open = deliveries::open_of(batch.connection, MessageKey::from_integer(key), None)?;
        for delivery in &open {
            deliveries::end(batch, delivery, EndReason::PayloadGone)?;
        }
        swept.ended += open.len();
        batch
            .connection
            .prepare_cached("UPDATE message SET payload = NULL WHERE id = ?1")?
            .execute([key])?;
        swept.payloads += 1;
    }
    Ok(())
}

fn remove_attempts(
    batch: &mut Batch<'_>,
    limits: SweepLimits,
    swept: &mut Swept,
) -> Result<(), Failure> {
    let border = AttemptKey::first_at(limits.keep_since).integer();
    let old = keys(
        batch,
        "SELECT id FROM attempt WHERE id < ?1 ORDER BY id LIMIT ?2",
        (border, limits.rows_max),
    )?;
    let (Some(&first), Some(&last)) = (old.first(), old.last()) else {
        return Ok(());
    };
    swept.more |= old.len() == limits.rows_max;
    swept.attempts = old.len();
    for sql in [
        "DELETE FROM attempt WHERE id BETWEEN ?1 AND ?2",
        "DELETE FROM excerpt WHERE attempt BETWEEN ?1 AND ?2",
    ] {
        batch
            .connection
            .prepare_cached(sql)?
            .execute([first, last])?;
    }
    Ok(())
}

fn remove_messages(
    batch: &mut Batch<'_>,
    limits: SweepLimits,
    swept: &mut Swept,
) -> Result<(), Failure> {
    let border = MessageKey::first_at(limits.keep_since).integer();
    let mut select = batch
        .connection
        .prepare_cached("SELECT id FROM message WHERE id > ?1 AND id < ?2 ORDER BY id LIMIT ?3")?;
    let params = params![batch.rounds.swept_message, border, limits.rows_max as i64];
    let old: Vec<i64> = select
        .query_map(params, |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    for &key in &old {
        swept.messages += usize::from(remove_message(batch, key)?);
    }
    // At the border the round is over: the next sweep looks again at those that had to stay.
    let over = old.len() < limits.rows_max;
    swept.more |= !over;
    batch.rounds.swept_message = match old.last() {
        Some(&last) if !over => last,
        _ => 0,
    };
    Ok(())
}

/// False: something points at it still.
fn remove_message(batch: &Batch<'_>, key: i64) -> Result<bool, Failure> {
    let mut needed = batch.connection.prepare_cached(
        "SELECT EXISTS (SELECT 1 FROM attempt INDEXED BY attempt_message WHERE message = ?1)
             OR EXISTS (SELECT 1 FROM delivery INDEXED BY delivery_message WHERE message = ?1)",
    )?;
    if needed.query_row([key], |row| row.get(0))? {
        return Ok(false);
    }
    for sql in [
        "DELETE FROM event_key WHERE (application, event_id) IN
         (SELECT application, event_id FROM message WHERE id = ?1)",
        "DELETE FROM message WHERE id = ?1",
    ] {
        batch.connection.prepare_cached(sql)?.execute([key])?;
    }
    Ok(true)
}

/// Goes round by endpoint: there are few rows, and no index by hour.
fn remove_statistics(batch: &mut Batch<'_>, limits: SweepLimits) -> Result<(), Failure> {
    let border = limits.keep_since.micros().div_euclid(HOUR);
    for _ in 0..ROLLUP_ENDPOINTS {
        let next: Option<i64> = batch
            .connection
            .prepare_cached("SELECT min(endpoint) FROM rollup WHERE endpoint > ?1")?
            .query_row([batch.rounds.swept_rollup], |row| row.get(0))?;
        batch.rounds.swept_rollup = next.unwrap_or(0);
        let Some(endpoint) = next else {
            break;
        };
        batch
            .connection
            .prepare_cached("DELETE FROM rollup WHERE endpoint = ?1 AND hour < ?2")?
            .execute([endpoint, border])?;
    }
    Ok(())
}

fn remove_finished_work(batch: &mut Batch<'_>, limits: SweepLimits) -> Result<(), Failure> {
    let border = AttemptKey::first_at(limits.keep_since).integer();
    let removed = batch
        .connection
        .prepare_cached(
            "DELETE FROM task WHERE id IN
             (SELECT id FROM task WHERE id < ?1 AND finished = 1 ORDER BY id LIMIT ?2)",
        )?
        .execute(params![border, limits.rows_max as i64])?;
    if removed > 0 {
        batch.write_down_last_key();
    }
    Ok(())
}

fn keys(batch: &Batch<'_>, sql: &str, (border, limit): (i64, usize)) -> Result<Vec<i64>, Failure> {
    let mut select = batch.connection.prepare_cached(sql)?;
    let keys = select.query_map([border, limit as i64], |row| row.get(0))?;
    Ok(keys.collect::<Result<_, _>>()?)
}
