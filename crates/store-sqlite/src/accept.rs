//! Accepting messages. An item is checked before anything of it is written, so that a refused one
//! leaves nothing behind and needs no savepoint.

use crate::batch::Batch;
use crate::deliveries;
use crate::failure::Failure;
use crate::{idempotency, replays, work};
use model::delivery::{Delivery, Trigger};
use model::id::{DeliveryKey, MessageId, MessageKey, TaskKey};
use rusqlite::params;
use store::Hold;
use store::accept::{Accept, AcceptError, Accepted};
use store::encoding::{form_number, hops_number, join_some, trace_bytes};
use store::idempotency::Made;
use store::work::Work;

const INSERT_EVENT_KEY: &str =
    "INSERT OR IGNORE INTO event_key (application, event_id, message) VALUES (?1, ?2, ?3)";
const INSERT_MESSAGE: &str = "INSERT INTO message (id, tail, application, event_type, event_id,
    channels, tags, deliver_at, expires_at, form, content_type, hops, trace,
    payload) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)";

type Answer = Result<Accepted, AcceptError>;

/// The answers when nothing was committed.
pub(crate) fn refuse(items: usize, failure: &Failure) -> Vec<Answer> {
    let refusal = || Err(AcceptError::Store(failure.to_store_error()));
    std::iter::repeat_with(refusal).take(items).collect()
}

/// Accepts messages, each with its own answer.
pub(crate) fn accept(batch: &mut Batch<'_>, items: &[Accept]) -> Result<Vec<Answer>, Failure> {
    items.iter().map(|item| accept_one(batch, item)).collect()
}

fn accept_one(batch: &mut Batch<'_>, item: &Accept) -> Result<Answer, Failure> {
    if let Some(key) = &item.idempotency
        && let Some(prior) = idempotency::prior(batch, key)?
    {
        return Ok(match prior.body == key.body {
            true => Ok(Accepted::Repeated(prior)),
            false => Err(AcceptError::KeyReused),
        });
    }
    if let Some(entry) = &item.replay
        && let Some(seen) = replays::look_up(batch, entry)?
    {
        return Ok(Ok(Accepted::Seen(seen)));
    }
    match batch.revision(item.application)? {
        None => return Ok(Err(AcceptError::NoApplication)),
        Some(revision) if revision != item.registry_revision => {
            return Ok(Err(AcceptError::StaleRegistry));
        }
        Some(_) => {}
    }
    // The message's key is the last: it stays, and tells where the sequence was.
    let keys: Vec<DeliveryKey> = item.deliveries.iter().map(|_| batch.key()).collect();
    let task: Option<TaskKey> = item.fan_out_after.map(|_| batch.key());
    let key = batch.lasting_key();
    if !take_event_id(batch, item, key)? {
        return Ok(Err(AcceptError::EventIdTaken));
    }
    let id = MessageId::new(key, item.message.tail);
    write_message(batch, item, id)?;
    let deliveries = open_deliveries(batch, item, (key, &keys))?;
    if let (Some(task), Some(after)) = (task, item.fan_out_after) {
        let work = Work::FanOut {
            message: key,
            after,
            registry_revision: item.registry_revision,
            proved_only: item.proved_only,
        };
        work::write(batch, task, (item.application, &work))?;
    }
    if let Some(entry) = &item.replay {
        replays::write(batch, entry, id)?;
    }
    if let Some(key) = &item.idempotency {
        let made = Made {
            key: id.key().integer(),
            tail: id.tail(),
        };
        idempotency::remember(batch, key, (made, made.key))?;
    }
    Ok(Ok(Accepted::New {
        id,
        deliveries,
        fan_out: task.is_some(),
    }))
}

/// False: another message of the application has the event id.
fn take_event_id(batch: &mut Batch<'_>, item: &Accept, key: MessageKey) -> Result<bool, Failure> {
    let Some(event_id) = &item.message.event_id else {
        return Ok(true);
    };
    let application = item.application.integer();
    let inserted = batch.statement(INSERT_EVENT_KEY)?.execute(params![
        application,
        event_id.as_str(),
        key.integer()
    ])?;
    Ok(inserted == 1)
}

fn write_message(batch: &mut Batch<'_>, item: &Accept, id: MessageId) -> Result<(), Failure> {
    let message = &item.message;
    let (form, content_type) = form_number(&message.form);
    batch.statement(INSERT_MESSAGE)?.execute(params![
        id.key().integer(),
        id.tail(),
        item.application.integer(),
        message.event_type.as_str(),
        message.event_id.as_ref().map(|event_id| event_id.as_str()),
        join_some(&message.channels),
        join_some(&message.tags),
        message.deliver_at.map(|at| at.micros()),
        message.expires_at.micros(),
        form,
        content_type,
        hops_number(message.hops),
        trace_bytes(message.trace.as_ref()),
        &message.payload[..],
    ])?;
    Ok(())
}

fn open_deliveries(
    batch: &mut Batch<'_>,
    item: &Accept,
    (message, keys): (MessageKey, &[DeliveryKey]),
) -> Result<Vec<(DeliveryKey, Option<Hold>)>, Failure> {
    let mut opened = Vec::with_capacity(keys.len());
    for (new, &key) in item.deliveries.iter().zip(keys) {
        let delivery = Delivery {
            key,
            application: item.application,
            endpoint: new.endpoint,
            message,
            trigger: Trigger::Scheduled,
            attempts: 0,
            due: new.due,
        };
        deliveries::open(batch, &delivery)?;
        // Held before the commit lets a claim see it.
        let hold = match new.owned {
            true => batch.owned.hold(new.endpoint, key),
            false => None,
        };
        opened.push((key, hold));
    }
    Ok(opened)
}
