//! Sending to an endpoint again: what recoveries and replays have in common. They say where to
//! look, and what of it is sent.

use super::EXAMINED_MAX;
use super::rows::Task;
use crate::batch::Batch;
use crate::failure::Failure;
use crate::{deliveries, endpoints};
use model::Timestamp;
use model::delivery::Trigger;
use model::id::{EndpointKey, MessageKey};
use rusqlite::Connection;
use store::rows::EndpointRow;
use store::work::{ENDPOINT_NOT_LIVE, Progress, SLICE_MAX};

/// Messages accepted at or after the second, and before the third, to the endpoint.
pub(super) type Span = (EndpointKey, Timestamp, Timestamp);

/// A place that was looked at: the cursor behind it, and the message that may be sent again.
pub(super) type Seen = (i64, Option<MessageKey>);

/// Does a slice from where the work has come to, but from no place before `start`: opens a replay
/// of each message that `look` finds, and for which `due` gives a time, for then, or at once where
/// that has passed.
pub(super) fn resend(
    batch: &mut Batch<'_>,
    task: &Task,
    (endpoint, start): (EndpointKey, i64),
    (look, due): (
        impl Fn(&Connection, i64) -> Result<Vec<Seen>, Failure>,
        impl Fn(&Connection, &EndpointRow, (i64, MessageKey)) -> Result<Option<Timestamp>, Failure>,
    ),
) -> Result<Progress, Failure> {
    let mut progress = Progress::at(task.cursor.max(start.saturating_sub(1)));
    let row = endpoints::by_key(batch.connection, endpoint)?;
    let Some(row) = row.filter(|row| !row.deleted && !row.endpoint.disabled) else {
        progress.failure = Some(ENDPOINT_NOT_LIVE);
        return Ok(progress);
    };
    let seen = look(batch.connection, progress.cursor)?;
    progress.finished = seen.len() < EXAMINED_MAX;
    for (place, message) in seen {
        if progress.done == SLICE_MAX {
            progress.finished = false;
            break;
        }
        progress.cursor = place;
        if let Some(message) = message
            && let Some(time) = due(batch.connection, &row, (place, message))?
        {
            let ends = (task.application, endpoint, message);
            let mut delivery = deliveries::due_now(batch, ends, Trigger::Replay);
            delivery.due = delivery.due.max(time);
            deliveries::open(batch, &delivery)?;
            progress.has_opened(&delivery);
        }
    }
    Ok(progress)
}
