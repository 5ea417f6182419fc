//! Background work: its rows, and its slices. A slice's rows commit with the position that they
//! bring the work to; open work takes turns, also where a slice fails. What one node works on is
//! locked until its slice is committed, and the others pass it over.

mod end_deliveries;
mod expunge;
mod fan_out;
mod list;
mod outside;
mod recover;
mod replay;
mod resending;
mod rows;

pub(crate) use list::list;
pub(crate) use outside::{Step, advance as advance_taken, take};
pub(crate) use rows::{TaskWrite, insert, row, write, write_as};

use crate::batch::Batch;
use crate::failure::Failure;
use rows::Task;
use store::work::{Progress, Slice, Work};

/// Does the next slice of what is open and no other node is at.
pub(crate) async fn slice(batch: &mut Batch<'_>) -> Result<Slice, Failure> {
    let Some(task) = rows::take_open(batch).await? else {
        return Ok(Slice {
            task: None,
            lanes: Vec::new(),
            more: false,
            finished: None,
        });
    };
    let progress = advance(batch, &task).await?;
    rows::move_on(batch, &task, &progress).await?;
    let more = !progress.finished || rows::is_any_open(batch.sql).await?;
    let is_told = progress.finished && task.work.kind().is_shown();
    Ok(Slice {
        task: Some(task.id),
        finished: is_told.then_some(task.id),
        lanes: progress.into_lanes(),
        more,
    })
}

async fn advance(batch: &mut Batch<'_>, task: &Task) -> Result<Progress, Failure> {
    match &task.work {
        Work::FanOut {
            message,
            after,
            registry_revision,
            proved_only,
        } => {
            let of = (task.application, *message);
            let walk = (*after, *registry_revision, *proved_only);
            fan_out::advance(batch, of, walk).await
        }
        Work::Recover {
            endpoint,
            since,
            until,
        } => recover::advance(batch, task, (*endpoint, *since, *until)).await,
        Work::BulkReplay {
            endpoint,
            since,
            until,
            filter,
        } => replay::bulk(batch, task, ((*endpoint, *since, *until), filter)).await,
        Work::ReplayMissing {
            endpoint,
            since,
            until,
        } => replay::missing(batch, task, (*endpoint, *since, *until)).await,
        Work::ExpungeAll => expunge::advance(batch, task).await,
        Work::Outside(_) => Err(Failure::unreadable("task.kind")),
        Work::EndDeliveries {
            endpoint,
            reason,
            up_to,
        } => end_deliveries::advance(batch, *endpoint, (*reason, *up_to)).await,
    }
}
