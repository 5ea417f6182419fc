//! Recording outcomes. The delivery's row, as it was when it was claimed, tells whether an outcome
//! comes for the first time and in time: every first one deletes or changes it. Only where it is
//! not found is there anything to look up.

use crate::batch::Batch;
use crate::change;
use crate::deliveries::{self, Written};
use crate::failure::Failure;
use crate::messages;
use model::attempt::AttemptResult;
use model::delivery::Trigger;
use model::id::AttemptId;
use rusqlite::{OptionalExtension, params};
use store::record::{HealthChange, Outcome, Recorded, Then};

const INSERT_EXCERPT: &str = "INSERT INTO excerpt (attempt, body, head) VALUES (?1, ?2, ?3)";

/// Records an outcome.
pub(crate) fn record(batch: &mut Batch<'_>, outcome: &Outcome) -> Result<Recorded, Failure> {
    let delivery = &outcome.delivery;
    // A hold of a store that was opened before is worth nothing here.
    let held = batch.owned.is_held(delivery.endpoint, delivery.key);
    let found = held
        && match outcome.then {
            Then::Close => deliveries::close(batch, delivery)?,
            Then::Reschedule(due) => deliveries::reschedule(batch, delivery, due)?,
        };
    if !found && let Some(attempt) = recorded_before(batch, outcome)? {
        return Ok(Recorded {
            attempt,
            stale: false,
            disabled: false,
        });
    }
    let attempt = write_attempt(batch, outcome, found)?;
    let mut recorded = Recorded {
        attempt,
        stale: !found,
        disabled: false,
    };
    if found {
        settle_by_hand(batch, outcome)?;
        recorded.disabled = change_health(batch, outcome)?;
    }
    Ok(recorded)
}

fn recorded_before(batch: &Batch<'_>, outcome: &Outcome) -> Result<Option<AttemptId>, Failure> {
    let mut select = batch.connection.prepare_cached(
        "SELECT id FROM attempt INDEXED BY attempt_message
         WHERE message = ?1 AND endpoint = ?2 AND tail = ?3",
    )?;
    let tail = outcome.attempt.tail;
    let key = select.query_row(
        params![
            outcome.delivery.message.integer(),
            outcome.delivery.endpoint.integer(),
            tail
        ],
        |row| row.get(0),
    );
    let key = key.optional()?.map(model::id::Key::from_integer);
    Ok(key.map(|key| AttemptId::new(key, tail)))
}

fn write_attempt(
    batch: &mut Batch<'_>,
    outcome: &Outcome,
    found: bool,
) -> Result<AttemptId, Failure> {
    let attempt = &outcome.attempt;
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
        observed: Some(&attempt.observed),
    };
    let id = deliveries::write_attempt(batch, &written)?;
    let (body, head) = (attempt.excerpt.as_deref(), attempt.observed.head.as_deref());
    if body.is_some() || head.is_some() {
        // What is answered to what was expunged meanwhile is gone with it.
        let kept = found || messages::has_payload(batch.connection, outcome.delivery.message)?;
        let (body, head) = if kept {
            (body, head)
        } else {
            (Some(&[][..]), None)
        };
        batch
            .statement(INSERT_EXCERPT)?
            .execute(params![id.key().integer(), body, head])?;
    }
    Ok(id)
}

/// A success by hand makes the automatic series pointless, and what was given up is no more.
fn settle_by_hand(batch: &mut Batch<'_>, outcome: &Outcome) -> Result<(), Failure> {
    let delivery = &outcome.delivery;
    let by_hand = delivery.trigger != Trigger::Scheduled;
    if !by_hand || outcome.attempt.result != AttemptResult::Success {
        return Ok(());
    }
    let open = deliveries::open_of(batch.connection, delivery.message, Some(delivery.endpoint))?;
    for other in open {
        if other.trigger == Trigger::Scheduled {
            deliveries::close(batch, &other)?;
        }
    }
    deliveries::not_given_up(batch.connection, delivery.message, delivery.endpoint)
}

/// Whether the endpoint was disabled by it.
fn change_health(batch: &mut Batch<'_>, outcome: &Outcome) -> Result<bool, Failure> {
    let endpoint = outcome.delivery.endpoint;
    match outcome.health {
        HealthChange::None => {}
        HealthChange::FailingSince(since) => {
            batch
                .connection
                .prepare_cached(
                    "UPDATE endpoint SET failing_since = ?2
                     WHERE id = ?1 AND failing_since IS NULL",
                )?
                .execute([endpoint.integer(), since.micros()])?;
        }
        HealthChange::Works => {
            batch
                .connection
                .prepare_cached(
                    "UPDATE endpoint SET failing_since = NULL
                     WHERE id = ?1 AND failing_since IS NOT NULL",
                )?
                .execute([endpoint.integer()])?;
        }
        HealthChange::Disable => return change::disable(batch, endpoint),
    }
    Ok(false)
}
