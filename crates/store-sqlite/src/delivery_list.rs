//! Deliveries as a list, open and ended: walks along what may pass, reads the story of each, and
//! the rest of those that do.
//!
//! What may pass comes from one or more [`Source`]s, each in the order of the list: a few seeks,
//! however much was delivered. Without such an index, the messages themselves are walked along.

mod source;

use crate::columns::{optional_name, result, tail};
use crate::failure::Failure;
use crate::messages;
use model::Timestamp;
use model::id::{ApplicationId, ApplicationKey, AttemptId, EndpointId, EndpointKey, Key};
use model::name::Name;
use rusqlite::{Connection, OptionalExtension};
use source::Sources;
use store::deliveries::{
    DeliveryPosition, DeliveryQuery, DeliveryRow, DeliveryScope, Story, Telling, Told,
};
use store::query::Walk;
use store::walking::Walking;

/// A list.
pub(crate) fn list(
    connection: &Connection,
    query: &DeliveryQuery,
) -> Result<Walk<DeliveryRow, DeliveryPosition>, Failure> {
    let mut walking = Walking::new(query.window.limit);
    let mut sources = Sources::of(connection, query)?;
    while let Some(position) = sources.next(connection, query)? {
        if !walking.looks_at(position) {
            break;
        }
        if let Some(story) = story_that_passes(connection, (query, &sources), position)?
            && let Some(row) = load(connection, position, story)?
        {
            walking.keep(row);
        }
    }
    Ok(walking.end())
}

fn story_that_passes(
    connection: &Connection,
    (query, sources): (&DeliveryQuery, &Sources),
    position: DeliveryPosition,
) -> Result<Option<Story>, Failure> {
    if !sources.are_about(position.endpoint) {
        return Ok(None);
    }
    if let Some(wanted) = &query.event_type
        && event_type(connection, position)?.as_deref() != Some(wanted.as_str())
    {
        return Ok(None);
    }
    let story = story(connection, position)?;
    Ok(story.filter(|story| query.passes(story)))
}

fn event_type(
    connection: &Connection,
    position: DeliveryPosition,
) -> Result<Option<String>, Failure> {
    let mut select = connection.prepare_cached("SELECT event_type FROM message WHERE id = ?1")?;
    let found = select.query_row([position.message.integer()], |row| row.get(0));
    Ok(found.optional()?)
}

fn story(connection: &Connection, position: DeliveryPosition) -> Result<Option<Story>, Failure> {
    let pair = [position.message.integer(), position.endpoint.integer()];
    let mut telling = Telling::default();
    let mut select = connection.prepare_cached(
        "SELECT id, status_code, result FROM attempt INDEXED BY attempt_message
         WHERE message = ?1 AND endpoint = ?2",
    )?;
    let mut rows = select.query(pair)?;
    while let Some(row) = rows.next()? {
        telling.attempt(Told {
            key: Key::from_integer(row.get(0)?),
            status_code: row.get(1)?,
            result: result(row, 2)?,
        });
    }
    let mut select = connection.prepare_cached(
        "SELECT min(due) FROM delivery INDEXED BY delivery_message
         WHERE message = ?1 AND endpoint = ?2",
    )?;
    let due: Option<i64> = select.query_row(pair, |row| row.get(0))?;
    if let Some(due) = due {
        telling.open(Timestamp::from_micros(due));
    }
    Ok(telling.end())
}

/// The rest of it, unless its application is deleted.
fn load(
    connection: &Connection,
    position: DeliveryPosition,
    story: Story,
) -> Result<Option<DeliveryRow>, Failure> {
    let Some(of) = messages::load(connection, position.message, false)? else {
        return Ok(None);
    };
    let message = of.message;
    let Some(application) = application(connection, message.application)? else {
        return Ok(None);
    };
    let Some(endpoint) = endpoint(connection, position.endpoint)? else {
        return Ok(None);
    };
    let last = match &story.last {
        Some(told) => id_of(connection, told)?,
        None => None,
    };
    Ok(Some(DeliveryRow {
        message,
        application,
        endpoint,
        story,
        last,
    }))
}

fn application(
    connection: &Connection,
    key: ApplicationKey,
) -> Result<Option<(ApplicationId, Option<Name>)>, Failure> {
    let mut select = connection
        .prepare_cached("SELECT tail, uid FROM application WHERE id = ?1 AND deleted = 0")?;
    let mut rows = select.query([key.integer()])?;
    let Some(row) = rows.next()? else {
        return Ok(None);
    };
    let id = ApplicationId::new(key, tail(row, 0)?);
    Ok(Some((id, optional_name(row, 1)?)))
}

fn endpoint(
    connection: &Connection,
    key: EndpointKey,
) -> Result<Option<(EndpointId, Option<Name>)>, Failure> {
    let mut select = connection.prepare_cached("SELECT tail, uid FROM endpoint WHERE id = ?1")?;
    let mut rows = select.query([key.integer()])?;
    let Some(row) = rows.next()? else {
        return Ok(None);
    };
    let id = EndpointId::new(key, tail(row, 0)?);
    Ok(Some((id, optional_name(row, 1)?)))
}

fn id_of(connection: &Connection, told: &Told) -> Result<Option<AttemptId>, Failure> {
    let mut select = connection.prepare_cached("SELECT tail FROM attempt WHERE id = ?1")?;
    let mut rows = select.query([told.key.integer()])?;
    let Some(row) = rows.next()? else {
        return Ok(None);
    };
    Ok(Some(AttemptId::new(told.key, tail(row, 0)?)))
}

/// The application that a list is about; `None`: all.
fn application_of(query: &DeliveryQuery) -> Option<ApplicationKey> {
    match query.scope {
        DeliveryScope::All => None,
        DeliveryScope::Application(application) => Some(application),
        DeliveryScope::Endpoint(lane) => Some(lane.application),
    }
}
