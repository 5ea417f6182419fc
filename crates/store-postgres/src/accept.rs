//! Accepting messages. What was there before is read at once for all items; then they are judged in
//! their order, in memory, and nothing is written of one that is refused. What another node writes
//! in between is a conflict, and all is done again.

use crate::batch::Batch;
use crate::columns::{get, name};
use crate::deliveries;
use crate::failure::Failure;
use crate::sql::{Sql, params};
use crate::work;
use model::delivery::{Delivery, Trigger};
use model::id::{ApplicationKey, DeliveryKey, MessageId, MessageKey, TaskKey};
use model::name::Name;
use std::collections::{HashMap, HashSet};
use store::Hold;
use store::accept::{Accept, AcceptError, Accepted};
use store::idempotency::{Fingerprint, Made, Prior};
use store::work::Work;

type Answer = Result<Accepted, AcceptError>;

/// What is known when items are judged.
struct Known {
    priors: HashMap<Fingerprint, Prior>,
    event_ids: HashSet<(ApplicationKey, Name)>,
}

/// The answers when nothing was committed.
pub(crate) fn refuse(items: usize, failure: &Failure) -> Vec<Answer> {
    let refusal = || Err(AcceptError::Store(failure.to_store_error()));
    std::iter::repeat_with(refusal).take(items).collect()
}

/// Reads what items are judged by.
async fn read(batch: &mut Batch<'_>, items: &[&Accept]) -> Result<Known, Failure> {
    let applications = items.iter().map(|item| item.application);
    batch.read_revisions(applications).await?;
    let keys = items.iter().filter_map(|item| item.idempotency.as_ref());
    let (priors, event_ids) =
        tokio::try_join!(batch.priors(keys), taken_event_ids(batch.sql, items))?;
    Ok(Known { priors, event_ids })
}

/// Accepts messages, each with its own answer.
pub(crate) async fn accept(
    batch: &mut Batch<'_>,
    items: &[&Accept],
) -> Result<Vec<Answer>, Failure> {
    if items.is_empty() {
        return Ok(Vec::new());
    }
    let mut known = read(batch, items).await?;
    let mut answers = Vec::with_capacity(items.len());
    for item in items {
        answers.push(match refusal(batch, &known, item).await? {
            Some(answer) => answer,
            None => Ok(accept_one(batch, &mut known, item)),
        });
    }
    Ok(answers)
}

/// The answer to an item that is not accepted anew.
async fn refusal(
    batch: &mut Batch<'_>,
    known: &Known,
    item: &Accept,
) -> Result<Option<Answer>, Failure> {
    if let Some(key) = &item.idempotency
        && let Some(prior) = known.priors.get(&key.fingerprint)
    {
        return Ok(Some(match prior.body == key.body {
            true => Ok(Accepted::Repeated(*prior)),
            false => Err(AcceptError::KeyReused),
        }));
    }
    match batch.revision(item.application).await? {
        None => return Ok(Some(Err(AcceptError::NoApplication))),
        Some(revision) if revision != item.registry_revision => {
            return Ok(Some(Err(AcceptError::StaleRegistry)));
        }
        Some(_) => {}
    }
    let taken = |event_id: &Name| {
        known
            .event_ids
            .contains(&(item.application, event_id.clone()))
    };
    if item.message.event_id.as_ref().is_some_and(taken) {
        return Ok(Some(Err(AcceptError::EventIdTaken)));
    }
    Ok(None)
}

fn accept_one(batch: &mut Batch<'_>, known: &mut Known, item: &Accept) -> Accepted {
    // The message's key is the last, as every store gives them.
    let keys: Vec<DeliveryKey> = item.deliveries.iter().map(|_| batch.key()).collect();
    let task: Option<TaskKey> = item.fan_out_after.map(|_| batch.key());
    let key: MessageKey = batch.key();
    let id = MessageId::new(key, item.message.tail);
    let message = item.message.clone();
    if let Some(event_id) = &message.event_id {
        known.event_ids.insert((item.application, event_id.clone()));
    }
    batch.pending.messages.push((item.application, id, message));
    let deliveries = open_deliveries(batch, item, (key, &keys));
    if let (Some(task), Some(after)) = (task, item.fan_out_after) {
        let work = Work::FanOut {
            message: key,
            after,
            registry_revision: item.registry_revision,
        };
        work::write(batch, task, (item.application, &work));
    }
    if let Some(idempotency) = &item.idempotency {
        let made = Made {
            key: key.integer(),
            tail: id.tail(),
        };
        let prior = batch.remember(idempotency, made);
        known.priors.insert(idempotency.fingerprint, prior);
    }
    Accepted::New {
        id,
        deliveries,
        fan_out: task.is_some(),
    }
}

fn open_deliveries(
    batch: &mut Batch<'_>,
    item: &Accept,
    (message, keys): (MessageKey, &[DeliveryKey]),
) -> Vec<(DeliveryKey, Option<Hold>)> {
    let opened: Vec<(Delivery, bool)> = item
        .deliveries
        .iter()
        .zip(keys)
        .map(|(new, key)| {
            let delivery = Delivery {
                key: *key,
                application: item.application,
                endpoint: new.endpoint,
                message,
                trigger: Trigger::Scheduled,
                attempts: 0,
                due: new.due,
            };
            (delivery, new.owned)
        })
        .collect();
    let holds = deliveries::open(batch, &opened);
    keys.iter().copied().zip(holds).collect()
}

/// Those of the items' event ids that are taken.
async fn taken_event_ids(
    sql: &Sql<'_>,
    items: &[&Accept],
) -> Result<HashSet<(ApplicationKey, Name)>, Failure> {
    let (mut applications, mut event_ids) = (Vec::new(), Vec::new());
    for item in items {
        if let Some(event_id) = &item.message.event_id {
            applications.push(item.application.integer());
            event_ids.push(event_id.as_str());
        }
    }
    if event_ids.is_empty() {
        return Ok(HashSet::new());
    }
    let rows = sql.rows(
        "SELECT k.* FROM unnest($1, $2) AS g (a, e) CROSS JOIN LATERAL
         (SELECT application, event_id FROM event_key
          WHERE application = g.a AND event_id = g.e LIMIT 1) AS k",
        params![applications, event_ids],
    );
    let rows = rows.await?;
    rows.iter()
        .map(|row| Ok((ApplicationKey::from_integer(get(row, 0)?), name(row, 1)?)))
        .collect()
}
