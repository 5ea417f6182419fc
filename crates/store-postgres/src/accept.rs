//! Accepting messages. What was there before is read at once for all items; then they are judged in
//! their order, in memory, and nothing is written of one that is refused. What another node writes
//! in between is a conflict, and all is done again.

use crate::batch::{Batch, find_priors};
use crate::columns::{get, key, name, number};
use crate::deliveries;
use crate::failure::Failure;
use crate::replays::{self, Replays};
use crate::sql::{Sql, params};
use crate::work;
use model::Timestamp;
use model::delivery::{Delivery, Trigger};
use model::id::{ApplicationKey, DeliveryKey, MessageId, MessageKey, TaskKey};
use model::name::Name;
use std::collections::{BTreeSet, HashMap, HashSet};
use store::Hold;
use store::accept::{Accept, AcceptError, Accepted};
use store::idempotency::{Fingerprint, Made, Prior};
use store::work::Work;

type Answer = Result<Accepted, AcceptError>;

/// What is known when items are judged.
#[derive(Default)]
pub(crate) struct Known {
    /// Of live applications.
    revisions: HashMap<ApplicationKey, u64>,
    priors: HashMap<Fingerprint, Prior>,
    event_ids: HashSet<(ApplicationKey, Name)>,
    replays: Replays,
}

/// The answers when nothing was committed.
pub(crate) fn refuse(items: usize, failure: &Failure) -> Vec<Answer> {
    let refusal = || Err(AcceptError::Store(failure.to_store_error()));
    std::iter::repeat_with(refusal).take(items).collect()
}

/// Reads what items are judged by.
pub(crate) async fn read(
    sql: &Sql<'_>,
    now: Timestamp,
    items: &[&Accept],
) -> Result<Known, Failure> {
    if items.is_empty() {
        return Ok(Known::default());
    }
    let keys = items.iter().filter_map(|item| item.idempotency.as_ref());
    let wanted = keys.map(|key| (&key.fingerprint, key.life)).collect();
    let (revisions, priors, event_ids, replays) = tokio::try_join!(
        biased;
        revisions(sql, items),
        find_priors(sql, wanted, now),
        taken_event_ids(sql, items),
        replays::read(sql, now, items)
    )?;
    Ok(Known {
        revisions,
        priors,
        event_ids,
        replays,
    })
}

/// Whether the fan-out of one of the items was computed from what has changed since.
pub(crate) fn is_any_stale(known: &Known, items: &[&Accept]) -> bool {
    items.iter().any(|item| {
        let current = known.revisions.get(&item.application);
        current.is_some_and(|current| *current != item.registry_revision)
    })
}

/// Accepts messages, each with its own answer.
pub(crate) fn accept(batch: &mut Batch<'_>, mut known: Known, items: &[&Accept]) -> Vec<Answer> {
    let each = items.iter().map(|item| match refusal(&known, item) {
        Some(answer) => {
            if let (Ok(Accepted::Seen(seen)), Some(entry)) = (&answer, &item.replay) {
                let new = known.replays.remember_anew(entry, seen);
                batch.unwritten.pending.replays.extend(new);
            }
            answer
        }
        None => Ok(accept_one(batch, &mut known, item)),
    });
    each.collect()
}

/// The answer to an item that is not accepted anew.
fn refusal(known: &Known, item: &Accept) -> Option<Answer> {
    if let Some(key) = &item.idempotency
        && let Some(prior) = known.priors.get(&key.fingerprint)
    {
        return Some(match prior.body == key.body {
            true => Ok(Accepted::Repeated(*prior)),
            false => Err(AcceptError::KeyReused),
        });
    }
    if let Some(entry) = &item.replay
        && let Some(seen) = known.replays.seen(entry)
    {
        return Some(Ok(Accepted::Seen(seen)));
    }
    match known.revisions.get(&item.application) {
        None => return Some(Err(AcceptError::NoApplication)),
        Some(revision) if *revision != item.registry_revision => {
            return Some(Err(AcceptError::StaleRegistry));
        }
        Some(_) => {}
    }
    let taken = |event_id: &Name| {
        known
            .event_ids
            .contains(&(item.application, event_id.clone()))
    };
    if item.message.event_id.as_ref().is_some_and(taken) {
        return Some(Err(AcceptError::EventIdTaken));
    }
    None
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
    batch
        .unwritten
        .pending
        .messages
        .push((item.application, id, message));
    let deliveries = open_deliveries(batch, item, (key, &keys));
    if let (Some(task), Some(after)) = (task, item.fan_out_after) {
        let work = Work::FanOut {
            message: key,
            after,
            registry_revision: item.registry_revision,
            proved_only: item.proved_only,
        };
        work::write(batch, task, (item.application, &work));
    }
    if let Some(entry) = &item.replay {
        let new = known.replays.remember(entry, id);
        batch.unwritten.pending.replays.extend(new);
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

async fn revisions(
    sql: &Sql<'_>,
    items: &[&Accept],
) -> Result<HashMap<ApplicationKey, u64>, Failure> {
    let applications: BTreeSet<i64> = items
        .iter()
        .map(|item| item.application.integer())
        .collect();
    let rows = sql.rows(
        "SELECT id, revision FROM application WHERE id = ANY($1) AND NOT deleted",
        params![applications.into_iter().collect::<Vec<i64>>()],
    );
    let rows = rows.await?;
    rows.iter()
        .map(|row| Ok((key(row, 0)?, number(row, 1)?)))
        .collect()
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
