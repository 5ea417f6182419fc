//! Deliveries and attempts as rows: opening, closing, rescheduling and ending them, many at a time.
//! New rows are only collected here; see [`crate::pending`].

use crate::batch::Batch;
use crate::columns::{get, key, name, number, time, trigger};
use crate::failure::Failure;
use crate::pending::AttemptWrite;
use crate::sql::{Sql, params};
use model::Timestamp;
use model::attempt::AttemptResult;
use model::delivery::{Class, Delivery, EndReason, Trigger};
use model::id::{ApplicationKey, AttemptId, DeliveryKey, EndpointKey, MessageKey, Tail};
use model::name::Name;
use std::collections::{HashMap, HashSet};
use store::encoding::class_number;
use store::record::Observed;
use store::{Hold, Sealed};
use tokio_postgres::Row;

/// What [`read`] reads, in its order.
pub(crate) const COLUMNS: &str = "id, application, endpoint, message, trigger, attempts, due";

/// A row of [`COLUMNS`].
pub(crate) fn read(row: &Row) -> Result<Delivery, Failure> {
    Ok(Delivery {
        key: key(row, 0)?,
        application: key(row, 1)?,
        endpoint: key(row, 2)?,
        message: key(row, 3)?,
        trigger: trigger(row, 4)?,
        attempts: number(row, 5)?,
        due: time(row, 6)?,
    })
}

/// What names many rows as they were read.
pub(crate) struct Columns {
    pub(crate) endpoints: Vec<i64>,
    pub(crate) classes: Vec<i16>,
    pub(crate) dues: Vec<i64>,
    pub(crate) ids: Vec<i64>,
    pub(crate) attempts: Vec<i32>,
}

impl Columns {
    pub(crate) fn of<'d>(deliveries: impl Iterator<Item = &'d Delivery> + Clone) -> Self {
        let class = |delivery: &Delivery| class_number(delivery.trigger.class()).into();
        Self {
            endpoints: deliveries
                .clone()
                .map(|one| one.endpoint.integer())
                .collect(),
            classes: deliveries.clone().map(class).collect(),
            dues: deliveries.clone().map(|one| one.due.micros()).collect(),
            ids: deliveries.clone().map(|one| one.key.integer()).collect(),
            attempts: deliveries.map(|one| one.attempts.into()).collect(),
        }
    }
}

/// Opens deliveries, of which those that are `owned` come with a hold, in their order.
pub(crate) fn open(batch: &mut Batch<'_>, deliveries: &[(Delivery, bool)]) -> Vec<Option<Hold>> {
    let mut holds = Vec::with_capacity(deliveries.len());
    for (delivery, owned) in deliveries {
        let hold = match owned {
            true => batch.owned.hold(delivery.endpoint, delivery.key),
            false => None,
        };
        let owner = hold.as_ref().map_or(0, |_| batch.epoch);
        batch
            .unwritten
            .pending
            .deliveries
            .push((delivery.clone(), owner));
        batch
            .unwritten
            .counts
            .open(delivery.endpoint, delivery.attempts, 1);
        holds.push(hold);
    }
    holds
}

/// Closes deliveries, whoever holds them: those that were there as they were when they were read.
pub(crate) async fn close(
    batch: &mut Batch<'_>,
    deliveries: &[&Delivery],
) -> Result<HashSet<DeliveryKey>, Failure> {
    let closed = remove(batch.sql, deliveries).await?;
    for delivery in deliveries {
        if closed.contains(&delivery.key) {
            batch
                .unwritten
                .counts
                .open(delivery.endpoint, delivery.attempts, -1);
        }
    }
    Ok(closed)
}

/// The same, and leaves it to the caller to count.
pub(crate) async fn remove(
    sql: &Sql<'_>,
    deliveries: &[&Delivery],
) -> Result<HashSet<DeliveryKey>, Failure> {
    if deliveries.is_empty() {
        return Ok(HashSet::new());
    }
    let columns = Columns::of(deliveries.iter().copied());
    let rows = sql.rows(
        "DELETE FROM delivery d USING unnest($1, $2, $3, $4, $5) AS g (e, c, u, i, a)
         WHERE d.endpoint = ANY(ARRAY[g.e]) AND d.class = g.c AND d.due = g.u AND d.id = g.i
         AND d.attempts = g.a RETURNING d.id",
        params![
            columns.endpoints,
            columns.classes,
            columns.dues,
            columns.ids,
            columns.attempts
        ],
    );
    keys(rows.await?)
}

/// Whether a delivery is there as it was when it was read.
pub(crate) async fn is_open(sql: &Sql<'_>, delivery: &Delivery) -> Result<bool, Failure> {
    let found = sql.run(
        "SELECT 1 FROM delivery
         WHERE endpoint = $1 AND class = $2 AND due = $3 AND id = $4 AND attempts = $5",
        params![
            delivery.endpoint.integer(),
            i16::from(class_number(delivery.trigger.class())),
            delivery.due.micros(),
            delivery.key.integer(),
            i32::from(delivery.attempts)
        ],
    );
    Ok(found.await? > 0)
}

/// When the earliest of a lane is due, of either class.
pub(crate) async fn first_due(
    sql: &Sql<'_>,
    endpoint: EndpointKey,
) -> Result<Option<Timestamp>, Failure> {
    let mut first = None;
    for class in [Class::Live, Class::Replayed] {
        let found = sql.row(
            "SELECT due FROM delivery WHERE endpoint = $1 AND class = $2
             ORDER BY due, id LIMIT 1",
            params![endpoint.integer(), i16::from(class_number(class))],
        );
        let due = found.await?.map(|row| time(&row, 0)).transpose()?;
        first = first.into_iter().chain(due).min();
    }
    Ok(first)
}

/// Counts an attempt of each and sets when the next one is due, by nobody: of those that were there
/// as they were when they were read.
pub(crate) async fn reschedule(
    sql: &Sql<'_>,
    deliveries: &[(&Delivery, Timestamp)],
) -> Result<HashSet<DeliveryKey>, Failure> {
    if deliveries.is_empty() {
        return Ok(HashSet::new());
    }
    let columns = Columns::of(deliveries.iter().map(|(delivery, _)| *delivery));
    let next: Vec<i64> = deliveries.iter().map(|(_, due)| due.micros()).collect();
    let rows = sql.rows(
        "UPDATE delivery d SET due = g.n, attempts = d.attempts + 1, owner = 0
         FROM unnest($1, $2, $3, $4, $5, $6) AS g (e, c, u, i, a, n)
         WHERE d.endpoint = ANY(ARRAY[g.e]) AND d.class = g.c AND d.due = g.u AND d.id = g.i
         AND d.attempts = g.a RETURNING d.id",
        params![
            columns.endpoints,
            columns.classes,
            columns.dues,
            columns.ids,
            columns.attempts,
            next
        ],
    );
    keys(rows.await?)
}

fn keys(rows: Vec<Row>) -> Result<HashSet<DeliveryKey>, Failure> {
    rows.iter().map(|row| key(row, 0)).collect()
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
    pub(crate) excerpt: Option<Sealed>,
    pub(crate) head: Option<Sealed>,
    /// Of its request, where there was one; but for the head.
    pub(crate) observed: Option<&'a Observed>,
}

/// Writes an attempt and counts it.
pub(crate) fn write_attempt(batch: &mut Batch<'_>, written: Written<'_>) -> AttemptId {
    let id = AttemptId::new(batch.key(), written.tail);
    let delivery = written.delivery;
    let phases = written.observed.map(|observed| observed.phases.to_stored());
    let chain = written
        .observed
        .and_then(|observed| observed.chain.as_ref());
    if let Some(chain) = chain {
        batch.keep_chain(id.key(), chain);
    }
    batch.unwritten.counts.attempt(
        id.key(),
        delivery.endpoint,
        written.event_type,
        written.result,
    );
    batch.unwritten.pending.attempts.push(AttemptWrite {
        id,
        application: delivery.application,
        message: delivery.message,
        endpoint: delivery.endpoint,
        trigger: delivery.trigger,
        number: written.number,
        started_at: written.started_at,
        duration_ms: written.duration_ms,
        status_code: written.status_code,
        result: written.result,
        revision: written.revision,
        given_up: written.given_up,
        phases: phases.filter(|phases| !phases.is_empty()),
        chain: chain.map(|chain| chain.key),
        excerpt: written.excerpt,
        head: written.head,
    });
    id
}

/// Ends open deliveries without an attempt having the last word, and keeps that as attempts: of
/// those that are still there as they were read. How many that were.
pub(crate) async fn end(
    batch: &mut Batch<'_>,
    deliveries: &[Delivery],
    reason: EndReason,
) -> Result<usize, Failure> {
    let all: Vec<&Delivery> = deliveries.iter().collect();
    let closed = close(batch, &all).await?;
    let closed: Vec<&Delivery> = all
        .into_iter()
        .filter(|delivery| closed.contains(&delivery.key))
        .collect();
    if closed.is_empty() {
        return Ok(0);
    }
    let types = event_types_of(batch.sql, &closed).await?;
    let revisions = revisions_of(batch.sql, &closed).await?;
    for delivery in &closed {
        let event_type = types
            .get(&delivery.message)
            .ok_or_else(|| Failure::Unreadable("a delivery has no message".to_owned()))?;
        let written = Written {
            delivery,
            event_type,
            tail: batch.tail(),
            number: delivery.attempts.saturating_add(1),
            started_at: batch.now,
            duration_ms: 0,
            status_code: 0,
            result: AttemptResult::Cancelled(reason),
            revision: revisions.get(&delivery.endpoint).copied().unwrap_or(0),
            given_up: true,
            excerpt: None,
            head: None,
            observed: None,
        };
        write_attempt(batch, written);
    }
    Ok(closed.len())
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

async fn event_types_of(
    sql: &Sql<'_>,
    deliveries: &[&Delivery],
) -> Result<HashMap<MessageKey, Name>, Failure> {
    let of = |one: fn(&Delivery) -> i64| deliveries.iter().map(|d| one(d)).collect::<Vec<i64>>();
    let rows = sql.rows(
        "SELECT m.id, m.event_type FROM unnest($1, $2) AS g (a, i) CROSS JOIN LATERAL
         (SELECT id, event_type FROM message WHERE application = g.a AND id = g.i LIMIT 1) AS m",
        params![
            of(|one| one.application.integer()),
            of(|one| one.message.integer())
        ],
    );
    let rows = rows.await?;
    rows.iter()
        .map(|row| Ok((key(row, 0)?, name(row, 1)?)))
        .collect()
}

async fn revisions_of(
    sql: &Sql<'_>,
    deliveries: &[&Delivery],
) -> Result<HashMap<EndpointKey, u32>, Failure> {
    let endpoints: Vec<i64> = deliveries
        .iter()
        .map(|one| one.endpoint.integer())
        .collect();
    let rows = sql.rows(
        "SELECT id, revision FROM endpoint WHERE id = ANY($1)",
        params![endpoints],
    );
    let rows = rows.await?;
    rows.iter()
        .map(|row| Ok((EndpointKey::from_integer(get(row, 0)?), number(row, 1)?)))
        .collect()
}
