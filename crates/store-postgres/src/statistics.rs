//! Counting an endpoint's attempts: whole hours from the rollup, the ragged edges from the attempts
//! themselves, so that the count is exact. Open deliveries are counted as they come and go: there
//! may be millions. Each node counts for itself; what they counted is added up here.

use crate::columns::{get, key, number};
use crate::failure::Failure;
use crate::sql::{Sql, params};
use model::Timestamp;
use model::id::{ApplicationKey, AttemptKey, EndpointKey};
use std::ops::Range;
use store::query::StatisticsQuery;
use store::rows::Statistics;
use store::vitals::Backlog;
use tokio_postgres::Row;

/// Counts.
pub(crate) async fn count(
    sql: &Sql<'_>,
    query: StatisticsQuery,
    now: Timestamp,
) -> Result<Statistics, Failure> {
    let spans = query.spans(now);
    let (application, hours, (pending, retrying)) = tokio::try_join!(
        application_of(sql, query.endpoint),
        count_hours(sql, query.endpoint, spans.hours),
        count_open(sql, query.endpoint)
    )?;
    let mut statistics = Statistics {
        pending,
        retrying,
        ..Statistics::default()
    };
    add(&mut statistics, &hours)?;
    if let Some(application) = application {
        for edge in spans.edges {
            let attempts = count_attempts(sql, (application, query.endpoint), edge);
            add(&mut statistics, &attempts.await?)?;
        }
    }
    Ok(statistics)
}

/// The endpoint's application, by which attempts are found.
async fn application_of(
    sql: &Sql<'_>,
    endpoint: EndpointKey,
) -> Result<Option<ApplicationKey>, Failure> {
    let row = sql.row(
        "SELECT application FROM endpoint WHERE id = $1",
        params![endpoint.integer()],
    );
    row.await?.map(|row| key(&row, 0)).transpose()
}

async fn count_hours(
    sql: &Sql<'_>,
    endpoint: EndpointKey,
    hours: Range<i64>,
) -> Result<Vec<Row>, Failure> {
    if hours.is_empty() {
        return Ok(Vec::new());
    }
    let rows = sql.rows(
        "SELECT result, sum(attempts)::bigint AS attempts FROM rollup
         WHERE endpoint = $1 AND hour >= $2 AND hour < $3 GROUP BY result",
        params![endpoint.integer(), hours.start, hours.end],
    );
    rows.await
}

async fn count_attempts(
    sql: &Sql<'_>,
    (application, endpoint): (ApplicationKey, EndpointKey),
    keys: Range<AttemptKey>,
) -> Result<Vec<Row>, Failure> {
    // By keys, not by pairs of endpoint and key: a scan by pairs ends with the endpoint's last
    // attempt. In a small table the planner may read all that the application got in that time.
    let rows = sql.rows(
        "SELECT result, count(*) AS attempts FROM attempt
         WHERE application = $1 AND endpoint = $2 AND id >= $3 AND id < $4 GROUP BY result",
        params![
            application.integer(),
            endpoint.integer(),
            keys.start.integer(),
            keys.end.integer()
        ],
    );
    rows.await
}

/// Pending ones, and those that are retried.
async fn count_open(sql: &Sql<'_>, endpoint: EndpointKey) -> Result<(u64, u64), Failure> {
    let row = sql.row(
        "SELECT sum(pending)::bigint AS pending, sum(retrying)::bigint AS retrying
         FROM open_count WHERE endpoint = $1 HAVING count(*) > 0",
        params![endpoint.integer()],
    );
    match row.await? {
        Some(row) => Ok((number(&row, 0)?, number(&row, 1)?)),
        None => Ok((0, 0)),
    }
}

fn add(statistics: &mut Statistics, counted: &[Row]) -> Result<(), Failure> {
    for row in counted {
        statistics.add(number(row, 0)?, number(row, 1)?);
    }
    Ok(())
}

/// Open deliveries of all endpoints: looks at each that has some, and at the first of its two
/// classes.
pub(crate) async fn backlog(sql: &Sql<'_>) -> Result<Backlog, Failure> {
    let row = sql.row(
        "SELECT coalesce(sum(o.open), 0)::bigint, min(live.due), min(replayed.due)
         FROM (SELECT endpoint, sum(pending + retrying)::bigint AS open
             FROM open_count GROUP BY endpoint HAVING sum(pending + retrying) > 0) AS o
         LEFT JOIN LATERAL (SELECT due FROM delivery WHERE endpoint = o.endpoint AND class = 0
             ORDER BY due LIMIT 1) AS live ON true
         LEFT JOIN LATERAL (SELECT due FROM delivery WHERE endpoint = o.endpoint AND class = 1
             ORDER BY due LIMIT 1) AS replayed ON true",
        params![],
    );
    let Some(row) = row.await? else {
        return Ok(Backlog::default());
    };
    let due = |column| -> Result<Option<Timestamp>, Failure> {
        let micros: Option<i64> = get(&row, column)?;
        Ok(micros.map(Timestamp::from_micros))
    };
    let backlog = Backlog::default().and(number(&row, 0)?, due(1)?);
    Ok(backlog.and(0, due(2)?))
}
