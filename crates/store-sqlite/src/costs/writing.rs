//! What the writer does costs the same whatever the store holds.

use super::{FULL, OTHER, ROWS, check, database, instructions, lane, name, some_message};
use crate::batch::{Batch, Lent};
use crate::failure::Failure;
use crate::remembered::Indices;
use crate::rounds::Rounds;
use crate::{accept, change, claim, record, sweep, work};
use model::Timestamp;
use model::attempt::AttemptResult;
use model::chain_seen::ShownChain;
use model::delivery::Trigger;
use model::hops::Hops;
use model::id::KeySequence;
use model::message::PayloadForm;
use model::phases::Phases;
use rusqlite::Connection;
use std::sync::Arc;
use std::time::Duration;
use store::accept::{Accept, NewDelivery, NewMessage, ReplayEntry};
use store::change::{Change, ChangeRequest};
use store::conformance::{TestClock, TestEntropy};
use store::idempotency::{IdempotencyKey, KEY_LIFE};
use store::owned::Owned;
use store::record::{HealthChange, NewAttempt, Observed, Outcome, Then};
use store::rows::Claimed;
use store::work::{SweepLimits, Work};

#[test]
fn a_message_is_accepted_and_its_outcome_recorded() {
    check("accept", |connection| {
        in_batch(connection, &Arc::default(), accept_one)
    });
    for (manual, then) in [
        (false, Then::Close),
        (false, Then::Reschedule(Timestamp::MAX)),
        (true, Then::Close),
    ] {
        check("record", |connection| {
            let owned = Arc::default();
            let full = (lane(FULL), Timestamp::MAX, 1);
            let claimed = claim::claim(connection, &owned, full)?;
            in_batch(connection, &owned, |batch| {
                let recorded = record::record(batch, &outcome(claimed, manual, then))?;
                assert!(!recorded.stale && recorded.disabled);
                Ok(())
            })
        });
    }
}

#[test]
fn changes_and_background_work_touch_only_what_they_are_about() {
    let open = Change::OpenDelivery {
        application: lane(FULL).application,
        message: some_message(),
        endpoint: lane(OTHER).endpoint,
        trigger: Trigger::Manual,
        owned: true,
    };
    let delete = Change::DeleteEndpoint(lane(OTHER).application, lane(OTHER).endpoint);
    for asked in [open, recover_other(), delete] {
        let request = ChangeRequest {
            change: asked,
            idempotency: None,
            audit: None,
        };
        check("a change, and the work that it starts", |connection| {
            in_batch(connection, &Arc::default(), |batch| {
                change::change(batch, &request)?.expect("it is done");
                work::slice(batch)
            })
        });
    }
    let limits = SweepLimits {
        keep_since: TestClock::START,
        rows_max: 10,
    };
    check("sweep", |connection| {
        in_batch(connection, &Arc::default(), |batch| {
            let swept = sweep::sweep(batch, limits)?;
            assert_eq!(swept.messages, 10);
            Ok(())
        })
    });
}

/// Of what was ended without an attempt there may be millions, in one piece among what failed.
#[test]
fn a_recoverys_slice_costs_the_same_however_much_was_only_ended() {
    let cost = |ended: i64| {
        let mut connection = database(60);
        let fill = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?1)
             INSERT INTO attempt
             SELECT 1000 + i, zeroblob(12), ?2 + 2 * i, ?3, 0, 1, 0, 5, 0, 4, 1, 1, NULL, NULL
             FROM n";
        connection.execute(fill, [ended, ROWS, OTHER]).unwrap();
        let recover = ChangeRequest {
            change: recover_other(),
            idempotency: None,
            audit: None,
        };
        instructions(&mut connection, |connection| {
            let worked = in_batch(connection, &Arc::default(), |batch| {
                change::change(batch, &recover)?.expect("it is done");
                work::slice(batch)
            });
            worked.unwrap()
        })
    };
    assert_eq!(cost(3_000), cost(6_000));
}

/// Starts to recover all that an endpoint failed to get.
fn recover_other() -> Change {
    Change::StartWork {
        tail: [1; 12],
        application: Some(lane(OTHER).application),
        work: Work::Recover {
            endpoint: lane(OTHER).endpoint,
            since: Timestamp::from_micros(0),
            until: Timestamp::MAX,
        },
    }
}

/// Does `work` in a transaction that is not committed.
fn in_batch<T>(
    connection: &Connection,
    owned: &Arc<Owned>,
    work: impl FnOnce(&mut Batch<'_>) -> Result<T, Failure>,
) -> Result<T, Failure> {
    let transaction = connection.unchecked_transaction()?;
    let indices = Indices::load(connection, TestClock::START, 10)?;
    let (mut keys, mut rounds) = (KeySequence::after(0, 0), Rounds::default());
    let entropy = TestEntropy::new(1);
    let mut batch = Batch::new(Lent {
        connection,
        now: TestClock::START,
        owned,
        entropy: &entropy,
        indices: &indices,
        keys: &mut keys,
        rounds: &mut rounds,
    });
    let done = work(&mut batch)?;
    batch.finish()?;
    transaction.rollback()?;
    Ok(done)
}

fn accept_one(batch: &mut Batch<'_>) -> Result<(), Failure> {
    let item = Accept {
        application: lane(FULL).application,
        registry_revision: 1,
        message: NewMessage {
            tail: [1; 12],
            event_type: name("order.paid"),
            event_id: Some(name("a-new-one")),
            channels: [name("here")].into(),
            tags: [name("this")].into(),
            deliver_at: None,
            hops: Hops::NONE,
            trace: None,
            expires_at: Timestamp::MAX,
            form: PayloadForm::Json,
            payload: b"{}"[..].into(),
        },
        deliveries: vec![NewDelivery {
            endpoint: lane(FULL).endpoint,
            due: TestClock::START,
            owned: true,
        }],
        fan_out_after: Some(lane(FULL).endpoint),
        proved_only: false,
        idempotency: Some(IdempotencyKey {
            fingerprint: [1; 16],
            body: [2; 16],
            life: KEY_LIFE,
            status: 202,
        }),
        replay: Some(ReplayEntry {
            key: [1; 16],
            unsigned_id: Some([2; 16]),
            second: None,
            content: [3; 16],
            until: Timestamp::MAX,
        }),
    };
    let accepted = accept::accept(batch, &[item])?.remove(0);
    accepted.expect("it is accepted");
    Ok(())
}

/// The most that an outcome can bring with it: it disables the endpoint, and a success by hand
/// closes the scheduled delivery too.
fn outcome(claimed: Vec<Claimed>, manual: bool, then: Then) -> Outcome {
    let claimed = claimed.into_iter().next().expect("there is one");
    let mut delivery = claimed.delivery;
    if manual {
        delivery.trigger = Trigger::Manual;
    }
    Outcome {
        message: claimed.message.message.id,
        event_type: claimed.message.message.event_type,
        attempt: NewAttempt {
            tail: [1; 12],
            number: 1,
            started_at: TestClock::START,
            duration: Duration::from_millis(20),
            status_code: 500,
            result: match manual {
                true => AttemptResult::Success,
                false => AttemptResult::Failure,
            },
            endpoint_revision: 1,
            excerpt: Some(b"sorry"[..].into()),
            observed: Observed {
                phases: Phases {
                    answer: Some(Duration::from_millis(20)),
                    ..Phases::default()
                },
                head: Some(b"a: b"[..].into()),
                chain: Some(Arc::new(ShownChain {
                    key: 30,
                    stored: vec![0],
                })),
            },
        },
        then,
        health: HealthChange::Disable,
        hold: claimed.hold,
        delivery,
    }
}
