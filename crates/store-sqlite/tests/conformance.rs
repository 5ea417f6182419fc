//! The claims that every store keeps, with the writer and the checkpoints on threads of their own,
//! as in production.

use model::{Clock, Entropy};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread::JoinHandle;
use store::Store;
use store::access::RevokedToken;
use store::audit::AuditEntry;
use store::change::SettingsChange;
use store::conformance::Harness;
use store_sqlite::{DataDirectory, SqliteConfig, SqliteStore, Surroundings};

struct SqliteHarness {
    home: tempfile::TempDir,
    opened: Mutex<Vec<Opened>>,
}

struct Opened {
    store: Arc<SqliteStore>,
    loops: Vec<JoinHandle<()>>,
}

impl Default for SqliteHarness {
    fn default() -> Self {
        Self {
            home: tempfile::tempdir().expect("a temporary directory"),
            opened: Mutex::default(),
        }
    }
}

impl SqliteHarness {
    fn opened(&self) -> MutexGuard<'_, Vec<Opened>> {
        self.opened
            .lock()
            .expect("nothing panics while it holds this")
    }

    fn open_at(&self, path: &Path, surroundings: Surroundings) -> Arc<dyn Store> {
        let directory = DataDirectory::lock(path).expect("a directory of its own");
        let opened = SqliteStore::open(directory, SqliteConfig::default(), surroundings);
        let (store, writer, checkpoints) = opened.expect("it opens");
        let store = Arc::new(store);
        let loops = vec![spawn(|| writer.run()), spawn(|| checkpoints.run())];
        self.opened().push(Opened {
            store: store.clone(),
            loops,
        });
        store
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "tests bring the threads that the binary has"
)]
fn spawn(run: impl FnOnce() + Send + 'static) -> JoinHandle<()> {
    std::thread::spawn(run)
}

#[async_trait::async_trait]
impl Harness for SqliteHarness {
    async fn open(&self, clock: Arc<dyn Clock>, entropy: Arc<dyn Entropy>) -> Arc<dyn Store> {
        self.open_at(
            &self.home.path().join("data"),
            Surroundings { clock, entropy },
        )
    }

    async fn close(&self, store: Arc<dyn Store>) {
        let mut open = self.opened();
        let is_it =
            |opened: &Opened| std::ptr::addr_eq(Arc::as_ptr(&opened.store), Arc::as_ptr(&store));
        let place = open.iter().position(is_it).expect("it was opened here");
        let Opened {
            store: concrete,
            loops,
        } = open.swap_remove(place);
        concrete.close();
        for running in loops {
            running.join().expect("a loop ends without a panic");
        }
        drop(store);
    }

    async fn revoke_beside(&self, token: &RevokedToken, entry: &AuditEntry) {
        let revoked = store_sqlite::revoke(&self.home.path().join("data"), token, entry);
        revoked.expect("a server that is there waits for it");
    }

    async fn swap_beside(&self, name: &str, values: &SettingsChange, entry: &AuditEntry) -> bool {
        let data = self.home.path().join("data");
        let swapped = store_sqlite::swap_setting(&data, name, values, entry);
        swapped.expect("a server that is there waits for it")
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
        self.open_at(directory, Surroundings { clock, entropy })
    }
}

store::conformance_tests!(SqliteHarness);
