//! Waiting for what an engine does, and ending it.

use super::{Node, PATIENCE};
use engine::{Drained, Happening};
use store::Lane;

impl Node {
    /// Waits for this to happen.
    pub(crate) async fn until(&mut self, wanted: impl Fn(Happening) -> bool) -> Happening {
        loop {
            let next = tokio::time::timeout(PATIENCE, self.happenings.recv()).await;
            let happening = next
                .expect("it happens in time")
                .expect("the engine is there");
            self.trace.push(happening);
            if wanted(happening) {
                return happening;
            }
        }
    }

    /// Waits until so many more attempts are recorded.
    pub(crate) async fn until_recorded(&mut self, count: usize) {
        for _ in 0..count {
            self.until(|happening| matches!(happening, Happening::Recorded(..)))
                .await;
        }
    }

    /// How many recorded attempts were waited through so far.
    pub(crate) fn trace_recorded(&self) -> usize {
        let recorded = |happening: &&Happening| matches!(happening, Happening::Recorded(..));
        self.trace.iter().filter(recorded).count()
    }

    /// Waits until so many more attempts of this lane are recorded.
    pub(crate) async fn until_recorded_of(&mut self, lane: Lane, count: usize) {
        for _ in 0..count {
            let of_lane =
                |happening| matches!(happening, Happening::Recorded(of, ..) if of == lane.endpoint);
            self.until(of_lane).await;
        }
    }

    /// Ends the engine.
    pub(crate) async fn end(self) -> Drained {
        self.shutdown.cancel();
        self.running.await.expect("it ends without a panic")
    }
}
