//! Counting an endpoint's attempts: whole hours from the rollup, the ragged edges from the attempts
//! themselves, so that the count is exact. Open deliveries are counted as they come and go: there
//! may be millions.

use crate::batch::HOUR;
use crate::failure::Failure;
use model::Timestamp;
use model::id::{AttemptKey, EndpointKey};
use rusqlite::{Connection, OptionalExtension};
use store::query::StatisticsQuery;
use store::rows::Statistics;

/// Counts.
pub(crate) fn count(
    connection: &Connection,
    query: StatisticsQuery,
    now: Timestamp,
) -> Result<Statistics, Failure> {
    let mut statistics = Statistics::default();
    let since = query.since.micros();
    let first_hour = since.div_euclid(HOUR) + i64::from(since.rem_euclid(HOUR) > 0);
    let end_hour = match query.until > now {
        // Nothing is recorded later, so that the hour that has begun counts whole.
        true => i64::MAX / HOUR,
        false => query.until.micros().div_euclid(HOUR),
    };
    if first_hour < end_hour {
        count_hours(
            connection,
            query.endpoint,
            (first_hour, end_hour),
            &mut statistics,
        )?;
        let head = (query.since, Timestamp::from_micros(first_hour * HOUR));
        count_attempts(connection, query.endpoint, head, &mut statistics)?;
        let tail = (Timestamp::from_micros(end_hour * HOUR), query.until);
        count_attempts(connection, query.endpoint, tail, &mut statistics)?;
    } else {
        let all = (query.since, query.until);
        count_attempts(connection, query.endpoint, all, &mut statistics)?;
    }
    count_open(connection, query.endpoint, &mut statistics)?;
    Ok(statistics)
}

fn count_hours(
    connection: &Connection,
    endpoint: EndpointKey,
    (first, end): (i64, i64),
    statistics: &mut Statistics,
) -> Result<(), Failure> {
    let mut select = connection.prepare_cached(
        "SELECT result, sum(attempts) FROM rollup
         WHERE endpoint = ?1 AND hour >= ?2 AND hour < ?3 GROUP BY result",
    )?;
    let mut rows = select.query([endpoint.integer(), first, end])?;
    while let Some(row) = rows.next()? {
        add(statistics, row.get(0)?, row.get(1)?);
    }
    Ok(())
}

fn count_attempts(
    connection: &Connection,
    endpoint: EndpointKey,
    (since, until): (Timestamp, Timestamp),
    statistics: &mut Statistics,
) -> Result<(), Failure> {
    if since >= until {
        return Ok(());
    }
    let mut select = connection.prepare_cached(
        "SELECT result, count(*) FROM attempt INDEXED BY attempt_endpoint
         WHERE endpoint = ?1 AND id >= ?2 AND id < ?3 GROUP BY result",
    )?;
    let first = AttemptKey::first_at(since).integer();
    let end = AttemptKey::first_at(until).integer();
    let mut rows = select.query([endpoint.integer(), first, end])?;
    while let Some(row) = rows.next()? {
        add(statistics, row.get(0)?, row.get(1)?);
    }
    Ok(())
}

fn count_open(
    connection: &Connection,
    endpoint: EndpointKey,
    statistics: &mut Statistics,
) -> Result<(), Failure> {
    let mut select = connection
        .prepare_cached("SELECT pending, retrying FROM open_count WHERE endpoint = ?1")?;
    let counts = select.query_row([endpoint.integer()], |row| Ok((row.get(0)?, row.get(1)?)));
    let (pending, retrying): (i64, i64) = counts.optional()?.unwrap_or_default();
    statistics.pending = pending.cast_unsigned();
    statistics.retrying = retrying.cast_unsigned();
    Ok(())
}

fn add(statistics: &mut Statistics, result: u8, attempts: i64) {
    let counter = match result {
        0 => &mut statistics.success,
        1 => &mut statistics.failure,
        _ => &mut statistics.cancelled,
    };
    *counter += attempts.cast_unsigned();
}
