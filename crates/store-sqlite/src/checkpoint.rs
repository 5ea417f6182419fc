//! Checkpoints: moving what is committed from the write-ahead log into the database's file, without
//! anybody waiting for it.
//!
//! A pass in the background alone never lets the log start anew while commits go on, since a few
//! new frames always stand behind it. So the writer makes another pass right after each, which
//! finds little left to do, and the next commit starts the log anew. The log's file keeps its size:
//! writing over what is allocated costs half as much as growing.

use crate::connection::{PAGE_BYTES, open_checkpointer};
use crate::failure::Failure;
use crate::shared::Shared;
use rusqlite::Connection;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::Duration;

/// How long the writer waits for readers when the log must start anew.
const RESTART_PATIENCE: Duration = Duration::from_millis(50);

/// What the writer and the loop tell each other.
#[derive(Debug, Default)]
pub(crate) struct Checkpoints {
    order: Mutex<Order>,
    ordered: Condvar,
    passed: AtomicBool,
    frames: Arc<AtomicU64>,
}

#[derive(Debug, Default)]
struct Order {
    wanted: bool,
    closed: bool,
}

/// What the writer knows of the log.
#[derive(Debug, Default)]
pub(crate) struct LogWatch {
    /// Its length when a pass was last ordered.
    ordered_at: u64,
    /// Its length when it was last forced to start anew.
    forced_at: u64,
    /// Its length when all of it was last known to be in the database's file.
    settled_at: u64,
}

impl Checkpoints {
    /// Lets `connection` count the frames of the log.
    pub(crate) fn count_frames(&self, connection: &mut Connection) -> rusqlite::Result<()> {
        let frames = self.frames.clone();
        connection.wal_hook(Some(move |_: &mut rusqlite::hooks::Wal, pages| {
            frames.store(u64::try_from(pages).unwrap_or(0), Ordering::Relaxed);
            Ok(())
        }))
    }

    fn bytes(&self) -> u64 {
        self.frames.load(Ordering::Relaxed) * PAGE_BYTES
    }

    /// Asks the loop for a pass.
    pub(crate) fn order(&self) {
        self.lock().wanted = true;
        self.ordered.notify_one();
    }

    /// Has the writer follow a pass with one of its own.
    pub(crate) fn pass_was_made(&self) {
        self.passed.store(true, Ordering::Release);
    }

    /// Ends the loop.
    pub(crate) fn close(&self) {
        self.lock().closed = true;
        self.ordered.notify_all();
    }

    /// Waits for an order. False: closed.
    fn wait(&self) -> bool {
        let idle = |order: &mut Order| !order.wanted && !order.closed;
        let mut order = self
            .ordered
            .wait_while(self.lock(), idle)
            .expect("nothing panics while it holds this lock");
        order.wanted = false;
        !order.closed
    }

    fn lock(&self) -> MutexGuard<'_, Order> {
        self.order
            .lock()
            .expect("nothing panics while it holds this lock")
    }
}

impl LogWatch {
    /// After a commit: orders a pass, follows one, or forces the log to start anew.
    pub(crate) fn after_commit(
        &mut self,
        connection: &Connection,
        shared: &Shared,
    ) -> Result<(), Failure> {
        let bytes = shared.checkpoints.bytes();
        if bytes < self.ordered_at {
            *self = Self::default();
        }
        if shared.checkpoints.passed.swap(false, Ordering::AcqRel) {
            self.pass(connection, bytes)?;
        }
        let step = shared.config.checkpoint_bytes;
        if bytes >= shared.config.wal_bytes_max && bytes >= self.forced_at + step {
            self.forced_at = bytes;
            return restart(connection);
        }
        if bytes < step.max(self.ordered_at + step / 8) {
            return Ok(());
        }
        self.ordered_at = bytes;
        if shared.inline {
            return self.pass(connection, bytes);
        }
        shared.checkpoints.order();
        Ok(())
    }

    /// When nothing has been asked for a while: orders a pass over what is left.
    pub(crate) fn when_idle(&mut self, shared: &Shared) {
        let bytes = shared.checkpoints.bytes();
        if bytes != self.settled_at {
            self.settled_at = bytes;
            shared.checkpoints.order();
        }
    }

    /// Whether there is something left to do when idle.
    pub(crate) fn unsettled(&self, shared: &Shared) -> bool {
        shared.checkpoints.bytes() != self.settled_at
    }

    fn pass(&mut self, connection: &Connection, bytes: u64) -> Result<(), Failure> {
        self.settled_at = bytes;
        checkpoint(connection, "PASSIVE")
    }
}

/// The loop that makes checkpoints in the background: a thread's work.
pub struct CheckpointLoop {
    shared: Arc<Shared>,
    database: PathBuf,
}

impl CheckpointLoop {
    pub(crate) fn new(shared: Arc<Shared>, database: PathBuf) -> Self {
        Self { shared, database }
    }

    /// Works until the store is closed, or has failed.
    pub fn run(self) {
        let connection = match open_checkpointer(&self.database) {
            Ok(connection) => connection,
            Err(error) => {
                tracing::error!(%error, "no checkpoints: the database can't be opened for them");
                return;
            }
        };
        while self.shared.checkpoints.wait() {
            // The log is left as it is for the restart that reads it again.
            if self.shared.failure().is_some() {
                return;
            }
            match checkpoint(&connection, "PASSIVE") {
                Ok(()) => self.shared.checkpoints.pass_was_made(),
                Err(Failure::Fatal(reason)) => return self.shared.fail(reason),
                Err(failure) => tracing::warn!(%failure, "a checkpoint did not succeed"),
            }
        }
    }
}

/// When the store is closed cleanly: everything into the database's file.
pub(crate) fn checkpoint_all(connection: &Connection) -> Result<(), Failure> {
    checkpoint(connection, "TRUNCATE")
}

/// When the store is opened: what a crash left in the log is written anew. After a failed fsync,
/// pages of the log may be in memory, and look as if they were on disk, that are not; those of the
/// database's file, from here, are.
/// Nothing is left in the log's file, such as keys that were destroyed.
pub(crate) fn checkpoint_recovered(connection: &Connection) -> Result<(), Failure> {
    checkpoint(connection, "TRUNCATE")
}

/// Empties the log's file, after all that is in it went into the database's. False: somebody was in
/// the way.
pub(crate) fn empty_log(connection: &Connection) -> Result<bool, Failure> {
    patiently(connection, || {
        let busy = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| {
            row.get::<_, i64>(0)
        });
        match busy.map_err(Failure::from) {
            Err(Failure::Unavailable(_) | Failure::Full(_)) => Ok(false),
            other => Ok(other? == 0),
        }
    })
}

fn restart(connection: &Connection) -> Result<(), Failure> {
    patiently(connection, || checkpoint(connection, "RESTART"))
}

/// Has readers be waited for only as long as a commit may be held up.
fn patiently<T>(
    connection: &Connection,
    work: impl FnOnce() -> Result<T, Failure>,
) -> Result<T, Failure> {
    connection.busy_timeout(RESTART_PATIENCE)?;
    let outcome = work();
    connection.busy_timeout(crate::connection::BUSY_TIMEOUT)?;
    outcome
}

/// A checkpoint that finds somebody in its way is no failure: the next one finds less.
fn checkpoint(connection: &Connection, mode: &str) -> Result<(), Failure> {
    let sql = format!("PRAGMA wal_checkpoint({mode})");
    match connection
        .query_row(&sql, [], |_| Ok(()))
        .map_err(Failure::from)
    {
        Err(Failure::Unavailable(reason) | Failure::Full(reason)) => {
            tracing::warn!(reason, "a checkpoint did not succeed");
            Ok(())
        }
        other => other,
    }
}
