//! Open deliveries and attempts as rows: writing them, for all who do: accepting, recording,
//! background work and the sweep.

use crate::batch::Batch;
use crate::columns::trigger;
use crate::failure::Failure;
use crate::observed;
use model::Timestamp;
use model::attempt::AttemptResult;
use model::delivery::{Class, Delivery, EndReason, Trigger};
use model::id::{ApplicationKey, AttemptId, DeliveryKey, EndpointKey, MessageKey, Tail};
use model::name::Name;
use rusqlite::{Connection, OptionalExtension, Row, params};
use store::encoding::{class_number, result_number, trigger_number};
use store::record::Observed;

/// The columns that [`read`] reads.
pub(crate) const COLUMNS: &str = "id, application, endpoint, message, trigger, attempts, due";

const INSERT: &str = "INSERT INTO delivery
    (endpoint, class, due, id, application, message, trigger, attempts)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
const DELETE: &str = "DELETE FROM delivery
    WHERE endpoint = ?1 AND class = ?2 AND due = ?3 AND id = ?4 AND attempts = ?5";
const INSERT_ATTEMPT: &str = "INSERT INTO attempt (id, tail, message, endpoint, trigger, number,
    started_at, duration_ms, status_code, result, revision, given_up, phases, chain)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)";

/// An open delivery.
pub(crate) fn read(row: &Row<'_>) -> Result<Delivery, Failure> {
    Ok(Delivery {
        key: DeliveryKey::from_integer(row.get(0)?),
        application: ApplicationKey::from_integer(row.get(1)?),
        endpoint: EndpointKey::from_integer(row.get(2)?),
        message: MessageKey::from_integer(row.get(3)?),
        trigger: trigger(row, 4)?,
        attempts: row.get(5)?,
        due: Timestamp::from_micros(row.get(6)?),
    })
}

/// Opens a delivery.
pub(crate) fn open(batch: &mut Batch<'_>, delivery: &Delivery) -> Result<(), Failure> {
    batch.statement(INSERT)?.execute(params![
        delivery.endpoint.integer(),
        class_number(delivery.trigger.class()),
        delivery.due.micros(),
        delivery.key.integer(),
        delivery.application.integer(),
        delivery.message.integer(),
        trigger_number(delivery.trigger),
        delivery.attempts,
    ])?;
    batch.counts.open(delivery.endpoint, delivery.attempts, 1);
    Ok(())
}

/// Closes a delivery. False: it is not there as it was when it was read.
pub(crate) fn close(batch: &mut Batch<'_>, delivery: &Delivery) -> Result<bool, Failure> {
    let deleted = batch.statement(DELETE)?.execute(params![
        delivery.endpoint.integer(),
        class_number(delivery.trigger.class()),
        delivery.due.micros(),
        delivery.key.integer(),
        delivery.attempts,
    ])?;
    if deleted == 1 {
        batch.counts.open(delivery.endpoint, delivery.attempts, -1);
    }
    Ok(deleted == 1)
}

/// Counts an attempt and sets when the next one is due. False: it is not there as it was when it
/// was read.
pub(crate) fn reschedule(
    batch: &mut Batch<'_>,
    delivery: &Delivery,
    due: Timestamp,
) -> Result<bool, Failure> {
    let mut update = batch.connection.prepare_cached(
        "UPDATE delivery SET due = ?6, attempts = attempts + 1
         WHERE endpoint = ?1 AND class = ?2 AND due = ?3 AND id = ?4 AND attempts = ?5",
    )?;
    let updated = update.execute(params![
        delivery.endpoint.integer(),
        class_number(delivery.trigger.class()),
        delivery.due.micros(),
        delivery.key.integer(),
        delivery.attempts,
        due.micros(),
    ])?;
    if updated == 1 {
        batch.counts.open(delivery.endpoint, delivery.attempts, -1);
        batch
            .counts
            .open(delivery.endpoint, delivery.attempts.saturating_add(1), 1);
    }
    Ok(updated == 1)
}

/// Whether a delivery is there as it was when it was read.
pub(crate) fn is_open(connection: &Connection, delivery: &Delivery) -> Result<bool, Failure> {
    let mut select = connection.prepare_cached(
        "SELECT 1 FROM delivery
         WHERE endpoint = ?1 AND class = ?2 AND due = ?3 AND id = ?4 AND attempts = ?5",
    )?;
    Ok(select.exists(params![
        delivery.endpoint.integer(),
        class_number(delivery.trigger.class()),
        delivery.due.micros(),
        delivery.key.integer(),
        delivery.attempts,
    ])?)
}

/// When the earliest of a lane is due, of either class.
pub(crate) fn first_due(
    connection: &Connection,
    endpoint: EndpointKey,
) -> Result<Option<Timestamp>, Failure> {
    let mut select = connection
        .prepare_cached("SELECT min(due) FROM delivery WHERE endpoint = ?1 AND class = ?2")?;
    let mut first = None;
    for class in [Class::Live, Class::Replayed] {
        let params = params![endpoint.integer(), class_number(class)];
        let due: Option<i64> = select.query_row(params, |row| row.get(0))?;
        first = first.into_iter().chain(due).min();
    }
    Ok(first.map(Timestamp::from_micros))
}

/// The open deliveries of a message, to one endpoint or to all.
pub(crate) fn open_of(
    connection: &Connection,
    message: MessageKey,
    endpoint: Option<EndpointKey>,
) -> Result<Vec<Delivery>, Failure> {
    let (low, high) = match endpoint {
        Some(only) => (only, only),
        None => (EndpointKey::MIN, EndpointKey::MAX),
    };
    let sql = format!(
        "SELECT {COLUMNS} FROM delivery INDEXED BY delivery_message
         WHERE message = ?1 AND endpoint BETWEEN ?2 AND ?3"
    );
    let mut select = connection.prepare_cached(&sql)?;
    let mut rows = select.query([message.integer(), low.integer(), high.integer()])?;
    let mut deliveries = Vec::new();
    while let Some(row) = rows.next()? {
        deliveries.push(read(row)?);
    }
    Ok(deliveries)
}

/// An attempt to write.
pub(crate) struct Written<'a> {
    pub(crate) delivery: &'a Delivery,
    pub(crate) event_type: &'a Name,
    pub(crate) tail: Tail,
    pub(crate) number: u16,
    pub(crate) started_at: Timestamp,
    pub(crate) duration_ms: u32,
    pub(crate) status_code: u16,
    pub(crate) result: AttemptResult,
    pub(crate) revision: u32,
    /// It is the last of its delivery, without success.
    pub(crate) given_up: bool,
    /// Of its request, where there was one.
    pub(crate) observed: Option<&'a Observed>,
}

/// Writes an attempt and counts it.
pub(crate) fn write_attempt(
    batch: &mut Batch<'_>,
    written: &Written<'_>,
) -> Result<AttemptId, Failure> {
    let id = AttemptId::new(batch.lasting_key(), written.tail);
    let delivery = written.delivery;
    let phases = written.observed.map(|observed| observed.phases.to_stored());
    let chain = written
        .observed
        .and_then(|observed| observed.chain.as_ref());
    batch.statement(INSERT_ATTEMPT)?.execute(params![
        id.key().integer(),
        written.tail,
        delivery.message.integer(),
        delivery.endpoint.integer(),
        trigger_number(delivery.trigger),
        written.number,
        written.started_at.micros(),
        written.duration_ms,
        written.status_code,
        result_number(written.result),
        written.revision,
        written.given_up,
        phases.filter(|phases| !phases.is_empty()),
        chain.map(|chain| chain.key),
    ])?;
    if let Some(chain) = chain {
        observed::keep_chain(batch, (id.key(), chain))?;
    }
    batch.counts.attempt(
        id.key(),
        delivery.endpoint,
        written.event_type,
        written.result,
    );
    Ok(id)
}

/// Ends an open delivery without an attempt having the last word, and keeps that as an attempt.
pub(crate) fn end(
    batch: &mut Batch<'_>,
    delivery: &Delivery,
    reason: EndReason,
) -> Result<(), Failure> {
    let connection = batch.connection;
    if !close(batch, delivery)? {
        return Ok(());
    }
    let written = Written {
        delivery,
        event_type: &event_type_of(connection, delivery.message)?,
        tail: batch.tail(),
        number: delivery.attempts.saturating_add(1),
        started_at: batch.now,
        duration_ms: 0,
        status_code: 0,
        result: AttemptResult::Cancelled(reason),
        revision: revision_of(connection, delivery.endpoint)?,
        given_up: true,
        observed: None,
    };
    write_attempt(batch, &written).map(drop)
}

/// Something was sent by hand with success: what was given up before no longer is.
pub(crate) fn not_given_up(
    connection: &Connection,
    message: MessageKey,
    endpoint: EndpointKey,
) -> Result<(), Failure> {
    connection
        .prepare_cached(
            "UPDATE attempt INDEXED BY attempt_given_up SET given_up = 0
             WHERE message = ?1 AND endpoint = ?2 AND given_up = 1",
        )?
        .execute([message.integer(), endpoint.integer()])?;
    Ok(())
}

/// A delivery of a message that is there, to open at once.
pub(crate) fn due_now(
    batch: &mut Batch<'_>,
    (application, endpoint, message): (ApplicationKey, EndpointKey, MessageKey),
    trigger: Trigger,
) -> Delivery {
    Delivery {
        key: batch.key(),
        application,
        endpoint,
        message,
        trigger,
        attempts: 0,
        due: batch.now,
    }
}

fn event_type_of(connection: &Connection, message: MessageKey) -> Result<Name, Failure> {
    let mut select = connection.prepare_cached("SELECT event_type FROM message WHERE id = ?1")?;
    let mut rows = select.query([message.integer()])?;
    let row = rows.next()?;
    let row = row.ok_or_else(|| Failure::Unreadable("a delivery has no message".to_owned()))?;
    crate::columns::name(row, 0)
}

fn revision_of(connection: &Connection, endpoint: EndpointKey) -> Result<u32, Failure> {
    let mut select = connection.prepare_cached("SELECT revision FROM endpoint WHERE id = ?1")?;
    let revision = select.query_row([endpoint.integer()], |row| row.get(0));
    Ok(revision.optional()?.unwrap_or_default())
}
