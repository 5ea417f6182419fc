//! A rate limit: attempts started per second, with a burst of one second's worth; or per minute,
//! evenly spaced.
//!
//! The generic cell rate algorithm: one point in time for each limit, moved on by one interval with
//! each start. It needs no timer and no bookkeeping of past starts. Pure: the time is an argument,
//! on the monotonic clock.

use std::num::{NonZeroU16, NonZeroU32};
use std::time::Duration;

/// How fast attempts may start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Limit {
    /// From one start to the next, in the long run.
    interval: Duration,
    /// So many at once, after as long a pause.
    burst: u16,
}

impl Limit {
    /// As an operator says it.
    pub(crate) fn per_second(number: NonZeroU16) -> Self {
        Self {
            interval: share(Duration::from_secs(1), number.into()),
            burst: number.get(),
        }
    }

    /// As a receiver says it, who counts by its own minutes: none of them sees more.
    pub(crate) fn per_minute(number: NonZeroU32) -> Self {
        Self {
            interval: share(Duration::from_secs(60), number),
            burst: 1,
        }
    }

    /// What keeps both.
    pub(crate) fn and(self, other: Self) -> Self {
        Self {
            interval: self.interval.max(other.interval),
            burst: self.burst.min(other.burst),
        }
    }
}

/// Rounded up, so that a limit is never exceeded by rounding.
fn share(time: Duration, number: NonZeroU32) -> Duration {
    let nanos = u64::try_from(time.as_nanos()).expect("it is a minute at most");
    Duration::from_nanos(nanos.div_ceil(u64::from(number.get())))
}

/// How much of a rate limit is used up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Rate {
    /// When all of it will be there again.
    whole_at: Duration,
}

impl Rate {
    /// The earliest time at which one more may start; not later than now if it may at once.
    pub(crate) fn ready_at(&self, limit: Limit) -> Duration {
        let burst = limit.interval * u32::from(limit.burst - 1);
        self.whole_at.saturating_sub(burst)
    }

    /// One starts now.
    pub(crate) fn take(&mut self, limit: Limit, now: Duration) {
        self.whole_at = self.whole_at.max(now) + limit.interval;
    }

    /// The last one that was taken did not start after all.
    pub(crate) fn give_back(&mut self, limit: Limit) {
        self.whole_at = self.whole_at.saturating_sub(limit.interval);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn per_second(number: u16) -> Limit {
        Limit::per_second(NonZeroU16::new(number).unwrap())
    }

    fn per_minute(number: u32) -> Limit {
        Limit::per_minute(NonZeroU32::new(number).unwrap())
    }

    /// How many start at this moment.
    fn starts(rate: &mut Rate, limit: Limit, now: Duration) -> u32 {
        let mut count = 0;
        while rate.ready_at(limit) <= now {
            rate.take(limit, now);
            count += 1;
        }
        count
    }

    #[test]
    fn a_second_s_worth_starts_at_once_then_one_per_interval() {
        for number in [1, 2, 3, 10, 999, u16::MAX] {
            let limit = per_second(number);
            let mut rate = Rate::default();
            let now = Duration::from_secs(100);
            assert_eq!(starts(&mut rate, limit, now), u32::from(number));
            assert_eq!(starts(&mut rate, limit, now + limit.interval), 1);
            assert_eq!(
                starts(&mut rate, limit, now + Duration::from_secs(60)),
                u32::from(number)
            );
        }
    }

    #[test]
    fn what_was_given_back_can_be_taken_again() {
        let (limit, now) = (per_second(1), Duration::from_secs(5));
        let mut rate = Rate::default();
        rate.take(limit, now);
        assert!(rate.ready_at(limit) > now);
        rate.give_back(limit);
        assert!(rate.ready_at(limit) <= now);
    }

    #[test]
    fn a_minute_sees_no_more_than_its_receiver_allows() {
        for number in [1, 7, 60, 90] {
            let limit = per_minute(number);
            let mut rate = Rate::default();
            let mut started = Vec::new();
            for millis in (0..180_000).step_by(10) {
                let now = Duration::from_secs(5) + Duration::from_millis(millis);
                let starts = starts(&mut rate, limit, now);
                started.extend(std::iter::repeat_n(now, starts as usize));
            }
            let minute = Duration::from_secs(60);
            for first in &started {
                let inside = |at: &&Duration| **at >= *first && **at < *first + minute;
                assert!(started.iter().filter(inside).count() <= number as usize);
            }
            assert!(started.len() >= 2 * number as usize, "{number}");
        }
    }

    #[test]
    fn of_two_limits_both_are_kept() {
        let second = Duration::from_secs(1);
        let both = per_second(10).and(per_minute(30));
        assert_eq!((both.interval, both.burst), (2 * second, 1));
        let both = per_second(2).and(per_minute(6_000));
        assert_eq!((both.interval, both.burst), (second / 2, 1));
    }

    proptest! {
        #[test]
        fn no_stretch_of_time_sees_more_than_its_share_and_one_burst(
            number in 1u16..200, steps in prop::collection::vec(0u64..300, 1..200)
        ) {
            let limit = per_second(number);
            let mut rate = Rate::default();
            let mut now = Duration::from_secs(10);
            let (mut elapsed, mut started) = (0u64, 0u64);
            for millis in steps {
                elapsed += millis;
                now += Duration::from_millis(millis);
                started += u64::from(starts(&mut rate, limit, now));
                let share = u64::from(number) * elapsed / 1_000;
                prop_assert!(started <= share + u64::from(number));
            }
        }
    }
}
