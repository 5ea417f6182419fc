//! Attempts as rows: reading them, alone and in lists. How they ended and with which status stands
//! in the indexes, and what else is asked for in their messages; only those that pass are read.

use crate::columns::{direction, key, number, optional_sealed, result, tail, time, trigger};
use crate::endpoints::{self, AtRevision};
use crate::failure::Failure;
use crate::keys::KEYS_APART;
use crate::paging::{self, Listing, Seen, SeenIn};
use crate::sql::{Sql, columns_of, params};
use crate::{messages, observed};
use model::Timestamp;
use model::attempt::{Attempt, AttemptResult};
use model::delivery::Trigger;
use model::id::{
    ApplicationKey, AttemptId, AttemptKey, EndpointId, EndpointKey, MessageId, MessageKey, Tail,
};
use std::collections::HashMap;
use std::time::Duration;
use store::Sealed;
use store::query::{AttemptQuery, AttemptScope, MessageFilter, ResultFilter, Walk};
use store::rows::{AttemptRow, ObservedRow};
use tokio_postgres::Row;

/// A list.
pub(crate) async fn list(
    sql: &Sql<'_>,
    query: &AttemptQuery,
) -> Result<Walk<AttemptRow, AttemptKey>, Failure> {
    let limit = query.window.limit;
    if query.result == Some(ResultFilter::Nothing) {
        return Ok(store::walking::Walking::new(limit).end());
    }
    paging::walk(&Attempts { sql, query }, limit).await
}

/// One attempt of a message with its excerpt, and what was observed of its request.
pub(crate) async fn one(
    sql: &Sql<'_>,
    (application, message): (ApplicationKey, MessageKey),
    id: AttemptId,
) -> Result<Option<AttemptRow>, Failure> {
    let wanted = Wanted {
        application,
        excerpts: true,
        observed: true,
        messages: false,
        payloads: false,
    };
    let found = load(sql, &wanted, &[id.key()]).await?.remove(&id.key());
    Ok(found.filter(|row| row.attempt.id == id && row.attempt.message.key() == message))
}

/// No attempt of a message has a smaller key: partitions below it need not be looked at.
pub(crate) fn first_of(message: MessageKey) -> AttemptKey {
    AttemptKey::from_integer(message.integer() - KEYS_APART)
}

struct Attempts<'q> {
    sql: &'q Sql<'q>,
    query: &'q AttemptQuery,
}

impl Listing for Attempts<'_> {
    type Position = AttemptKey;
    type Passed = ();
    type Row = AttemptRow;

    async fn look(
        &self,
        beyond: Option<&AttemptKey>,
        rows: usize,
    ) -> Result<Vec<SeenIn<Self>>, Failure> {
        let query = self.query;
        let (mut above, below) = paging::behind(&query.window, beyond);
        let (scope, other) = match query.scope {
            AttemptScope::Endpoint(endpoint) => (endpoint.integer(), None),
            AttemptScope::Message(message, endpoint) => {
                above = above.max(first_of(message).integer() - 1);
                (message.integer(), endpoint)
            }
        };
        let (application, limit) = (query.application.integer(), paging::limit(rows));
        let mut params = params![application, above, below, limit, scope];
        if let Some(endpoint) = other {
            params.extend(params![endpoint.integer()]);
        }
        let read = |row: &Row| {
            let ended_so = query.passes(number(row, 1)?, result(row, 2)?);
            let passes = ended_so && messages::passes(&query.filter, row, 3)?;
            Ok(Seen {
                position: key(row, 0)?,
                passes: passes.then_some(()),
            })
        };
        let rows = self.sql.rows(&look_sql(query), params).await?;
        rows.iter().map(read).collect()
    }

    async fn load(
        &self,
        passed: &[(AttemptKey, ())],
    ) -> Result<HashMap<AttemptKey, AttemptRow>, Failure> {
        let wanted = Wanted {
            application: self.query.application,
            excerpts: self.query.with_excerpt,
            observed: false,
            messages: self.query.with_message,
            payloads: self.query.with_message && self.query.with_payload,
        };
        let keys = columns_of(passed, |(key, ())| *key);
        load(self.sql, &wanted, &keys).await
    }

    fn with_content(&self) -> bool {
        self.query.with_excerpt || (self.query.with_message && self.query.with_payload)
    }

    fn content_bytes(row: &AttemptRow) -> usize {
        row.content_bytes()
    }
}

/// The statement that walks along attempts: key, status, result, and what [`messages::passes`]
/// looks at. Without a filter, the attempt's index tells all.
fn look_sql(query: &AttemptQuery) -> String {
    // A message has few attempts: they are read and sorted. Asked for them in order, the planner
    // may walk along all attempts of the application instead. An endpoint's are told apart by
    // pairs, which only its own indexes have: by key alone, the same could come to pass.
    const PAIRS: &str = "(endpoint, id) > ($5, $2) AND (endpoint, id) < ($5, $3)";
    const KEYS: &str = "id > $2 AND id < $3";
    let (read, scope, between) = match query.scope {
        AttemptScope::Endpoint(_) if query.takes_successes() => {
            ("NOT MATERIALIZED", "endpoint = $5", PAIRS)
        }
        AttemptScope::Endpoint(_) => ("NOT MATERIALIZED", "endpoint = $5 AND result > 0", PAIRS),
        AttemptScope::Message(_, None) => ("MATERIALIZED", "message = $5", KEYS),
        AttemptScope::Message(_, Some(_)) => {
            ("MATERIALIZED", "message = $5 AND endpoint = $6", KEYS)
        }
    };
    let of = match query.filter == MessageFilter::default() {
        true => "",
        false => {
            "LEFT JOIN LATERAL (SELECT event_type, channels, tags FROM message
             WHERE application = $1 AND id = a.message LIMIT 1) m ON true"
        }
    };
    format!(
        "WITH a AS {read} (SELECT id, message, status_code, result FROM attempt
             WHERE application = $1 AND {scope} AND {between})
         SELECT a.id, a.status_code, a.result, {} FROM a {of} ORDER BY a.id {} LIMIT $4",
        messages::looked_at(&query.filter),
        direction(query.window.ascending)
    )
}

/// What attempts are to come with.
struct Wanted {
    application: ApplicationKey,
    excerpts: bool,
    observed: bool,
    messages: bool,
    payloads: bool,
}

/// The attempts with these keys, of those whose message is there.
async fn load(
    sql: &Sql<'_>,
    wanted: &Wanted,
    keys: &[AttemptKey],
) -> Result<HashMap<AttemptKey, AttemptRow>, Failure> {
    let bare = read_bare(sql, wanted, keys).await?;
    let of = columns_of(&bare, |one| one.message);
    let to = columns_of(&bare, Bare::at_revision);
    let (messages, endpoints) = tokio::try_join!(
        messages::load_many(sql, wanted.application, &of, wanted.payloads),
        endpoints::at_revisions(sql, to)
    )?;
    let mut found = HashMap::new();
    for one in bare {
        let Some(of) = messages.get(&one.message) else {
            continue;
        };
        let endpoint = endpoints.get(&one.at_revision()).cloned();
        let (key, excerpt) = (one.id.key(), one.excerpt.clone());
        let observed = one.observed.clone();
        let row = AttemptRow {
            attempt: one.whole(of.message.id, endpoint.unwrap_or_default()),
            event_type: of.message.event_type.clone(),
            channels: of.message.channels.clone(),
            excerpt,
            message: wanted.messages.then(|| of.clone()),
            observed,
        };
        found.insert(key, row);
    }
    Ok(found)
}

/// An attempt's own row.
struct Bare {
    id: AttemptId,
    message: MessageKey,
    endpoint: EndpointKey,
    trigger: Trigger,
    number: u16,
    started_at: Timestamp,
    duration_ms: u32,
    status_code: u16,
    result: AttemptResult,
    revision: u32,
    excerpt: Option<Sealed>,
    observed: Option<Box<ObservedRow>>,
}

impl Bare {
    fn at_revision(&self) -> AtRevision {
        (self.endpoint, self.revision)
    }

    fn whole(self, message: MessageId, (tail, url): (Tail, String)) -> Attempt {
        Attempt {
            id: self.id,
            message,
            endpoint: EndpointId::new(self.endpoint, tail),
            trigger: self.trigger,
            number: self.number,
            started_at: self.started_at,
            duration: Duration::from_millis(self.duration_ms.into()),
            status_code: self.status_code,
            result: self.result,
            url,
        }
    }
}

async fn read_bare(
    sql: &Sql<'_>,
    wanted: &Wanted,
    keys: &[AttemptKey],
) -> Result<Vec<Bare>, Failure> {
    let excerpt = match wanted.excerpts {
        false => "NULL::bytea",
        true => {
            "(SELECT x.body FROM excerpt x
              WHERE x.application = $1 AND x.attempt = attempt.id)"
        }
    };
    let observed = match wanted.observed {
        false => observed::NOT_READ,
        true => observed::COLUMNS,
    };
    // One by one, as messages are.
    let statement = format!(
        "SELECT a.* FROM unnest($2) AS g (key) CROSS JOIN LATERAL
         (SELECT id, tail, message, endpoint, trigger, number, started_at, duration_ms, status_code,
              result, revision, {excerpt}, {observed}
          FROM attempt WHERE application = $1 AND id = g.key LIMIT 1) a"
    );
    let keys = columns_of(keys, |key| key.integer());
    let params = params![wanted.application.integer(), keys];
    let read = |row: &Row| {
        Ok(Bare {
            id: AttemptId::new(key(row, 0)?, tail(row, 1)?),
            message: key(row, 2)?,
            endpoint: key(row, 3)?,
            trigger: trigger(row, 4)?,
            number: number(row, 5)?,
            started_at: time(row, 6)?,
            duration_ms: number(row, 7)?,
            status_code: number(row, 8)?,
            result: result(row, 9)?,
            revision: number(row, 10)?,
            excerpt: optional_sealed(row, 11)?,
            observed: match wanted.observed {
                false => None,
                true => Some(Box::new(observed::read(row, 12)?)),
            },
        })
    };
    sql.rows(&statement, params)
        .await?
        .iter()
        .map(read)
        .collect()
}
