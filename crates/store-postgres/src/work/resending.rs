//! Sending to an endpoint again: what recoveries and replays have in common. Which messages, they
//! say themselves.

use super::rows::Task;
use crate::batch::Batch;
use crate::failure::Failure;
use crate::sql::Sql;
use crate::{deliveries, endpoints, locks};
use model::Timestamp;
use model::delivery::Trigger;
use model::id::{EndpointKey, MessageKey};
use store::Lane;
use store::rows::EndpointRow;
use store::work::{ENDPOINT_NOT_LIVE, Progress, SLICE_MAX};

/// Messages accepted at or after the second, and before the third, to the endpoint.
pub(super) type Span = (EndpointKey, Timestamp, Timestamp);

/// A slice under way.
pub(super) struct Resending {
    pub(super) lane: Lane,
    /// As it is until this is committed.
    pub(super) endpoint: EndpointRow,
    pub(super) progress: Progress,
}

impl Resending {
    /// From where the work has come to, but from no place before `start`. `Err`: the endpoint gets
    /// nothing any more, and that is all that comes of it.
    pub(super) async fn begin(
        sql: &Sql<'_>,
        task: &Task,
        (endpoint, start): (EndpointKey, i64),
    ) -> Result<Result<Self, Progress>, Failure> {
        let lane = Lane {
            application: task.application,
            endpoint,
        };
        let mut progress = Progress::at(task.cursor.max(start.saturating_sub(1)));
        Ok(match live(sql, lane).await? {
            Some(endpoint) => Ok(Self {
                lane,
                endpoint,
                progress,
            }),
            None => {
                progress.failure = Some(ENDPOINT_NOT_LIVE);
                Err(progress)
            }
        })
    }

    /// Looked at so many places, up to the last of them: as many as a slice may write, if there
    /// were as many.
    pub(super) fn looked_at(&mut self, places: usize, last: Option<i64>) {
        self.progress.finished = places < SLICE_MAX;
        self.progress.cursor = last.unwrap_or(self.progress.cursor);
    }

    /// Opens a replay of each message: at a time, or at once where that has passed.
    pub(super) fn open(
        mut self,
        batch: &mut Batch<'_>,
        wanted: impl IntoIterator<Item = (MessageKey, Option<Timestamp>)>,
    ) -> Progress {
        let mut opened = Vec::new();
        for (message, time) in wanted {
            let ends = (self.lane.application, self.lane.endpoint, message);
            let mut delivery = deliveries::due_now(batch, ends, Trigger::Replay);
            delivery.due = delivery.due.max(time.unwrap_or(delivery.due));
            self.progress.has_opened(&delivery);
            opened.push((delivery, false));
        }
        deliveries::open(batch, &opened);
        self.progress
    }
}

/// The endpoint, if it is there and not disabled. It is locked: of two that send to it again, the
/// second sees what the first has opened.
async fn live(sql: &Sql<'_>, lane: Lane) -> Result<Option<EndpointRow>, Failure> {
    if locks::endpoints_of(sql, lane.application).await?.is_none() {
        return Ok(None);
    }
    locks::endpoint(sql, lane.endpoint).await?;
    let row = endpoints::by_key(sql, lane.endpoint).await?;
    Ok(row.filter(|row| {
        let there = !row.deleted && row.endpoint.application == lane.application;
        there && !row.endpoint.disabled
    }))
}
