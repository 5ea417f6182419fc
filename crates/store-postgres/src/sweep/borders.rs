//! What goes with its whole partition, and what row by row.
//!
//! A partition is dropped when all in it has reached its age, however much that is: no row is
//! written for it, and nothing is left to vacuum. Until then rows go one by one as they reach their
//! age, so that few stay for longer, but only where there are few of them: where more come than
//! could be removed so beside the traffic, the last partition waits until it can go whole.

use crate::columns::get;
use crate::failure::Failure;
use crate::partitions::{Partition, Table};
use crate::sql::{Sql, params};
use model::Timestamp;
use model::id::Key;
use std::time::Duration;
use store::encoding::HOUR;
use store::work::SweepLimits;

/// Clocks of nodes are never so far apart: what ended so long ago by one has ended by all.
const APART: Duration = Duration::from_secs(3_600);
/// Payloads are kept short by promise, and larger than other rows: so many times more of them go
/// row by row.
const PAYLOADS: u64 = 8;

/// What is asked of a sweep.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wanted {
    pub(crate) limits: SweepLimits,
    /// See [`crate::PostgresConfig::few_bytes_per_hour`].
    pub(crate) few_bytes_per_hour: u64,
}

/// Of each kind: what is below the first goes whole; from there to below the second, row by row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Borders {
    /// Keys of messages and attempts.
    pub(super) keys: (i64, i64),
    /// Expiries of payloads, in microseconds.
    pub(super) payloads: (i64, i64),
    /// Hours in which idempotency keys expire.
    pub(super) hours: (i64, i64),
}

impl Borders {
    pub(super) async fn of(sql: &Sql<'_>, wanted: Wanted, now: Timestamp) -> Result<Self, Failure> {
        let keep_since = wanted.limits.keep_since;
        let keys = (first_key(keep_since), Key::<()>::first_at(keep_since));
        let whole_hours = now.minus(APART).micros().div_euclid(HOUR) + 1;
        let whole = Self {
            keys: (keys.0, keys.0),
            payloads: (
                Partition::at(Table::Payload, now.minus(APART))
                    .begin()
                    .micros(),
                now.micros().saturating_add(1),
            ),
            hours: (whole_hours, whole_hours),
        };
        let per_hour = wanted.few_bytes_per_hour;
        let (ages, payloads, hours) = tokio::try_join!(
            are_few(
                sql,
                per_hour,
                border(&[Table::Message, Table::Attempt], keep_since)
            ),
            are_few(
                sql,
                per_hour.saturating_mul(PAYLOADS),
                border(&[Table::Payload], now)
            ),
            are_few(sql, per_hour, border(&[Table::Idempotency], now)),
        )?;
        Ok(Self {
            keys: if ages {
                (keys.0, keys.1.integer())
            } else {
                whole.keys
            },
            payloads: if payloads {
                whole.payloads
            } else {
                (whole.payloads.1, whole.payloads.1)
            },
            hours: if hours {
                (whole_hours, now.micros().div_euclid(HOUR) + 1)
            } else {
                whole.hours
            },
        })
    }
}

/// Whether all in a partition has reached its age, by every node's clock.
pub(super) fn has_passed(partition: Partition, now: Timestamp, keep_since: Timestamp) -> bool {
    match partition.table() {
        Table::Message | Table::Attempt | Table::Excerpt => {
            partition.end() <= keep_since.minus(APART)
        }
        Table::Payload => partition.end() <= now.minus(APART),
        Table::Idempotency => partition.begin() <= now.minus(APART),
    }
}

/// The first key of the first partition of messages that has not passed.
pub(super) fn first_key(keep_since: Timestamp) -> i64 {
    let first = Partition::at(Table::Message, keep_since.minus(APART));
    Key::<()>::first_at(first.begin()).integer()
}

/// The partitions of these tables of which a part has reached its age.
fn border(tables: &[Table], now: Timestamp) -> Vec<Partition> {
    let of = |table: &Table| [now.minus(APART), now].map(|time| Partition::at(*table, time));
    let mut partitions: Vec<Partition> = tables.iter().flat_map(of).collect();
    partitions.dedup();
    partitions
}

/// Whether there is so little in some partitions of one span that rows can be removed one by one.
async fn are_few(
    sql: &Sql<'_>,
    bytes_per_hour: u64,
    partitions: Vec<Partition>,
) -> Result<bool, Failure> {
    let hours = partitions
        .first()
        .map_or(0, |one| one.table().span() / HOUR);
    let names: Vec<String> = partitions.iter().map(|one| one.name()).collect();
    let row = sql.row(
        "SELECT coalesce(sum(pg_relation_size(to_regclass(n))), 0)::bigint
         FROM unnest($1) AS g (n)",
        params![names],
    );
    let bytes: i64 = match row.await? {
        Some(row) => get(&row, 0)?,
        None => 0,
    };
    Ok(bytes.unsigned_abs() <= bytes_per_hour.saturating_mul(hours.unsigned_abs()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const WEEK: i64 = 7 * 24 * HOUR;

    fn at(micros: i64) -> Timestamp {
        Timestamp::from_micros(micros)
    }

    #[test]
    fn a_partition_has_passed_an_hour_after_its_last_row_has() {
        for (table, number, passes_at) in [
            (Table::Message, 2_922, 2_923 * WEEK + HOUR),
            (Table::Payload, 20_454, 20_455 * 24 * HOUR + HOUR),
            (Table::Idempotency, 490_000, 490_000 * HOUR + HOUR),
        ] {
            let partition = Partition::at(table, at(number * table.span()));
            for (time, expected) in [(passes_at - 1, false), (passes_at, true)] {
                let passed = has_passed(partition, at(time), at(time));
                assert_eq!(passed, expected, "{partition:?} at {time}");
            }
        }
    }

    #[test]
    fn messages_pass_by_what_is_kept_and_payloads_by_the_clock() {
        let (long_ago, now) = (at(2_900 * WEEK), at(3_000 * WEEK));
        let message = Partition::at(Table::Message, at(2_950 * WEEK));
        let payload = Partition::at(Table::Payload, at(2_950 * WEEK));
        assert!(!has_passed(message, now, long_ago));
        assert!(has_passed(payload, now, long_ago));
        assert!(!has_passed(payload, long_ago, now));
    }

    #[test]
    fn what_passes_lies_below_the_first_key_that_has_not() {
        for time in [
            2_950 * WEEK,
            2_950 * WEEK + HOUR - 1,
            2_950 * WEEK + HOUR,
            2_951 * WEEK,
        ] {
            let first = first_key(at(time));
            for number in 2_940..2_960 {
                let partition = Partition::at(Table::Message, at(number * WEEK));
                let end = Key::<()>::first_at(partition.end()).integer();
                assert_eq!(has_passed(partition, at(0), at(time)), end <= first);
            }
        }
    }
}
