//! An application's attempts by event type and by time, and those of all applications by time: also
//! those to endpoints that they have no longer. They come from what is counted as attempts are
//! recorded, by five minutes at the finest, so the times asked for are rounded outwards to those,
//! and the answer says to which.

use super::invalid_range;
use crate::{App, AppError, Caller};
use model::Timestamp;
use model::id::ApplicationKey;
use model::name::Name;
use std::ops::Range;
use std::time::Duration;
use store::tally::{SLOT, Tally, TallyQuery};

const HOUR: Duration = Duration::from_secs(3_600);
const DAY: Duration = Duration::from_secs(86_400);

/// The longest time over which an application's attempts are counted: a quarter.
pub(super) const SPAN_DAYS: u32 = 92;

/// How many attempts ended how.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct AttemptCounts {
    /// Succeeded.
    pub success: u64,
    /// Failed.
    pub failure: u64,
    /// Deliveries that ended without an attempt having had the last word.
    pub cancelled: u64,
}

impl AttemptCounts {
    fn add(&mut self, other: Self) {
        self.success += other.success;
        self.failure += other.failure;
        self.cancelled += other.cancelled;
    }
}

impl From<Tally> for AttemptCounts {
    fn from(tally: Tally) -> Self {
        let Tally {
            success,
            failure,
            cancelled,
        } = tally;
        Self {
            success,
            failure,
            cancelled,
        }
    }
}

/// An application's attempts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApplicationAttempts {
    /// Recorded at or after.
    pub since: Timestamp,
    /// Recorded before.
    pub until: Timestamp,
    /// All of them.
    pub total: AttemptCounts,
    /// The same by their messages' types, without those of which there are none.
    pub by_event_type: Vec<(Name, AttemptCounts)>,
}

/// How long a bucket is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Period {
    /// A day.
    Day,
    /// An hour.
    Hour,
    /// Five minutes.
    FiveMinutes,
}

impl Period {
    /// In slots of five minutes.
    fn slots(self) -> u32 {
        match self {
            Self::Day => 288,
            Self::Hour => 12,
            Self::FiveMinutes => 1,
        }
    }

    /// When the one began that holds this moment, in UTC.
    fn begun(self, at: Timestamp) -> Timestamp {
        let length = i64::from(self.slots()) * SLOT;
        Timestamp::from_micros(at.micros().div_euclid(length) * length)
    }

    /// Over how long is counted unless one asks for something else.
    fn usual_span(self) -> Duration {
        match self {
            Self::Day => 28 * DAY,
            Self::Hour => DAY,
            Self::FiveMinutes => HOUR,
        }
    }

    /// Over how long is counted at the most: in how many buckets follows from it.
    fn longest_span(self) -> (Duration, &'static str) {
        match self {
            Self::Day => (SPAN_DAYS * DAY, "92 days"),
            Self::Hour => (28 * DAY, "28 days"),
            Self::FiveMinutes => (DAY, "1 day"),
        }
    }
}

/// Which attempts are to be counted by time.
#[derive(Debug, Clone, Default)]
pub struct AttemptTimesInput {
    /// From when on; `None`: as far back as is usual for the period, from the beginning of one on.
    pub since: Option<Timestamp>,
    /// Until when; `None`: now.
    pub until: Option<Timestamp>,
    /// How long a bucket is to be; `None`: a day.
    pub period: Option<Period>,
    /// Only those of messages of these types.
    pub event_types: Option<Vec<Name>>,
}

/// Attempts by time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttemptTimes {
    /// Where the first bucket begins.
    pub since: Timestamp,
    /// Where the last one ends, which may be shorter than the others.
    pub until: Timestamp,
    /// How long a bucket is.
    pub period: Period,
    /// The buckets, in their order.
    pub buckets: Vec<AttemptCounts>,
}

impl App {
    /// Counts an application's attempts by event type.
    ///
    /// # Errors
    /// [`AppError::NotFound`]; [`AppError::BadRequest`] for times that can't be counted between.
    pub async fn application_attempts(
        &self,
        caller: &Caller,
        application: &str,
        (since, until): (Timestamp, Timestamp),
        event_types: Option<Vec<Name>>,
    ) -> Result<ApplicationAttempts, AppError> {
        let tenant = self.application(caller, application).await?;
        let longest = (SPAN_DAYS * DAY, "92 days");
        check(("since", since), ("until", until), longest)?;
        let slots = slots(since, until, self.clock.now());
        let query = TallyQuery {
            application: Some(tenant.key()),
            slots: slots.clone(),
            event_types,
        };
        let tallies = self.store.tally_by_type(&query).await?;
        let by_event_type: Vec<(Name, AttemptCounts)> = tallies
            .into_iter()
            .map(|(name, tally)| (name, tally.into()))
            .collect();
        let mut total = AttemptCounts::default();
        for (_, counts) in &by_event_type {
            total.add(*counts);
        }
        Ok(ApplicationAttempts {
            since: begin(slots.start),
            until: begin(slots.end),
            total,
            by_event_type,
        })
    }

    /// Counts an application's attempts by time.
    ///
    /// # Errors
    /// As [`App::application_attempts`].
    pub async fn attempt_times(
        &self,
        caller: &Caller,
        application: &str,
        input: AttemptTimesInput,
    ) -> Result<AttemptTimes, AppError> {
        let tenant = self.application(caller, application).await?;
        self.count_by_time(Some(tenant.key()), input).await
    }

    /// Counts the attempts of all applications by time.
    ///
    /// # Errors
    /// [`AppError::Forbidden`] for all but the organisation; [`AppError::BadRequest`] for times
    /// that can't be counted between.
    pub async fn all_attempt_times(
        &self,
        caller: &Caller,
        input: AttemptTimesInput,
    ) -> Result<AttemptTimes, AppError> {
        caller.require_organisation()?;
        self.count_by_time(None, input).await
    }

    async fn count_by_time(
        &self,
        application: Option<ApplicationKey>,
        input: AttemptTimesInput,
    ) -> Result<AttemptTimes, AppError> {
        let now = self.clock.now();
        let period = input.period.unwrap_or(Period::Day);
        let until = input.until.unwrap_or(now);
        let since = input
            .since
            .unwrap_or_else(|| period.begun(until.minus(period.usual_span())));
        check(
            ("startDate", since),
            ("endDate", until),
            period.longest_span(),
        )?;
        let slots = slots(since, until, now);
        let query = TallyQuery {
            application,
            slots: slots.clone(),
            event_types: input.event_types,
        };
        let tallies = self.store.tally_by_time(&query, period.slots()).await?;
        Ok(AttemptTimes {
            since: begin(slots.start),
            until: begin(slots.end),
            period,
            buckets: tallies.into_iter().map(AttemptCounts::from).collect(),
        })
    }
}

fn check(
    (from, since): (&str, Timestamp),
    (to, until): (&str, Timestamp),
    (longest, text): (Duration, &str),
) -> Result<(), AppError> {
    if since > until {
        let text = format!("`{from}` must not be after `{to}`.");
        return Err(invalid_range(&text));
    }
    if until.since(since) > longest + super::GRACE {
        let text = format!("`{from}` must be at most {text} before `{to}`.");
        return Err(invalid_range(&text));
    }
    Ok(())
}

/// The slots that hold these times. Nothing is recorded later than now: what is asked for beyond is
/// left out.
pub(super) fn slots(since: Timestamp, until: Timestamp, now: Timestamp) -> Range<i64> {
    let until = until.min(now).micros();
    let end = until.div_euclid(SLOT) + i64::from(until.rem_euclid(SLOT) > 0);
    let start = since.micros().div_euclid(SLOT);
    start.min(end)..end
}

/// When a slot begins.
fn begin(slot: i64) -> Timestamp {
    Timestamp::from_micros(slot * SLOT)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_800_000_000;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_seconds(NOW + seconds)
    }

    #[test]
    fn times_are_rounded_outwards_to_five_minutes_and_end_by_now() {
        let now = NOW / 300;
        for (since, until, expected) in [
            (-600, 0, now - 2..now),
            (-601, -299, now - 3..now),
            (-300, -300, now - 1..now - 1),
            (-299, -1, now - 1..now),
            (-600, 7_200, now - 2..now + 1),
            (3_600, 7_200, now + 1..now + 1),
        ] {
            let found = slots(at(since), at(until), at(10));
            assert_eq!(found, expected, "{since} to {until}");
        }
    }

    #[test]
    fn periods_begin_where_clocks_show_it() {
        const MIDNIGHT: i64 = 1_767_225_600;
        let clock =
            |hour: i64, minute: i64, second: i64| MIDNIGHT + (hour * 60 + minute) * 60 + second;
        let now = Timestamp::from_seconds(clock(13, 37, 42));
        for (period, begun) in [
            (Period::Day, clock(0, 0, 0)),
            (Period::Hour, clock(13, 0, 0)),
            (Period::FiveMinutes, clock(13, 35, 0)),
        ] {
            assert_eq!(period.begun(now), Timestamp::from_seconds(begun));
        }
    }

    #[test]
    fn times_that_are_too_far_apart_or_in_the_wrong_order_are_refused() {
        let day = 86_400;
        for (since, until, longest, fine) in [
            (-day, 0, Period::FiveMinutes, true),
            (-day - 301, 0, Period::FiveMinutes, false),
            (-28 * day, 0, Period::Hour, true),
            (-29 * day, 0, Period::Hour, false),
            (-92 * day, 0, Period::Day, true),
            (-93 * day, 0, Period::Day, false),
            (0, -1, Period::Day, false),
            (0, 0, Period::Day, true),
        ] {
            let longest = longest.longest_span();
            let found = check(("since", at(since)), ("until", at(until)), longest);
            assert_eq!(found.is_ok(), fine, "{since} to {until}: {found:?}");
        }
    }
}
