//! One finding for each incident: what was told of somebody is not told again before it was over
//! for a while. And how it is said.

use super::StateError;
use super::bytes::{Reader, Writer};
use super::course::DAY;

/// What was told of one subject by one rule.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Told(Option<Times>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Times {
    told_at: i64,
    held_at: i64,
}

impl Told {
    /// It is so now. Whether that is to be told.
    pub(super) fn tell(&mut self, now: i64, cool_down_seconds: u64) -> bool {
        let cool_down = i64::try_from(cool_down_seconds).unwrap_or(i64::MAX);
        // Where the clock was set back, it was just now.
        let is_known = |times: &Times| {
            now.saturating_sub(times.held_at) < cool_down
                && now.saturating_sub(times.told_at) < DAY.max(cool_down)
        };
        let known = self.0.filter(is_known);
        self.0 = Some(Times {
            told_at: known.map_or(now, |times| times.told_at.min(now)),
            held_at: now,
        });
        known.is_none()
    }

    pub(super) fn save(&self, to: &mut Writer) {
        to.number(self.0.is_some().into());
        if let Some(times) = self.0 {
            to.seconds(times.told_at);
            to.seconds(times.held_at);
        }
    }

    pub(super) fn restore(from: &mut Reader<'_>) -> Result<Self, StateError> {
        if from.count(1)? == 0 {
            return Ok(Self(None));
        }
        let (told_at, held_at) = (from.seconds()?, from.seconds()?);
        Ok(Self(Some(Times { told_at, held_at })))
    }
}

/// A time for people.
pub(super) fn time(seconds: i64) -> String {
    let time = jiff::Timestamp::from_second(seconds);
    time.map_or_else(|_| "long ago".to_owned(), |time| time.to_string())
}

/// A length of time for people: in the largest unit that it is whole in.
pub(super) fn length(seconds: u64) -> String {
    let units = [
        (86_400, "day"),
        (3_600, "hour"),
        (60, "minute"),
        (1, "second"),
    ];
    let whole = |(unit, _): &&(u64, &str)| seconds.is_multiple_of(*unit);
    let (unit, name) = units.iter().find(whole).expect("all is whole in seconds");
    many(seconds / unit, name)
}

/// So many of something.
pub(super) fn many(count: u64, what: &str) -> String {
    match (count, what.strip_suffix('y'), what.strip_suffix("ss")) {
        (1, ..) => format!("1 {what}"),
        (_, _, Some(_)) => format!("{count} {what}es"),
        (_, Some(stem), None) if !stem.ends_with(['a', 'e', 'o']) => format!("{count} {stem}ies"),
        _ => format!("{count} {what}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_goes_on_is_told_once_a_day_and_what_comes_again_later_anew() {
        let (mut told, hour) = (Told::default(), 3_600);
        let times: Vec<i64> = (0..60).filter(|h| told.tell(h * hour, 21_600)).collect();
        assert_eq!(times, [0, 24, 48]);
        assert!(!told.tell(64 * hour, 21_600), "it was so five hours ago");
        assert!(told.tell(70 * hour, 21_600), "it was over for six hours");
        assert!(!told.tell(hour, 21_600), "the clock was set back");
        assert!(!told.tell(2 * hour, 21_600));
        assert!(told.tell(8 * hour, 21_600));
    }

    #[test]
    fn numbers_and_times_are_said_as_people_say_them() {
        assert_eq!(many(1, "address"), "1 address");
        assert_eq!(many(3, "address"), "3 addresses");
        assert_eq!(many(2, "replay"), "2 replays");
        assert_eq!(many(2, "day"), "2 days");
        assert_eq!(many(0, "delivery"), "0 deliveries");
        assert_eq!(length(900), "15 minutes");
        assert_eq!(length(86_400), "1 day");
        assert_eq!(time(0), "1970-01-01T00:00:00Z");
    }
}
