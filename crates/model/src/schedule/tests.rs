//! Which texts are schedules, and when those are due.

use super::*;

const HOUR: i64 = 3_600;
const DAY: i64 = 24 * HOUR;
/// Saturday, 29 February 2020, 12:00.
const LEAP: i64 = 1_582_977_600;
/// Thursday, 31 December 2026, 23:59:30.
const LAST: i64 = 1_798_761_570;

fn schedule(text: &str) -> Schedule {
    text.parse().expect(text)
}

/// The latest that it is due within a day of `until`, as seconds before it.
fn before(text: &str, until: i64) -> Option<i64> {
    let span = [until - DAY, until].map(Timestamp::from_seconds);
    let due = schedule(text).latest(span[0], span[1])?;
    assert_eq!(due.micros() % 60_000_000, 0);
    Some(until - due.micros() / 1_000_000)
}

#[test]
fn a_schedule_is_due_when_all_of_its_fields_say_so() {
    let cases = [
        ("* * * * *", LEAP, Some(0)),
        ("* * * * *", LAST, Some(30)),
        ("59 23 31 12 *", LAST, Some(30)),
        ("0 12 29 2 *", LEAP, Some(0)),
        ("0 12 29 FEB sat", LEAP, Some(0)),
        ("0 12 1 3 *", LEAP, None),
        ("*/15 * * * *", LEAP - 1, Some(15 * 60 - 1)),
        ("5/20 * * * *", LEAP, Some(15 * 60)),
        ("10-30/10 9 * * *", LEAP, Some(3 * HOUR - 30 * 60)),
        ("0 6,18 * * *", LEAP, Some(6 * HOUR)),
        ("0 12 * * 5", LEAP, None),
        ("1 12 * * 5", LEAP, Some(DAY - 60)),
        ("0 0 * * 6", LEAP, Some(12 * HOUR)),
        ("0 0 * * 0", LEAP, None),
        ("0 0 * * 7", LEAP + DAY, Some(12 * HOUR)),
        ("0 0 * * SUN", LEAP + DAY, Some(12 * HOUR)),
        ("0 0 * * 1-5", LEAP, None),
        // One of two kinds of days is enough, where both are restricted.
        ("0 0 13 * 6", LEAP, Some(12 * HOUR)),
        ("0 0 29 * 1", LEAP, Some(12 * HOUR)),
        ("0 0 13 * *", LEAP, None),
        ("0 0 */7 * 6", LEAP, Some(12 * HOUR)),
    ];
    for (text, until, expected) in cases {
        assert_eq!(before(text, until), expected, "{text}");
    }
}

#[test]
fn what_was_due_already_is_not_due_again() {
    let daily = schedule("0 12 * * *");
    let at = Timestamp::from_seconds(LEAP);
    let second = |more| Timestamp::from_seconds(LEAP + more);
    assert_eq!(daily.latest(second(-1), at), Some(at));
    assert_eq!(daily.latest(at, second(HOUR)), None);
    assert_eq!(daily.latest(second(30), second(90)), None);
    assert_eq!(daily.latest(second(1), second(-HOUR)), None);
    // Of many, the last one alone.
    assert_eq!(daily.latest(second(-10 * DAY), second(HOUR)), Some(at));
}

#[test]
fn every_day_of_four_years_is_one_of_its_months() {
    let mut day = LEAP / DAY - 59;
    for year in 2020..2024 {
        for (month, days) in (1..).zip(MONTH_DAYS) {
            let is_short = month == 2 && year != 2020;
            for of_month in 1..=i64::from(days) - i64::from(is_short) {
                assert_eq!(civil(day), (month, of_month));
                day += 1;
            }
        }
    }
}

#[test]
fn what_is_no_schedule_is_refused_with_what_would_be_right() {
    let cases = [
        ("", "five fields"),
        ("* * * *", "five fields"),
        ("* * * * * *", "five fields"),
        ("@daily", "five fields"),
        ("60 * * * *", "minute must be `*`, or of 0 to 59"),
        ("-1 * * * *", "minute"),
        ("+1 * * * *", "minute"),
        ("1,,2 * * * *", "minute"),
        ("*/0 * * * *", "minute"),
        ("*/ * * * *", "minute"),
        ("9-1 * * * *", "minute"),
        ("* 24 * * *", "hour"),
        ("* * 0 * *", "day of the month"),
        ("* * L * *", "day of the month"),
        ("* * * 13 *", "month"),
        ("* * * FOO *", "month"),
        ("* * * * 8", "day of the week"),
        ("* * 30 2 *", "no month"),
        ("* * 31 4,6,9,11 *", "no month"),
    ];
    for (text, expected) in cases {
        let told = text.parse::<Schedule>().expect_err(text).to_string();
        assert!(told.contains(expected), "{text}: {told}");
    }
    assert!("* * 31 4 MON".parse::<Schedule>().is_ok());
    assert!("* * 29 2 *".parse::<Schedule>().is_ok());
}
