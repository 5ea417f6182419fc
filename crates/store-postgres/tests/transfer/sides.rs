//! What is moved in these tests, from where and to where.

use model::{Clock, Entropy};
use private_postgres::Database;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use store::Store;
use store::access::RevokedToken;
use store::audit::AuditEntry;
use store::change::SettingsChange;
use store::conformance::{Harness, TestClock, TestEntropy, fill};
use store::transfer::{Source, TABLES, Tally, Target, Transfer};
use store_postgres::{PostgresConfig, PostgresTransfer};
use store_sqlite::{DataDirectory, SqliteConfig, SqliteStore, SqliteTransfer};
use tempfile::TempDir;

/// A little more time than any test lets go by.
const LATER: std::time::Duration = std::time::Duration::from_secs(7 * 24 * 3_600);

/// An embedded store, without threads.
pub(crate) struct Embedded(pub(crate) PathBuf);

#[async_trait::async_trait]
impl Harness for Embedded {
    async fn open(&self, clock: Arc<dyn Clock>, entropy: Arc<dyn Entropy>) -> Arc<dyn Store> {
        Arc::new(embedded(&self.0, clock, entropy).expect("it opens"))
    }

    async fn close(&self, store: Arc<dyn Store>) {
        drop(store);
    }

    async fn revoke_beside(&self, token: &RevokedToken, entry: &AuditEntry) {
        store_sqlite::revoke(&self.0, token, entry).expect("the store is there");
    }

    async fn swap_beside(&self, name: &str, values: &SettingsChange, entry: &AuditEntry) -> bool {
        let swapped = store_sqlite::swap_setting(&self.0, name, values, entry);
        swapped.expect("the store is there")
    }

    fn empty_directory(&self) -> PathBuf {
        self.0.join("none")
    }

    async fn open_backup(
        &self,
        _: &Path,
        _: Arc<dyn Clock>,
        _: Arc<dyn Entropy>,
    ) -> Arc<dyn Store> {
        panic!("nothing is backed up here")
    }
}

pub(crate) fn embedded(
    path: &Path,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
) -> Result<SqliteStore, store_sqlite::OpenError> {
    let surroundings = store_sqlite::Surroundings { clock, entropy };
    let directory = DataDirectory::lock(path)?;
    SqliteStore::open_inline(directory, SqliteConfig::default(), surroundings)
}

/// When all that is in the stores was made.
pub(crate) fn later() -> (Arc<TestClock>, Arc<TestEntropy>) {
    let clock = TestClock::new(TestClock::START.plus(LATER));
    (Arc::new(clock), Arc::new(TestEntropy::new(9)))
}

pub(crate) async fn filled_directory(home: &TempDir) -> PathBuf {
    let path = home.path().join("filled");
    fill(Box::new(Embedded(path.clone()))).await;
    path
}

pub(crate) fn home() -> TempDir {
    tempfile::tempdir().expect("a temporary directory")
}

pub(crate) fn config(database: &Database) -> PostgresConfig {
    PostgresConfig {
        url: database.url().to_owned(),
        version: "0.0.0".to_owned(),
        ..PostgresConfig::default()
    }
}

pub(crate) async fn from_database(database: &Database) -> PostgresTransfer {
    let source = PostgresTransfer::source(&config(database), "the source").await;
    source.expect("it is at rest")
}

pub(crate) async fn to_database(database: &Database) -> PostgresTransfer {
    let target = PostgresTransfer::target(&config(database), "the target").await;
    target.expect("nobody is there")
}

pub(crate) fn from_directory(path: &Path) -> SqliteTransfer {
    SqliteTransfer::source(path).expect("it is at rest")
}

pub(crate) fn to_directory(path: &Path) -> SqliteTransfer {
    SqliteTransfer::target(path).expect("nobody is there")
}

pub(crate) type Tallies = HashMap<&'static str, Tally>;

/// Moves all, a few rows at a time, and gives what both sides hold.
pub(crate) async fn transfer(source: &mut dyn Source, target: &mut dyn Target) -> Tallies {
    let begun = Transfer::begin(source, target).await;
    let mut transfer = begun.expect("it begins").chunks_of(7);
    while transfer.step().await.expect("both are there").is_some() {}
    let mut tallies = Tallies::new();
    for table in TABLES {
        let compared = transfer.compare(table, &mut |_| {}).await;
        let tally = compared.expect("both are there").expect("they are alike");
        tallies.insert(table.name, tally);
    }
    let (all, there) = transfer.counts().await.expect("both are there");
    assert_eq!(all, there);
    assert_eq!(all, tallies.values().map(|tally| tally.rows).sum::<u64>());
    transfer.finish().await.expect("all is there");
    tallies
}

pub(crate) fn all_hold_something(tallies: &Tallies) {
    for table in TABLES {
        assert!(tallies[table.name].rows > 0, "{} is empty", table.name);
    }
}
