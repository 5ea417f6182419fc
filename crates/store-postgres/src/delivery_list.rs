//! Deliveries as a list, open and ended, of one application or of all: the one read of attempts
//! that no application bounds. What was given up is found by indexes that have nothing else; who
//! wants what was delivered walks along all messages, by an index of theirs.

mod candidates;

use crate::all_messages;
use crate::attempts::first_of;
use crate::columns::{key, number, optional_name, optional_time, result, tail};
use crate::failure::Failure;
use crate::paging::{self, Listing, Seen, SeenIn};
use crate::sql::{Sql, columns_of, params};
use candidates::{Candidate, candidates};
use model::id::{
    ApplicationId, ApplicationKey, AttemptId, AttemptKey, EndpointId, EndpointKey, Key, MessageKey,
};
use model::message::Message;
use model::name::Name;
use std::collections::{HashMap, HashSet};
use store::deliveries::{DeliveryPosition, DeliveryQuery, DeliveryRow, Story, Telling, Told};
use store::query::Walk;
use tokio_postgres::Row;

/// A list.
pub(crate) async fn list(
    sql: &Sql<'_>,
    query: &DeliveryQuery,
) -> Result<Walk<DeliveryRow, DeliveryPosition>, Failure> {
    paging::walk(&Deliveries { sql, query }, query.window.limit).await
}

struct Deliveries<'q> {
    sql: &'q Sql<'q>,
    query: &'q DeliveryQuery,
}

/// What is known of a delivery that passes: whose it is, and what became of it.
type Passed = (ApplicationKey, Story);

impl Listing for Deliveries<'_> {
    type Position = DeliveryPosition;
    type Passed = Passed;
    type Row = DeliveryRow;

    async fn look(
        &self,
        beyond: Option<&DeliveryPosition>,
        rows: usize,
    ) -> Result<Vec<SeenIn<Self>>, Failure> {
        let query = DeliveryQuery {
            window: self.query.window.behind(beyond.copied()),
            ..self.query.clone()
        };
        let found = candidates(self.sql, &query, rows).await?;
        let mut wanted: Vec<Candidate> = found.iter().copied().filter(|one| one.counts).collect();
        if let Some(event_type) = &query.event_type {
            let of_type = of_type(self.sql, &wanted, event_type).await?;
            wanted.retain(|one| of_type.contains(&one.position.message));
        }
        let mut stories = stories(self.sql, &wanted).await?;
        let seen = found.into_iter().map(|one| {
            let story = stories.remove(&one.position);
            let story = story.filter(|story| query.passes(story));
            Seen {
                position: one.position,
                passes: story.map(|story| (one.application, story)),
            }
        });
        Ok(seen.collect())
    }

    async fn load(
        &self,
        passed: &[(DeliveryPosition, Passed)],
    ) -> Result<HashMap<DeliveryPosition, DeliveryRow>, Failure> {
        load(self.sql, passed).await
    }
}

/// Which of the messages of these are of this type.
async fn of_type(
    sql: &Sql<'_>,
    of: &[Candidate],
    event_type: &Name,
) -> Result<HashSet<MessageKey>, Failure> {
    let rows = sql.rows(
        "SELECT g.message FROM unnest($1, $2) AS g (application, message) CROSS JOIN LATERAL
         (SELECT event_type FROM message
          WHERE application = g.application AND id = g.message LIMIT 1) m
         WHERE m.event_type = $3",
        params![
            columns_of(of, |one| one.application.integer()),
            columns_of(of, |one| one.position.message.integer()),
            event_type.as_str()
        ],
    );
    rows.await?.iter().map(|row| key(row, 0)).collect()
}

/// What became of each of these, where anything was ever meant for the endpoint.
async fn stories(
    sql: &Sql<'_>,
    of: &[Candidate],
) -> Result<HashMap<DeliveryPosition, Story>, Failure> {
    if of.is_empty() {
        return Ok(HashMap::new());
    }
    let messages = || columns_of(of, |one| one.position.message.integer());
    let endpoints = || columns_of(of, |one| one.position.endpoint.integer());
    let (attempts, open) = tokio::try_join!(
        sql.rows(
            "SELECT g.message, g.endpoint, a.id, a.status_code, a.result
             FROM unnest($1, $2, $3, $4) AS g (application, message, endpoint, first)
             CROSS JOIN LATERAL (SELECT id, status_code, result FROM attempt
                 WHERE application = g.application AND message = g.message
                 AND endpoint = g.endpoint AND id >= g.first) a",
            params![
                columns_of(of, |one| one.application.integer()),
                messages(),
                endpoints(),
                columns_of(of, |one| first_of(one.position.message).integer())
            ],
        ),
        sql.rows(
            "SELECT g.message, g.endpoint, d.due FROM unnest($1, $2) AS g (message, endpoint)
             CROSS JOIN LATERAL (SELECT min(due) AS due FROM delivery
                 WHERE message = g.message AND endpoint = g.endpoint) d",
            params![messages(), endpoints()],
        )
    )?;
    let mut telling: HashMap<DeliveryPosition, Telling> = HashMap::new();
    for row in &attempts {
        telling.entry(position(row)?).or_default().attempt(Told {
            key: key(row, 2)?,
            status_code: number(row, 3)?,
            result: result(row, 4)?,
        });
    }
    for row in &open {
        if let Some(due) = optional_time(row, 2)? {
            telling.entry(position(row)?).or_default().open(due);
        }
    }
    let stories = telling.into_iter();
    let ended = stories.filter_map(|(position, telling)| Some((position, telling.end()?)));
    Ok(ended.collect())
}

fn position(row: &Row) -> Result<DeliveryPosition, Failure> {
    Ok(DeliveryPosition {
        message: key(row, 0)?,
        endpoint: key(row, 1)?,
    })
}

/// The rest of these, without those of deleted applications.
async fn load(
    sql: &Sql<'_>,
    passed: &[(DeliveryPosition, Passed)],
) -> Result<HashMap<DeliveryPosition, DeliveryRow>, Failure> {
    let mut messages = columns_of(passed, |(at, (application, _))| (at.message, *application));
    messages.dedup();
    let (messages, applications, endpoints, attempts) = tokio::try_join!(
        all_messages::load(sql, &messages),
        applications(sql, passed),
        endpoints(sql, passed),
        attempts(sql, passed)
    )?;
    let messages = messages.into_iter();
    let messages: HashMap<MessageKey, Message> = messages.map(|one| (one.id.key(), one)).collect();
    let whole = passed
        .iter()
        .filter_map(|(position, (application, story))| {
            let last = story.last.and_then(|told| attempts.get(&told.key).copied());
            let row = DeliveryRow {
                message: messages.get(&position.message)?.clone(),
                application: applications.get(application)?.clone(),
                endpoint: endpoints.get(&position.endpoint)?.clone(),
                story: story.clone(),
                last,
            };
            Some((*position, row))
        });
    Ok(whole.collect())
}

async fn applications(
    sql: &Sql<'_>,
    passed: &[(DeliveryPosition, Passed)],
) -> Result<HashMap<ApplicationKey, (ApplicationId, Option<Name>)>, Failure> {
    let mut keys = columns_of(passed, |(_, (application, _))| application.integer());
    keys.sort_unstable();
    keys.dedup();
    let rows = sql.rows(
        "SELECT id, tail, uid FROM application WHERE id = ANY($1) AND NOT deleted",
        params![keys],
    );
    let read = |row: &Row| {
        let key = key(row, 0)?;
        let id = ApplicationId::new(key, tail(row, 1)?);
        Ok((key, (id, optional_name(row, 2)?)))
    };
    rows.await?.iter().map(read).collect()
}

async fn endpoints(
    sql: &Sql<'_>,
    passed: &[(DeliveryPosition, Passed)],
) -> Result<HashMap<EndpointKey, (EndpointId, Option<Name>)>, Failure> {
    let mut keys = columns_of(passed, |(position, _)| position.endpoint.integer());
    keys.sort_unstable();
    keys.dedup();
    let rows = sql.rows(
        "SELECT id, tail, uid FROM endpoint WHERE id = ANY($1)",
        params![keys],
    );
    let read = |row: &Row| {
        let key = key(row, 0)?;
        let id = EndpointId::new(key, tail(row, 1)?);
        Ok((key, (id, optional_name(row, 2)?)))
    };
    rows.await?.iter().map(read).collect()
}

/// The ids of the attempts that stories end with.
async fn attempts(
    sql: &Sql<'_>,
    passed: &[(DeliveryPosition, Passed)],
) -> Result<HashMap<AttemptKey, AttemptId>, Failure> {
    let last = passed.iter().filter_map(|(_, (application, story))| {
        let told = story.last?;
        Some((application.integer(), told.key.integer()))
    });
    let last: Vec<(i64, i64)> = last.collect();
    let rows = sql.rows(
        "SELECT a.* FROM unnest($1, $2) AS g (application, key) CROSS JOIN LATERAL
         (SELECT id, tail FROM attempt
          WHERE application = g.application AND id = g.key LIMIT 1) a",
        params![
            columns_of(&last, |one| one.0),
            columns_of(&last, |one| one.1)
        ],
    );
    let read = |row: &Row| {
        let key: Key<_> = key(row, 0)?;
        Ok((key, AttemptId::new(key, tail(row, 1)?)))
    };
    rows.await?.iter().map(read).collect()
}
