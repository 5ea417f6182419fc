//! Sending messages to an endpoint again, whatever became of them, and those that it never got.
//!
//! Both walk along the application's messages that were accepted before the work was asked for, and
//! look at each once; the cursor is a message's key.

use super::resending::{Resending, Span};
use super::rows::Task;
use crate::attempts::first_of;
use crate::batch::Batch;
use crate::columns::{get, key, number, result};
use crate::failure::Failure;
use crate::locks;
use crate::messages::{self, Of};
use crate::sql::{Sql, columns_of, params};
use model::Timestamp;
use model::id::{ApplicationKey, MessageKey};
use model::message::Message;
use std::collections::HashSet;
use store::Lane;
use store::query::{MessageFilter, Window};
use store::rows::Standing;
use store::work::{Progress, ReplayFilter, SLICE_MAX};
use tokio_postgres::Row;

/// Replays what an endpoint was meant to get.
pub(super) async fn bulk(
    batch: &mut Batch<'_>,
    task: &Task,
    (span, filter): (Span, &ReplayFilter),
) -> Result<Progress, Failure> {
    let (resending, seen) = match look(batch.sql, task, (span, &filter.messages)).await? {
        Ok(begun) => begun,
        Err(ended) => return Ok(ended),
    };
    let wanted = stood(batch.sql, resending.lane, (&seen, filter)).await?;
    let found = load(batch.sql, task.application, &wanted).await?;
    let there = with_payload(batch.sql, found.iter().collect(), |_| None).await?;
    Ok(resending.open(batch, there))
}

/// Sends what an endpoint wants and never got.
pub(super) async fn missing(
    batch: &mut Batch<'_>,
    task: &Task,
    span: Span,
) -> Result<Progress, Failure> {
    let all = MessageFilter::default();
    let (resending, mut seen) = match look(batch.sql, task, (span, &all)).await? {
        Ok(begun) => begun,
        Err(ended) => return Ok(ended),
    };
    // In this order: what was coming when it was read may be there by the next statement.
    let coming = coming(batch.sql, resending.lane).await?;
    let known = known(batch.sql, resending.lane, &seen).await?;
    seen.retain(|message| !coming.contains(message) && !known.contains(message));
    let found = load(batch.sql, task.application, &seen).await?;
    let endpoint = &resending.endpoint.endpoint;
    let wanted = found
        .iter()
        .filter(|message| endpoint.wants(&message.event_type, &message.channels));
    let own_time = |message: &Message| message.deliver_at;
    let there = with_payload(batch.sql, wanted.collect(), own_time).await?;
    Ok(resending.open(batch, there))
}

/// The next messages that are such as are wanted. `Err`: as of [`Resending::begin`].
async fn look(
    sql: &Sql<'_>,
    task: &Task,
    ((endpoint, since, until), filter): (Span, &MessageFilter),
) -> Result<Result<(Resending, Vec<MessageKey>), Progress>, Failure> {
    let start = MessageKey::first_at(since).integer();
    let mut resending = match Resending::begin(sql, task, (endpoint, start)).await? {
        Ok(resending) => resending,
        Err(ended) => return Ok(Err(ended)),
    };
    let asked_at = MessageKey::from_integer(task.id.key().integer());
    let window = Window {
        above: MessageKey::from_integer(resending.progress.cursor),
        below: MessageKey::first_at(until).min(asked_at),
        ascending: true,
        limit: SLICE_MAX,
    };
    let of = Of {
        application: task.application,
        window: &window,
        filter,
    };
    let seen = messages::look(sql, of, None, SLICE_MAX).await?;
    resending.looked_at(seen.len(), seen.last().map(|row| row.position.integer()));
    let passing = seen.iter().filter(|row| row.passes.is_some());
    let passing = passing.map(|row| row.position).collect();
    Ok(Ok((resending, passing)))
}

/// Those of messages whose payload is there, each with its time. The payload is kept until this is
/// committed.
async fn with_payload(
    sql: &Sql<'_>,
    wanted: Vec<&Message>,
    time: impl Fn(&Message) -> Option<Timestamp>,
) -> Result<Vec<(MessageKey, Option<Timestamp>)>, Failure> {
    let kept = locks::payloads(sql, &wanted).await?;
    let timed = wanted
        .into_iter()
        .map(|message| (message.id.key(), time(message)));
    Ok(timed.filter(|(key, _)| kept.contains(key)).collect())
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
    lane: Lane,
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
            lane.application.integer(),
            lane.endpoint.integer(),
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
    lane: Lane,
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
            lane.application.integer(),
            lane.endpoint.integer(),
            columns_of(of, |message| message.integer()),
            columns_of(of, |message| first_of(*message).integer())
        ],
    );
    rows.await?.iter().map(|row| key(row, 0)).collect()
}

/// The messages that a fan-out under way has yet to bring to an endpoint, where it wants them. What
/// was passed over comes no more.
async fn coming(sql: &Sql<'_>, lane: Lane) -> Result<HashSet<MessageKey>, Failure> {
    let rows = sql.rows(
        "SELECT subject FROM task WHERE state = 0 AND kind < 32 AND kind = 0 AND application = $1
         AND cursor < $2 AND subject > $2",
        params![lane.application.integer(), lane.endpoint.integer()],
    );
    rows.await?.iter().map(|row| key(row, 0)).collect()
}
