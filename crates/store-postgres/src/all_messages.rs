//! The messages of all applications as a list, for whoever follows everything that is sent. The one
//! read of messages that no application bounds: it goes along an index of its own, and as far as a
//! walk goes.

use crate::columns::{direction, key};
use crate::failure::Failure;
use crate::messages::{COLUMNS, looked_at, passes, payloads_of, read};
use crate::paging::{self, Listing, Seen, SeenIn};
use crate::sql::{Sql, columns_of, params};
use model::id::{ApplicationKey, MessageKey};
use model::message::Message;
use std::collections::HashMap;
use store::query::{AllMessagesQuery, Walk};
use store::rows::{MessageRow, Payload};
use tokio_postgres::Row;

/// A list. Only those that pass are read.
pub(crate) async fn list(
    sql: &Sql<'_>,
    query: &AllMessagesQuery,
) -> Result<Walk<MessageRow, MessageKey>, Failure> {
    paging::walk(&AllMessages { sql, query }, query.window.limit).await
}

struct AllMessages<'q> {
    sql: &'q Sql<'q>,
    query: &'q AllMessagesQuery,
}

impl Listing for AllMessages<'_> {
    type Position = MessageKey;
    type Passed = ApplicationKey;
    type Row = MessageRow;

    async fn look(
        &self,
        beyond: Option<&MessageKey>,
        rows: usize,
    ) -> Result<Vec<SeenIn<Self>>, Failure> {
        let AllMessagesQuery { window, filter, .. } = self.query;
        let looked_at = looked_at(filter);
        let statement = format!(
            "SELECT id, application, {looked_at} FROM message
             WHERE id > $1 AND id < $2 AND id + 0 > $1 AND id + 0 < $2
             ORDER BY id + 0 {} LIMIT $3",
            direction(window.ascending)
        );
        // The sum is what the index has; the key itself says which partitions are looked at.
        let (above, below) = paging::behind(window, beyond);
        let rows = self
            .sql
            .rows(&statement, params![above, below, paging::limit(rows)]);
        let seen = |row: &Row| {
            let application: ApplicationKey = key(row, 1)?;
            Ok(Seen {
                position: key(row, 0)?,
                passes: passes(filter, row, 2)?.then_some(application),
            })
        };
        rows.await?.iter().map(seen).collect()
    }

    async fn load(
        &self,
        passed: &[(MessageKey, ApplicationKey)],
    ) -> Result<HashMap<MessageKey, MessageRow>, Failure> {
        let messages = load(self.sql, passed).await?;
        let with_payload = self.query.with_payload;
        let mut payloads = match with_payload {
            false => HashMap::new(),
            true => payloads_of(self.sql, &messages).await?,
        };
        let whole = messages.into_iter().map(|message| {
            let key = message.id.key();
            let payload = match with_payload {
                false => Payload::NotRead,
                true => payloads.remove(&key).map_or(Payload::Gone, Payload::Sealed),
            };
            (key, MessageRow { message, payload })
        });
        Ok(whole.collect())
    }

    fn with_content(&self) -> bool {
        self.query.with_payload
    }

    fn content_bytes(row: &MessageRow) -> usize {
        row.payload.bytes()
    }
}

/// These messages, each by its whole key. The first and the last key say which partitions are to be
/// looked at.
pub(crate) async fn load(
    sql: &Sql<'_>,
    wanted: &[(MessageKey, ApplicationKey)],
) -> Result<Vec<Message>, Failure> {
    let keys = columns_of(wanted, |(key, _)| key.integer());
    let (Some(first), Some(last)) = (keys.iter().min(), keys.iter().max()) else {
        return Ok(Vec::new());
    };
    let (first, last) = (*first, *last);
    let statement = format!(
        "SELECT m.*, g.a FROM unnest($1, $2) AS g (a, key) CROSS JOIN LATERAL
         (SELECT {COLUMNS} FROM message WHERE application = g.a AND id = g.key
          AND id BETWEEN $3 AND $4 LIMIT 1) m"
    );
    let applications = columns_of(wanted, |(_, application)| application.integer());
    let rows = sql.rows(&statement, params![applications, keys, first, last]);
    let message = |row: &Row| read(row, key(row, 12)?);
    rows.await?.iter().map(message).collect()
}
