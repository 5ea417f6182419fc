//! A disk that takes its time: the store's own view of the clock, which moves on whenever the store
//! looks at it.

use model::{Clock, Timestamp};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use store::conformance::TestClock;

/// What the store takes for its clock.
pub(crate) struct SlowDisk {
    clock: Arc<TestClock>,
    takes: Mutex<Duration>,
}

impl SlowDisk {
    /// One that takes no time yet.
    pub(crate) fn new(clock: Arc<TestClock>) -> Self {
        let takes = Mutex::default();
        Self { clock, takes }
    }

    /// From now on the clock of everybody moves on by so much whenever the store looks at it.
    pub(crate) fn take(&self, time: Duration) {
        *self.takes.lock().expect("nobody panics") = time;
    }
}

impl Clock for SlowDisk {
    fn now(&self) -> Timestamp {
        let now = self.clock.now();
        self.clock
            .advance(*self.takes.lock().expect("nobody panics"));
        now
    }

    fn monotonic(&self) -> Duration {
        self.clock.monotonic()
    }
}
