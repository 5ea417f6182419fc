//! The writer: takes whatever waits, commits it as a group, and answers. Where a commit fails it
//! decides what that means for each of the group.
//!
//! Nothing is answered while it is not known whether a commit succeeded. The node's row tells: its
//! `batch` is the number of the last one that did.

use crate::commit::{Sent, Tried, commit, moved};
use crate::failure::Failure;
use crate::fate;
use crate::inbox::Inbox;
use crate::request::{Answer, Request};
use crate::rounds::Rounds;
use crate::shared::Shared;
use std::sync::Arc;
use std::time::Duration;
use store::vitals::Cause;
use tokio::sync::mpsc;
use tokio::time::Instant;

/// A group that keeps colliding with other nodes is refused after so many tries.
const COLLISIONS_MAX: usize = 20;
/// Between two tries while the database is away: doubles from the first to the second.
const PAUSE: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(2));

/// Runs until the store is closed.
pub struct WriterLoop {
    inbox: Inbox,
    writer: Writer,
}

struct Writer {
    shared: Arc<Shared>,
    rounds: Rounds,
    /// Of the next commit.
    number: i64,
    /// Outcomes that wait for the database.
    waiting: Vec<Request>,
    pause: Duration,
}

impl WriterLoop {
    pub(crate) fn new(shared: Arc<Shared>, requests: mpsc::UnboundedReceiver<Request>) -> Self {
        Self {
            inbox: Inbox::new(requests, shared.condition.subscribe()),
            writer: Writer {
                shared,
                rounds: Rounds::default(),
                number: 1,
                waiting: Vec::new(),
                pause: PAUSE.0,
            },
        }
    }

    /// Commits what is asked for. A commit under way when the store is closed is left as it is.
    pub async fn run(mut self) {
        let shared = self.writer.shared.clone();
        tokio::select! {
            biased;
            () = shared.until_closed() => {}
            () = self.work() => {}
        }
    }

    async fn work(&mut self) {
        let Self { inbox, writer } = self;
        loop {
            let mut group = std::mem::take(&mut writer.waiting);
            if group.is_empty() {
                // An empty group renews the lease.
                let Some(next) = inbox.next().await else {
                    return;
                };
                group = next;
            } else {
                writer.wait_a_little().await;
                inbox.fill(&mut group);
            }
            // What a commit needs is kept once, and not moved: it is too much for a stack.
            inbox.beside(Box::pin(writer.settle(group))).await;
        }
    }
}

impl Writer {
    /// Commits a group, and answers all of it but outcomes that can't be written yet.
    async fn settle(&mut self, group: Vec<Request>) {
        for _ in 0..COLLISIONS_MAX {
            let number = self.number;
            self.number += 1;
            let begun = Instant::now();
            match commit(&self.shared, &mut self.rounds, (number, &group)).await {
                Ok(answers) => return self.succeeded(begun, group, answers),
                Err(Tried::Not(Failure::Conflict(reason))) => {
                    tracing::debug!(reason, "a commit collided with another node's");
                    self.shared.partitions.forget();
                }
                Err(Tried::Not(Failure::LeaseLost)) => {
                    if let Err(failure) = self.rejoin().await {
                        return self.failed(group, &failure);
                    }
                }
                Err(Tried::Not(Failure::Unreadable(reason))) if group.len() > 1 => {
                    tracing::error!(reason, "a group of requests failed: each is tried alone");
                    for request in group {
                        Box::pin(self.settle(vec![request])).await;
                    }
                    return;
                }
                Err(Tried::Not(failure)) => return self.failed(group, &failure),
                Err(Tried::Unknown(failure, sent)) => {
                    tracing::warn!(%failure, "a commit was not answered: did it succeed?");
                    if self.find_out(number, (&group, &sent)).await {
                        return self.succeeded(begun, group, sent.answers);
                    }
                }
            }
        }
        let reason = "other nodes change the same rows all the time".to_owned();
        self.failed(group, &Failure::Conflict(reason));
    }

    fn succeeded(&mut self, begun: Instant, group: Vec<Request>, answers: Vec<Answer>) {
        self.pause = PAUSE.0;
        self.shared.meter.commits.took(begun.elapsed());
        self.shared.meter.pulse.beat(moved(&group, &answers));
        self.shared.renewed(begun);
        for (request, answer) in group.into_iter().zip(answers) {
            request.answer(answer);
        }
    }

    /// Nothing of a group was committed. Outcomes wait, whatever else there is can be asked for
    /// again.
    fn failed(&mut self, group: Vec<Request>, failure: &Failure) {
        self.shared.meter.commits_failed.count();
        let hopeless = matches!(failure, Failure::Unreadable(_) | Failure::Closed);
        if !hopeless {
            tracing::warn!(%failure, "can't commit at the moment");
            self.shared.in_trouble(failure.cause());
        }
        for request in group {
            if request.waits() && !hopeless {
                self.waiting.push(request);
            } else {
                request.refuse(failure);
            }
        }
    }

    /// Whether the commit of this number succeeded.
    async fn find_out(&mut self, number: i64, (group, sent): (&[Request], &Sent)) -> bool {
        self.shared.in_trouble(Cause::Away);
        loop {
            let succeeded = match self.last_commit().await {
                Err(Failure::LeaseLost) => self.outlived_its_lease(group, sent).await,
                last => last.map(|last| last >= number),
            };
            match succeeded {
                Ok(succeeded) => {
                    self.shared.keys.end();
                    return succeeded;
                }
                Err(_) => self.wait_a_little().await,
            }
        }
    }

    /// Whether a transaction was committed whose lease has ended since: whoever ended that has
    /// waited for it. Takes another lease, so that what it gave to hold is worth nothing.
    async fn outlived_its_lease(
        &mut self,
        group: &[Request],
        sent: &Sent,
    ) -> Result<bool, Failure> {
        let pools = &self.shared.pools;
        let mut client = pools.writer().await?;
        let slot = self.shared.membership().slot;
        let asked = async {
            let sql = pools.begin(&mut client);
            let committed = fate::was_committed(&sql, slot, (group, sent)).await?;
            sql.commit().await?;
            Ok(committed)
        };
        let committed = pools.doubting(asked).await?;
        drop(client);
        self.rejoin().await?;
        Ok(committed)
    }

    /// The number of the last commit of this lease. The row is locked, so that one that is still
    /// being committed is waited for; and that this is, a commit of its own, waits until a
    /// synchronous standby has it and all before it.
    async fn last_commit(&self) -> Result<i64, Failure> {
        let membership = self.shared.membership();
        let pools = &self.shared.pools;
        let mut client = pools.writer().await?;
        let asked = async {
            let sql = pools.begin(&mut client);
            let row = sql.row(
                "SELECT batch FROM node WHERE slot = $1 AND epoch = $2 FOR UPDATE",
                crate::sql::params![i32::from(membership.slot), membership.epoch],
            );
            let row = row.await?.ok_or(Failure::LeaseLost)?;
            let last = crate::columns::get(&row, 0)?;
            sql.commit().await?;
            Ok(last)
        };
        pools.doubting(asked).await
    }

    async fn rejoin(&mut self) -> Result<(), Failure> {
        tracing::warn!("this node's lease has ended: what it held goes to whoever is alive");
        self.shared.in_trouble(Cause::LeaseLost);
        let joined = self.shared.join().await;
        joined.map_err(|error| Failure::Unavailable(error.to_string()))
    }

    async fn wait_a_little(&mut self) {
        // Nodes that lost the same database don't come back all at once.
        let share: u8 = model::entropy::random::<1>(&*self.shared.entropy)[0];
        let pause = self.pause / 2 + self.pause.mul_f64(f64::from(share) / 512.0);
        tokio::time::sleep(pause).await;
        self.pause = (self.pause * 2).min(PAUSE.1);
    }
}
