//! One transaction for a group of requests: judged and written together, with the node's lease
//! renewed in the same commit, so that nothing is committed without one.

use crate::batch::{Batch, Lent, hours_kept};
use crate::columns::get;
use crate::failure::Failure;
use crate::node::{LEASE, Membership};
use crate::partitions::{Partition, Table, around};
use crate::request::{Answer, Asked, Request};
use crate::rounds::Rounds;
use crate::shared::Shared;
use crate::sql::{Sql, Statement, Uncommitted, params};
use crate::unwritten::Unwritten;
use crate::{accept, change, observed, record, settings, sweep, work};
use model::Timestamp;
use model::id::DeliveryKey;
use std::collections::{BTreeSet, HashSet};
use store::accept::Accept;
use store::idempotency::IdempotencyKey;
use store::pulse::Moved;
use store::record::{Outcome, Recorded};

/// How a commit ended that is not known to have succeeded.
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
    pub(crate) transaction: Transaction,
}

/// What a database calls a transaction.
pub(crate) struct Transaction {
    pub(crate) id: i64,
    /// Which of its histories the database was in: a standby that is promoted begins another, and
    /// gives the ids anew that its primary gave to what had not reached it.
    pub(crate) timeline: String,
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
    let sql = shared.pools.begin(&mut client);
    let mut moved = rounds.clone();
    let tried = transact(shared, &mut moved, (sql, now, number, group)).await;
    if !matches!(tried, Err(Tried::Unknown(..))) {
        shared.keys.end();
    }
    // A slice that fails each time must not keep the rest of the work from being done.
    rounds.task = moved.task;
    let answers = tried?;
    *rounds = moved;
    Ok(answers)
}

/// Two messages to the database, in the usual case: one that reads what is judged by and takes what
/// was closed out of the way, and one that writes and commits; before the first, where there are
/// outcomes, the transaction's beginning.
async fn transact(
    shared: &Shared,
    rounds: &mut Rounds,
    (sql, now, number, group): (Sql<'_>, Timestamp, i64, &[Request]),
) -> Result<Vec<Answer>, Tried> {
    let (membership, owned) = shared.tenure();
    let mut batch = Batch::new(Lent {
        sql: &sql,
        now,
        owned: &owned,
        entropy: &*shared.entropy,
        keys: &shared.keys,
        rounds,
        kept: &shared.kept,
        node: (membership.slot, membership.epoch),
    });
    let (transaction, answers) = answers(&mut batch, membership, group).await?;
    let unwritten = batch.into_unwritten();
    let mut statements = unwritten.statements();
    let moves = !moved(group, &answers).is_empty();
    statements.push(renewal(
        shared,
        membership,
        (&unwritten, now, number, moves),
    ));
    match sql.commit_with(statements).await {
        Ok(()) => {
            observed::kept(&shared.kept).add(&unwritten.chains);
            Ok(answers)
        }
        Err(Uncommitted::Not(failure)) => Err(Tried::Not(failure)),
        Err(Uncommitted::Unknown(failure)) => {
            let sent = Sent {
                answers,
                transaction,
            };
            Err(Tried::Unknown(failure, sent))
        }
    }
}

/// Renews the lease, in the commit that it is needed for. It fails where that has ended, by a
/// division by zero, since a statement that only finds nothing would not keep the commit, which is
/// on its way by then, from succeeding.
fn renewal<'u>(
    shared: &Shared,
    membership: Membership,
    (unwritten, now, number, moves): (&'u Unwritten, Timestamp, i64, bool),
) -> Statement<'u> {
    Statement {
        text: "WITH renewed AS (UPDATE node SET expires_at =
                 clock_timestamp() + make_interval(secs => $3),
                 last_key = greatest(last_key, $4), floor = $5, batch = greatest(batch, $6),
                 moved = moved + $7
             WHERE slot = $1 AND epoch = $2 AND expires_at > clock_timestamp() RETURNING 1)
         SELECT 1 / count(*) FROM renewed",
        params: params![
            i32::from(membership.slot),
            membership.epoch,
            LEASE.as_secs_f64(),
            unwritten.last_key,
            shared.keys.next_floor(now),
            number,
            i64::from(moves)
        ],
    }
}

/// What the database calls the transaction, and the answers if it succeeds.
async fn answers(
    batch: &mut Batch<'_>,
    membership: Membership,
    group: &[Request],
) -> Result<(Transaction, Vec<Answer>), Failure> {
    let items: Vec<&Accept> = group.iter().flat_map(items_of).collect();
    let outcomes = Outcomes::of(group);
    if !outcomes.first.is_empty() {
        // A delivery that is removed without a transaction would be lost.
        batch.sql.begin().await?;
    }
    let (transaction, known, found) = tokio::try_join!(
        biased;
        transaction_of(batch.sql, membership),
        accept::read(batch.sql, batch.now, &items),
        record::take_effect(batch.sql, batch.owned, &outcomes.first)
    )?;
    observed::kept(batch.kept).in_history(&transaction.timeline);
    let mut accepted = accept::accept(batch, known, &items).into_iter();
    let mut recorded = outcomes.record(batch, found).await?.into_iter();
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
    Ok((transaction, answers))
}

/// Locks the node's row from here on: whoever wants to know whether this was committed waits until
/// it has ended, however it ends.
async fn transaction_of(sql: &Sql<'_>, membership: Membership) -> Result<Transaction, Failure> {
    let row = sql.row(
        "SELECT pg_current_xact_id()::text::bigint,
                left(pg_walfile_name(pg_current_wal_lsn()), 8)
         FROM node WHERE slot = $1 AND epoch = $2 FOR NO KEY UPDATE",
        params![i32::from(membership.slot), membership.epoch],
    );
    let row = row.await?.ok_or(Failure::LeaseLost)?;
    Ok(Transaction {
        id: get(&row, 0)?,
        timeline: get(&row, 1)?,
    })
}

fn items_of(request: &Request) -> &[Accept] {
    match &request.asked {
        Asked::Accept(items, _) => items,
        _ => &[],
    }
}

/// The outcomes of a group.
struct Outcomes<'g> {
    /// Those whose delivery is not among those before.
    first: Vec<&'g Outcome>,
    /// For each of the group, in its order, whether it is one of these.
    is_first: Vec<bool>,
    /// The others.
    again: Vec<&'g Outcome>,
}

impl<'g> Outcomes<'g> {
    fn of(group: &'g [Request]) -> Self {
        let mut seen = HashSet::new();
        let mut outcomes = Self {
            first: Vec::new(),
            is_first: Vec::new(),
            again: Vec::new(),
        };
        for request in group {
            if let Asked::Record(outcome, _) = &request.asked {
                let is_first = seen.insert(outcome.delivery.key);
                outcomes.is_first.push(is_first);
                match is_first {
                    true => outcomes.first.push(outcome),
                    false => outcomes.again.push(outcome),
                }
            }
        }
        outcomes
    }

    /// Records them; the others one by one, after the first.
    async fn record(
        self,
        batch: &mut Batch<'_>,
        found: HashSet<DeliveryKey>,
    ) -> Result<Vec<Recorded>, Failure> {
        let mut first = record::record(batch, &self.first, found).await?.into_iter();
        let mut again = self.again.into_iter();
        let mut recorded = Vec::with_capacity(self.is_first.len());
        for is_first in self.is_first {
            if is_first {
                recorded.extend(first.next());
            } else if let Some(outcome) = again.next() {
                batch.flush().await?;
                let found = record::take_effect(batch.sql, batch.owned, &[outcome]).await?;
                recorded.extend(record::record(batch, &[outcome], found).await?);
            }
        }
        Ok(recorded)
    }
}

async fn single(batch: &mut Batch<'_>, asked: &Asked) -> Result<Answer, Failure> {
    Ok(match asked {
        Asked::Change(request, _) => {
            Answer::Changed(Box::new(change::change(batch, request).await?))
        }
        Asked::Work(_) => Answer::Worked(work::slice(batch).await?),
        Asked::Advance(step, _) => Answer::Advanced(work::advance_taken(batch, step).await?),
        Asked::Sweep(wanted, _) => Answer::Swept(sweep::sweep(batch, *wanted).await?),
        Asked::Setting((name, value), _) => {
            Answer::Set(settings::put_if_absent(batch.sql, name, value).await?)
        }
        Asked::Accept(..) | Asked::Record(..) => unreachable!("these are done together"),
    })
}

/// Whom a group concerns that was answered like this.
pub(crate) fn moved(group: &[Request], answers: &[Answer]) -> Moved {
    let mut moved = Moved::default();
    for (request, answer) in group.iter().zip(answers) {
        match (&request.asked, answer) {
            (Asked::Accept(items, _), Answer::Accepted(answers)) => moved.accepted(items, answers),
            (Asked::Record(outcome, _), _) => moved.recorded(outcome),
            (Asked::Change(request, _), Answer::Changed(changed)) => {
                moved.changed(&request.change, changed);
            }
            (Asked::Advance(step, _), Answer::Advanced(advanced)) => {
                moved.advanced(&step.step, advanced);
            }
            (_, Answer::Worked(slice)) => moved.worked(slice),
            (_, Answer::Swept(Some(swept))) => moved.swept(swept),
            _ => {}
        }
    }
    moved
}

/// Where the rows of a group belong.
fn partitions_of(group: &[Request], now: Timestamp) -> BTreeSet<Partition> {
    let mut needed = around(now);
    for request in group {
        for item in items_of(request).iter().chain(carried(request)) {
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
        _ => {
            let keys = carried(request).iter();
            keys.filter_map(|item| item.idempotency.as_ref()).collect()
        }
    }
}

/// Messages that come with something else.
fn carried(request: &Request) -> &[Accept] {
    match &request.asked {
        Asked::Advance(step, _) => &step.step.messages,
        _ => &[],
    }
}
