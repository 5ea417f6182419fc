//! Counting an endpoint's attempts: whole hours from the rollup, the ragged edges from the attempts
//! themselves, so that the count is exact. Open deliveries are counted as they come and go: there
//! may be millions.

use crate::failure::Failure;
use model::Timestamp;
use model::id::{AttemptKey, EndpointKey};
use rusqlite::{Connection, OptionalExtension};
use std::ops::Range;
use store::query::StatisticsQuery;
use store::rows::Statistics;
use store::vitals::Backlog;

/// Counts.
pub(crate) fn count(
    connection: &Connection,
    query: StatisticsQuery,
    now: Timestamp,
) -> Result<Statistics, Failure> {
    let mut statistics = Statistics::default();
    let spans = query.spans(now);
    if !spans.hours.is_empty() {
        count_hours(connection, query.endpoint, &spans.hours, &mut statistics)?;
    }
    for edge in &spans.edges {
        count_attempts(connection, query.endpoint, edge, &mut statistics)?;
    }
    count_open(connection, query.endpoint, &mut statistics)?;
    Ok(statistics)
}

fn count_hours(
    connection: &Connection,
    endpoint: EndpointKey,
    hours: &Range<i64>,
    statistics: &mut Statistics,
) -> Result<(), Failure> {
    let mut select = connection.prepare_cached(
        "SELECT result, sum(attempts) FROM rollup
         WHERE endpoint = ?1 AND hour >= ?2 AND hour < ?3 GROUP BY result",
    )?;
    let mut rows = select.query([endpoint.integer(), hours.start, hours.end])?;
    while let Some(row) = rows.next()? {
        statistics.add(row.get(0)?, row.get::<_, i64>(1)?.cast_unsigned());
    }
    Ok(())
}

fn count_attempts(
    connection: &Connection,
    endpoint: EndpointKey,
    keys: &Range<AttemptKey>,
    statistics: &mut Statistics,
) -> Result<(), Failure> {
    let mut select = connection.prepare_cached(
        "SELECT result, count(*) FROM attempt INDEXED BY attempt_endpoint
         WHERE endpoint = ?1 AND id >= ?2 AND id < ?3 GROUP BY result",
    )?;
    let (first, end) = (keys.start.integer(), keys.end.integer());
    let mut rows = select.query([endpoint.integer(), first, end])?;
    while let Some(row) = rows.next()? {
        statistics.add(row.get(0)?, row.get::<_, i64>(1)?.cast_unsigned());
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

/// Open deliveries of all endpoints: looks at each that has some, and at the first of its two
/// classes.
pub(crate) fn backlog(connection: &Connection) -> Result<Backlog, Failure> {
    let first = "(SELECT due FROM delivery WHERE endpoint = o.endpoint AND class";
    let mut select = connection.prepare_cached(&format!(
        "SELECT sum(o.pending + o.retrying), min({first} = 0 ORDER BY due LIMIT 1)),
             min({first} = 1 ORDER BY due LIMIT 1))
         FROM open_count o WHERE o.pending + o.retrying > 0"
    ))?;
    Ok(select.query_row([], |row| {
        let open: Option<i64> = row.get(0)?;
        let due = |column| -> rusqlite::Result<Option<Timestamp>> {
            let micros: Option<i64> = row.get(column)?;
            Ok(micros.map(Timestamp::from_micros))
        };
        let backlog = Backlog::default().and(open.unwrap_or(0).cast_unsigned(), due(1)?);
        Ok(backlog.and(0, due(2)?))
    })?)
}
