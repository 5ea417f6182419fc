//! Messages that have reached their age, with all that points at them.

use super::by_age::{Applications, Ranges};
use super::{count_open, counts, end_open_deliveries, fitting, limit, payloads};
use crate::batch::Batch;
use crate::columns::{get, number};
use crate::failure::Failure;
use crate::keys::KEYS_APART;
use crate::rounds;
use crate::sql::{Sql, columns_of, params};
use std::collections::HashMap;
use store::work::{SweepLimits, Swept};

/// A message that goes.
struct Old {
    application: i64,
    id: i64,
    expires_at: i64,
    event_id: Option<String>,
}

impl Old {
    fn key(&self) -> (i64, i64) {
        (self.application, self.id)
    }
}

/// Removes messages.
pub(super) async fn remove(
    batch: &mut Batch<'_>,
    limits: SweepLimits,
    ((floor, border), swept): ((i64, i64), &mut Swept),
) -> Result<(), Failure> {
    if floor >= border {
        return Ok(());
    }
    let before = batch.rounds.swept_messages.above(floor);
    let applications = Applications::from(batch.sql, before.from.0).await?;
    let mut old = find(batch.sql, (applications.last, border, before), limits).await?;
    let full = old.len() == limits.rows_max;
    let fitting = fitting_now(batch.sql, &old, limits, swept).await?;
    let cut = fitting < old.len();
    old.truncate(fitting);
    if !old.is_empty() {
        remove_all(batch, &old, swept).await?;
    }
    // Where nothing fitted, the next slice begins where this one did.
    let last = old.last().map_or(before.from, Old::key);
    let stopped_at = (full || cut).then_some(last);
    let (next, more) = applications.next(before, stopped_at, border);
    batch.rounds.swept_messages = next;
    swept.messages = old.len();
    swept.more |= more;
    Ok(())
}

/// Old messages, in the order of application and key.
async fn find(
    sql: &Sql<'_>,
    (last_application, border, before): (i64, i64, rounds::Swept),
    limits: SweepLimits,
) -> Result<Vec<Old>, Failure> {
    let rows = sql.rows(
        "SELECT old.application, old.id, old.expires_at, old.event_id FROM application a
         CROSS JOIN LATERAL (SELECT t.application, t.id, t.expires_at, t.event_id FROM message t
             WHERE t.application = a.id AND t.id >= $4 AND t.id < $5
             AND (t.application, t.id) > ($1, $2) ORDER BY t.id LIMIT $6) AS old
         WHERE a.id BETWEEN $1 AND $3 ORDER BY a.id, old.id LIMIT $6",
        params![
            before.from.0,
            before.from.1,
            last_application,
            before.floor,
            border,
            limit(limits)
        ],
    );
    let read = |row: &tokio_postgres::Row| {
        Ok(Old {
            application: get(row, 0)?,
            id: get(row, 1)?,
            expires_at: get(row, 2)?,
            event_id: get(row, 3)?,
        })
    };
    rows.await?.iter().map(read).collect()
}

/// How many of them belong into this slice.
async fn fitting_now(
    sql: &Sql<'_>,
    old: &[Old],
    limits: SweepLimits,
    swept: &mut Swept,
) -> Result<usize, Failure> {
    if old.is_empty() {
        return Ok(0);
    }
    let ids = columns_of(old, |one| one.id);
    let (open, attempts) = tokio::try_join!(count_open(sql, ids), count_attempts(sql, old))?;
    let of = |counted: &HashMap<i64, usize>, one: &Old| counted.get(&one.id).copied().unwrap_or(0);
    // What is ended becomes an attempt, and goes as one.
    let carried = old
        .iter()
        .map(|one| 2 * of(&open, one) + of(&attempts, one));
    Ok(fitting(swept, limits.rows_max, carried))
}

/// How many attempts messages have, of those that have any.
async fn count_attempts(sql: &Sql<'_>, old: &[Old]) -> Result<HashMap<i64, usize>, Failure> {
    let ranges = Ranges::of(old.iter().map(Old::key));
    let counted = sql.rows(
        "SELECT t.message, count(*) FROM unnest($1, $2, $3) AS g (a, f, l)
         CROSS JOIN LATERAL (SELECT message FROM attempt
             WHERE application = g.a AND message BETWEEN g.f AND g.l AND id > g.f - $4
             OFFSET 0) AS t
         GROUP BY t.message",
        params![ranges.applications, ranges.first, ranges.last, KEYS_APART],
    );
    counts(&counted.await?)
}

/// Removes messages and all that points at them.
async fn remove_all(batch: &mut Batch<'_>, old: &[Old], swept: &mut Swept) -> Result<(), Failure> {
    let payloads = columns_of(old, |one| (one.expires_at, one.application, one.id));
    payloads::remove(batch.sql, &payloads).await?;
    end_open_deliveries(batch, columns_of(old, |one| one.id), swept).await?;
    // The ends are attempts like others.
    batch.flush().await?;
    let ranges = Ranges::of(old.iter().map(Old::key));
    let (attempts, (), ()) = tokio::try_join!(
        delete_attempts(batch.sql, ranges),
        delete_event_keys(batch.sql, old),
        delete_messages(batch.sql, old)
    )?;
    swept.attempts += attempts;
    Ok(())
}

/// The attempts of all messages of an application from one to another, with their excerpts.
async fn delete_attempts(sql: &Sql<'_>, ranges: Ranges) -> Result<usize, Failure> {
    let deleted = sql.row(
        "WITH gone AS (DELETE FROM attempt t USING unnest($1, $2, $3) AS g (a, f, l)
             WHERE t.application = ANY(ARRAY[g.a]) AND t.message BETWEEN g.f AND g.l
             AND t.id > g.f - $4 RETURNING t.application, t.id),
         excerpts AS (DELETE FROM excerpt e USING gone
             WHERE e.application = ANY(ARRAY[gone.application]) AND e.attempt = gone.id)
         SELECT count(*) FROM gone",
        params![ranges.applications, ranges.first, ranges.last, KEYS_APART],
    );
    deleted.await?.map_or(Ok(0), |row| number(&row, 0))
}

async fn delete_event_keys(sql: &Sql<'_>, old: &[Old]) -> Result<(), Failure> {
    let (mut applications, mut event_ids) = (Vec::new(), Vec::new());
    for one in old {
        if let Some(event_id) = &one.event_id {
            applications.push(one.application);
            event_ids.push(event_id.as_str());
        }
    }
    if event_ids.is_empty() {
        return Ok(());
    }
    let deleted = sql.run(
        "DELETE FROM event_key k USING unnest($1, $2) AS g (a, e)
         WHERE k.application = ANY(ARRAY[g.a]) AND k.event_id = g.e",
        params![applications, event_ids],
    );
    deleted.await.map(drop)
}

async fn delete_messages(sql: &Sql<'_>, old: &[Old]) -> Result<(), Failure> {
    let deleted = sql.run(
        "DELETE FROM message t USING unnest($1, $2) AS g (a, i)
         WHERE t.application = ANY(ARRAY[g.a]) AND t.id = g.i",
        params![
            columns_of(old, |one| one.application),
            columns_of(old, |one| one.id)
        ],
    );
    deleted.await.map(drop)
}
