//! Dates with a time of day in UTC, as RFC 3339 writes them with `Z`. Other offsets, leap seconds
//! and lower case are not read: no sender that is known here writes them, and where such a date
//! stands beside other text, one way to write it tells where it ends.

/// The days before each month of a year that begins in March, so that a leap day comes last.
const DAYS_BEFORE: [i64; 12] = [0, 31, 61, 92, 122, 153, 184, 214, 245, 275, 306, 337];
const DAYS_OF_400_YEARS: i64 = 146_097;
/// From the first of March of the year 0 to the first of January 1970.
const DAYS_TO_EPOCH: i64 = 719_468;
const DAY_SECONDS: i64 = 86_400;

/// The seconds since the Unix epoch of a date like `2025-11-24T16:00:00.5Z`.
pub(super) fn read(text: &[u8]) -> Option<i64> {
    let (date, rest) = text.split_first_chunk::<19>()?;
    let fraction = rest.strip_suffix(b"Z")?;
    if let Some((point, digits)) = fraction.split_first() {
        let is_fraction = *point == b'.' && (1..=9).contains(&digits.len());
        if !is_fraction || !digits.iter().all(u8::is_ascii_digit) {
            return None;
        }
    }
    let marks = [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':')];
    if marks.iter().any(|(place, mark)| date[*place] != *mark) {
        return None;
    }
    let number = |from: usize, to: usize| -> Option<i64> {
        let digits = &date[from..to];
        let all = digits.iter().all(u8::is_ascii_digit);
        all.then(|| {
            let digits = digits.iter();
            digits.fold(0, |sum, digit| sum * 10 + i64::from(digit - b'0'))
        })
    };
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let seconds = days(year, month, day)? * DAY_SECONDS + hour * 3_600 + minute * 60 + second;
    // A day that the month doesn't have would be one of the next.
    (write(seconds).as_bytes().get(..10) == Some(&date[..10])).then_some(seconds)
}

/// The date of a time in seconds since the Unix epoch, with nine digits behind the seconds, as
/// Twitch writes it.
pub(super) fn write(seconds: i64) -> String {
    let (days, of_day) = (
        seconds.div_euclid(DAY_SECONDS) + DAYS_TO_EPOCH,
        seconds.rem_euclid(DAY_SECONDS),
    );
    let (era, of_era) = (
        days.div_euclid(DAYS_OF_400_YEARS),
        days.rem_euclid(DAYS_OF_400_YEARS),
    );
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let place = DAYS_BEFORE.partition_point(|before| *before <= of_year) - 1;
    let day = of_year - DAYS_BEFORE[place] + 1;
    let month = (place + 2) % 12 + 1;
    let year = year + era * 400 + i64::from(month < 3);
    let (hour, minute, second) = (of_day / 3_600, of_day / 60 % 60, of_day % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.000000000Z")
}

fn days(year: i64, month: i64, day: i64) -> Option<i64> {
    let place = usize::try_from(month.checked_sub(1)?).ok()?;
    let before = *DAYS_BEFORE.get((place + 10) % 12).filter(|_| place < 12)?;
    let year = year - i64::from(month < 3);
    let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    Some(year * 365 + leap_days + before + day - 1 - DAYS_TO_EPOCH)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn dates_are_read_as_they_are_written_in_one_way() {
        for (text, seconds) in [
            ("1970-01-01T00:00:00Z", 0),
            ("2025-11-24T16:00:00.000000000Z", 1_764_000_000),
            ("2024-02-29T23:59:59.9Z", 1_709_251_199),
            ("2000-03-01T00:00:00Z", 951_868_800),
        ] {
            assert_eq!(read(text.as_bytes()), Some(seconds), "{text}");
        }
        for text in [
            "",
            "2025-11-24",
            "2025-11-24T16:00:00",
            "2025-11-24T16:00:00+00:00",
            "2025-11-24t16:00:00Z",
            "2025-11-24T16:00:00.Z",
            "2025-11-24T16:00:00.0000000000Z",
            "2025-11-24T24:00:00Z",
            "2025-11-24T16:00:60Z",
            "2025-02-29T16:00:00Z",
            "2025-00-10T16:00:00Z",
            "2025-13-10T16:00:00Z",
            "2025-11-00T16:00:00Z",
            "2025-11-2\u{663}T16:00:00Z",
            "1764000000",
        ] {
            assert_eq!(read(text.as_bytes()), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn every_second_of_ten_thousand_years_is_read_back(
            seconds in -62_167_219_200_i64..253_402_300_800,
        ) {
            prop_assert_eq!(read(write(seconds).as_bytes()), Some(seconds));
        }

        #[test]
        fn any_text_is_judged(text in prop::collection::vec(any::<u8>(), 0..40)) {
            prop_assert!(read(&text).is_none());
        }
    }
}
