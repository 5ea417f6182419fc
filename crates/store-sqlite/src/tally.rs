//! Counting attempts from the rollup alone, and what is configured from indexes
//! alone.

use crate::columns::name;
use crate::failure::Failure;
use model::id::ApplicationKey;
use model::name::Name;
use rusqlite::{Connection, Row, params};
use std::collections::BTreeMap;
use store::tally::{COLUMNS, Census, Headcount, SLOTS, Tally, TallyQuery, Timeline};

/// The rows of the rollup within some hours, by application and types. Endpoints come first: each
/// has its hours in one piece.
fn from(query: &TallyQuery) -> String {
    let whose = match query.application {
        Some(_) => "e.application = ?1",
        None => "?1 IS NULL",
    };
    format!(
        "FROM endpoint e INDEXED BY endpoint_all
         CROSS JOIN rollup r ON r.endpoint = e.id AND r.hour >= ?2 AND r.hour < ?3
         WHERE {whose}
         AND (?4 IS NULL OR r.event_type IN (SELECT value FROM json_each(?4)))"
    )
}

/// In buckets, each so many slots wide.
pub(crate) fn by_time(
    connection: &Connection,
    query: &TallyQuery,
    width: u32,
) -> Result<Vec<Tally>, Failure> {
    let mut timeline = Timeline::new(query, width);
    let sums = COLUMNS.map(|column| format!("coalesce(sum(r.{column}), 0)"));
    let sql = format!(
        "SELECT r.hour, r.result, {} {} GROUP BY r.hour, r.result",
        sums.join(", "),
        from(query)
    );
    let mut select = connection.prepare_cached(&sql)?;
    let hours = query.hours();
    let mut rows = select.query(params![
        query.application.map(ApplicationKey::integer),
        hours.start,
        hours.end,
        types(query)
    ])?;
    while let Some(row) = rows.next()? {
        let mut counted = [0; SLOTS];
        for (slot, counted) in counted.iter_mut().enumerate() {
            *counted = count(row, 2 + slot)?;
        }
        timeline.add(row.get(0)?, row.get(1)?, counted);
    }
    Ok(timeline.end())
}

/// By the types of the attempts' messages.
pub(crate) fn by_type(
    connection: &Connection,
    query: &TallyQuery,
) -> Result<Vec<(Name, Tally)>, Failure> {
    let mut tallies: BTreeMap<Name, Tally> = BTreeMap::new();
    for stretch in query.stretches() {
        let sql = format!(
            "SELECT r.event_type, r.result, sum({}) {} GROUP BY r.event_type, r.result",
            stretch.counted(),
            from(query)
        );
        let mut select = connection.prepare_cached(&sql)?;
        let mut rows = select.query(params![
            query.application.map(ApplicationKey::integer),
            stretch.hours.start,
            stretch.hours.end,
            types(query)
        ])?;
        while let Some(row) = rows.next()? {
            let attempts = count(row, 2)?;
            if attempts > 0 {
                let tally = tallies.entry(name(row, 0)?).or_default();
                tally.add(row.get(1)?, attempts);
            }
        }
    }
    Ok(tallies.into_iter().collect())
}

/// The types asked for as JSON, which their alphabet makes no trouble in.
fn types(query: &TallyQuery) -> Option<String> {
    let types = query.event_types.as_ref()?;
    let quoted: Vec<String> = types.iter().map(|name| format!("\"{name}\"")).collect();
    Some(format!("[{}]", quoted.join(",")))
}

/// Counts endpoints, and applications that have some.
pub(crate) fn census(connection: &Connection) -> Result<Census, Failure> {
    let all = "SELECT coalesce(sum(enabled), 0), coalesce(sum(disabled), 0), count(*),
         coalesce(sum(enabled > 0), 0)
         FROM (SELECT sum(disabled = 0) AS enabled, sum(disabled) AS disabled
             FROM endpoint INDEXED BY endpoint_application WHERE deleted = 0 GROUP BY application)";
    // Of the few that are there for play, what else their applications have is looked up.
    let play = "SELECT coalesce(sum(enabled), 0), coalesce(sum(disabled), 0),
         coalesce(sum(enabled + disabled = (SELECT count(*)
             FROM endpoint e INDEXED BY endpoint_application
             WHERE e.deleted = 0 AND e.application = p.application)), 0),
         coalesce(sum(enabled > 0 AND enabled = (SELECT count(*)
             FROM endpoint e INDEXED BY endpoint_application
             WHERE e.deleted = 0 AND e.application = p.application AND e.disabled = 0)), 0)
         FROM (SELECT application, sum(disabled = 0) AS enabled, sum(disabled) AS disabled
             FROM endpoint INDEXED BY endpoint_play WHERE deleted = 0
             AND url >= 'https://play.svix.com/' AND url < 'https://play.svix.com0'
             GROUP BY application) p";
    let heads = |sql| -> Result<Headcount, Failure> {
        let mut select = connection.prepare_cached(sql)?;
        let mut rows = select.query([])?;
        let row = rows
            .next()?
            .ok_or_else(|| Failure::unreadable("endpoint"))?;
        Ok(Headcount {
            enabled: count(row, 0)?,
            disabled: count(row, 1)?,
            applications: count(row, 2)?,
            applications_enabled: count(row, 3)?,
        })
    };
    Ok(Census {
        all: heads(all)?,
        play: heads(play)?,
    })
}

fn count(row: &Row<'_>, column: usize) -> Result<u64, Failure> {
    Ok(row.get::<_, i64>(column)?.cast_unsigned())
}
