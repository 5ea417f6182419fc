//! Removing what has reached its age, a slice at a time: payloads by their own expiry, attempts and
//! messages by theirs, idempotency keys and what came in at sources by the hour.
//!
//! A message takes with it all that points at it: its open deliveries are ended, and its attempts
//! go although some may be younger, since nothing could be told of them without it.

use crate::batch::Batch;
use crate::failure::Failure;
use crate::idempotency::IdempotencyRow;
use crate::remembered::sweep_expired;
use crate::replays::ReplayRow;
use crate::{access, deliveries, observed, security_events};
use model::delivery::EndReason;
use model::id::{AttemptKey, MessageKey};
use rusqlite::params;
use store::encoding::HOUR;
use store::work::{SweepLimits, Swept};

/// Endpoints whose statistics one sweep looks at.
const ROLLUP_ENDPOINTS: usize = 16;
/// Rows that go with each message, for a slice of usual size.
const ROWS_PER_MESSAGE: usize = 4;

/// Does one slice.
pub(crate) fn sweep(batch: &mut Batch<'_>, limits: SweepLimits) -> Result<Swept, Failure> {
    let mut swept = Swept::default();
    let limit = limits.rows_max;
    expire_payloads(batch, limit, &mut swept)?;
    remove_attempts(batch, limits, &mut swept)?;
    remove_messages(batch, limits, &mut swept)?;
    let (keys, more) = sweep_expired::<IdempotencyRow>(batch.connection, batch.now, limit)?;
    swept.keys = keys;
    swept.more |= more;
    let (_, more) = sweep_expired::<ReplayRow>(batch.connection, batch.now, limit)?;
    swept.more |= more;
    remove_statistics(batch, limits)?;
    remove_finished_work(batch, limits)?;
    swept.more |= access::sweep(batch, limits)?;
    swept.more |= security_events::sweep(batch, limits)?;
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
        if is_slice_full(limit, swept) {
            break;
        }
        end_open_deliveries(batch, MessageKey::from_integer(key), swept)?;
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
    if old.len() < limits.rows_max {
        // After this slice no older attempt is there to name them.
        swept.more |= observed::sweep(batch, limits)?;
    }
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
    let old = keys(
        batch,
        "SELECT id FROM message WHERE id < ?1 ORDER BY id LIMIT ?2",
        (border, limits.rows_max),
    )?;
    swept.more |= old.len() == limits.rows_max;
    for key in old {
        if is_slice_full(limits.rows_max, swept) {
            break;
        }
        remove_message(batch, MessageKey::from_integer(key), swept)?;
    }
    Ok(())
}

/// Removes a message and all that points at it.
fn remove_message(
    batch: &mut Batch<'_>,
    key: MessageKey,
    swept: &mut Swept,
) -> Result<(), Failure> {
    end_open_deliveries(batch, key, swept)?;
    batch
        .connection
        .prepare_cached(
            "DELETE FROM excerpt WHERE attempt IN (SELECT id FROM attempt WHERE message = ?1)",
        )?
        .execute([key.integer()])?;
    swept.attempts += batch
        .connection
        .prepare_cached("DELETE FROM attempt WHERE message = ?1")?
        .execute([key.integer()])?;
    for sql in [
        "DELETE FROM event_key WHERE (application, event_id) IN
         (SELECT application, event_id FROM message WHERE id = ?1)",
        "DELETE FROM message WHERE id = ?1",
    ] {
        batch
            .connection
            .prepare_cached(sql)?
            .execute([key.integer()])?;
    }
    swept.messages += 1;
    Ok(())
}

fn end_open_deliveries(
    batch: &mut Batch<'_>,
    key: MessageKey,
    swept: &mut Swept,
) -> Result<(), Failure> {
    let open = deliveries::open_of(batch.connection, key, None)?;
    for delivery in &open {
        deliveries::end(batch, delivery, EndReason::PayloadGone)?;
    }
    swept.ended += open.len();
    Ok(())
}

/// One message can carry many rows with it: a slice ends early then.
fn is_slice_full(rows_max: usize, swept: &mut Swept) -> bool {
    let full = swept.ended + swept.attempts > ROWS_PER_MESSAGE * rows_max;
    swept.more |= full;
    full
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
             (SELECT id FROM task WHERE id < ?1 AND state > 0 ORDER BY id LIMIT ?2)",
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
