//! When a schedule is due: five fields, as cron has them, by UTC. Pure: what time it is, is told.
//!
//! Minute, hour, day of the month, month, day of the week; each `*`, a number, `a-b`, any of these
//! with `/step`, or several with commas between them. Months and days of the week have names, too;
//! Sunday is 0 and 7. Where both kinds of days are restricted, one of them is enough.

use crate::clock::Timestamp;
use std::ops::RangeInclusive;
use std::str::FromStr;

/// A schedule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Schedule {
    /// Each a set of bits.
    minutes: u64,
    hours: u64,
    days: u64,
    months: u64,
    weekdays: u64,
    /// Whether one of the two kinds of days is enough.
    either_day: bool,
}

/// Why a text is no schedule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScheduleError {
    /// Not five fields.
    #[error(
        "must have five fields, `minute hour day-of-month month day-of-week`, such as `0 3 * * 1-5`"
    )]
    Fields,
    /// A field that is none.
    #[error("the {field} must be `*`, or of {least} to {most}: numbers, `a-b`, `/step`, commas")]
    Field {
        /// Which.
        field: &'static str,
        /// The least that it may be.
        least: u64,
        /// The most that it may be.
        most: u64,
    },
    /// There is no such day.
    #[error("no month that is named has such a day")]
    Never,
}

const MINUTES: Field = Field::new("minute", 0..=59, &[]);
const HOURS: Field = Field::new("hour", 0..=23, &[]);
const DAYS: Field = Field::new("day of the month", 1..=31, &[]);
const MONTHS: Field = Field::new(
    "month",
    1..=12,
    &[
        "JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC",
    ],
);
const WEEKDAYS: Field = Field::new(
    "day of the week",
    0..=7,
    &["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"],
);
/// The longest that a month can be.
const MONTH_DAYS: [u32; 12] = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

const MINUTE_SECONDS: i64 = 60;
const DAY_MINUTES: i64 = 24 * 60;

impl Schedule {
    /// The latest time that it is due, behind `after` and not behind `until`. Both should not be
    /// far apart: each minute between them is looked at.
    pub fn latest(&self, after: Timestamp, until: Timestamp) -> Option<Timestamp> {
        let minute = |time: Timestamp| time.micros().div_euclid(MINUTE_SECONDS * 1_000_000);
        let due = (minute(after) + 1..=minute(until)).rev();
        let mut due = due.filter(|minute| self.is_due(*minute));
        due.next()
            .map(|minute| Timestamp::from_seconds(minute * MINUTE_SECONDS))
    }

    /// Whether it is due in this minute since 1970.
    fn is_due(&self, minute: i64) -> bool {
        let (day, within) = (
            minute.div_euclid(DAY_MINUTES),
            minute.rem_euclid(DAY_MINUTES),
        );
        if !has(self.minutes, within % 60) || !has(self.hours, within / 60) {
            return false;
        }
        let (month, of_month) = civil(day);
        // 1 January 1970 was a Thursday.
        let of_week = (day + 4).rem_euclid(7);
        let (of_month, of_week) = (has(self.days, of_month), has(self.weekdays, of_week));
        has(self.months, month)
            && match self.either_day {
                true => of_month || of_week,
                false => of_month && of_week,
            }
    }
}

fn has(set: u64, value: i64) -> bool {
    (set >> value) & 1 == 1
}

/// The month and its day, of a day since 1970 (Howard Hinnant's `civil_from_days`).
fn civil(day: i64) -> (i64, i64) {
    let of_era = (day + 719_468).rem_euclid(146_097);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 {
        from_march + 3
    } else {
        from_march - 9
    };
    (month, day)
}

impl FromStr for Schedule {
    type Err = ScheduleError;

    fn from_str(text: &str) -> Result<Self, ScheduleError> {
        let fields: Vec<&str> = text.split_ascii_whitespace().collect();
        let [minute, hour, day, month, weekday] = fields[..] else {
            return Err(ScheduleError::Fields);
        };
        let weekdays = WEEKDAYS.parse(weekday)?;
        let schedule = Self {
            minutes: MINUTES.parse(minute)?,
            hours: HOURS.parse(hour)?,
            days: DAYS.parse(day)?,
            months: MONTHS.parse(month)?,
            // Sunday has two numbers.
            weekdays: weekdays | ((weekdays >> 7) & 1),
            either_day: !day.starts_with('*') && !weekday.starts_with('*'),
        };
        let mut months = (1_i64..).zip(MONTH_DAYS);
        let may_be = months.any(|(month, last)| {
            has(schedule.months, month) && schedule.days.trailing_zeros() <= last
        });
        match may_be || schedule.either_day {
            true => Ok(schedule),
            false => Err(ScheduleError::Never),
        }
    }
}

/// What a field may hold.
struct Field {
    name: &'static str,
    range: RangeInclusive<u64>,
    /// Of the numbers from the least on.
    names: &'static [&'static str],
}

impl Field {
    const fn new(
        name: &'static str,
        range: RangeInclusive<u64>,
        names: &'static [&'static str],
    ) -> Self {
        Self { name, range, names }
    }

    fn parse(&self, text: &str) -> Result<u64, ScheduleError> {
        let mut set = 0;
        for part in text.split(',') {
            set |= self.part(part).ok_or(ScheduleError::Field {
                field: self.name,
                least: *self.range.start(),
                most: *self.range.end(),
            })?;
        }
        Ok(set)
    }

    /// `*`, a number or a range, each of them every so often.
    fn part(&self, text: &str) -> Option<u64> {
        let (values, step) = match text.split_once('/') {
            Some((values, step)) => (values, Some(number(step).filter(|step| *step > 0)?)),
            None => (text, None),
        };
        let (first, last) = match values.split_once('-') {
            _ if values == "*" => (*self.range.start(), *self.range.end()),
            Some((first, last)) => (self.value(first)?, self.value(last)?),
            None => {
                let value = self.value(values)?;
                // `5/10`: from 5 on, every ten.
                (value, step.map_or(value, |_| *self.range.end()))
            }
        };
        if first > last {
            return None;
        }
        let step = usize::try_from(step.unwrap_or(1)).ok()?;
        Some(
            (first..=last)
                .step_by(step)
                .fold(0, |set, value| set | (1 << value)),
        )
    }

    fn value(&self, text: &str) -> Option<u64> {
        let mut names = self.names.iter();
        let named = names.position(|name| name.eq_ignore_ascii_case(text));
        let named = named.and_then(|place| u64::try_from(place).ok());
        let value = match named {
            Some(place) => place + self.range.start(),
            None => number(text)?,
        };
        self.range.contains(&value).then_some(value)
    }
}

/// Digits alone: no sign.
fn number(text: &str) -> Option<u64> {
    let is_digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    is_digits.then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests;
