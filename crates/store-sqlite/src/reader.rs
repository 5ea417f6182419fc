//! Read-only connections and the threads that reads run on. Readers never wait for the writer, nor
//! it for them: each sees the database as it was when its read began.

use crate::connection::open_reader;
use crate::failure::Failure;
use rusqlite::Connection;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use tokio::sync::Semaphore;

/// The pool.
pub(crate) struct Readers {
    idle: Mutex<Vec<Connection>>,
    places: Arc<Semaphore>,
    database: PathBuf,
    cache_kib: u32,
    inline: bool,
}

impl Readers {
    /// A pool whose connections are opened when they are first needed.
    pub(crate) fn new(database: PathBuf, config: &crate::SqliteConfig, inline: bool) -> Self {
        Self {
            idle: Mutex::default(),
            places: Arc::new(Semaphore::new(config.readers.max(1))),
            database,
            cache_kib: config.reader_cache_kib,
            inline,
        }
    }

    /// Runs `work` with a connection of its own: on a thread for blocking work, or here if the
    /// store is driven inline.
    pub(crate) async fn with<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&Connection) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, Failure> {
        let place = self.places.clone().acquire_owned().await;
        let place = place.map_err(|_| Failure::Closed)?;
        if self.inline {
            return self.run(work);
        }
        let readers = self.clone();
        let run = tokio::task::spawn_blocking(move || {
            let done = readers.run(work);
            drop(place);
            done
        });
        run.await.unwrap_or_else(|error| {
            Err(Failure::Unavailable(format!("a read ended early: {error}")))
        })
    }

    /// Runs `work` on one state of the database, however many statements it makes.
    pub(crate) async fn snapshot<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&Connection) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, Failure> {
        self.with(|connection| {
            let _snapshot = connection.unchecked_transaction()?;
            work(connection)
        })
        .await
    }

    /// Ends the pool: connections are closed when their reads are done.
    pub(crate) fn close(&self) {
        self.places.close();
        self.idle().clear();
    }

    fn run<T>(&self, work: impl FnOnce(&Connection) -> Result<T, Failure>) -> Result<T, Failure> {
        let idle = self.idle().pop();
        let connection = match idle {
            Some(connection) => connection,
            None => open_reader(&self.database, self.cache_kib)?,
        };
        let done = work(&connection);
        if !self.places.is_closed() {
            self.idle().push(connection);
        }
        done
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Connection>> {
        self.idle
            .lock()
            .expect("nothing panics while it holds this lock")
    }
}
