//! One lane's admission: how many of an endpoint's attempts may be in flight.
//!
//! A lane starts small, and every success while it is full lets one more in, so that it doubles
//! with each round of answers and opens connections one by one, never by the hundred. Beyond the
//! general limit it goes only while answers are quick: then many in flight are what keeps a fast
//! receiver busy, and not what buries a slow one. What is not used is lost again, so that a lane
//! whose connections have gone cold does not open them all at once.
//!
//! Pure: no clock, no lanes other than this one.

use std::time::Duration;

/// How lanes grow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LaneLimits {
    /// In flight at the start. Default 4.
    pub start: u16,
    /// In flight at the most, in general. Default 32.
    pub general_max: u16,
    /// In flight at the most while answers are quick. Default 256.
    pub quick_max: u16,
    /// Answers within this are quick. Default 100 ms.
    pub quick: Duration,
}

impl Default for LaneLimits {
    fn default() -> Self {
        Self {
            start: 4,
            general_max: 32,
            quick_max: 256,
            quick: Duration::from_millis(100),
        }
    }
}

/// How an attempt ended, as far as its lane is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum How {
    /// The receiver took it.
    Success,
    /// The receiver answered something else: says nothing of how much it can take.
    Failure,
    /// No connection, or an answer that asks for less: 429, 502, 503, 504.
    Overload,
    /// Our time ran out.
    TimedOut,
    /// No request was made.
    NotSent,
}

/// How many attempts are in flight, and how many may be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Admission {
    limit: u16,
    in_flight: u16,
}

impl Admission {
    /// A lane of which nothing is known yet.
    pub(crate) fn new(limits: &LaneLimits) -> Self {
        Self {
            limit: limits.start.max(1),
            in_flight: 0,
        }
    }

    /// How many may be in flight.
    pub(crate) fn limit(&self) -> usize {
        usize::from(self.limit)
    }

    /// How many are.
    pub(crate) fn in_flight(&self) -> usize {
        usize::from(self.in_flight)
    }

    /// Whether one more may start.
    pub(crate) fn has_room(&self) -> bool {
        self.in_flight < self.limit
    }

    /// One more is in flight.
    pub(crate) fn start(&mut self) {
        self.in_flight += 1;
    }

    /// One ended, `took` after it began.
    pub(crate) fn end(&mut self, limits: &LaneLimits, how: How, took: Duration) {
        let used = self.in_flight;
        self.in_flight = used.saturating_sub(1);
        match how {
            How::Success => self.limit = self.after_success(limits, used, took),
            How::Overload => self.limit = (self.limit / 2).max(1),
            How::TimedOut => self.limit = 1,
            How::Failure | How::NotSent => {}
        }
    }

    fn after_success(&self, limits: &LaneLimits, used: u16, took: Duration) -> u16 {
        let max = if took <= limits.quick {
            limits.quick_max
        } else {
            limits.general_max
        };
        let unused = u32::from(used) * 4 < u32::from(self.limit);
        if self.limit > max || (unused && self.limit > limits.start) {
            (self.limit - 1).max(1)
        } else if used >= self.limit && self.limit < max {
            self.limit + 1
        } else {
            self.limit
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const QUICK: Duration = Duration::from_millis(5);
    const UNHURRIED: Duration = Duration::from_millis(300);

    fn lane_at(limit: u16) -> Admission {
        Admission {
            limit,
            in_flight: 0,
        }
    }

    /// Keeps the lane full while this many succeed.
    fn busy(lane: &mut Admission, answers: usize, took: Duration) {
        let limits = LaneLimits::default();
        for _ in 0..answers {
            while lane.has_room() {
                lane.start();
            }
            lane.end(&limits, How::Success, took);
        }
    }

    #[test]
    fn a_busy_lane_grows_by_one_with_each_success() {
        let mut lane = Admission::new(&LaneLimits::default());
        assert_eq!(lane.limit(), 4);
        busy(&mut lane, 10, QUICK);
        assert_eq!(lane.limit(), 14);
    }

    #[test]
    fn only_quick_answers_take_a_lane_beyond_the_general_limit() {
        let mut lane = Admission::new(&LaneLimits::default());
        busy(&mut lane, 1_000, UNHURRIED);
        assert_eq!(lane.limit(), 32);
        busy(&mut lane, 1_000, QUICK);
        assert_eq!(lane.limit(), 256);
        busy(&mut lane, 1_000, UNHURRIED);
        assert_eq!(lane.limit(), 32);
    }

    #[test]
    fn a_time_out_takes_a_lane_to_one_and_successes_bring_it_back() {
        let mut lane = lane_at(200);
        lane.start();
        lane.end(
            &LaneLimits::default(),
            How::TimedOut,
            Duration::from_secs(30),
        );
        assert_eq!(lane.limit(), 1);
        busy(&mut lane, 5, QUICK);
        assert_eq!(lane.limit(), 6);
    }

    #[test]
    fn overload_halves_and_other_failures_change_nothing() {
        let limits = LaneLimits::default();
        let cases = [
            (How::Overload, 64, 32),
            (How::Overload, 1, 1),
            (How::Failure, 64, 64),
            (How::NotSent, 64, 64),
            (How::TimedOut, 64, 1),
        ];
        for (how, before, after) in cases {
            let mut lane = lane_at(before);
            lane.start();
            lane.end(&limits, how, QUICK);
            assert_eq!(lane.limit(), after, "{how:?}");
        }
    }

    #[test]
    fn what_is_not_used_is_lost_again() {
        let limits = LaneLimits::default();
        let mut lane = lane_at(256);
        for _ in 0..1_000 {
            lane.start();
            lane.end(&limits, How::Success, QUICK);
        }
        assert_eq!(lane.limit(), 4);
    }

    proptest! {
        #[test]
        fn the_limit_stays_within_its_bounds(
            steps in prop::collection::vec((0u8..6, 0u64..40_000), 0..400)
        ) {
            let limits = LaneLimits::default();
            let mut lane = Admission::new(&limits);
            for (step, millis) in steps {
                let how = match step {
                    0 => { if lane.has_room() { lane.start() } continue }
                    1 => How::Success,
                    2 => How::Failure,
                    3 => How::Overload,
                    4 => How::TimedOut,
                    _ => How::NotSent,
                };
                if lane.in_flight() > 0 {
                    lane.end(&limits, how, Duration::from_millis(millis));
                }
                prop_assert!((1..=256).contains(&lane.limit()));
            }
        }
    }
}
