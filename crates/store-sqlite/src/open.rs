//! Opening a store: schema, keys, parts. Threads are the binary's to spawn.

use crate::checkpoint::{CheckpointLoop, Checkpoints, checkpoint_recovered};
use crate::config::SqliteConfig;
use crate::connection::{open_writer, prepare_for_writing, require_durability};
use crate::directory::{DataDirectory, log_in};
use crate::handle::SqliteStore;
use crate::inbox::Inbox;
use crate::open_error::OpenError;
use crate::remembered::Indices;
use crate::schema;
use crate::shared::Shared;
use crate::writer::{Writer, WriterLoop};
use model::id::KeySequence;
use model::{Clock, Entropy, Timestamp};
use rusqlite::Connection;
use std::fs::File;
use std::io::ErrorKind;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use store::Condition;
use store::owned::Owned;
use store::vitals::Meter;
use tokio::sync::watch;

/// A clock set back by more than this is refused: keys would run ahead of time for too long.
const CLOCK_BEHIND_MAX: Duration = Duration::from_secs(60);

/// What a store takes from outside, so that a simulation can replace it.
#[derive(Clone)]
pub struct Surroundings {
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// Gives the random part of ids that the store makes itself.
    pub entropy: Arc<dyn Entropy>,
}

impl SqliteStore {
    /// Opens the store of a data directory. Its two loops must each be run by a thread before
    /// anything is asked of it; both end after [`SqliteStore::close`].
    pub fn open(
        directory: DataDirectory,
        config: SqliteConfig,
        surroundings: Surroundings,
    ) -> Result<(Self, WriterLoop, CheckpointLoop), OpenError> {
        let database = directory.database();
        let (writer, shared) = prepare(directory, config, surroundings, false)?;
        let checkpoints = CheckpointLoop::new(shared.clone(), database);
        let store = Self::new(shared, None);
        Ok((store, WriterLoop::new(writer), checkpoints))
    }

    /// Opens the store of a data directory without loops: whoever asks for a write drives the
    /// writer, and reads run where they are asked for. Nothing then depends on the scheduling of
    /// threads: the same requests at the same times make the same database.
    pub fn open_inline(
        directory: DataDirectory,
        config: SqliteConfig,
        surroundings: Surroundings,
    ) -> Result<Self, OpenError> {
        let (writer, shared) = prepare(directory, config, surroundings, true)?;
        Ok(Self::new(shared, Some(writer)))
    }
}

/// The writer of a data directory, and what it shares with the handle.
pub(crate) fn prepare(
    directory: DataDirectory,
    config: SqliteConfig,
    surroundings: Surroundings,
    inline: bool,
) -> Result<(Writer, Arc<Shared>), OpenError> {
    let database = directory.database();
    sync_log(&directory)?;
    let mut connection = open_writer(&database, &config)?;
    let version = schema::check(&connection, &database)?;
    prepare_for_writing(&connection)?;
    require_durability(&connection)?;
    checkpoint_recovered(&connection)?;
    schema::migrate(&connection, version)?;
    crate::transfer::refuse_unfinished(&connection, directory.path())?;
    let now = surroundings.clock.now();
    let keys = keys_behind_the_last(&connection, now)?;
    let checkpoints = Checkpoints::default();
    checkpoints.count_frames(&mut connection)?;
    let shared = Arc::new(Shared {
        inbox: Inbox::new(config.inbox_kib),
        indices: Indices::load(&connection, now, config.indexed_keys_max)?,
        inline,
        clock: surroundings.clock,
        since: now,
        owned: Arc::new(Owned::default()),
        checkpoints,
        condition: watch::Sender::new(Condition::Writable),
        meter: Meter::default(),
        fatal: Mutex::default(),
        config,
        directory,
    });
    let writer = Writer::new(connection, shared.clone(), surroundings.entropy, keys);
    Ok((writer, shared))
}

/// What a crash left in the log counts as committed from here on: a repeated request is answered
/// from it, although its commit may not have come to its fsync.
fn sync_log(directory: &DataDirectory) -> Result<(), OpenError> {
    let path = log_in(directory.path());
    match File::open(&path).and_then(|log| log.sync_all()) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(OpenError::Directory {
            path,
            source: error,
        }),
        _ => Ok(()),
    }
}

/// Goes on behind the largest key that was ever given.
fn keys_behind_the_last(connection: &Connection, now: Timestamp) -> Result<KeySequence, OpenError> {
    let last = connection.query_row(schema::LAST_KEY, [], |row| row.get(0))?;
    let keys = KeySequence::after(0, last);
    let behind = keys.ahead_of(now);
    if behind > CLOCK_BEHIND_MAX {
        return Err(OpenError::ClockBehind { behind });
    }
    Ok(keys)
}
