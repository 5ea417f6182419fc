//! Read-only connections and the threads that reads run on. Readers never wait for the writer, nor
//! it for them: each sees the database as it was when its read began.
//!
//! There are two pools, so that what is on a message's way (claims, the registry, idempotency keys)
//! does not stand behind lists, of which each may look at thousands of rows.

use crate::connection::open_reader;
use crate::failure::Failure;
use rusqlite::Connection;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use tokio::sync::Semaphore;

/// A pool.
pub(crate) struct Readers {
    idle: Mutex<Vec<Connection>>,
    places: Arc<Semaphore>,
    database: PathBuf,
    cache_kib: u32,
    inline: bool,
}

impl Readers {
    /// A pool of so many connections, which are opened when they are first needed.
    pub(crate) fn new(
        database: PathBuf,
        connections: usize,
        cache_kib: u32,
        inline: bool,
    ) -> Arc<Self> {
        Arc::new(Self {
            idle: Mutex::default(),
            places: Arc::new(Semaphore::new(connections.max(1))),
            database,
            cache_kib,
            inline,
        })
    }

    /// Runs `work` with a connection of its own: on a thread for blocking work, or here if the
    /// store is driven inline.
    pub(crate) async fn with<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&Connection) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, Failure> {
        let place = self.places.clone().acquire_owned().await;
        let place = place.map_err(|_| Failure::Closed)?;
        self.off_the_runtime(move |readers| {
            let done = readers.run(work);
            drop(place);
            done
        })
        .await
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

    /// Runs `work` that may take minutes, beside the pool: it takes nobody's place.
    pub(crate) async fn apart<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&Connection) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, Failure> {
        if self.places.is_closed() {
            return Err(Failure::Closed);
        }
        self.off_the_runtime(|readers| work(&readers.open()?)).await
    }

    /// Ends the pool: connections are closed when their reads are done.
    pub(crate) fn close(&self) {
        self.places.close();
        self.idle().clear();
    }

    async fn off_the_runtime<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&Self) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, Failure> {
        if self.inline {
            return work(self);
        }
        let readers = self.clone();
        let run = tokio::task::spawn_blocking(move || work(&readers));
        run.await.unwrap_or_else(|error| {
            Err(Failure::Unavailable(format!("a read ended early: {error}")))
        })
    }

    fn run<T>(&self, work: impl FnOnce(&Connection) -> Result<T, Failure>) -> Result<T, Failure> {
        let idle = self.idle().pop();
        let connection = match idle {
            Some(connection) => connection,
            None => self.open()?,
        };
        let done = work(&connection);
        if !self.places.is_closed() {
            self.idle().push(connection);
        }
        done
    }

    fn open(&self) -> Result<Connection, Failure> {
        Ok(open_reader(&self.database, self.cache_kib)?)
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Connection>> {
        self.idle
            .lock()
            .expect("nothing panics while it holds this lock")
    }
}
