//! A rate limit: attempts started per second, with a burst of one second's worth.
//!
//! The generic cell rate algorithm: one point in time for each limit, moved on by one interval with
//! each start. It needs no timer and no bookkeeping of past starts. Pure: the time is an argument,
//! on the monotonic clock.

use std::num::NonZeroU16;
use std::time::Duration;

/// How much of a rate limit is used up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Rate {
    /// When all of it will be there again.
    whole_at: Duration,
}

impl Rate {
    /// The earliest time at which one more may start; not later than now if it may at once.
    pub(crate) fn ready_at(&self, per_second: NonZeroU16) -> Duration {
        let burst = interval(per_second) * u32::from(per_second.get() - 1);
        self.whole_at.saturating_sub(burst)
    }

    /// One starts now.
    pub(crate) fn take(&mut self, per_second: NonZeroU16, now: Duration) {
        self.whole_at = self.whole_at.max(now) + interval(per_second);
    }

    /// The last one that was taken did not start after all.
    pub(crate) fn give_back(&mut self, per_second: NonZeroU16) {
        self.whole_at = self.whole_at.saturating_sub(interval(per_second));
    }
}

/// Rounded up, so that a limit is never exceeded by rounding.
fn interval(per_second: NonZeroU16) -> Duration {
    Duration::from_nanos(1_000_000_000u64.div_ceil(u64::from(per_second.get())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn per_second(number: u16) -> NonZeroU16 {
        NonZeroU16::new(number).unwrap()
    }

    /// How many start at this moment.
    fn starts(rate: &mut Rate, limit: NonZeroU16, now: Duration) -> u32 {
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
            assert_eq!(starts(&mut rate, limit, now + interval(limit)), 1);
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
