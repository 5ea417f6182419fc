//! Messages as rows: reading them, alone and in lists.
//!
//! Keys are looked up one by one, within one statement: each in the only partition that can hold
//! it, and its payload in that of its expiry. A plain join leaves it to the planner's statistics,
//! which a new partition has none of, whether all rows of an application are read instead.

use crate::columns::{
    direction, get, key, name, number, optional_name, optional_sealed, optional_time, tail, time,
    words,
};
use crate::failure::Failure;
use crate::paging::{self, Listing, Seen, SeenIn};
use crate::sql::{Sql, columns_of, params};
use model::id::{ApplicationKey, MessageId, MessageKey};
use model::message::Message;
use model::name::Name;
use std::collections::HashMap;
use store::query::{MessageFilter, MessageQuery, Walk, Window};
use store::rows::{MessageRow, Payload};
use store::{MessageRef, Sealed, encoding};
use tokio_postgres::Row;

pub(crate) const COLUMNS: &str =
    "id, tail, event_type, event_id, channels, tags, deliver_at, expires_at, form,
    content_type, hops, trace";

/// A list. Only those that pass are read.
pub(crate) async fn list(
    sql: &Sql<'_>,
    query: &MessageQuery,
) -> Result<Walk<MessageRow, MessageKey>, Failure> {
    paging::walk(&Messages { sql, query }, query.window.limit).await
}

struct Messages<'q> {
    sql: &'q Sql<'q>,
    query: &'q MessageQuery,
}

impl Listing for Messages<'_> {
    type Position = MessageKey;
    type Passed = ();
    type Row = MessageRow;

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
        look(self.sql, of, beyond, rows).await
    }

    async fn load(
        &self,
        passed: &[(MessageKey, ())],
    ) -> Result<HashMap<MessageKey, MessageRow>, Failure> {
        let keys = columns_of(passed, |(key, ())| *key);
        load_many(
            self.sql,
            self.query.application,
            &keys,
            self.query.with_payload,
        )
        .await
    }

    fn with_content(&self) -> bool {
        self.query.with_payload
    }

    fn content_bytes(row: &MessageRow) -> usize {
        row.payload.bytes()
    }
}

/// Which messages are looked at.
pub(crate) struct Of<'q> {
    pub(crate) application: ApplicationKey,
    pub(crate) window: &'q Window<model::id::MessageKind>,
    pub(crate) filter: &'q MessageFilter,
}

/// What [`passes`] looks at. Without a filter nothing, so that the index tells all.
pub(crate) fn looked_at(filter: &MessageFilter) -> &'static str {
    match *filter == MessageFilter::default() {
        true => "NULL, NULL, NULL",
        false => "event_type, channels, tags",
    }
}

/// Walks along an application's messages.
pub(crate) async fn look(
    sql: &Sql<'_>,
    of: Of<'_>,
    beyond: Option<&MessageKey>,
    rows: usize,
) -> Result<Vec<Seen<MessageKey, ()>>, Failure> {
    let looked_at = looked_at(of.filter);
    let statement = format!(
        "SELECT id, {looked_at} FROM message
         WHERE application = $1 AND id > $2 AND id < $3 ORDER BY id {} LIMIT $4",
        direction(of.window.ascending)
    );
    let (above, below) = paging::behind(of.window, beyond);
    let limit = paging::limit(rows);
    let params = params![of.application.integer(), above, below, limit];
    let read = |row: &Row| {
        Ok(Seen {
            position: key(row, 0)?,
            passes: passes(of.filter, row, 1)?.then_some(()),
        })
    };
    sql.rows(&statement, params)
        .await?
        .iter()
        .map(read)
        .collect()
}

/// Whether a row passes that has type, channels and tags in the columns from `first` on.
pub(crate) fn passes(filter: &MessageFilter, row: &Row, first: usize) -> Result<bool, Failure> {
    let text = |column| Ok::<_, Failure>(get::<Option<&str>>(row, column)?.unwrap_or_default());
    Ok(filter.passes(text(first)?, text(first + 1)?, text(first + 2)?))
}

/// One message of an application with its payload.
pub(crate) async fn named(
    sql: &Sql<'_>,
    application: ApplicationKey,
    message: &MessageRef,
) -> Result<Option<MessageRow>, Failure> {
    match message {
        MessageRef::Id(id) => {
            let found = load(sql, application, id.key(), true).await?;
            Ok(found.filter(|found| found.message.id == *id))
        }
        MessageRef::EventId(event_id) => match by_event_id(sql, application, event_id).await? {
            Some(key) => load(sql, application, key, true).await,
            None => Ok(None),
        },
    }
}

/// The message with this key, of this application.
pub(crate) async fn load(
    sql: &Sql<'_>,
    application: ApplicationKey,
    key: MessageKey,
    with_payload: bool,
) -> Result<Option<MessageRow>, Failure> {
    let mut found = load_many(sql, application, &[key], with_payload).await?;
    Ok(found.remove(&key))
}

/// The messages with these keys, of this application. Keys and expiries also say which partitions
/// are to be looked at, of which there may be a hundred.
pub(crate) async fn load_many(
    sql: &Sql<'_>,
    application: ApplicationKey,
    keys: &[MessageKey],
    with_payload: bool,
) -> Result<HashMap<MessageKey, MessageRow>, Failure> {
    let mut keys = columns_of(keys, |key| key.integer());
    keys.sort_unstable();
    keys.dedup();
    let (Some(first), Some(last)) = (keys.first().copied(), keys.last().copied()) else {
        return Ok(HashMap::new());
    };
    let statement = format!(
        "SELECT m.* FROM unnest($2) AS g (key) CROSS JOIN LATERAL
         (SELECT {COLUMNS} FROM message WHERE application = $1 AND id = g.key
          AND id BETWEEN $3 AND $4 LIMIT 1) m"
    );
    let rows = sql.rows(
        &statement,
        params![application.integer(), keys, first, last],
    );
    let rows = rows.await?;
    let messages = rows.iter().map(|row| read(row, application));
    let messages: Vec<Message> = messages.collect::<Result<_, _>>()?;
    let mut payloads = match with_payload {
        false => HashMap::new(),
        true => payloads_of(sql, &messages).await?,
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

/// Those that are there. Apart from their messages: as a part of that statement, it would be
/// planned, and begun, for each partition of messages with each one of payloads.
pub(crate) async fn payloads_of(
    sql: &Sql<'_>,
    messages: &[Message],
) -> Result<HashMap<MessageKey, Sealed>, Failure> {
    let expiries = columns_of(messages, |one| one.expires_at.micros());
    let (Some(first), Some(last)) = (expiries.iter().min(), expiries.iter().max()) else {
        return Ok(HashMap::new());
    };
    let (first, last) = (*first, *last);
    let rows = sql.rows(
        "SELECT g.m, found.body FROM unnest($1, $2, $3) AS g (a, m, e) CROSS JOIN LATERAL
         (SELECT body FROM payload p WHERE p.application = g.a AND p.message = g.m
          AND p.expires_at = g.e AND p.expires_at BETWEEN $4 AND $5 LIMIT 1) AS found",
        params![
            columns_of(messages, |one| one.application.integer()),
            columns_of(messages, |one| one.id.key().integer()),
            expiries,
            first,
            last
        ],
    );
    let mut found = HashMap::new();
    for row in rows.await? {
        if let Some(body) = optional_sealed(&row, 1)? {
            found.insert(key(&row, 0)?, body);
        }
    }
    Ok(found)
}

async fn by_event_id(
    sql: &Sql<'_>,
    application: ApplicationKey,
    event_id: &Name,
) -> Result<Option<MessageKey>, Failure> {
    let row = sql.row(
        "SELECT message FROM event_key WHERE application = $1 AND event_id = $2",
        params![application.integer(), event_id.as_str()],
    );
    row.await?.map(|row| key(&row, 0)).transpose()
}

/// A message of this application whose columns are [`COLUMNS`].
pub(crate) fn read(row: &Row, application: ApplicationKey) -> Result<Message, Failure> {
    let form = encoding::form(number(row, 8)?, get(row, 9)?);
    let hops = encoding::hops(get::<Option<i16>>(row, 10)?.map(i64::from));
    let trace = encoding::trace(get::<Option<&[u8]>>(row, 11)?);
    Ok(Message {
        id: MessageId::new(key(row, 0)?, tail(row, 1)?),
        application,
        event_type: name(row, 2)?,
        event_id: optional_name(row, 3)?,
        channels: words(row, 4)?,
        tags: words(row, 5)?,
        deliver_at: optional_time(row, 6)?,
        hops: hops.ok_or_else(|| Failure::unreadable("message.hops"))?,
        trace: trace.ok_or_else(|| Failure::unreadable("message.trace"))?,
        expires_at: time(row, 7)?,
        form: form.ok_or_else(|| Failure::unreadable("message.form"))?,
    })
}
