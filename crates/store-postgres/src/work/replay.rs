//! Sending messages to an endpoint again, whatever became of them, and those that it never got.
//!
//! Both walk along the application's messages that were accepted before the work was asked for, and
//! look at each once; the cursor is a message's key.

use super::rows::Task;
use super::{Progress, lane_due, recover};
use crate::attempts::first_of;
use crate::batch::Batch;
use crate::columns::{get, key, number, result};
use crate::failure::Failure;
use crate::messages::{self, Of};
use crate::sql::{Sql, columns_of, params};
use crate::{deliveries, locks};
use model::Timestamp;
use model::delivery::Trigger;
use model::id::{ApplicationKey, EndpointKey, MessageKey};
use model::message::Message;
use std::collections::HashSet;
use store::query::{MessageFilter, Window};
use store::rows::{EndpointRow, Standing};
use store::work::{ENDPOINT_NOT_LIVE, ReplayFilter, SLICE_MAX};
use tokio_postgres::Row;

/// Messages accepted at or after the second, and before the third, to the endpoint.
pub(super) type Span = (EndpointKey, Timestamp, Timestamp);

/// Replays what an endpoint was meant to get.
pub(super) async fn bulk(
    batch: &mut Batch<'_>,
    task: &Task,
    (span, filter): (Span, &ReplayFilter),
) -> Result<Progress, Failure> {
    let mut progress = Progress::default();
    let seen = look(batch, task, (span, &filter.messages), &mut progress).await?;
    let Some((_, seen)) = seen else {
        return Ok(progress);
    };
    let lane = (task.application, span.0);
    let wanted = stood(batch.sql, lane, (&seen, filter)).await?;
    let found = load(batch.sql, task.application, &wanted).await?;
    let all = found.iter().collect();
    open(batch, lane, (all, |_| None), &mut progress).await?;
    Ok(progress)
}

/// Sends what an endpoint wants and never got.
pub(super) async fn missing(
    batch: &mut Batch<'_>,
    task: &Task,
    span: Span,
) -> Result<Progress, Failure> {
    let mut progress = Progress::default();
    let all = MessageFilter::default();
    let Some((row, mut seen)) = look(batch, task, (span, &all), &mut progress).await? else {
        return Ok(progress);
    };
    let lane = (task.application, span.0);
    // In this order: what was coming when it was read may be there by the next statement.
    let coming = fanned_out(batch.sql, task.application).await?;
    let known = known(batch.sql, lane, &seen).await?;
    seen.retain(|message| {
        let comes = coming.contains(message) && span.0.integer() < message.integer();
        !comes && !known.contains(message)
    });
    let found = load(batch.sql, task.application, &seen).await?;
    let wanted = found
        .iter()
        .filter(|message| row.endpoint.wants(&message.event_type, &message.channels));
    let own_time = |message: &Message| message.deliver_at;
    open(batch, lane, (wanted.collect(), own_time), &mut progress).await?;
    Ok(progress)
}

/// The endpoint, which is locked, and the next messages that are such as are wanted. `None`: the
/// endpoint gets nothing any more.
async fn look(
    batch: &mut Batch<'_>,
    task: &Task,
    ((endpoint, since, until), filter): (Span, &MessageFilter),
    progress: &mut Progress,
) -> Result<Option<(EndpointRow, Vec<MessageKey>)>, Failure> {
    let start = MessageKey::first_at(since).integer().saturating_sub(1);
    progress.cursor = task.cursor.max(start);
    progress.finished = true;
    let Some(row) = recover::live(batch.sql, (task.application, endpoint)).await? else {
        progress.failure = Some(ENDPOINT_NOT_LIVE);
        return Ok(None);
    };
    let asked_at = MessageKey::from_integer(task.id.key().integer());
    let window = Window {
        above: MessageKey::from_integer(progress.cursor),
        below: MessageKey::first_at(until).min(asked_at),
        ascending: true,
        limit: SLICE_MAX,
    };
    let of = Of {
        application: task.application,
        window: &window,
        filter,
    };
    let seen = messages::look(batch.sql, of, None, SLICE_MAX).await?;
    progress.finished = seen.len() < SLICE_MAX;
    if let Some(last) = seen.last() {
        progress.cursor = last.position.integer();
    }
    let passing = seen.iter().filter(|row| row.passes.is_some());
    Ok(Some((row, passing.map(|row| row.position).collect())))
}

/// Opens a replay of each message whose payload is there: at its time, or at once where that has
/// passed.
async fn open(
    batch: &mut Batch<'_>,
    (application, endpoint): (ApplicationKey, EndpointKey),
    (wanted, time): (Vec<&Message>, impl Fn(&Message) -> Option<Timestamp>),
    progress: &mut Progress,
) -> Result<(), Failure> {
    let kept = locks::payloads(batch.sql, &wanted).await?;
    let mut opened = Vec::with_capacity(kept.len());
    for message in wanted {
        let key = message.id.key();
        if !kept.contains(&key) {
            continue;
        }
        let ends = (application, endpoint, key);
        let mut delivery = deliveries::due_now(batch, ends, Trigger::Replay);
        delivery.due = delivery.due.max(time(message).unwrap_or(delivery.due));
        progress.opened.push(lane_due(&delivery));
        opened.push((delivery, false));
    }
    progress.done = opened.len();
    deliveries::open(batch, &opened);
    Ok(())
}

/// By ascending key.
async fn load(
    sql: &Sql<'_>,
    application: ApplicationKey,
    keys: &[MessageKey],
) -> Result<Vec<Message>, Failure> {
    let found = messages::load_many(sql, application, keys, false).await?;
    let mut found: Vec<Message> = found.into_values().map(|row| row.message).collect();
    found.sort_unstable_by_key(|message| message.id);
    Ok(found)
}

/// Those of messages that have an attempt to an endpoint, are not on their way to it, and stand as
/// is wanted.
async fn stood(
    sql: &Sql<'_>,
    (application, endpoint): (ApplicationKey, EndpointKey),
    (of, filter): (&[MessageKey], &ReplayFilter),
) -> Result<Vec<MessageKey>, Failure> {
    if of.is_empty() {
        return Ok(Vec::new());
    }
    let rows = sql.rows(
        "SELECT g.m, a.succeeded, a.last, a.code FROM unnest($3, $4) AS g (m, first)
         CROSS JOIN LATERAL (SELECT bool_or(result = 0) AS succeeded,
                 (array_agg(result ORDER BY id DESC))[1] AS last,
                 (array_agg(status_code ORDER BY id DESC) FILTER (WHERE result < 2))[1] AS code
             FROM attempt WHERE application = $1 AND endpoint = $2 AND message = g.m
             AND id >= g.first) a
         WHERE a.last IS NOT NULL AND (SELECT d.id FROM delivery d
             WHERE d.message = g.m AND d.endpoint = $2 LIMIT 1) IS NULL",
        params![
            application.integer(),
            endpoint.integer(),
            columns_of(of, |message| message.integer()),
            columns_of(of, |message| first_of(*message).integer())
        ],
    );
    let passes = |row: &Row| {
        let code = match get::<Option<i32>>(row, 3)? {
            Some(_) => Some(number(row, 3)?),
            None => None,
        };
        let standing = Standing::of(false, Some(result(row, 2)?), get(row, 1)?);
        Ok::<_, Failure>(standing.is_some_and(|standing| filter.passes(standing, code)))
    };
    let mut wanted = Vec::new();
    for row in rows.await? {
        if passes(&row)? {
            wanted.push(key(&row, 0)?);
        }
    }
    Ok(wanted)
}

/// Those of messages that have a delivery or an attempt to an endpoint.
async fn known(
    sql: &Sql<'_>,
    (application, endpoint): (ApplicationKey, EndpointKey),
    of: &[MessageKey],
) -> Result<HashSet<MessageKey>, Failure> {
    if of.is_empty() {
        return Ok(HashSet::new());
    }
    let rows = sql.rows(
        "SELECT g.m FROM unnest($3, $4) AS g (m, first)
         WHERE (SELECT d.id FROM delivery d
             WHERE d.message = g.m AND d.endpoint = $2 LIMIT 1) IS NOT NULL
         OR (SELECT a.id FROM attempt a WHERE a.application = $1 AND a.message = g.m
             AND a.endpoint = $2 AND a.id >= g.first LIMIT 1) IS NOT NULL",
        params![
            application.integer(),
            endpoint.integer(),
            columns_of(of, |message| message.integer()),
            columns_of(of, |message| first_of(*message).integer())
        ],
    );
    rows.await?.iter().map(|row| key(row, 0)).collect()
}

/// The messages of an application whose fan-out is under way.
async fn fanned_out(
    sql: &Sql<'_>,
    application: ApplicationKey,
) -> Result<HashSet<MessageKey>, Failure> {
    let rows = sql.rows(
        "SELECT subject FROM task WHERE state = 0 AND kind < 32 AND kind = 0 AND application = $1",
        params![application.integer()],
    );
    rows.await?.iter().map(|row| key(row, 0)).collect()
}
