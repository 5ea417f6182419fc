//! How the claims that every store keeps are run on a real PostgreSQL: with the loops as tasks of
//! their own, as in production, each store in a database of its own.

use model::{Clock, Entropy};
use private_postgres::Database;
use std::marker::PhantomData;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};
use store::Store;
use store::access::RevokedToken;
use store::audit::AuditEntry;
use store::change::SettingsChange;
use store::conformance::Harness;
use store_postgres::{PostgresConfig, PostgresStore, Surroundings};
use tokio::task::JoinHandle;

/// A database, and the way to it.
pub(crate) struct Base {
    /// How the store reaches it.
    pub(crate) config: PostgresConfig,
    /// Runs statements in it, past everything.
    pub(crate) psql: Box<dyn Fn(&str) + Send + Sync>,
}

impl Base {
    #[allow(dead_code, reason = "not every test has its databases there")]
    /// In the server that tests share, reached as `config` says of its URL.
    pub(crate) fn shared(config: impl FnOnce(&Database) -> PostgresConfig) -> Self {
        let database = Database::new();
        Self {
            config: config(&database),
            psql: Box::new(move |statements| drop(database.psql(statements))),
        }
    }

    #[allow(dead_code, reason = "not every test looks into it")]
    /// In this one.
    pub(crate) fn of(
        database: Arc<Database>,
        config: impl FnOnce(&Database) -> PostgresConfig,
    ) -> Self {
        Self {
            config: config(&database),
            psql: Box::new(move |statements| drop(database.psql(statements))),
        }
    }
}

/// Where databases are made.
pub(crate) trait Place: Send + Sync + 'static {
    /// Makes an empty one, which is gone when this is dropped.
    fn base() -> Base;
}

/// A store in a database of a place.
pub(crate) struct PostgresHarness<P> {
    base: Arc<Base>,
    /// For backups.
    home: tempfile::TempDir,
    opened: Mutex<Vec<Opened>>,
    place: PhantomData<P>,
}

struct Opened {
    store: Arc<PostgresStore>,
    loops: Vec<JoinHandle<()>>,
    base: Arc<Base>,
}

impl<P: Place> Default for PostgresHarness<P> {
    fn default() -> Self {
        Self {
            base: Arc::new(P::base()),
            home: tempfile::tempdir().expect("a temporary directory"),
            opened: Mutex::default(),
            place: PhantomData,
        }
    }
}

impl<P: Place> PostgresHarness<P> {
    #[allow(dead_code, reason = "most take one of their place")]
    /// In this one.
    pub(crate) fn in_base(base: Base) -> Self {
        Self {
            base: Arc::new(base),
            ..Self::default()
        }
    }

    fn opened(&self) -> MutexGuard<'_, Vec<Opened>> {
        self.opened
            .lock()
            .expect("nothing panics while it holds this")
    }

    async fn open_in(&self, base: Arc<Base>, surroundings: Surroundings) -> Arc<dyn Store> {
        let opened = PostgresStore::open(base.config.clone(), surroundings).await;
        let (store, writer, leases) = opened.expect("it opens");
        let store = Arc::new(store);
        let loops = vec![tokio::spawn(writer.run()), tokio::spawn(leases.run())];
        self.opened().push(Opened {
            store: store.clone(),
            loops,
            base,
        });
        store
    }
}

#[async_trait::async_trait]
impl<P: Place> Harness for PostgresHarness<P> {
    async fn open(&self, clock: Arc<dyn Clock>, entropy: Arc<dyn Entropy>) -> Arc<dyn Store> {
        self.open_in(self.base.clone(), Surroundings { clock, entropy })
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
        (closed.base.psql)("UPDATE node SET expires_at = 'epoch' WHERE expires_at > '-infinity'");
        drop(store);
    }

    async fn revoke_beside(&self, token: &RevokedToken, entry: &AuditEntry) {
        let revoked = store_postgres::revoke(&self.base.config, token, entry).await;
        revoked.expect("it joins nobody, and waits for nobody");
    }

    async fn swap_beside(&self, name: &str, values: &SettingsChange, entry: &AuditEntry) -> bool {
        let swapped = store_postgres::swap_setting(&self.base.config, name, values, entry).await;
        swapped.expect("it joins nobody, and waits for nobody")
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
        let base = Arc::new(P::base());
        let restored = store_postgres::restore(directory, &base.config).await;
        restored.expect("it is a backup");
        self.open_in(base, Surroundings { clock, entropy }).await
    }
}
