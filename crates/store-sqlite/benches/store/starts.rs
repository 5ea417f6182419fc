//! Opening a store that a kill has left: a long log has to be read, checked, and moved into the
//! database's file before anything is answered. What else a start of the whole server takes is
//! measured by `postrider bench --restarts`.
//!
//! The files are in memory when they are opened, as they are when a process is started again at
//! once, and not after the machine went down.

use crate::support::World;
use crate::{accept, message};
use criterion::{BatchSize, Criterion};
use std::cell::LazyCell;
use std::fs;
use std::path::Path;
use store_sqlite::SqliteConfig;
use tempfile::TempDir;
use tokio::runtime::Builder;

/// As long as the log may become.
const LOG_BYTES: u64 = 500_000_000;
/// Messages that share a commit, as they do at full load: with fewer, more of the log is the same
/// few pages again.
const COMMIT_ROWS: usize = 20;
const DATABASE: &str = "postrider.db";
const LOG: &str = "postrider.db-wal";

pub(crate) fn after_a_kill(criterion: &mut Criterion) {
    let left = LazyCell::new(left_by_a_kill);
    let mut group = criterion.benchmark_group("start");
    group.sample_size(10);
    group.bench_function("after a kill, with a log of 500 MB", |bencher| {
        let copy = || {
            let home = tempfile::tempdir().expect("a temporary directory");
            copy(left.path(), home.path());
            home
        };
        let open = |home: TempDir| {
            let world = World::open_inline(home.path(), SqliteConfig::default());
            (world, home)
        };
        bencher.iter_batched(copy, open, BatchSize::PerIteration);
    });
    group.finish();
}

/// A database and its log, as they were while the store was open.
fn left_by_a_kill() -> TempDir {
    let home = tempfile::tempdir().expect("a temporary directory");
    let left = tempfile::tempdir().expect("a temporary directory");
    let never = SqliteConfig {
        checkpoint_bytes: u64::MAX / 2,
        wal_bytes_max: u64::MAX / 2,
        ..SqliteConfig::default()
    };
    let world = World::open_inline(home.path(), never);
    let runtime = Builder::new_current_thread().build().expect("a runtime");
    runtime.block_on(async {
        let lane = world.lane().await;
        let item = message(&world, lane).await;
        let log = home.path().join(LOG);
        while fs::metadata(&log).map_or(0, |log| log.len()) < LOG_BYTES {
            accept(&world, vec![item.clone(); COMMIT_ROWS]).await;
        }
    });
    copy(home.path(), left.path());
    left
}

fn copy(from: &Path, to: &Path) {
    for file in [DATABASE, LOG] {
        fs::copy(from.join(file), to.join(file)).expect("there is room for a copy");
    }
}
