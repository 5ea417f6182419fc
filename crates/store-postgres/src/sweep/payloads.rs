//! Payloads that have expired: each is removed, or waits for its partition to go; either way, what
//! is open of its message is ended.

use super::{count_open, end_open_deliveries, fitting};
use crate::batch::Batch;
use crate::columns::get;
use crate::failure::Failure;
use crate::sql::{Sql, columns_of, params};
use store::encoding::HOUR;
use store::work::Swept;

/// Payloads that go with their partition are only looked at: so many times more of them in a slice.
const LOOKED_AT: usize = 10;

/// How a payload is named: its expiry, application and message.
pub(crate) type Payload = (i64, i64, i64);

/// Ends what is open of expired payloads. Those that don't go with their partitions are removed.
pub(super) async fn expire(
    batch: &mut Batch<'_>,
    rows_max: usize,
    ((whole, end), swept): ((i64, i64), &mut Swept),
) -> Result<(), Failure> {
    if batch.rounds.swept_payload < (whole, 0, 0) {
        let slice = Slice {
            below: whole,
            rows_max,
            remove: false,
        };
        if slice.go(batch, swept).await?.1 {
            swept.more = true;
            return Ok(());
        }
        batch.rounds.swept_payload = (whole, 0, 0);
    }
    let slice = Slice {
        below: end,
        rows_max,
        remove: true,
    };
    let (removed, more) = slice.go(batch, swept).await?;
    swept.payloads = removed;
    swept.more |= more;
    if !more {
        // Whatever the clock of another node says, it writes none that expired an hour ago.
        batch.rounds.swept_payload = (whole.max(batch.now.micros() - HOUR), 0, 0);
    }
    Ok(())
}

/// The next of the payloads that expire before a time.
struct Slice {
    below: i64,
    rows_max: usize,
    remove: bool,
}

impl Slice {
    /// How many it was, and whether there are more.
    async fn go(&self, batch: &mut Batch<'_>, swept: &mut Swept) -> Result<(usize, bool), Failure> {
        let most = self.rows_max * if self.remove { 1 } else { LOOKED_AT };
        let mut expired = expired(batch, self.below - 1, most).await?;
        let full = expired.len() == most;
        let messages = columns_of(&expired, |one| one.2);
        let open = count_open(batch.sql, messages).await?;
        let carried = expired
            .iter()
            .map(|one| open.get(&one.2).copied().unwrap_or(0));
        let fitting = fitting(swept, self.rows_max, carried);
        let cut = fitting < expired.len();
        expired.truncate(fitting);
        if let Some(last) = expired.last() {
            if self.remove {
                remove(batch.sql, &expired).await?;
            }
            batch.rounds.swept_payload = *last;
            let messages = columns_of(&expired, |one| one.2);
            end_open_deliveries(batch, messages, swept).await?;
        }
        Ok((expired.len(), full || cut))
    }
}

/// Removes payloads, those that are there: how many. What is open of their messages is to be looked
/// for after that.
pub(crate) async fn remove(sql: &Sql<'_>, payloads: &[Payload]) -> Result<usize, Failure> {
    let removed = sql.run(
        "DELETE FROM payload p USING unnest($1, $2, $3) AS g (e, a, m)
         WHERE p.expires_at = g.e AND p.application = g.a AND p.message = g.m",
        params![
            columns_of(payloads, |one| one.0),
            columns_of(payloads, |one| one.1),
            columns_of(payloads, |one| one.2)
        ],
    );
    removed.await
}

async fn expired(batch: &Batch<'_>, last: i64, rows_max: usize) -> Result<Vec<Payload>, Failure> {
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
            last,
            i64::try_from(rows_max).unwrap_or(i64::MAX)
        ],
    );
    let rows = rows.await?;
    rows.iter()
        .map(|row| Ok((get(row, 0)?, get(row, 1)?, get(row, 2)?)))
        .collect()
}
