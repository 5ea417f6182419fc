//! When a signed time is fresh. Every scheme with a timestamp reads and judges it here.

use crate::Refused;

mod date;

/// Reads whole seconds since the Unix epoch: ASCII digits and nothing else, no sign, no fraction,
/// no space. (Some libraries parse `123.0` or `123abc` as 123; what two readers may read
/// differently is refused.)
pub(crate) fn parse_timestamp(text: &[u8]) -> Result<i64, Refused> {
    if !text.iter().all(u8::is_ascii_digit) {
        return Err(Refused::MalformedTimestamp);
    }
    let digits = str::from_utf8(text).map_err(|_| Refused::MalformedTimestamp)?;
    digits.parse().map_err(|_| Refused::MalformedTimestamp)
}

/// How a sender writes the time that it signs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Written {
    /// Seconds since the Unix epoch.
    Seconds,
    /// Milliseconds since it.
    Milliseconds,
    /// A date and a time of day in UTC: RFC 3339 with `Z`.
    Date,
}

impl Written {
    /// The time in seconds; what is less than a second is left away.
    pub(crate) fn read(self, text: &[u8]) -> Result<i64, Refused> {
        match self {
            Self::Seconds => parse_timestamp(text),
            Self::Milliseconds => Ok(parse_timestamp(text)? / 1_000),
            Self::Date => date::read(text).ok_or(Refused::MalformedTimestamp),
        }
    }

    pub(crate) fn write(self, seconds: i64) -> String {
        match self {
            Self::Seconds => seconds.to_string(),
            Self::Milliseconds => seconds.saturating_mul(1_000).to_string(),
            Self::Date => date::write(seconds),
        }
    }
}

/// Accepts a time at most `tolerance_seconds` before or after `now`, both ends included.
///
/// # Errors
/// [`Refused::TooOld`] or [`Refused::FromTheFuture`].
pub fn check_age(signed_at: i64, now: i64, tolerance_seconds: u32) -> Result<(), Refused> {
    let seconds = now.abs_diff(signed_at);
    if seconds <= u64::from(tolerance_seconds) {
        Ok(())
    } else if signed_at < now {
        Err(Refused::TooOld { seconds })
    } else {
        Err(Refused::FromTheFuture { seconds })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_integers_are_timestamps() {
        for (text, expected) in [("0", 0), ("1764000000", 1_764_000_000), ("007", 7)] {
            assert_eq!(parse_timestamp(text.as_bytes()), Ok(expected), "{text}");
        }
        for text in [
            "",
            " 1",
            "1 ",
            "+1",
            "-1",
            "1.0",
            "1e3",
            "0x1",
            "1_000",
            "yesterday",
            "٣",
            "1\0",
            "9223372036854775808",
        ] {
            let refused = Err(Refused::MalformedTimestamp);
            assert_eq!(parse_timestamp(text.as_bytes()), refused, "{text}");
        }
        assert_eq!(parse_timestamp(b"\xff"), Err(Refused::MalformedTimestamp));
    }

    #[test]
    fn tolerance_goes_both_ways_and_includes_its_ends() {
        let check = |signed_at| check_age(signed_at, 1_000, 300);
        assert_eq!(check(700), Ok(()));
        assert_eq!(check(1_300), Ok(()));
        assert_eq!(check(699), Err(Refused::TooOld { seconds: 301 }));
        assert_eq!(check(1_301), Err(Refused::FromTheFuture { seconds: 301 }));
        assert_eq!(
            check_age(i64::MIN, i64::MAX, u32::MAX),
            Err(Refused::TooOld { seconds: u64::MAX })
        );
    }
}
