//! Counting attempts from the rollup alone, and what is configured from indexes
//! alone. Each node counts for itself; what they counted is added up here.

use crate::columns::{get, name, number};
use crate::failure::Failure;
use crate::sql::{Params, Sql, columns_of, params};
use model::id::ApplicationKey;
use model::name::Name;
use std::collections::BTreeMap;
use std::ops::Range;
use store::tally::{COLUMNS, Census, Headcount, SLOTS, Tally, TallyQuery, Timeline};
use tokio_postgres::Row;

/// In buckets, each so many slots wide.
pub(crate) async fn by_time(
    sql: &Sql<'_>,
    query: &TallyQuery,
    width: u32,
) -> Result<Vec<Tally>, Failure> {
    let mut timeline = Timeline::new(query, width);
    let sums = COLUMNS.map(|column| format!("coalesce(sum(r.{column}), 0)"));
    let statement = format!(
        "SELECT r.hour, r.result, {} {} GROUP BY r.hour, r.result",
        sums.join(", "),
        from(query)
    );
    for row in sql.rows(&statement, within(query, &query.hours())).await? {
        let mut counted = [0; SLOTS];
        for (slot, counted) in counted.iter_mut().enumerate() {
            *counted = number(&row, 2 + slot)?;
        }
        timeline.add(get(&row, 0)?, number(&row, 1)?, counted);
    }
    Ok(timeline.end())
}

/// By the types of the attempts' messages.
pub(crate) async fn by_type(
    sql: &Sql<'_>,
    query: &TallyQuery,
) -> Result<Vec<(Name, Tally)>, Failure> {
    let mut tallies: BTreeMap<Name, Tally> = BTreeMap::new();
    for stretch in query.stretches() {
        let statement = format!(
            "SELECT r.event_type, r.result, sum({})::bigint {} GROUP BY r.event_type, r.result",
            stretch.counted(),
            from(query)
        );
        let rows = sql.rows(&statement, within(query, &stretch.hours)).await?;
        for row in &rows {
            let attempts = number(row, 2)?;
            if attempts > 0 {
                let tally = tallies.entry(name(row, 0)?).or_default();
                tally.add(number(row, 1)?, attempts);
            }
        }
    }
    Ok(tallies.into_iter().collect())
}

/// The rows of the rollup within some hours, by application and types.
fn from(query: &TallyQuery) -> String {
    let types = match &query.event_types {
        Some(_) => "AND r.event_type = ANY($4)",
        None => "",
    };
    let whose = match query.application {
        Some(_) => "e.application = $1",
        None => "$1::bigint IS NULL",
    };
    format!(
        "FROM endpoint e JOIN rollup r ON r.endpoint = e.id AND r.hour >= $2 AND r.hour < $3
         WHERE {whose} {types}"
    )
}

fn within<'q>(query: &'q TallyQuery, hours: &Range<i64>) -> Params<'q> {
    let mut within = params![
        query.application.map(ApplicationKey::integer),
        hours.start,
        hours.end
    ];
    if let Some(types) = &query.event_types {
        within.extend(params![columns_of(types, Name::as_str)]);
    }
    within
}

/// Counts endpoints, and applications that have some.
pub(crate) async fn census(sql: &Sql<'_>) -> Result<Census, Failure> {
    let all = sql.row(
        "SELECT coalesce(sum(enabled), 0)::bigint, coalesce(sum(disabled), 0)::bigint, count(*),
         count(*) FILTER (WHERE enabled > 0)
         FROM (SELECT count(*) FILTER (WHERE NOT disabled) AS enabled,
             count(*) FILTER (WHERE disabled) AS disabled
             FROM endpoint WHERE NOT deleted GROUP BY application) AS a",
        params![],
    );
    // Of the few that are there for play, what else their applications have is looked up.
    let play = sql.row(
        "SELECT coalesce(sum(enabled), 0)::bigint, coalesce(sum(disabled), 0)::bigint,
         count(*) FILTER (WHERE enabled + disabled = (SELECT count(*)
             FROM endpoint e WHERE NOT e.deleted AND e.application = p.application)),
         count(*) FILTER (WHERE enabled > 0 AND enabled = (SELECT count(*)
             FROM endpoint e WHERE NOT e.deleted AND e.application = p.application
             AND NOT e.disabled))
         FROM (SELECT application, count(*) FILTER (WHERE NOT disabled) AS enabled,
             count(*) FILTER (WHERE disabled) AS disabled
             FROM endpoint WHERE NOT deleted AND starts_with(url, 'https://play.svix.com/')
             GROUP BY application) AS p",
        params![],
    );
    let (all, play) = tokio::try_join!(all, play)?;
    Ok(Census {
        all: heads(all)?,
        play: heads(play)?,
    })
}

fn heads(row: Option<Row>) -> Result<Headcount, Failure> {
    let row = row.ok_or_else(|| Failure::unreadable("endpoint"))?;
    Ok(Headcount {
        enabled: number(&row, 0)?,
        disabled: number(&row, 1)?,
        applications: number(&row, 2)?,
        applications_enabled: number(&row, 3)?,
    })
}
