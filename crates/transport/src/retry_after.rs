//! Reading a `Retry-After` header: how long the other side asks to wait.
//!
//! RFC 9110 knows whole seconds and HTTP dates; receivers also send fractions of seconds and mail
//! dates (RFC 2822), with numeric zones. What can't be read is as good as not sent.

use crate::Answer;
use model::Timestamp;
use std::time::{Duration, UNIX_EPOCH};

/// Longer waits mean nothing: no schedule waits for even this long.
const WAIT_MAX: Duration = Duration::from_secs(365 * 86_400);

impl Answer {
    /// How long it asks to wait from `now`, if it does; zero for a date that has passed.
    pub fn asks_to_wait(&self, now: Timestamp) -> Option<Duration> {
        parse(self.retry_after.as_deref()?, now)
    }
}

fn parse(value: &str, now: Timestamp) -> Option<Duration> {
    let value = value.trim_ascii();
    let wait = seconds(value).or_else(|| Some(date(value)?.since(now)))?;
    Some(wait.min(WAIT_MAX))
}

/// Digits, with or without a fraction.
fn seconds(value: &str) -> Option<Duration> {
    let (whole, fraction) = value.split_once('.').unwrap_or((value, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(fraction) {
        return None;
    }
    // What is too large for the type is more than any wait.
    let whole = whole.parse().map_or(WAIT_MAX, Duration::from_secs);
    let fraction: f64 = format!("0.{fraction}").parse().ok()?;
    Some(whole.min(WAIT_MAX) + Duration::from_secs_f64(fraction))
}

fn date(value: &str) -> Option<Timestamp> {
    if let Ok(time) = httpdate::parse_http_date(value) {
        let since_epoch = time.duration_since(UNIX_EPOCH).ok()?;
        return Some(Timestamp::default().plus(since_epoch));
    }
    let time = jiff::fmt::rfc2822::DateTimeParser::new()
        .relaxed_weekday(true)
        .parse_timestamp(value)
        .ok()?;
    Some(Timestamp::from_micros(time.as_microsecond()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Sun, 06 Nov 1994 08:49:37 GMT.
    const EXAMPLE: i64 = 784_111_777;

    #[test]
    fn seconds_and_dates_of_every_form_are_read() {
        let cases = [
            ("120", Some(120_000)),
            (" 120 ", Some(120_000)),
            ("0", Some(0)),
            ("1.5", Some(1_500)),
            ("99999999999999999999999", Some(WAIT_MAX.as_millis() as u64)),
            ("Sun, 06 Nov 1994 08:49:37 GMT", Some(60_000)),
            ("Sunday, 06-Nov-94 08:49:37 GMT", Some(60_000)),
            ("Sun Nov  6 08:49:37 1994", Some(60_000)),
            ("Sun, 06 Nov 1994 08:49:37 +0000", Some(60_000)),
            ("Sun, 6 Nov 1994 10:49:37 +0200", Some(60_000)),
            ("6 Nov 1994 03:49:37 EST", Some(60_000)),
            ("Mon, 06 Nov 1994 08:49:37 +0000", Some(60_000)),
            ("Sat, 05 Nov 1994 08:49:37 GMT", Some(0)),
            ("", None),
            ("-5", None),
            ("+5", None),
            ("1e3", None),
            ("5 seconds", None),
            (".5", None),
            ("5.", None),
            ("tomorrow", None),
            ("Sun, 31 Feb 1994 08:49:37 GMT", None),
        ];
        let now = Timestamp::from_seconds(EXAMPLE - 60);
        for (value, expected) in cases {
            assert_eq!(
                parse(value, now),
                expected.map(Duration::from_millis),
                "{value}"
            );
        }
    }

    proptest! {
        #[test]
        fn nothing_that_is_sent_can_make_it_fail(value in "\\PC{0,40}") {
            if let Some(wait) = parse(&value, Timestamp::from_seconds(EXAMPLE)) {
                prop_assert!(wait <= WAIT_MAX);
            }
        }

        #[test]
        fn dates_that_almost_are_dates_are_read_or_not(
            value in "[SMTWF][a-z]{2}, [0-9]{1,2} [A-Z][a-z]{2} [0-9]{2,5} [0-9:]{5,8} ([A-Z]{1,3}|[+-][0-9]{4})"
        ) {
            let _ = parse(&value, Timestamp::from_seconds(EXAMPLE));
        }
    }
}
