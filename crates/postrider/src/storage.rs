//! The store that a node works on: embedded, of its own, or a database that it shares with other
//! nodes. The only place that knows which; how either is opened, and how it is ended.

use crate::config::{Checked, Database};
use crate::failure::Failure;
use crate::keys::KeySources;
use crate::system::SystemEntropy;
use anyhow::anyhow;
use model::{Clock, Entropy};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;
use store::Store;
use store_postgres::{PostgresConfig, PostgresStore};
use store_sqlite::{DataDirectory, SqliteConfig, SqliteStore};
use tokio::task::{JoinError, JoinSet};

/// How long giving the lease back may take at the end. If it does not succeed, the lease ends by
/// itself, and others wait for that.
const LEAVE_MAX: Duration = Duration::from_secs(5);

/// What lists of nodes say that this one runs.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Where a store is to be opened.
pub(crate) enum Home {
    /// A data directory, locked, with the keys that belong to it.
    Directory(DataDirectory),
    /// A database.
    Database(PostgresConfig),
}

/// An open store.
pub(crate) struct Storage {
    store: Arc<dyn Store>,
    loops: Loops,
}

/// What runs beside a store, and ends it.
enum Loops {
    Embedded(Arc<SqliteStore>, Vec<JoinHandle<()>>),
    Shared(Arc<PostgresStore>, JoinSet<()>),
}

impl Home {
    /// The configured one. Makes keys where a new installation has none: never for a shared
    /// database, whose nodes all need the same.
    pub(crate) fn of(config: &Checked, keys: &KeySources) -> Result<Self, Failure> {
        if let Some(database) = &config.database {
            return Ok(Self::Database(PostgresConfig {
                roles: config.roles,
                ..postgres(database)
            }));
        }
        let directory = DataDirectory::lock(&config.data_dir).map_err(Failure::could_not)?;
        // New keys could not read a store that is there already, such as one just restored.
        if !directory.database().exists() {
            keys.generate_missing(&SystemEntropy)?;
        }
        Ok(Self::Directory(directory))
    }

    /// Opens the store, with all that runs beside it.
    pub(crate) async fn open(
        self,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> Result<Storage, Failure> {
        match self {
            Self::Directory(directory) => {
                let surroundings = store_sqlite::Surroundings { clock, entropy };
                open_embedded(directory, surroundings)
            }
            Self::Database(config) => {
                let surroundings = store_postgres::Surroundings { clock, entropy };
                open_shared(config, surroundings).await
            }
        }
    }
}

impl Storage {
    /// The store.
    pub(crate) fn store(&self) -> &Arc<dyn Store> {
        &self.store
    }

    /// Whether other nodes write to it as well.
    pub(crate) fn is_shared(&self) -> bool {
        matches!(self.loops, Loops::Shared(..))
    }

    /// Returns when something has ended that must not while the store is open: nothing can be asked
    /// of it any more. An embedded store says so by its condition.
    pub(crate) async fn failed(&mut self) -> Failure {
        let Loops::Shared(_, tasks) = &mut self.loops else {
            return std::future::pending().await;
        };
        match tasks.join_next().await {
            Some(Err(error)) => panicked(error),
            _ => Failure::CouldNot(anyhow!("a part of the store ended by itself")),
        }
    }

    /// Closes it behind all that was asked of it.
    pub(crate) async fn end(self) -> Result<(), Failure> {
        match self.loops {
            Loops::Embedded(store, threads) => {
                store.close();
                for thread in threads {
                    let joined = tokio::task::spawn_blocking(move || thread.join().is_ok()).await;
                    if !joined.unwrap_or(false) {
                        return Err(Failure::CouldNot(anyhow!("a thread of the store panicked")));
                    }
                }
            }
            Loops::Shared(store, mut tasks) => {
                // What this node still holds is for the others, at once.
                if tokio::time::timeout(LEAVE_MAX, store.leave())
                    .await
                    .is_err()
                {
                    tracing::warn!("the lease could not be given back in time: it ends by itself");
                }
                store.close();
                while let Some(ended) = tasks.join_next().await {
                    ended.map_err(panicked)?;
                }
            }
        }
        Ok(())
    }
}

fn panicked(error: JoinError) -> Failure {
    Failure::CouldNot(anyhow!(error).context("a task of the store panicked"))
}

/// How to reach a shared database, and what this node is called there.
pub(crate) fn postgres(database: &Database) -> PostgresConfig {
    let direct_url = database.direct_url.as_ref();
    PostgresConfig {
        url: database.url.expose().to_owned(),
        direct_url: direct_url.map(|url| url.expose().to_owned()),
        name: host_name(),
        version: VERSION.to_owned(),
        ..PostgresConfig::default()
    }
}

/// What this node is called.
pub(crate) fn host_name() -> String {
    let uname = rustix::system::uname();
    uname.nodename().to_string_lossy().into_owned()
}

fn open_embedded(
    directory: DataDirectory,
    surroundings: store_sqlite::Surroundings,
) -> Result<Storage, Failure> {
    let config = SqliteConfig {
        name: host_name(),
        version: VERSION.to_owned(),
        ..SqliteConfig::default()
    };
    let opened = SqliteStore::open(directory, config, surroundings);
    let (store, writer, checkpoints) = opened.map_err(Failure::could_not)?;
    let store = Arc::new(store);
    let threads = vec![
        spawn("writer", move || writer.run())?,
        spawn("checkpoints", move || checkpoints.run())?,
    ];
    Ok(Storage {
        store: store.clone(),
        loops: Loops::Embedded(store, threads),
    })
}

async fn open_shared(
    config: PostgresConfig,
    surroundings: store_postgres::Surroundings,
) -> Result<Storage, Failure> {
    let opened = PostgresStore::open(config, surroundings).await;
    let (store, writer, lease) = opened.map_err(Failure::could_not)?;
    let store = Arc::new(store);
    let mut tasks = JoinSet::new();
    tasks.spawn(writer.run());
    tasks.spawn(lease.run());
    Ok(Storage {
        store: store.clone(),
        loops: Loops::Shared(store, tasks),
    })
}

#[expect(clippy::disallowed_methods, reason = "threads are spawned here")]
fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>, Failure> {
    let builder = std::thread::Builder::new().name(name.to_owned());
    builder.spawn(work).map_err(Failure::could_not)
}
