//! What a node's own counts mean: rates, shares and times, from what was counted at two moments.
//! Pure.

use crate::chart::Point;
use crate::config::{Counted, Reading};
use crate::parts::duration;
use jiff::Timestamp as Time;
use model::Timestamp;
use model::meter::{BOUNDS, Durations};

/// What was counted between two moments.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Span {
    /// How many seconds lie between them.
    seconds: f64,
    pub(super) accepted: u64,
    pub(super) succeeded: u64,
    pub(super) failed: u64,
    pub(super) succeeded_took: Durations,
    pub(super) failed_took: Durations,
    pub(super) delivered: Durations,
    pub(super) commits: Durations,
}

impl Span {
    pub(super) fn between(before: &Counted, after: &Counted) -> Self {
        Self {
            seconds: after.at.since(before.at).as_secs_f64(),
            accepted: after.accepted.saturating_sub(before.accepted),
            succeeded: after.succeeded.saturating_sub(before.succeeded),
            failed: after.failed.saturating_sub(before.failed),
            succeeded_took: minus(&after.succeeded_took, &before.succeeded_took),
            failed_took: minus(&after.failed_took, &before.failed_took),
            delivered: minus(&after.delivered, &before.delivered),
            commits: minus(&after.commits, &before.commits),
        }
    }

    /// The last seconds of a reading; `None` where the node has just begun.
    pub(super) fn now(reading: &Reading) -> Option<Self> {
        let before = reading.recent.before.as_ref()?;
        let span = Self::between(before, &reading.counted);
        (span.seconds > 0.0).then_some(span)
    }

    /// Its last hour, or all since the node began.
    pub(super) fn hour(reading: &Reading) -> Self {
        let begun = Counted {
            at: reading.since,
            ..Counted::default()
        };
        let before = reading.recent.minutes.first().unwrap_or(&begun);
        Self::between(before, &reading.counted)
    }

    /// How often something happened in a second.
    pub(super) fn per_second(&self, times: u64) -> String {
        let rate = times as f64 / self.seconds.max(1e-3);
        match rate {
            _ if times == 0 => "0".to_owned(),
            ..0.1 => "< 0.1".to_owned(),
            0.1..10.0 => format!("{rate:.1}"),
            _ => crate::parts::count(rate.round() as u64),
        }
    }

    /// Which part of the attempts succeeded, rounded so that none is whole that isn't.
    pub(super) fn success(&self) -> Option<String> {
        share(self.succeeded, self.failed)
    }
}

/// Which part of all this is, in percent; `None` of nothing.
pub(super) fn share(part: u64, rest: u64) -> Option<String> {
    let all = u128::from(part) + u128::from(rest);
    let thousandths = (u128::from(part) * 1_000).checked_div(all)?;
    let text = match (thousandths % 10, rest) {
        (0, 0) => "100\u{202f}%".to_owned(),
        (tenth, _) => format!("{}.{tenth}\u{202f}%", thousandths / 10),
    };
    Some(text)
}

/// What so many of a hundred did not take longer than, as far as classes tell.
pub(super) fn within(durations: &Durations, percent: u64) -> String {
    let all = durations.count();
    if all == 0 {
        return "–".to_owned();
    }
    let rank = u128::from(all) * u128::from(percent);
    let mut seen = 0_u128;
    let class = durations.classes.iter().position(|count| {
        seen += u128::from(*count);
        seen * 100 >= rank
    });
    match class.and_then(|class| BOUNDS.get(class)) {
        Some(bound) => format!("≤ {}", duration(*bound)),
        None => format!("> {}", duration(BOUNDS[BOUNDS.len() - 1])),
    }
}

/// What was accepted in each minute of the last hour.
pub(super) fn accepted(reading: &Reading) -> Vec<Point> {
    by_minute(reading, |span| vec![span.accepted])
}

/// The attempts that ended in each of them: those that succeeded, and those that failed.
pub(super) fn attempts(reading: &Reading) -> Vec<Point> {
    by_minute(reading, |span| vec![span.succeeded, span.failed])
}

fn by_minute(reading: &Reading, values: impl Fn(&Span) -> Vec<u64>) -> Vec<Point> {
    let minutes = reading.recent.minutes.windows(2);
    let point = |pair: &[Counted]| Point {
        at: clock(pair[0].at, "%H:%M"),
        values: values(&Span::between(&pair[0], &pair[1])),
    };
    minutes.map(point).collect()
}

/// A time in UTC, as short as this.
pub(super) fn clock(at: Timestamp, format: &str) -> String {
    let time = Time::from_microsecond(at.micros()).unwrap_or_default();
    time.strftime(format).to_string()
}

fn minus(after: &Durations, before: &Durations) -> Durations {
    let mut classes = after.classes;
    for (class, before) in classes.iter_mut().zip(before.classes) {
        *class = class.saturating_sub(before);
    }
    Durations {
        classes,
        sum: after.sum.saturating_sub(before.sum),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Recent;
    use model::meter::Stopwatch;
    use std::time::Duration;

    fn at(second: i64, succeeded: u64, failed: u64) -> Counted {
        Counted {
            at: Timestamp::from_seconds(second),
            accepted: succeeded,
            succeeded,
            failed,
            ..Counted::default()
        }
    }

    #[test]
    fn rates_are_of_the_last_seconds() {
        let mut reading = Reading {
            counted: at(1_010, 150, 30),
            since: Timestamp::from_seconds(0),
            ..Reading::default()
        };
        assert_eq!(Span::now(&reading), None);
        reading.recent.before = Some(at(1_000, 30, 29));
        let now = Span::now(&reading).expect("ten seconds");
        assert_eq!(now.per_second(now.succeeded), "12");
        assert_eq!(now.per_second(now.failed), "0.1");
        assert_eq!(now.per_second(0), "0");
        reading.recent.before = Some(reading.counted);
        assert_eq!(Span::now(&reading), None, "no time has passed");
    }

    #[test]
    fn an_hour_is_all_there_was_of_a_node_that_is_younger() {
        let reading = Reading {
            counted: at(90, 9, 1),
            since: Timestamp::from_seconds(0),
            ..Reading::default()
        };
        assert_eq!(
            Span::hour(&reading).success().as_deref(),
            Some("90.0\u{202f}%")
        );
        let minutes = vec![at(30, 4, 1), at(60, 4, 1)];
        let recent = Recent {
            minutes,
            before: None,
        };
        let reading = Reading { recent, ..reading };
        let hour = Span::hour(&reading);
        assert_eq!((hour.succeeded, hour.failed), (5, 0));
    }

    #[test]
    fn a_share_is_whole_only_where_nothing_is_missing() {
        assert_eq!(share(0, 0), None);
        for (part, rest, text) in [
            (7, 0, "100\u{202f}%"),
            (999_999, 1, "99.9\u{202f}%"),
            (1, 999_999, "0.0\u{202f}%"),
            (u64::MAX, u64::MAX, "50.0\u{202f}%"),
        ] {
            assert_eq!(share(part, rest).as_deref(), Some(text));
        }
    }

    #[test]
    fn percentiles_are_the_bound_of_the_class_they_fall_in() {
        let stopwatch = Stopwatch::default();
        assert_eq!(within(&stopwatch.read(), 50), "–");
        for millis in [1, 1, 1, 1, 1, 1, 1, 1, 1, 40] {
            stopwatch.took(Duration::from_millis(millis));
        }
        let durations = stopwatch.read();
        assert_eq!(within(&durations, 50), "≤ 1.0 ms");
        assert_eq!(within(&durations, 90), "≤ 1.0 ms");
        assert_eq!(within(&durations, 95), "≤ 50 ms");
        stopwatch.took(Duration::from_secs(7_200));
        assert_eq!(within(&stopwatch.read(), 99), "> 1 h 0 min");
    }

    #[test]
    fn minutes_are_what_was_counted_between_two_moments() {
        let recent = Recent {
            before: None,
            minutes: vec![at(0, 1, 0), at(60, 5, 0), at(120, 5, 2)],
        };
        let reading = Reading {
            recent,
            ..Reading::default()
        };
        let point = |at: &str, values: [u64; 2]| Point {
            at: at.to_owned(),
            values: values.to_vec(),
        };
        let expected = [point("00:00", [4, 0]), point("00:01", [0, 2])];
        assert_eq!(attempts(&reading), expected);
        assert_eq!(accepted(&reading)[0].values, [4]);
    }
}
