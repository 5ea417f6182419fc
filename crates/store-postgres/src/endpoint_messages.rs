//! Where messages stand with endpoints: an endpoint's messages, and a message's endpoints.

use crate::attempts;
use crate::columns::{get, key, optional_time, result};
use crate::endpoints;
use crate::failure::Failure;
use crate::messages::{self, Of};
use crate::paging::{self, Listing, Seen, SeenIn};
use crate::sql::{Sql, columns_of, params};
use model::Timestamp;
use model::id::{ApplicationKey, EndpointKey, MessageKey};
use std::collections::HashMap;
use store::query::{EndpointMessageQuery, Walk};
use store::rows::{EndpointMessageRow, MessageEndpointRow, Standing};
use tokio_postgres::Row;

/// The messages of an endpoint. It walks along its application's messages: those have one index
/// for all endpoints.
pub(crate) async fn of_endpoint(
    sql: &Sql<'_>,
    query: &EndpointMessageQuery,
) -> Result<Walk<EndpointMessageRow, MessageKey>, Failure> {
    paging::walk(&OfEndpoint { sql, query }, query.window.limit).await
}

/// The endpoints of a message, deleted ones too.
pub(crate) async fn of_message(
    sql: &Sql<'_>,
    (application, message): (ApplicationKey, MessageKey),
    after: EndpointKey,
    limit: usize,
) -> Result<Walk<MessageEndpointRow, EndpointKey>, Failure> {
    let list = OfMessage {
        sql,
        application,
        message,
        after,
    };
    paging::walk(&list, limit).await
}

#[derive(Clone, Copy)]
struct Stand {
    standing: Standing,
    next_attempt: Option<Timestamp>,
}

struct OfEndpoint<'q> {
    sql: &'q Sql<'q>,
    query: &'q EndpointMessageQuery,
}

impl Listing for OfEndpoint<'_> {
    type Position = MessageKey;
    type Passed = Stand;
    type Row = EndpointMessageRow;

    async fn look(
        &self,
        beyond: Option<&MessageKey>,
        rows: usize,
    ) -> Result<Vec<SeenIn<Self>>, Failure> {
        let of = Of {
            application: self.query.application,
            window: &self.query.window,
            filter: &self.query.filter,
        };
        let seen = messages::look(self.sql, of, beyond, rows).await?;
        let passing = seen.iter().filter(|row| row.passes.is_some());
        let passing: Vec<MessageKey> = passing.map(|row| row.position).collect();
        let stands = self.stands(&passing).await?;
        let wanted = self.query.standing.as_ref();
        let passes = |position: &MessageKey| {
            let stand = stands.get(position).copied();
            stand.filter(|stand| wanted.is_none_or(|wanted| wanted.contains(&stand.standing)))
        };
        let with_stands = seen.into_iter().map(|row| Seen {
            position: row.position,
            passes: passes(&row.position),
        });
        Ok(with_stands.collect())
    }

    async fn load(
        &self,
        passed: &[(MessageKey, Stand)],
    ) -> Result<HashMap<MessageKey, EndpointMessageRow>, Failure> {
        let (query, keys) = (self.query, columns_of(passed, |(key, _)| *key));
        let loaded = messages::load_many(self.sql, query.application, &keys, query.with_payload);
        let mut loaded = loaded.await?;
        let whole = passed.iter().filter_map(|(key, stand)| {
            let row = EndpointMessageRow {
                message: loaded.remove(key)?,
                standing: stand.standing,
                next_attempt: stand.next_attempt,
            };
            Some((*key, row))
        });
        Ok(whole.collect())
    }

    fn with_content(&self) -> bool {
        self.query.with_payload
    }

    fn content_bytes(row: &EndpointMessageRow) -> usize {
        row.message.payload.bytes()
    }
}

impl OfEndpoint<'_> {
    /// Where messages stand with the endpoint, of those that were ever meant for it.
    async fn stands(&self, of: &[MessageKey]) -> Result<HashMap<MessageKey, Stand>, Failure> {
        if of.is_empty() {
            return Ok(HashMap::new());
        }
        let rows = self.sql.rows(
            "SELECT g.message, d.due, coalesce(a.succeeded, false), a.last
             FROM unnest($3, $4) AS g (message, first)
             CROSS JOIN LATERAL (SELECT min(due) AS due FROM delivery
                 WHERE application = $1 AND endpoint = $2 AND message = g.message) d
             CROSS JOIN LATERAL (SELECT bool_or(result = 0) AS succeeded,
                     (array_agg(result ORDER BY id DESC))[1] AS last FROM attempt
                 WHERE application = $1 AND endpoint = $2 AND message = g.message
                 AND id >= g.first) a",
            params![
                self.query.application.integer(),
                self.query.endpoint.integer(),
                columns_of(of, |message| message.integer()),
                columns_of(of, |message| attempts::first_of(*message).integer())
            ],
        );
        let mut stands = HashMap::new();
        for row in rows.await? {
            if let Some(stand) = stand(&row)? {
                stands.insert(key(&row, 0)?, stand);
            }
        }
        Ok(stands)
    }
}

struct OfMessage<'q> {
    sql: &'q Sql<'q>,
    application: ApplicationKey,
    message: MessageKey,
    after: EndpointKey,
}

impl Listing for OfMessage<'_> {
    type Position = EndpointKey;
    type Passed = Stand;
    type Row = MessageEndpointRow;

    async fn look(
        &self,
        beyond: Option<&EndpointKey>,
        rows: usize,
    ) -> Result<Vec<SeenIn<Self>>, Failure> {
        // All that the message has, at first: in the order of endpoints the planner may look for
        // it among all attempts of the application.
        let rows = self.sql.rows(
            "WITH s AS MATERIALIZED (
                 SELECT endpoint, due, NULL::bigint AS id, NULL::smallint AS result FROM delivery
                 WHERE application = $1 AND message = $2 AND endpoint > $3
                 UNION ALL SELECT endpoint, NULL, id, result FROM attempt
                 WHERE application = $1 AND message = $2 AND endpoint > $3 AND id >= $4)
             SELECT endpoint, min(due), coalesce(bool_or(result = 0), false),
                 (array_agg(result ORDER BY id DESC) FILTER (WHERE id IS NOT NULL))[1]
             FROM s GROUP BY endpoint ORDER BY endpoint LIMIT $5",
            params![
                self.application.integer(),
                self.message.integer(),
                beyond.unwrap_or(&self.after).integer(),
                attempts::first_of(self.message).integer(),
                paging::limit(rows)
            ],
        );
        let read = |row: &Row| {
            Ok(Seen {
                position: key(row, 0)?,
                passes: stand(row)?,
            })
        };
        rows.await?.iter().map(read).collect()
    }

    async fn load(
        &self,
        passed: &[(EndpointKey, Stand)],
    ) -> Result<HashMap<EndpointKey, MessageEndpointRow>, Failure> {
        let keys = columns_of(passed, |(key, _)| *key);
        let mut loaded = endpoints::by_keys(self.sql, &keys).await?;
        let whole = passed.iter().filter_map(|(key, stand)| {
            let row = MessageEndpointRow {
                endpoint: loaded.remove(key)?,
                standing: stand.standing,
                next_attempt: stand.next_attempt,
            };
            Some((*key, row))
        });
        Ok(whole.collect())
    }
}

/// Reads, behind the first column, when the next attempt is due, whether any succeeded, and how the
/// last one ended.
fn stand(row: &Row) -> Result<Option<Stand>, Failure> {
    let due = optional_time(row, 1)?;
    let last = match get::<Option<i16>>(row, 3)? {
        Some(_) => Some(result(row, 3)?),
        None => None,
    };
    let standing = Standing::of(due.is_some(), last, get(row, 2)?);
    Ok(standing.map(|standing| Stand {
        standing,
        next_attempt: due,
    }))
}
