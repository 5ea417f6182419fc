//! What a slice that is done inside a store has come to, as every store counts it. Writing it down
//! is each store's own.

use super::WorkState;
use crate::rows::LaneDue;
use model::delivery::Delivery;

/// What one slice did.
#[derive(Debug, Default)]
pub struct Progress {
    /// Where the next one begins.
    pub cursor: i64,
    /// Rows written.
    pub done: usize,
    /// Whether it was the last.
    pub finished: bool,
    /// Why the work can't go on, if that is why it was.
    pub failure: Option<&'static str>,
    /// Deliveries opened by it.
    pub opened: Vec<LaneDue>,
}

impl Progress {
    /// Nothing is done yet, and there is nothing to do.
    pub fn at(cursor: i64) -> Self {
        Self {
            cursor,
            finished: true,
            ..Self::default()
        }
    }

    /// It has opened a delivery.
    pub fn has_opened(&mut self, delivery: &Delivery) {
        self.done += 1;
        self.opened.push(LaneDue {
            endpoint: delivery.endpoint,
            application: delivery.application,
            due: delivery.due,
        });
    }

    /// How the work stands behind it.
    pub fn state(&self) -> WorkState {
        match (self.finished, self.failure) {
            (false, _) => WorkState::Running,
            (true, None) => WorkState::Finished,
            (true, Some(_)) => WorkState::Failed,
        }
    }

    /// The earliest delivery that it has opened in each lane.
    pub fn into_lanes(self) -> Vec<LaneDue> {
        let mut opened = self.opened;
        opened.sort_unstable_by_key(|lane| (lane.endpoint, lane.due));
        opened.dedup_by_key(|lane| lane.endpoint);
        opened
    }
}
