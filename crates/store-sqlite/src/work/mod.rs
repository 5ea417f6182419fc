//! Background work: its rows, and its slices. A slice's rows commit with the position that they
//! bring the work to; open work takes turns, also where a slice fails.

mod end_deliveries;
mod expunge;
mod fan_out;
mod outside;
mod recover;
mod replay;
mod resending;
mod rows;

pub(crate) use outside::{advance as advance_taken, take};
pub(crate) use rows::{list, row, write, write_as};

use crate::batch::Batch;
use crate::failure::Failure;
use rows::Task;
use store::work::{Progress, Slice, Work};

/// Messages or attempts that one slice looks at.
const EXAMINED_MAX: usize = 2_000;

/// Does the next slice of what is open.
pub(crate) fn slice(batch: &mut Batch<'_>) -> Result<Slice, Failure> {
    let Some(task) = rows::next_open(batch)? else {
        return Ok(Slice {
            task: None,
            lanes: Vec::new(),
            more: false,
            finished: None,
        });
    };
    let progress = advance(batch, &task)?;
    rows::move_on(batch, task.id, &progress)?;
    let is_told = progress.finished && task.work.kind().is_shown();
    Ok(Slice {
        task: Some(task.id),
        finished: is_told.then_some(task.id),
        lanes: progress.into_lanes(),
        more: rows::is_any_open(batch.connection)?,
    })
}

fn advance(batch: &mut Batch<'_>, task: &Task) -> Result<Progress, Failure> {
    match &task.work {
        Work::FanOut {
            message,
            after,
            proved_only,
            ..
        } => fan_out::advance(batch, *message, (*after, *proved_only)),
        Work::Recover {
            endpoint,
            since,
            until,
        } => recover::advance(batch, task, (*endpoint, *since, *until)),
        Work::BulkReplay {
            endpoint,
            since,
            until,
            filter,
        } => replay::bulk(batch, task, ((*endpoint, *since, *until), filter)),
        Work::ReplayMissing {
            endpoint,
            since,
            until,
        } => replay::missing(batch, task, (*endpoint, *since, *until)),
        Work::ExpungeAll => expunge::advance(batch, task),
        Work::EndDeliveries {
            endpoint,
            reason,
            up_to,
        } => end_deliveries::advance(batch, *endpoint, (*reason, *up_to)),
        Work::Outside(_) => Err(Failure::unreadable("task.kind")),
    }
}
