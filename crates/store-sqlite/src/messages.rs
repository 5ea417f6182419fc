//! Messages as rows: reading them, alone and in lists.

use crate::columns::direction;
use crate::columns::{
    name, optional_name, optional_sealed, optional_text, optional_time, tail, time, words,
};
use crate::failure::Failure;
use model::id::{ApplicationKey, MessageId, MessageKey};
use model::message::Message;
use model::name::Name;
use rusqlite::{Connection, OptionalExtension, Row, Rows, params};
use store::query::{AllMessagesQuery, MessageFilter, MessageQuery, Walk};
use store::rows::{MessageRow, Payload};
use store::walking::Walking;
use store::{MessageRef, encoding};

/// A list. Only those that pass are read.
pub(crate) fn list(
    connection: &Connection,
    query: &MessageQuery,
) -> Result<Walk<MessageRow, MessageKey>, Failure> {
    let sql = walk_sql(&query.filter, query.window.ascending);
    let mut select = connection.prepare_cached(&sql)?;
    let rows = select.query(params![
        query.application.integer(),
        query.window.above.integer(),
        query.window.below.integer()
    ])?;
    let walking = Walking::new(query.window.limit);
    walk(
        connection,
        walking,
        (rows, &query.filter, query.with_payload),
    )
}

/// A list of all applications' messages. Those that are passed over for a filter are read, too, but
/// not their payloads: the key alone tells the order.
pub(crate) fn list_all(
    connection: &Connection,
    query: &AllMessagesQuery,
) -> Result<Walk<MessageRow, MessageKey>, Failure> {
    let mut select = connection.prepare_cached(&format!(
        "SELECT id, event_type, {} FROM message NOT INDEXED WHERE id > ?1 AND id < ?2 ORDER BY id {}",
        words_of(&query.filter),
        direction(query.window.ascending)
    ))?;
    let rows = select.query(params![
        query.window.above.integer(),
        query.window.below.integer()
    ])?;
    let walking = Walking::new(query.window.limit);
    walk(
        connection,
        walking,
        (rows, &query.filter, query.with_payload),
    )
}

/// The key behind the last message, or behind background work that is newer: the writer gives all
/// keys in the order of its commits.
pub(crate) fn border(connection: &Connection) -> Result<MessageKey, Failure> {
    let mut select = connection.prepare_cached(
        "SELECT max(coalesce((SELECT max(id) FROM message), 0),
                    coalesce((SELECT max(id) FROM task), 0))",
    )?;
    let last: i64 = select.query_row([], |row| row.get(0))?;
    Ok(MessageKey::from_integer(last.saturating_add(1)))
}

/// Walks along rows of key, and what [`passes`] looks at.
fn walk(
    connection: &Connection,
    mut walking: Walking<MessageRow, MessageKey>,
    (mut rows, filter, with_payload): (Rows<'_>, &MessageFilter, bool),
) -> Result<Walk<MessageRow, MessageKey>, Failure> {
    while let Some(row) = rows.next()? {
        let key = MessageKey::from_integer(row.get(0)?);
        if !walking.looks_at(key) {
            break;
        }
        if !passes(filter, row, 1)? {
            continue;
        }
        if let Some(found) = load(connection, key, with_payload)? {
            let bytes = found.payload.bytes();
            walking.keep_with_content(found, bytes);
        }
    }
    Ok(walking.end())
}

/// The statement that walks along an application's messages: key, and what [`passes`] looks at.
/// The index tells the type; the rows themselves are read only for channels and tags.
pub(crate) fn walk_sql(filter: &MessageFilter, ascending: bool) -> String {
    format!(
        "SELECT id, event_type, {} FROM message INDEXED BY message_application
         WHERE application = ?1 AND id > ?2 AND id < ?3 ORDER BY id {}",
        words_of(filter),
        direction(ascending)
    )
}

/// The columns of channels and tags, if they decide.
fn words_of(filter: &MessageFilter) -> &'static str {
    match (&filter.channels, &filter.tag) {
        (None, None) => "NULL, NULL",
        _ => "channels, tags",
    }
}

/// Whether a row passes that has type, channels and tags in the columns from `first` on.
pub(crate) fn passes(filter: &MessageFilter, row: &Row<'_>, first: usize) -> Result<bool, Failure> {
    let text = |column| Ok::<_, Failure>(optional_text(row, column)?.unwrap_or_default());
    Ok(filter.passes(text(first)?, text(first + 1)?, text(first + 2)?))
}

/// One message of an application with its payload.
pub(crate) fn named(
    connection: &Connection,
    application: ApplicationKey,
    message: &MessageRef,
) -> Result<Option<MessageRow>, Failure> {
    let key = match message {
        MessageRef::Id(id) => Some(id.key()),
        MessageRef::EventId(event_id) => by_event_id(connection, application, event_id)?,
    };
    let Some(key) = key else {
        return Ok(None);
    };
    let found = load(connection, key, true)?;
    Ok(found.filter(|found| {
        let right = match message {
            MessageRef::Id(id) => found.message.id == *id,
            MessageRef::EventId(_) => true,
        };
        right && found.message.application == application
    }))
}

/// The message with this key.
pub(crate) fn load(
    connection: &Connection,
    key: MessageKey,
    with_payload: bool,
) -> Result<Option<MessageRow>, Failure> {
    let sql = if with_payload {
        "SELECT tail, application, event_type, event_id, channels, tags, deliver_at, expires_at,
         form, content_type, hops, trace, payload FROM message WHERE id = ?1"
    } else {
        "SELECT tail, application, event_type, event_id, channels, tags, deliver_at, expires_at,
         form, content_type, hops, trace FROM message WHERE id = ?1"
    };
    let mut select = connection.prepare_cached(sql)?;
    let mut rows = select.query([key.integer()])?;
    let Some(row) = rows.next()? else {
        return Ok(None);
    };
    let payload = match with_payload {
        false => Payload::NotRead,
        true => optional_sealed(row, 12)?.map_or(Payload::Gone, Payload::Sealed),
    };
    let message = read(row, key)?;
    Ok(Some(MessageRow { message, payload }))
}

/// Whether a message has its payload.
pub(crate) fn has_payload(connection: &Connection, key: MessageKey) -> Result<bool, Failure> {
    let mut select =
        connection.prepare_cached("SELECT 1 FROM message WHERE id = ?1 AND payload IS NOT NULL")?;
    Ok(select.exists([key.integer()])?)
}

fn by_event_id(
    connection: &Connection,
    application: ApplicationKey,
    event_id: &Name,
) -> Result<Option<MessageKey>, Failure> {
    let mut select = connection
        .prepare_cached("SELECT message FROM event_key WHERE application = ?1 AND event_id = ?2")?;
    let key = select.query_row(params![application.integer(), event_id.as_str()], |row| {
        row.get(0).map(MessageKey::from_integer)
    });
    Ok(key.optional()?)
}

fn read(row: &Row<'_>, key: MessageKey) -> Result<Message, Failure> {
    let form = encoding::form(row.get(8)?, row.get(9)?);
    let form = form.ok_or_else(|| Failure::unreadable("message.form"))?;
    let hops = encoding::hops(row.get(10)?);
    let trace: Option<Vec<u8>> = row.get(11)?;
    let trace = encoding::trace(trace.as_deref());
    Ok(Message {
        id: MessageId::new(key, tail(row, 0)?),
        application: ApplicationKey::from_integer(row.get(1)?),
        event_type: name(row, 2)?,
        event_id: optional_name(row, 3)?,
        channels: words(row, 4)?,
        tags: words(row, 5)?,
        deliver_at: optional_time(row, 6)?,
        hops: hops.ok_or_else(|| Failure::unreadable("message.hops"))?,
        trace: trace.ok_or_else(|| Failure::unreadable("message.trace"))?,
        expires_at: time(row, 7)?,
        form,
    })
}
