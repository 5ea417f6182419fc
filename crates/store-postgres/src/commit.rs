//! One transaction for a group of requests: judged and written together, with the node's lease
//! renewed in the same commit, so that nothing is committed without one.

use crate::batch::{Batch, Lent, hours_kept};
use crate::columns::get;
use crate::failure::Failure;
use crate::node::LEASE;
use crate::partitions::{Partition, Table, around};
use crate::request::{Answer, Asked, Request};
use crate::rounds::Rounds;
use crate::shared::Shared;
use crate::sql::{Sql, params};
use crate::{accept, change, record, settings, sweep, work};
use model::Timestamp;
use std::collections::{BTreeSet, HashSet};
use store::accept::Accept;
use store::idempotency::IdempotencyKey;
use store::record::Outcome;

/// How a transaction ended that is not known to have committed.
pub(crate) enum Tried {
    /// Nothing was committed.
    Not(Failure),
    /// The commit was sent, and no answer came.
    Unknown(Failure, Sent),
}

/// A commit that was sent.
pub(crate) struct Sent {
    /// The answers if it succeeded.
    pub(crate) answers: Vec<Answer>,
    /// What the database calls its transaction.
    pub(crate) transaction: i64,
}

impl From<Failure> for Tried {
    fn from(failure: Failure) -> Self {
        Tried::Not(failure)
    }
}

/// Does what a group asks, as commit `number` of this lease. The answers are in its order.
pub(crate) async fn commit(
    shared: &Shared,
    rounds: &mut Rounds,
    (number, group): (i64, &[Request]),
) -> Result<Vec<Answer>, Tried> {
    let now = shared.clock.now();
    shared.need(partitions_of(group, now)).await?;
    let mut client = shared.pools.writer().await?;
    shared.keys.begin(now);
    let sql = match shared.pools.begin(&mut client).await {
        Ok(sql) => sql,
        Err(failure) => {
            shared.keys.end();
            return Err(failure.into());
        }
    };
    let mut moved = rounds.clone();
    let written = write(shared, &mut moved, (&sql, now, number, group)).await;
    let sent = match written {
        Ok(sent) => sent,
        Err(failure) => {
            shared.keys.end();
            return Err(failure.into());
        }
    };
    match sql.commit().await {
        Ok(()) => {
            shared.keys.end();
            *rounds = moved;
            Ok(sent.answers)
        }
        Err(failure) => Err(Tried::Unknown(failure, sent)),
    }
}

async fn write(
    shared: &Shared,
    rounds: &mut Rounds,
    (sql, now, number, group): (&Sql<'_>, Timestamp, i64, &[Request]),
) -> Result<Sent, Failure> {
    let (membership, owned) = shared.tenure();
    let mut batch = Batch::new(Lent {
        sql,
        now,
        owned: &owned,
        entropy: &*shared.entropy,
        keys: &shared.keys,
        rounds,
        node: (membership.slot, membership.epoch),
    });
    let answers = answers(&mut batch, group).await?;
    batch.finish().await?;
    let last_key = batch.last_key();
    let renewed = sql.row(
        "UPDATE node SET expires_at = clock_timestamp() + make_interval(secs => $3),
         last_key = greatest(last_key, $4), floor = $5, batch = $6
         WHERE slot = $1 AND epoch = $2 AND expires_at > clock_timestamp()
         RETURNING pg_current_xact_id()::text::bigint",
        params![
            i32::from(membership.slot),
            membership.epoch,
            LEASE.as_secs_f64(),
            last_key,
            shared.keys.next_floor(now),
            number
        ],
    );
    let renewed = renewed.await?.ok_or(Failure::LeaseLost)?;
    Ok(Sent {
        answers,
        transaction: get(&renewed, 0)?,
    })
}

async fn answers(batch: &mut Batch<'_>, group: &[Request]) -> Result<Vec<Answer>, Failure> {
    let items: Vec<&Accept> = group.iter().flat_map(items_of).collect();
    let mut accepted = accept::accept(batch, &items).await?.into_iter();
    let mut recorded = record_all(batch, group).await?.into_iter();
    let mut answers = Vec::with_capacity(group.len());
    for request in group {
        answers.push(match &request.asked {
            Asked::Accept(items, _) => {
                Answer::Accepted(accepted.by_ref().take(items.len()).collect())
            }
            Asked::Record(..) => {
                Answer::Recorded(recorded.next().expect("each outcome has its answer"))
            }
            other => {
                batch.flush().await?;
                single(batch, other).await?
            }
        });
    }
    Ok(answers)
}

fn items_of(request: &Request) -> &[Accept] {
    match &request.asked {
        Asked::Accept(items, _) => items,
        _ => &[],
    }
}

/// Records outcomes; those of a delivery that is among them already, after the others.
async fn record_all(
    batch: &mut Batch<'_>,
    group: &[Request],
) -> Result<Vec<store::record::Recorded>, Failure> {
    let mut seen = HashSet::new();
    let outcomes = group.iter().filter_map(|request| match &request.asked {
        Asked::Record(outcome, _) => Some(&**outcome),
        _ => None,
    });
    let outcomes: Vec<&Outcome> = outcomes.collect();
    let (mut first, mut again) = (Vec::new(), Vec::new());
    for (place, outcome) in outcomes.iter().enumerate() {
        match seen.insert(outcome.delivery.key) {
            true => first.push(place),
            false => again.push(place),
        }
    }
    let mut recorded = vec![None; outcomes.len()];
    let of = |places: &[usize]| {
        places
            .iter()
            .map(|place| outcomes[*place])
            .collect::<Vec<_>>()
    };
    for (place, one) in first.iter().zip(record::record(batch, &of(&first)).await?) {
        recorded[*place] = Some(one);
    }
    for place in again {
        batch.flush().await?;
        recorded[place] = record::record(batch, &of(&[place])).await?.pop();
    }
    Ok(recorded.into_iter().flatten().collect())
}

async fn single(batch: &mut Batch<'_>, asked: &Asked) -> Result<Answer, Failure> {
    Ok(match asked {
        Asked::Change(request, _) => {
            Answer::Changed(Box::new(change::change(batch, request).await?))
        }
        Asked::Work(_) => Answer::Worked(work::slice(batch).await?),
        Asked::Sweep(limits, _) => Answer::Swept(sweep::sweep(batch, *limits).await?),
        Asked::Setting((name, value), _) => {
            Answer::Set(settings::put_if_absent(batch.sql, name, value).await?)
        }
        Asked::Accept(..) | Asked::Record(..) => unreachable!("these are done together"),
    })
}

/// Where the rows of a group belong.
fn partitions_of(group: &[Request], now: Timestamp) -> BTreeSet<Partition> {
    let mut needed = around(now);
    for request in group {
        for item in items_of(request) {
            needed.insert(Partition::at(Table::Payload, item.message.expires_at));
        }
        for key in keys_of(request) {
            needed.extend(hours_kept(now, key).map(Partition::of_hour));
        }
    }
    needed
}

fn keys_of(request: &Request) -> Vec<&IdempotencyKey> {
    match &request.asked {
        Asked::Accept(items, _) => {
            let keys = items.iter().filter_map(|item| item.idempotency.as_ref());
            keys.collect()
        }
        Asked::Change(request, _) => request.idempotency.iter().collect(),
        _ => Vec::new(),
    }
}
