//! The claims that every store keeps, on a real PostgreSQL, with the loops as tasks of their own,
//! as in production. Each store has a database of its own.

use model::{Clock, Entropy};
use private_postgres::Database;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};
use store::Store;
use store::conformance::Harness;
use store_postgres::{PostgresConfig, PostgresStore, Surroundings};
use tokio::task::JoinHandle;

struct PostgresHarness {
    database: Arc<Database>,
    /// For backups.
    home: tempfile::TempDir,
    opened: Mutex<Vec<Opened>>,
}

struct Opened {
    store: Arc<PostgresStore>,
    loops: Vec<JoinHandle<()>>,
    database: Arc<Database>,
}

impl Default for PostgresHarness {
    fn default() -> Self {
        Self {
            database: Arc::default(),
            home: tempfile::tempdir().expect("a temporary directory"),
            opened: Mutex::default(),
        }
    }
}

impl PostgresHarness {
    fn opened(&self) -> MutexGuard<'_, Vec<Opened>> {
        self.opened
            .lock()
            .expect("nothing panics while it holds this")
    }

    async fn open_in(&self, database: Arc<Database>, surroundings: Surroundings) -> Arc<dyn Store> {
        let opened = PostgresStore::open(config(&database), surroundings).await;
        let (store, writer, leases) = opened.expect("it opens");
        let store = Arc::new(store);
        let loops = vec![tokio::spawn(writer.run()), tokio::spawn(leases.run())];
        self.opened().push(Opened {
            store: store.clone(),
            loops,
            database,
        });
        store
    }
}

fn config(database: &Database) -> PostgresConfig {
    PostgresConfig {
        url: database.url().to_owned(),
        ..PostgresConfig::default()
    }
}

#[async_trait::async_trait]
impl Harness for PostgresHarness {
    async fn open(&self, clock: Arc<dyn Clock>, entropy: Arc<dyn Entropy>) -> Arc<dyn Store> {
        self.open_in(self.database.clone(), Surroundings { clock, entropy })
            .await
    }

    async fn close(&self, store: Arc<dyn Store>) {
        let is_it =
            |opened: &Opened| std::ptr::addr_eq(Arc::as_ptr(&opened.store), Arc::as_ptr(&store));
        let closed = {
            let mut open = self.opened();
            let place = open.iter().position(is_it).expect("it was opened here");
            open.swap_remove(place)
        };
        closed.store.close();
        for running in closed.loops {
            running.await.expect("a loop ends without a panic");
        }
        // A node that was killed is waited for; nothing here shows how long.
        closed
            .database
            .psql("UPDATE node SET expires_at = 'epoch' WHERE expires_at > '-infinity'");
        drop(store);
    }

    fn empty_directory(&self) -> PathBuf {
        tempfile::tempdir_in(self.home.path())
            .expect("a temporary directory")
            .keep()
    }

    async fn open_backup(
        &self,
        directory: &Path,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> Arc<dyn Store> {
        let database = Arc::new(Database::new());
        let restored = store_postgres::restore(directory, &config(&database)).await;
        restored.expect("it is a backup");
        self.open_in(database, Surroundings { clock, entropy })
            .await
    }
}

store::conformance_tests!(PostgresHarness);
