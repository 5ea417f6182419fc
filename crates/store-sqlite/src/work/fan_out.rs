//! Opening the deliveries of a message to more endpoints than one transaction may carry.
//!
//! Which endpoints matched is computed again: those that are there still, were there before the
//! message, and want it. One that was changed in between is judged by what it is now.

use crate::batch::Batch;
use crate::failure::Failure;
use crate::{deliveries, endpoints, messages};
use model::delivery::{Delivery, Trigger};
use model::id::{EndpointKey, MessageKey};
use store::work::{Progress, SLICE_MAX};

pub(super) fn advance(
    batch: &mut Batch<'_>,
    key: MessageKey,
    (after, proved_only): (EndpointKey, bool),
) -> Result<Progress, Failure> {
    let mut progress = Progress::at(after.integer());
    if !messages::has_payload(batch.connection, key)? {
        return Ok(progress);
    }
    let Some(found) = messages::load(batch.connection, key, false)? else {
        return Ok(progress);
    };
    let message = found.message;
    let between = (after.integer(), key.integer());
    let rows = endpoints::live_between(batch.connection, message.application, between, SLICE_MAX)?;
    progress.finished = rows.len() < SLICE_MAX;
    for row in rows {
        progress.cursor = row.endpoint.id.key().integer();
        let wants = row.endpoint.wants(&message.event_type, &message.channels);
        if !wants || (proved_only && !row.is_proved()) {
            continue;
        }
        let delivery = Delivery {
            key: batch.key(),
            application: message.application,
            endpoint: row.endpoint.id.key(),
            message: key,
            trigger: Trigger::Scheduled,
            attempts: 0,
            due: message.deliver_at.unwrap_or(batch.now),
        };
        deliveries::open(batch, &delivery)?;
        progress.has_opened(&delivery);
    }
    Ok(progress)
}
