//! Expunging: payloads and what was answered go for good, and nothing open points at a payload that
//! is gone.

use super::Refused;
use crate::batch::Batch;
use crate::failure::Failure;
use crate::sql::{columns_of, params};
use crate::sweep::remove_payloads;
use crate::{attempts, deliveries, locks, messages};
use model::delivery::EndReason;
use model::id::{ApplicationKey, AttemptId, MessageKey};
use store::change::{ChangeError, Changed};

/// The application is locked first, as by whoever opens a delivery.
pub(super) async fn expunge_payloads(
    batch: &mut Batch<'_>,
    application: ApplicationKey,
    messages: &[MessageKey],
) -> Result<Changed, Refused> {
    let locked = locks::application(batch.sql, application).await?;
    locked.ok_or(ChangeError::Missing)?;
    let expunged = expunge(batch, application, messages).await?;
    Ok(Changed::Expunged(expunged.ended))
}

/// What was expunged.
#[derive(Default)]
pub(crate) struct Expunged {
    /// Payloads that were there.
    pub(crate) payloads: usize,
    /// Open deliveries that were ended.
    pub(crate) ended: usize,
}

/// Removes messages' payloads, and ends what is open of them. The application is to be locked
/// before, where it is live.
pub(crate) async fn expunge(
    batch: &mut Batch<'_>,
    application: ApplicationKey,
    messages: &[MessageKey],
) -> Result<Expunged, Failure> {
    let found = messages::load_many(batch.sql, application, messages, false).await?;
    let payloads: Vec<_> = found
        .iter()
        .map(|(key, row)| {
            let expiry = row.message.expires_at.micros();
            (expiry, application.integer(), key.integer())
        })
        .collect();
    if payloads.is_empty() {
        return Ok(Expunged::default());
    }
    let removed = remove_payloads(batch.sql, &payloads).await?;
    let keys = payloads.iter().map(|one| one.2).collect();
    let open = locks::open_deliveries(batch.sql, keys).await?;
    let ended = deliveries::end(batch, &open, EndReason::Expunged).await?;
    if ended > 0 {
        batch.grow_revision(application).await?;
    }
    Ok(Expunged {
        payloads: removed,
        ended,
    })
}

/// Removes all that messages hold of their senders' and their receivers'.
pub(crate) async fn erase(
    batch: &mut Batch<'_>,
    messages: &[(ApplicationKey, MessageKey)],
) -> Result<(), Failure> {
    for of_one in messages.chunk_by(|one, other| one.0 == other.0) {
        let application = of_one[0].0;
        locks::application(batch.sql, application).await?;
        let messages: Vec<_> = of_one.iter().map(|(_, message)| *message).collect();
        expunge(batch, application, &messages).await?;
        // What was answered in this very commit is among them.
        batch.flush().await?;
        let emptied = batch.sql.run(
            "WITH answered AS (SELECT t.application, t.id FROM unnest($1, $2, $3) AS g (a, m, f)
                 CROSS JOIN LATERAL (SELECT application, id FROM attempt WHERE application = g.a
                     AND message = g.m AND id >= g.f OFFSET 0) AS t)
             UPDATE excerpt e SET body = ''::bytea, head = NULL FROM answered
             WHERE e.application = ANY(ARRAY[answered.application]) AND e.attempt = answered.id",
            params![
                columns_of(of_one, |one| one.0.integer()),
                columns_of(of_one, |one| one.1.integer()),
                columns_of(of_one, |one| attempts::first_of(one.1).integer())
            ],
        );
        emptied.await?;
    }
    Ok(())
}

pub(super) async fn expunge_excerpt(
    batch: &mut Batch<'_>,
    of: (ApplicationKey, MessageKey),
    attempt: AttemptId,
) -> Result<Changed, Refused> {
    if attempts::one(batch.sql, of, attempt).await?.is_none() {
        return Err(ChangeError::Missing.into());
    }
    let emptied = batch.sql.run(
        "INSERT INTO excerpt (application, attempt, body) VALUES ($1, $2, ''::bytea)
         ON CONFLICT (application, attempt) DO UPDATE SET body = ''::bytea, head = NULL",
        params![of.0.integer(), attempt.key().integer()],
    );
    emptied.await?;
    Ok(Changed::Removed)
}
