//! Expunging: payloads and excerpts go for good, and nothing open points at a payload that is gone.

use super::Refused;
use crate::batch::Batch;
use crate::failure::Failure;
use crate::sql::params;
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
         ON CONFLICT (application, attempt) DO UPDATE SET body = ''::bytea",
        params![of.0.integer(), attempt.key().integer()],
    );
    emptied.await?;
    Ok(Changed::Removed)
}
