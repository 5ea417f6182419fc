//! Expunging: payloads and what was answered go for good, and nothing open points at a payload that
//! is gone.

use super::Refused;
use crate::batch::Batch;
use crate::failure::Failure;
use crate::{applications, attempts, deliveries};
use model::delivery::EndReason;
use model::id::{ApplicationKey, AttemptId, MessageKey};
use store::change::{ChangeError, Changed};

pub(super) fn expunge_payloads(
    batch: &mut Batch<'_>,
    application: ApplicationKey,
    messages: &[MessageKey],
) -> Result<Changed, Refused> {
    applications::revision(batch.connection, application)?.ok_or(ChangeError::Missing)?;
    let mut ended = 0;
    for message in messages {
        ended += expunge(batch, application, *message)?.unwrap_or(0);
    }
    if ended > 0 {
        batch.grow_revision(application)?;
    }
    Ok(Changed::Expunged(ended))
}

/// Removes all that messages hold of their senders' and their receivers'.
pub(crate) fn erase(
    batch: &mut Batch<'_>,
    messages: &[(ApplicationKey, MessageKey)],
) -> Result<(), Failure> {
    for of_one in messages.chunk_by(|one, other| one.0 == other.0) {
        let mut ended = 0;
        for (application, message) in of_one {
            ended += expunge(batch, *application, *message)?.unwrap_or(0);
            batch
                .connection
                .prepare_cached(
                    "UPDATE excerpt SET body = x'', head = NULL
                     WHERE attempt IN (SELECT id FROM attempt INDEXED BY attempt_message
                     WHERE message = ?1)",
                )?
                .execute([message.integer()])?;
        }
        if ended > 0 {
            batch.grow_revision(of_one[0].0)?;
        }
    }
    Ok(())
}

/// Removes a message's payload, and ends what is open of it: how many deliveries. `None`: it was
/// gone already. Where any was ended, the application's revision has to grow.
pub(crate) fn expunge(
    batch: &mut Batch<'_>,
    application: ApplicationKey,
    message: MessageKey,
) -> Result<Option<usize>, Failure> {
    if !remove_payload(batch, application, message)? {
        return Ok(None);
    }
    let open = deliveries::open_of(batch.connection, message, None)?;
    for delivery in &open {
        deliveries::end(batch, delivery, EndReason::Expunged)?;
    }
    Ok(Some(open.len()))
}

/// Whether it was there.
fn remove_payload(
    batch: &Batch<'_>,
    application: ApplicationKey,
    message: MessageKey,
) -> Result<bool, Failure> {
    let mut update = batch.connection.prepare_cached(
        "UPDATE message SET payload = NULL
         WHERE id = ?1 AND application = ?2 AND payload IS NOT NULL",
    )?;
    Ok(update.execute([message.integer(), application.integer()])? > 0)
}

pub(super) fn expunge_excerpt(
    batch: &mut Batch<'_>,
    of: (ApplicationKey, MessageKey),
    attempt: AttemptId,
) -> Result<Changed, Refused> {
    if attempts::one(batch.connection, of, attempt)?.is_none() {
        return Err(ChangeError::Missing.into());
    }
    batch
        .connection
        .prepare_cached(
            "INSERT INTO excerpt (attempt, body) VALUES (?1, x'')
             ON CONFLICT (attempt) DO UPDATE SET body = x'', head = NULL",
        )?
        .execute([attempt.key().integer()])?;
    Ok(Changed::Removed)
}
