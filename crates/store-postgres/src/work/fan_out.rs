//! Opening the deliveries of a message to more endpoints than one transaction may carry.
//!
//! Which endpoints matched is computed again: those that are there still, were there before the
//! message, and want it. One that was changed in between is judged by what it is now. While the
//! revision is that of the message's acceptance, all were there before; later the keys tell, which
//! is as exact as the clocks of two nodes agree.

use crate::batch::Batch;
use crate::failure::Failure;
use crate::{deliveries, endpoints, locks, messages};
use model::delivery::{Delivery, Trigger};
use model::id::{ApplicationKey, EndpointKey, MessageKey};
use store::work::{Progress, SLICE_MAX};

pub(super) async fn advance(
    batch: &mut Batch<'_>,
    (application, key): (ApplicationKey, MessageKey),
    (after, accepted_at, proved_only): (EndpointKey, u64, bool),
) -> Result<Progress, Failure> {
    let mut progress = Progress::at(after.integer());
    let Some(revision) = locks::endpoints_of(batch.sql, application).await? else {
        return Ok(progress);
    };
    let Some(found) = messages::load(batch.sql, application, key, false).await? else {
        return Ok(progress);
    };
    let message = found.message;
    if !locks::payload(batch.sql, &message).await? {
        return Ok(progress);
    }
    let below = match revision == accepted_at {
        true => EndpointKey::MAX.integer(),
        false => key.integer(),
    };
    let between = (after.integer(), below);
    let rows = endpoints::live_between(batch.sql, application, between, SLICE_MAX).await?;
    progress.finished = rows.len() < SLICE_MAX;
    if let Some(last) = rows.last() {
        progress.cursor = last.endpoint.id.key().integer();
    }
    let mut opened = Vec::new();
    for row in rows {
        let wants = row.endpoint.wants(&message.event_type, &message.channels);
        if !wants || (proved_only && !row.is_proved()) {
            continue;
        }
        let delivery = Delivery {
            key: batch.key(),
            application,
            endpoint: row.endpoint.id.key(),
            message: key,
            trigger: Trigger::Scheduled,
            attempts: 0,
            due: message.deliver_at.unwrap_or(batch.now),
        };
        progress.has_opened(&delivery);
        opened.push((delivery, false));
    }
    deliveries::open(batch, &opened);
    Ok(progress)
}
