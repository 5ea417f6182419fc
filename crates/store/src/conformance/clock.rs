//! A clock that a test sets. Nothing moves unless somebody moves it.

use model::{Clock, Timestamp};
use std::sync::Mutex;
use std::time::Duration;

/// A clock that stands still until it is moved. Its monotonic time follows the wall clock forward,
/// and stays where it is when the wall clock is set back.
#[derive(Debug)]
pub struct TestClock(Mutex<Times>);

#[derive(Debug)]
struct Times {
    now: Timestamp,
    monotonic: Duration,
}

impl TestClock {
    /// 1 January 2026, half past midnight: the middle of an hour, so that rounding shows.
    pub const START: Timestamp = Timestamp::from_seconds(1_767_227_400);

    /// A clock that shows `now`.
    pub fn new(now: Timestamp) -> Self {
        let monotonic = Duration::ZERO;
        Self(Mutex::new(Times { now, monotonic }))
    }

    /// Lets time go by.
    pub fn advance(&self, by: Duration) {
        let now = self.now();
        self.set(now.plus(by));
    }

    /// Sets the wall clock, back too.
    pub fn set(&self, now: Timestamp) {
        let mut times = self.times();
        let gone_by = now.since(times.now);
        times.monotonic += gone_by;
        times.now = now;
    }

    fn times(&self) -> std::sync::MutexGuard<'_, Times> {
        self.0.lock().expect("nothing panics while it holds this")
    }
}

impl Default for TestClock {
    fn default() -> Self {
        Self::new(Self::START)
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        self.times().now
    }

    fn monotonic(&self) -> Duration {
        self.times().monotonic
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    #[test]
    fn monotonic_time_follows_forward_and_never_goes_back() {
        let clock = TestClock::default();
        clock.advance(MINUTE);
        assert_eq!(clock.now(), TestClock::START.plus(MINUTE));
        assert_eq!(clock.monotonic(), MINUTE);

        clock.set(TestClock::START);
        assert_eq!(clock.now(), TestClock::START);
        assert_eq!(clock.monotonic(), MINUTE);

        clock.advance(MINUTE);
        assert_eq!(clock.monotonic(), 2 * MINUTE);
    }
}
