//! Opening a store: schema, lease, parts. Tasks are the binary's to spawn.

use crate::OpenError;
use crate::config::PostgresConfig;
use crate::handle::PostgresStore;
use crate::keys::Keys;
use crate::lease::LeaseLoop;
use crate::node::Membership;
use crate::pools::Pools;
use crate::schema;
use crate::shared::Shared;
use crate::writer::WriterLoop;
use model::id::KeySequence;
use model::{Clock, Entropy};
use std::sync::{Arc, Mutex};
use store::Condition;
use store::vitals::Meter;
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::time::Instant;
use tokio_postgres::SimpleQueryMessage;

/// Requests that wait take this much memory at the most, in KiB.
pub(crate) const ROOM_KIB: usize = 64 * 1_024;

/// What a store takes from outside, so that a simulation can replace it.
#[derive(Clone)]
pub struct Surroundings {
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// Gives the random part of ids that the store makes itself.
    pub entropy: Arc<dyn Entropy>,
}

impl PostgresStore {
    /// Opens the store of a database, brings its schema up to date, and joins its nodes. The loops
    /// must each be run by a task before anything is asked of it; both end after
    /// [`PostgresStore::close`].
    pub async fn open(
        config: PostgresConfig,
        surroundings: Surroundings,
    ) -> Result<(Self, WriterLoop, LeaseLoop), OpenError> {
        let pools = Pools::new(&config)?;
        let mut client = pools.direct().await?;
        require_durability(&client).await?;
        schema::migrate_to(&mut client, config.later_migrations).await?;
        drop(client);
        // Settings of a user's sessions may differ on the way through a pooler.
        let client = pools.writer().await?;
        require_durability(&client).await?;
        drop(client);
        let nowhere = Membership { slot: 0, epoch: 0 };
        let shared = Arc::new(Shared {
            pools,
            config,
            clock: surroundings.clock,
            entropy: surroundings.entropy,
            tenure: Mutex::new((nowhere, Arc::default())),
            renewed: watch::Sender::new(Instant::now()),
            keys: Keys::new(KeySequence::after(0, 0)),
            partitions: crate::partitions::Partitions::default(),
            cleared: Mutex::default(),
            kept: Mutex::default(),
            condition: watch::Sender::new(Condition::Writable),
            meter: Meter::default(),
            room: Arc::new(Semaphore::new(ROOM_KIB)),
            closing: watch::Sender::new(false),
        });
        shared.join().await?;
        let (requests, inbox) = mpsc::unbounded_channel();
        let store = Self::new(shared.clone(), requests);
        let writer = WriterLoop::new(shared.clone(), inbox);
        Ok((store, writer, LeaseLoop::new(shared)))
    }
}

/// A commit that is answered must be on disk, on the standby too where there is a synchronous one.
pub(crate) async fn require_durability(client: &tokio_postgres::Client) -> Result<(), OpenError> {
    let shown = client.simple_query("SHOW synchronous_commit").await?;
    let is_off = |line: &SimpleQueryMessage| match line {
        SimpleQueryMessage::Row(row) => row.get(0) == Some("off"),
        _ => false,
    };
    match shown.iter().any(is_off) {
        true => Err(OpenError::NotDurable("off".to_owned())),
        false => Ok(()),
    }
}
