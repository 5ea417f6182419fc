//! The one writer: takes what waits, does it all in one transaction, and answers after its one
//! fsync. While one batch is synced, the next one gathers; see `inbox` for when it is put off.
//!
//! When a commit fails, nobody is told that anything was kept. What can be asked again is refused;
//! outcomes stay, since what they tell has happened, and go first when writing works again, which a
//! small write tries each second. A failed fsync is never tried again: see [`Failure::Fatal`].

use crate::batch::{Batch, Lent};
use crate::checkpoint::{LogWatch, checkpoint_all, empty_log};
use crate::failure::Failure;
use crate::inbox::{Linger, Request, Urgency};
use crate::rounds::Rounds;
use crate::shared::Shared;
use model::Entropy;
use model::id::KeySequence;
use rusqlite::Connection;
use std::sync::Arc;
use std::time::Duration;
use store::Condition;

/// How often a store that can't write tries to.
const PROBE_EVERY: Duration = Duration::from_secs(1);
/// A log that holds destroyed keys is emptied so often at the most, however many they are.
const EMPTY_EVERY: Duration = Duration::from_millis(500);
/// How long the writer must be idle before the rest of the log is moved into the database.
const IDLE_AFTER: Duration = Duration::from_secs(2);

/// Under load a commit is put off for as long as the last one took, so that the writer is at work
/// for half of the time, and at most for so many times the patience that outcomes have.
const LARGE_COMMIT_PATIENCE: u32 = 2;

type Requests = Vec<Box<dyn Request>>;

/// The writer's state.
pub(crate) struct Writer {
    connection: Connection,
    shared: Arc<Shared>,
    entropy: Arc<dyn Entropy>,
    keys: KeySequence,
    rounds: Rounds,
    log: LogWatch,
    /// Outcomes that wait for commits to succeed again.
    parked: Requests,
    probe_at: Duration,
    /// When the log is next emptied, if that is wanted.
    empty_at: Duration,
}

/// The loop that writes: a thread's work.
pub struct WriterLoop(Writer);

impl WriterLoop {
    pub(crate) fn new(writer: Writer) -> Self {
        Self(writer)
    }

    /// Works until the store is closed and all that was queued is done.
    pub fn run(mut self) {
        let shared = self.0.shared.clone();
        let for_company = shared.config.commit_patience;
        let mut took = Duration::ZERO;
        loop {
            let linger = Linger {
                for_company,
                for_more: took.min(for_company * LARGE_COMMIT_PATIENCE),
            };
            let Some(requests) = shared.inbox.wait(self.0.patience(), linger) else {
                break;
            };
            if requests.is_empty() {
                self.0.idle();
            }
            let begun = shared.clock.monotonic();
            self.0.commit(requests);
            took = shared.clock.monotonic().saturating_sub(begun);
        }
        self.0.close();
    }
}

impl Drop for WriterLoop {
    fn drop(&mut self) {
        drop(Alarm(self.0.shared.clone()));
        // Also when it was never run, or panicked: nobody must wait for answers that never come.
        self.0.shared.inbox.abandon();
        self.0.shared.checkpoints.close();
    }
}

/// Tells of a panic before what the writer had in hand is dropped: a delivery whose outcome goes
/// down with the writer must not be tried again by somebody who believes that all is well.
struct Alarm(Arc<Shared>);

impl Drop for Alarm {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.fail("the writer panicked".to_owned());
        }
    }
}

impl Writer {
    pub(crate) fn new(
        connection: Connection,
        shared: Arc<Shared>,
        entropy: Arc<dyn Entropy>,
        keys: KeySequence,
    ) -> Self {
        Self {
            connection,
            shared,
            entropy,
            keys,
            rounds: Rounds::default(),
            log: LogWatch::default(),
            parked: Requests::new(),
            probe_at: Duration::ZERO,
            empty_at: Duration::ZERO,
        }
    }

    /// Does all that waits, on the caller's thread.
    pub(crate) fn step(&mut self) {
        loop {
            let requests = self.shared.inbox.take();
            let last = requests.is_empty();
            self.commit(requests);
            if last {
                return;
            }
        }
    }

    /// The last checkpoint, when the store is closed cleanly.
    pub(crate) fn close(&mut self) {
        self.refuse_all(&Failure::Closed);
        if self.shared.standing() == Condition::Failed {
            return;
        }
        if let Err(failure) = checkpoint_all(&self.connection) {
            tracing::warn!(%failure, "the last checkpoint did not succeed");
        }
    }

    /// How long to wait for requests before looking at what else there is to do.
    fn patience(&self) -> Option<Duration> {
        match self.shared.standing() {
            Condition::ReadOnly => Some(PROBE_EVERY),
            Condition::Writable if self.rounds.destroyed => Some(EMPTY_EVERY),
            Condition::Writable if self.log.unsettled(&self.shared) => Some(IDLE_AFTER),
            _ => None,
        }
    }

    fn idle(&mut self) {
        if self.shared.standing() == Condition::Writable {
            self.log.when_idle(&self.shared);
            if self.rounds.destroyed {
                self.look_after_log();
            }
        }
    }

    /// Commits requests together with the outcomes that could not be committed before, and answers
    /// all that are decided.
    fn commit(&mut self, arrived: Requests) {
        let mut requests = std::mem::take(&mut self.parked);
        requests.extend(arrived);
        let can_write = self.shared.standing() != Condition::ReadOnly || self.probe();
        if let Some(failure) = self.shared.failure() {
            self.parked = requests;
            return self.refuse_all(&failure);
        }
        if !can_write {
            requests = self.only_what_makes_room(requests);
        }
        if requests.is_empty() {
            return;
        }
        match self.transact(&mut requests) {
            Ok(()) => requests.into_iter().for_each(|request| request.committed()),
            Err(Failure::Unreadable(_)) if requests.len() > 1 => self.commit_one_by_one(requests),
            Err(failure) => self.settle(requests, &failure),
        }
        self.look_after_log();
    }

    /// One of these can't be carried out, and must not hurt the others.
    fn commit_one_by_one(&mut self, requests: Requests) {
        for request in requests {
            if let Some(failure) = self.shared.failure() {
                request.refused(&failure);
                continue;
            }
            let mut alone = vec![request];
            match self.transact(&mut alone) {
                Ok(()) => alone.into_iter().for_each(|request| request.committed()),
                Err(failure) => self.settle(alone, &failure),
            }
        }
    }

    /// Nothing of these was committed: draws the consequences.
    fn settle(&mut self, requests: Requests, failure: &Failure) {
        match failure {
            Failure::Fatal(reason) => {
                self.shared.fail(reason.clone());
                self.parked.extend(requests);
                self.refuse_all(failure);
            }
            Failure::Unavailable(reason) | Failure::Full(reason) => {
                let now = self.shared.clock.now();
                self.shared.meter.in_trouble(failure.cause(), now);
                tracing::warn!(reason, "nothing can be written at the moment");
                self.shared.turn(Condition::ReadOnly);
                self.probe_at = self.shared.clock.monotonic() + PROBE_EVERY;
                self.park_or_refuse(requests, failure);
            }
            Failure::Unreadable(_) | Failure::Closed => {
                requests
                    .into_iter()
                    .for_each(|request| request.refused(failure));
            }
        }
    }

    /// After a failed fsync the log is left as it is: what it holds may not be on disk, and must
    /// not get into the database's file before a restart has read it again.
    fn look_after_log(&mut self) {
        if self.shared.failure().is_some() {
            return;
        }
        let looked_after = self.log.after_commit(&self.connection, &self.shared);
        match looked_after.and_then(|()| self.empty_log()) {
            Ok(()) => {}
            Err(Failure::Fatal(reason)) => self.shared.fail(reason),
            Err(failure) => tracing::error!(%failure, "a checkpoint did not succeed"),
        }
    }

    /// A key that was destroyed is to be nowhere: neither in the log, from which the page in the
    /// database's file was not written over yet.
    fn empty_log(&mut self) -> Result<(), Failure> {
        let now = self.shared.clock.monotonic();
        if self.rounds.destroyed && now >= self.empty_at {
            self.empty_at = now + EMPTY_EVERY;
            self.rounds.destroyed = !empty_log(&self.connection)?;
        }
        Ok(())
    }

    fn park_or_refuse(&mut self, requests: Requests, failure: &Failure) {
        for request in requests {
            if request.urgency() == Urgency::Patient {
                self.parked.push(request);
            } else {
                request.refused(failure);
            }
        }
    }

    fn only_what_makes_room(&mut self, requests: Requests) -> Requests {
        let (kept, others): (Requests, Requests) = requests
            .into_iter()
            .partition(|request| request.urgency() == Urgency::MakesRoom);
        let failure = Failure::Unavailable("nothing can be written at the moment".to_owned());
        self.park_or_refuse(others, &failure);
        kept
    }

    fn refuse_all(&mut self, failure: &Failure) {
        let parked = std::mem::take(&mut self.parked);
        parked
            .into_iter()
            .for_each(|request| request.refused(failure));
    }

    /// Whether writing works again: once a second a small write finds out.
    fn probe(&mut self) -> bool {
        let now = self.shared.clock.monotonic();
        if now < self.probe_at {
            return false;
        }
        self.probe_at = now + PROBE_EVERY;
        match self.write_probe() {
            Ok(()) => {
                tracing::info!("writing works again");
                self.shared.meter.well();
                self.shared.turn(Condition::Writable);
                true
            }
            Err(Failure::Fatal(reason)) => {
                self.shared.fail(reason);
                false
            }
            Err(_) => false,
        }
    }

    /// Large enough to need pages of its own, so that it does not succeed on the last free bytes
    /// of a page.
    fn write_probe(&mut self) -> Result<(), Failure> {
        let write = "REPLACE INTO probe (id, ballast) VALUES (0, zeroblob(65536))";
        let empty = "DELETE FROM probe";
        for statement in [write, empty] {
            self.in_transaction(|writer| {
                writer.connection.execute_batch(statement)?;
                Ok(())
            })?;
        }
        Ok(())
    }

    fn transact(&mut self, requests: &mut Requests) -> Result<(), Failure> {
        let _alarm = Alarm(self.shared.clone());
        let begun = self.shared.clock.monotonic();
        let done = self.in_transaction(|writer| {
            let now = writer.shared.clock.now();
            let mut batch = Batch::new(Lent {
                connection: &writer.connection,
                now,
                owned: &writer.shared.owned,
                entropy: &*writer.entropy,
                indices: &writer.shared.indices,
                keys: &mut writer.keys,
                rounds: &mut writer.rounds,
            });
            for request in requests {
                request.run(&mut batch)?;
            }
            let fresh = batch.finish()?;
            let spill = writer.rounds.spill.as_mut();
            let spilled = spill.map(|spill| spill.write_piece(&writer.connection));
            Ok((fresh, spilled.transpose()?))
        });
        let meter = &self.shared.meter;
        let (fresh, spilled) = done.inspect_err(|_| meter.commits_failed.count())?;
        let ended = self.shared.clock.monotonic();
        meter.commits.took(ended.saturating_sub(begun));
        meter.pulse.beat(fresh.moved);
        self.shared.indices.idempotency.add(&fresh.idempotency);
        self.shared.indices.replays.add(&fresh.replays);
        self.rounds.chains.add(&fresh.chains);
        self.after_spilling(spilled);
        Ok(())
    }

    /// Keys leave memory piece by piece, one run at a time.
    fn after_spilling(&mut self, written_to: Option<usize>) {
        match (self.rounds.spill.take(), written_to) {
            (Some(mut spill), Some(end)) => {
                if spill.written_to(end) {
                    spill.end();
                } else {
                    self.rounds.spill = Some(spill);
                }
            }
            _ => self.rounds.spill = self.shared.indices.begin_spill(),
        }
    }

    fn in_transaction<T>(
        &mut self,
        work: impl FnOnce(&mut Self) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        if let Some(pages) = self.shared.config.faults.take_pages_max() {
            let pages = i64::from(pages);
            self.connection
                .pragma_update_and_check(None, "max_page_count", pages, |_| Ok(()))?;
        }
        self.connection
            .prepare_cached("BEGIN IMMEDIATE")?
            .execute([])?;
        let done = work(self).and_then(|done| {
            self.shared.config.faults.at_commit()?;
            self.connection.prepare_cached("COMMIT")?.execute([])?;
            Ok(done)
        });
        if done.is_err() && !self.connection.is_autocommit() {
            // The failure has a reason already; SQLite rolls back by itself if this fails too.
            let _ = self.connection.execute_batch("ROLLBACK");
        }
        done
    }
}

#[cfg(test)]
mod tests;
