//! The course of time as detection is told it, in whole seconds: it goes on, stands for a while
//! when nobody tells, and may be set back.

use super::StateError;
use super::bytes::{Reader, Writer};
use model::Timestamp;

pub(super) const MINUTE: i64 = 60;
pub(super) const HOUR: i64 = 3_600;
pub(super) const DAY: i64 = 24 * HOUR;
/// Whoever was told nothing for so long does not know what happened meanwhile.
const GAP: i64 = 10 * MINUTE;
/// What comes later than something that happened after it is taken as of now, up to so much.
const LATE_MAX: i64 = HOUR;
/// So long all is new, and what rests on what is usual says nothing.
const LEARNING: i64 = 7 * DAY;

/// Now, and since when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Moment {
    /// Now.
    pub(super) now: i64,
    /// Since when it is known what happens, without a gap.
    pub(super) watching_since: i64,
    /// When detection began to learn.
    began_at: i64,
}

impl Moment {
    /// For what is told to people.
    pub(super) fn at(&self) -> Timestamp {
        Timestamp::from_seconds(self.now)
    }

    /// A minute ago.
    pub(super) fn a_minute_ago(&self) -> Self {
        Self {
            now: self.now - MINUTE,
            ..*self
        }
    }

    /// Whether hardly anything is known yet.
    pub(super) fn is_all_new(&self) -> bool {
        self.now - self.began_at < LEARNING
    }
}

/// Time as it was told.
#[derive(Debug, Default)]
pub(super) struct Course(Option<Moment>);

impl Course {
    /// It is this time, or was when something happened that is told now.
    pub(super) fn advance(&mut self, at: Timestamp) -> Moment {
        // A clock that is centuries off must not overflow anything below.
        let at = at.seconds().clamp(0, 1 << 40);
        let fresh = Moment {
            now: at,
            watching_since: at,
            began_at: at,
        };
        let moment = self.0.get_or_insert(fresh);
        if at < moment.now - LATE_MAX || at > moment.now + GAP {
            moment.watching_since = at;
            moment.now = at;
        }
        moment.now = moment.now.max(at);
        moment.began_at = moment.began_at.min(at);
        *moment
    }

    pub(super) fn save(&self, to: &mut Writer) {
        let moment = self
            .0
            .map(|moment| [moment.now, moment.watching_since, moment.began_at]);
        to.number(moment.is_some().into());
        for seconds in moment.into_iter().flatten() {
            to.seconds(seconds);
        }
    }

    pub(super) fn restore(from: &mut Reader<'_>) -> Result<Self, StateError> {
        if from.count(1)? == 0 {
            return Ok(Self(None));
        }
        let mut read = || match from.seconds()? {
            seconds if (0..=1 << 40).contains(&seconds) => Ok(seconds),
            _ => Err(StateError::Broken),
        };
        Ok(Self(Some(Moment {
            now: read()?,
            watching_since: read()?,
            began_at: read()?,
        })))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_goes_on_and_what_is_late_is_of_now_and_a_gap_or_a_clock_set_back_begins_anew() {
        let mut course = Course::default();
        for (told, now, watching_since) in [
            (100_000, 100_000, 100_000),
            (100_060, 100_060, 100_000),
            (99_000, 100_060, 100_000),
            (100_661, 100_661, 100_661),
            (50_000, 50_000, 50_000),
            (i64::MAX, 1 << 40, 1 << 40),
            (i64::MIN, 0, 0),
        ] {
            let moment = course.advance(Timestamp::from_seconds(told));
            assert_eq!((moment.now, moment.watching_since), (now, watching_since));
        }
    }
}
