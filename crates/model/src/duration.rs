//! Durations as people write them in options and forms: `30s`, `5m`, `12h`, `90d`, or seconds
//! alone. Nothing shorter than a second, and no fractions.

use std::time::Duration;

/// A text that is no duration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a duration: write a whole number and s, m, h or d, such as 30s or 90d")]
pub struct DurationError(String);

/// Reads a duration. A number without a unit is seconds.
pub fn parse(text: &str) -> Result<Duration, DurationError> {
    let wrong = || DurationError(text.to_owned());
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let seconds_each: u64 = match &text[digits.len()..] {
        "" | "s" => 1,
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        _ => return Err(wrong()),
    };
    let number: u64 = digits.parse().map_err(|_| wrong())?;
    number
        .checked_mul(seconds_each)
        .map(Duration::from_secs)
        .ok_or_else(wrong)
}

/// Writes a duration in the largest unit that divides it.
pub fn write(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let units = [("d", 86_400), ("h", 3_600), ("m", 60)];
    let fitting = units
        .iter()
        .find(|(_, each)| seconds != 0 && seconds.is_multiple_of(*each));
    fitting.map_or(format!("{seconds}s"), |(unit, each)| {
        format!("{}{unit}", seconds / each)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_and_written_in_their_units() {
        for (text, seconds) in [
            ("30s", 30),
            ("5m", 300),
            ("12h", 43_200),
            ("90d", 7_776_000),
        ] {
            assert_eq!(parse(text).unwrap(), Duration::from_secs(seconds));
            assert_eq!(write(Duration::from_secs(seconds)), text);
        }
        assert_eq!(parse("45").unwrap(), Duration::from_secs(45));
    }

    #[test]
    fn other_texts_are_refused() {
        for text in [
            "",
            "s",
            "-1s",
            "1.5h",
            "1w",
            "1 h",
            "99999999999999999999s",
            "1é",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
