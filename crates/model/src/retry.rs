//! When the next attempt of a delivery is due. Pure: the jitter's draw is an argument.

use std::time::Duration;

/// The waits between the attempts of a delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RetrySchedule(Vec<Duration>);

/// What the last failure says about when to try again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RetryHint {
    /// It ran out of our time: hurrying makes it worse.
    pub timed_out: bool,
    /// The receiver said how long to wait.
    pub retry_after: Option<Duration>,
}

/// The most retries that a schedule may have.
pub const RETRIES_MAX: usize = 50;
/// The longest wait between two attempts: 7 days.
pub const WAIT_MAX: Duration = Duration::from_secs(7 * 86_400);
/// The least wait after a time-out.
const WAIT_AFTER_TIMEOUT_MIN: Duration = Duration::from_secs(60);
/// Waits are spread evenly over this part of themselves, either way.
const JITTER: f64 = 0.2;

/// A schedule that can't be kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ScheduleError {
    /// Too many waits.
    #[error("a retry schedule has at most {RETRIES_MAX} waits")]
    TooMany,
    /// A wait is too long.
    #[error("a wait of a retry schedule is at most 604800 seconds (7 days)")]
    TooLong,
}

impl RetrySchedule {
    /// From the waits; empty: one try.
    pub fn new(waits: Vec<Duration>) -> Result<Self, ScheduleError> {
        if waits.len() > RETRIES_MAX {
            return Err(ScheduleError::TooMany);
        }
        if waits.iter().any(|wait| *wait > WAIT_MAX) {
            return Err(ScheduleError::TooLong);
        }
        Ok(Self(waits))
    }

    /// The waits, in their order.
    pub fn waits(&self) -> &[Duration] {
        &self.0
    }

    /// How long to wait after the failure of attempt `number` (1 for the first); `None`: give up.
    ///
    /// The schedule's wait, at least a minute after a time-out; a `Retry-After` moves it up to
    /// twice as far away, never nearer; then jitter of 20% either way, by `draw` of `0.0..1.0`.
    pub fn wait_after(&self, number: u16, hint: RetryHint, draw: f64) -> Option<Duration> {
        let mut wait = *self.0.get(usize::from(number).checked_sub(1)?)?;
        if hint.timed_out {
            wait = wait.max(WAIT_AFTER_TIMEOUT_MIN);
        }
        if let Some(asked) = hint.retry_after {
            wait = asked.clamp(wait, wait * 2);
        }
        Some(wait.mul_f64(1.0 - JITTER + 2.0 * JITTER * draw.clamp(0.0, 1.0)))
    }
}

impl Default for RetrySchedule {
    /// 5 s, 5 min, 30 min, 2 h, 5 h, 10 h, 10 h: eight attempts within 28 hours.
    fn default() -> Self {
        Self(
            [5, 300, 1_800, 7_200, 18_000, 36_000, 36_000]
                .map(Duration::from_secs)
                .to_vec(),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIDDLE: f64 = 0.5;

    fn hint(timed_out: bool, retry_after: Option<u64>) -> RetryHint {
        RetryHint {
            timed_out,
            retry_after: retry_after.map(Duration::from_secs),
        }
    }

    #[test]
    fn waits_follow_schedule_timeout_and_retry_after() {
        let cases = [
            (1, hint(false, None), Some(5)),
            (2, hint(false, None), Some(300)),
            (7, hint(false, None), Some(36_000)),
            (8, hint(false, None), None),
            (0, hint(false, None), None),
            (1, hint(true, None), Some(60)),
            (2, hint(true, None), Some(300)),
            (2, hint(false, Some(1)), Some(300)),
            (2, hint(false, Some(400)), Some(400)),
            (2, hint(false, Some(86_400)), Some(600)),
            (1, hint(true, Some(90)), Some(90)),
        ];
        for (number, hint, expected) in cases {
            let wait = RetrySchedule::default().wait_after(number, hint, MIDDLE);
            assert_eq!(wait, expected.map(Duration::from_secs), "{number} {hint:?}");
        }
    }

    #[test]
    fn jitter_spreads_a_wait_by_a_fifth_either_way() {
        let wait = |draw| RetrySchedule::default().wait_after(2, RetryHint::default(), draw);
        assert_eq!(wait(0.0), Some(Duration::from_secs(240)));
        assert_eq!(wait(1.0), Some(Duration::from_secs(360)));
    }

    #[test]
    fn schedules_that_cannot_be_kept_are_refused() {
        let second = Duration::from_secs(1);
        assert_eq!(
            RetrySchedule::new(vec![second; 51]),
            Err(ScheduleError::TooMany)
        );
        assert_eq!(
            RetrySchedule::new(vec![WAIT_MAX + second]),
            Err(ScheduleError::TooLong)
        );
        let one_try = RetrySchedule::new(Vec::new()).unwrap();
        assert_eq!(one_try.wait_after(1, RetryHint::default(), MIDDLE), None);
    }
}
