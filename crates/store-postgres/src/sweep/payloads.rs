//! Payloads that have expired.

use super::{count_open, end_open_deliveries, fitting};
use crate::batch::Batch;
use crate::columns::get;
use crate::failure::Failure;
use crate::sql::{Sql, columns_of, params};
use store::encoding::HOUR;
use store::work::Swept;

/// How a payload is named: its expiry, application and message.
pub(super) type Payload = (i64, i64, i64);

/// Removes payloads that have expired, and ends what is open of their messages.
pub(super) async fn expire(
    batch: &mut Batch<'_>,
    rows_max: usize,
    swept: &mut Swept,
) -> Result<(), Failure> {
    let now = batch.now.micros();
    let mut expired = expired(batch, rows_max).await?;
    let more = expired.len() == rows_max;
    let messages = columns_of(&expired, |one| one.2);
    let open = count_open(batch.sql, messages).await?;
    let carried = expired
        .iter()
        .map(|one| open.get(&one.2).copied().unwrap_or(0));
    let fitting = fitting(swept, rows_max, carried);
    let cut = fitting < expired.len();
    expired.truncate(fitting);
    if let Some(last) = expired.last() {
        remove(batch.sql, &expired).await?;
        batch.rounds.swept_payload = *last;
        let messages = columns_of(&expired, |one| one.2);
        end_open_deliveries(batch, messages, swept).await?;
    }
    swept.payloads = expired.len();
    swept.more |= more;
    if !more && !cut {
        // Whatever the clock of another node says, it writes none that expired an hour ago.
        batch.rounds.swept_payload = (now - HOUR, 0, 0);
    }
    Ok(())
}

/// Removes payloads: what is open of their messages is to be looked for after that.
pub(super) async fn remove(sql: &Sql<'_>, payloads: &[Payload]) -> Result<(), Failure> {
    let removed = sql.run(
        "DELETE FROM payload p USING unnest($1, $2, $3) AS g (e, a, m)
         WHERE p.expires_at = g.e AND p.application = g.a AND p.message = g.m RETURNING 1",
        params![
            columns_of(payloads, |one| one.0),
            columns_of(payloads, |one| one.1),
            columns_of(payloads, |one| one.2)
        ],
    );
    removed.await.map(drop)
}

async fn expired(batch: &Batch<'_>, rows_max: usize) -> Result<Vec<Payload>, Failure> {
    let (expiry, application, message) = batch.rounds.swept_payload;
    let rows = batch.sql.rows(
        "SELECT expires_at, application, message FROM payload
         WHERE expires_at BETWEEN $1 AND $4
         AND (expires_at, application, message) > ($1, $2, $3)
         ORDER BY expires_at, application, message LIMIT $5",
        params![
            expiry,
            application,
            message,
            batch.now.micros(),
            i64::try_from(rows_max).unwrap_or(i64::MAX)
        ],
    );
    let rows = rows.await?;
    rows.iter()
        .map(|row| Ok((get(row, 0)?, get(row, 1)?, get(row, 2)?)))
        .collect()
}
