//! Background work: its rows, and its slices. A slice's rows commit with the position that they
//! bring the work to; open work takes turns.

mod end_deliveries;
mod expunge;
mod fan_out;
mod outside;
mod recover;
mod replay;
mod rows;

pub(crate) use outside::{advance as advance_taken, take};
pub(crate) use rows::{list, row, write, write_as};

use crate::batch::Batch;
use crate::failure::Failure;
use model::id::{ApplicationKey, EndpointKey};
use rows::Task;
use store::rows::LaneDue;
use store::work::{Slice, Work};

/// What one slice did.
#[derive(Default)]
struct Progress {
    /// Where the next one begins.
    cursor: i64,
    /// Rows written.
    done: usize,
    /// Whether it was the last.
    finished: bool,
    /// Why the work can't go on, if that is why it was.
    failure: Option<&'static str>,
    /// Deliveries opened by it.
    opened: Vec<LaneDue>,
}

/// Does the next slice of what is open.
pub(crate) fn slice(batch: &mut Batch<'_>) -> Result<Slice, Failure> {
    let Some(task) = rows::next_open(batch.connection, batch.rounds.task)? else {
        return Ok(Slice {
            task: None,
            lanes: Vec::new(),
            more: false,
        });
    };
    batch.rounds.task = task.id.key().integer();
    let progress = advance(batch, &task)?;
    rows::move_on(batch, task.id, &progress)?;
    Ok(Slice {
        task: Some(task.id),
        lanes: earliest_of_each(progress.opened),
        more: rows::next_open(batch.connection, 0)?.is_some(),
    })
}

fn advance(batch: &mut Batch<'_>, task: &Task) -> Result<Progress, Failure> {
    match &task.work {
        Work::FanOut { message, after, .. } => fan_out::advance(batch, *message, *after),
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

fn earliest_of_each(mut opened: Vec<LaneDue>) -> Vec<LaneDue> {
    opened.sort_unstable_by_key(|lane| (lane.endpoint, lane.due));
    opened.dedup_by_key(|lane| lane.endpoint);
    opened
}

/// A lane in which a delivery was opened.
fn lane_due(delivery: &model::delivery::Delivery) -> LaneDue {
    let (application, endpoint): (ApplicationKey, EndpointKey) =
        (delivery.application, delivery.endpoint);
    LaneDue {
        endpoint,
        application,
        due: delivery.due,
    }
}
