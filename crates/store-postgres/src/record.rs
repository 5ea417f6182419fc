//! Recording outcomes. A delivery's row, as it was when it was claimed, tells whether an outcome
//! comes for the first time and in time: every first one deletes or changes it. Only where it is
//! not found is there anything to look up.

use crate::all_messages;
use crate::attempts::first_of;
use crate::batch::Batch;
use crate::change;
use crate::columns::{key, tail};
use crate::deliveries::{self, COLUMNS, Written};
use crate::failure::Failure;
use crate::locks;
use crate::sql::{Sql, columns_of, params};
use model::Timestamp;
use model::attempt::AttemptResult;
use model::delivery::{Delivery, Trigger};
use model::id::{AttemptId, DeliveryKey, MessageKey, Tail};
use std::collections::{HashMap, HashSet};
use store::Sealed;
use store::owned::Owned;
use store::record::{HealthChange, NewAttempt, Outcome, Recorded, Then};

/// Records outcomes, of which no two are of the same delivery, once [`take_effect`] has told which
/// of these deliveries it found.
pub(crate) async fn record(
    batch: &mut Batch<'_>,
    outcomes: &[&Outcome],
    found: HashSet<DeliveryKey>,
) -> Result<Vec<Recorded>, Failure> {
    count_open(batch, outcomes, &found);
    let missed: Vec<&Outcome> = outcomes
        .iter()
        .copied()
        .filter(|outcome| !found.contains(&outcome.delivery.key))
        .collect();
    let before = recorded_before(batch.sql, &missed).await?;
    let expunged = expunged(batch.sql, &missed).await?;
    let mut recorded = Vec::with_capacity(outcomes.len());
    for outcome in outcomes {
        let stale = !found.contains(&outcome.delivery.key);
        recorded.push(match before.get(&outcome.attempt.tail) {
            Some(attempt) if stale => Recorded {
                attempt: *attempt,
                stale: false,
                disabled: false,
            },
            _ => Recorded {
                attempt: write_attempt(batch, outcome, (!stale, &expunged)),
                stale,
                disabled: false,
            },
        });
    }
    let effective = |outcome: &&&Outcome| found.contains(&outcome.delivery.key);
    let by_hand: Vec<&Outcome> = outcomes.iter().filter(effective).copied().collect();
    settle_by_hand(batch, &by_hand).await?;
    for (outcome, recorded) in outcomes.iter().zip(&mut recorded) {
        if found.contains(&outcome.delivery.key) {
            recorded.disabled = change_health(batch, outcome).await?;
        }
    }
    Ok(recorded)
}

/// Closes and reschedules: the deliveries that were there, held by this node.
pub(crate) async fn take_effect(
    sql: &Sql<'_>,
    owned: &Owned,
    outcomes: &[&Outcome],
) -> Result<HashSet<DeliveryKey>, Failure> {
    let mut closing: Vec<&Delivery> = Vec::new();
    let mut moving: Vec<(&Delivery, Timestamp)> = Vec::new();
    for outcome in outcomes {
        let delivery = &outcome.delivery;
        // A hold of a lease that has ended is worth nothing.
        let is_held = owned.is_held(delivery.endpoint, delivery.key);
        if outcome.hold.has_ended() || !is_held {
            continue;
        }
        match outcome.then {
            Then::Close => closing.push(delivery),
            Then::Reschedule(due) => moving.push((delivery, due)),
        }
    }
    let (mut found, moved) = tokio::try_join!(
        biased;
        deliveries::remove(sql, &closing),
        deliveries::reschedule(sql, &moving)
    )?;
    found.extend(moved);
    Ok(found)
}

fn count_open(batch: &mut Batch<'_>, outcomes: &[&Outcome], found: &HashSet<DeliveryKey>) {
    let counts = &mut batch.unwritten.counts;
    for outcome in outcomes {
        let delivery = &outcome.delivery;
        if !found.contains(&delivery.key) {
            continue;
        }
        counts.open(delivery.endpoint, delivery.attempts, -1);
        if let Then::Reschedule(_) = outcome.then {
            let attempts = delivery.attempts.saturating_add(1);
            counts.open(delivery.endpoint, attempts, 1);
        }
    }
}

async fn recorded_before(
    sql: &Sql<'_>,
    missed: &[&Outcome],
) -> Result<HashMap<Tail, AttemptId>, Failure> {
    if missed.is_empty() {
        return Ok(HashMap::new());
    }
    let rows = sql.rows(
        "SELECT found.id, found.tail FROM unnest($1, $2, $3, $4) AS g (a, m, e, t)
         CROSS JOIN LATERAL (SELECT id, tail FROM attempt
             WHERE application = g.a AND message = g.m AND endpoint = g.e AND tail = g.t
             LIMIT 1) AS found",
        params![
            columns_of(missed, |one| one.delivery.application.integer()),
            columns_of(missed, |one| one.delivery.message.integer()),
            columns_of(missed, |one| one.delivery.endpoint.integer()),
            columns_of(missed, |one| one.attempt.tail.to_vec())
        ],
    );
    let rows = rows.await?;
    rows.iter()
        .map(|row| {
            let tail = tail(row, 1)?;
            Ok((tail, AttemptId::new(key(row, 0)?, tail)))
        })
        .collect()
}

/// Those of these outcomes' messages whose payloads are gone.
async fn expunged(sql: &Sql<'_>, missed: &[&Outcome]) -> Result<HashSet<MessageKey>, Failure> {
    let answered = missed.iter().filter(|one| is_answered(&one.attempt));
    let wanted: Vec<_> = answered
        .map(|one| (one.delivery.message, one.delivery.application))
        .collect();
    let messages = all_messages::load(sql, &wanted).await?;
    let there = locks::payloads(sql, &messages.iter().collect::<Vec<_>>()).await?;
    let gone = wanted.iter().map(|(message, _)| *message);
    Ok(gone.filter(|message| !there.contains(message)).collect())
}

fn is_answered(attempt: &NewAttempt) -> bool {
    attempt.excerpt.is_some() || attempt.observed.head.is_some()
}

/// Whether its delivery was found, and which messages are expunged: what is answered to one of
/// those is gone with it.
fn write_attempt(
    batch: &mut Batch<'_>,
    outcome: &Outcome,
    (found, expunged): (bool, &HashSet<MessageKey>),
) -> AttemptId {
    let attempt = &outcome.attempt;
    let is_gone = !found && expunged.contains(&outcome.delivery.message);
    let written = Written {
        delivery: &outcome.delivery,
        event_type: &outcome.event_type,
        tail: attempt.tail,
        number: attempt.number,
        started_at: attempt.started_at,
        duration_ms: attempt.duration.as_millis().try_into().unwrap_or(u32::MAX),
        status_code: attempt.status_code,
        result: attempt.result,
        revision: attempt.endpoint_revision,
        given_up: found && outcome.gives_up(),
        excerpt: match is_gone {
            true => is_answered(attempt).then(Sealed::default),
            false => attempt.excerpt.clone(),
        },
        head: attempt.observed.head.clone().filter(|_| !is_gone),
        observed: Some(&attempt.observed),
    };
    deliveries::write_attempt(batch, written)
}

/// A success by hand makes the automatic series pointless, and what was given up is no more.
async fn settle_by_hand(batch: &mut Batch<'_>, outcomes: &[&Outcome]) -> Result<(), Failure> {
    let by_hand: Vec<&Outcome> = outcomes
        .iter()
        .copied()
        .filter(|outcome| outcome.delivery.trigger != Trigger::Scheduled)
        .filter(|outcome| outcome.attempt.result == AttemptResult::Success)
        .collect();
    if by_hand.is_empty() {
        return Ok(());
    }
    let statement = format!(
        "SELECT {COLUMNS} FROM delivery d JOIN unnest($1, $2) AS g (m, e)
         ON d.message = ANY(ARRAY[g.m]) AND d.endpoint = ANY(ARRAY[g.e])
         WHERE d.trigger = 0"
    );
    let rows = batch.sql.rows(
        &statement,
        params![
            columns_of(&by_hand, |one| one.delivery.message.integer()),
            columns_of(&by_hand, |one| one.delivery.endpoint.integer())
        ],
    );
    let open: Vec<Delivery> = rows
        .await?
        .iter()
        .map(deliveries::read)
        .collect::<Result<_, _>>()?;
    deliveries::close(batch, &open.iter().collect::<Vec<_>>()).await?;
    let settled = batch.sql.run(
        "UPDATE attempt t SET given_up = false FROM unnest($1, $2, $3, $4) AS g (a, m, e, first)
         WHERE t.application = ANY(ARRAY[g.a]) AND t.message = g.m AND t.endpoint = g.e
         AND t.id >= g.first AND t.given_up",
        params![
            columns_of(&by_hand, |one| one.delivery.application.integer()),
            columns_of(&by_hand, |one| one.delivery.message.integer()),
            columns_of(&by_hand, |one| one.delivery.endpoint.integer()),
            columns_of(&by_hand, |one| first_of(one.delivery.message).integer())
        ],
    );
    settled.await?;
    Ok(())
}

/// Whether the endpoint was disabled by it.
async fn change_health(batch: &mut Batch<'_>, outcome: &Outcome) -> Result<bool, Failure> {
    let endpoint = outcome.delivery.endpoint;
    match outcome.health {
        HealthChange::None => {}
        HealthChange::FailingSince(since) => {
            let failing = batch.sql.run(
                "UPDATE endpoint SET failing_since = $2
                 WHERE id = $1 AND failing_since IS NULL",
                params![endpoint.integer(), since.micros()],
            );
            failing.await?;
        }
        HealthChange::Works => {
            let works = batch.sql.run(
                "UPDATE endpoint SET failing_since = NULL
                 WHERE id = $1 AND failing_since IS NOT NULL",
                params![endpoint.integer()],
            );
            works.await?;
        }
        HealthChange::Disable => return change::disable(batch, endpoint).await,
    }
    Ok(false)
}
