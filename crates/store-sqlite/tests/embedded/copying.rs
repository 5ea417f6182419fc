//! Backups of a store at work, and data directories made of them.

use crate::support::World;
use std::fs::{read, write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use store::{Lane, Store};
use store_sqlite::{CopyError, OpenError, SqliteConfig, backup, restore};
use tempfile::TempDir;

struct Places {
    home: TempDir,
}

impl Places {
    fn new() -> Self {
        let home = tempfile::tempdir().expect("a temporary directory");
        Self { home }
    }

    fn data(&self) -> PathBuf {
        self.home.path().join("data")
    }

    fn backup(&self) -> PathBuf {
        self.home.path().join("backups").join("today")
    }

    fn target(&self) -> PathBuf {
        self.home.path().join("restored")
    }

    /// A backup of so many messages, and their lane.
    async fn with_messages(&self, messages: usize) -> Lane {
        let world = World::open(&self.data(), SqliteConfig::default());
        let lane = world.lane().await;
        for _ in 0..messages {
            world.send(lane).await.expect("it is accepted");
        }
        backup(&self.data(), &self.backup()).expect("it is copied");
        lane
    }
}

fn names(directory: &Path) -> Vec<String> {
    let entries = directory.read_dir().expect("it can be read");
    let name = |entry: std::io::Result<std::fs::DirEntry>| {
        let entry = entry.expect("it can be read");
        entry.file_name().into_string().expect("it is text")
    };
    entries.map(name).collect()
}

#[tokio::test]
async fn a_restored_store_opens_and_holds_what_was_copied() {
    let places = Places::new();
    let lane = places.with_messages(30).await;
    restore(&places.backup(), &places.target()).expect("it is restored");
    for directory in [places.backup(), places.target()] {
        assert_eq!(names(&directory), ["postrider.db"], "and nothing beside it");
        let mode = |path: &Path| {
            let metadata = path.metadata().expect("it is there");
            metadata.permissions().mode() & 0o777
        };
        assert_eq!(mode(&directory), 0o700);
        assert_eq!(mode(&directory.join("postrider.db")), 0o600);
    }
    let world = World::open(&places.target(), SqliteConfig::default());
    assert_eq!(world.waiting(lane).await, 30);
    world.send(lane).await.expect("it goes on");
}

/// The copy is one state of the store: what was acknowledged before it began, and of every message
/// all or nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_is_copied_while_it_accepts() {
    let places = Places::new();
    let config = SqliteConfig {
        checkpoint_bytes: 1 << 20,
        ..SqliteConfig::default()
    };
    let world = Arc::new(World::open(&places.data(), config));
    let lane = world.lane().await;
    let (stop, sent) = (
        Arc::new(AtomicBool::new(false)),
        Arc::new(AtomicUsize::new(0)),
    );
    let sending = tokio::spawn({
        let (world, stop, sent) = (world.clone(), stop.clone(), sent.clone());
        async move {
            while !stop.load(Ordering::Relaxed) && sent.load(Ordering::Relaxed) < 9_000 {
                let item = world.item(lane).await;
                for accepted in world.store.accept(vec![item; 20]).await {
                    accepted.expect("it is accepted");
                }
                sent.fetch_add(20, Ordering::Relaxed);
            }
        }
    });
    for number in 0..5 {
        while sent.load(Ordering::Relaxed) < 500 * (number + 1) {
            tokio::task::yield_now().await;
        }
        let before = sent.load(Ordering::Relaxed);
        let target = places.home.path().join(number.to_string());
        match number % 2 {
            0 => backup(&places.data(), &target).expect("it is copied"),
            _ => world.store.backup(&target).await.expect("it is copied"),
        }
        let copied = World::open_inline(&target, SqliteConfig::default());
        let waiting = copied.waiting(lane).await;
        assert!(waiting >= before, "{waiting} of {before}");
        assert_eq!(waiting % 20, 0, "of every commit all or nothing");
    }
    stop.store(true, Ordering::Relaxed);
    sending.await.expect("no panic");
    assert_eq!(world.waiting(lane).await, sent.load(Ordering::Relaxed));
}

#[tokio::test]
async fn a_backup_after_a_crash_has_what_stood_only_in_the_log() {
    let places = Places::new();
    let world = World::open(&places.home.path().join("live"), SqliteConfig::default());
    let lane = world.lane().await;
    for _ in 0..20 {
        world.send(lane).await.expect("it is accepted");
    }
    let crashed = places.data();
    std::fs::create_dir(&crashed).expect("it can be made");
    for file in ["postrider.db", "postrider.db-wal"] {
        let from = world.store.directory().path().join(file);
        std::fs::copy(from, crashed.join(file)).expect("it can be copied");
    }
    let error = restore(&crashed, &places.target()).expect_err("it would lose the log");
    assert!(matches!(error, CopyError::NotABackup(_)), "{error}");
    assert!(!places.target().exists());

    backup(&crashed, &places.backup()).expect("it is copied");
    restore(&places.backup(), &places.target()).expect("it is restored");
    let world = World::open_inline(&places.target(), SqliteConfig::default());
    assert_eq!(world.waiting(lane).await, 20);
}

#[tokio::test]
async fn a_directory_that_holds_anything_is_no_target() {
    let places = Places::new();
    places.with_messages(1).await;
    let target = places.target();
    std::fs::create_dir(&target).expect("it can be made");
    write(target.join("letter"), "dear").expect("it can be written");
    for refused in [
        restore(&places.backup(), &target),
        backup(&places.data(), &target),
    ] {
        let error = refused.expect_err("it is not empty");
        assert!(matches!(error, CopyError::NotEmpty(_)), "{error}");
    }
    assert_eq!(names(&target), ["letter"]);
}

#[tokio::test]
async fn a_data_directory_in_use_is_no_backup() {
    let places = Places::new();
    let _world = World::open(&places.data(), SqliteConfig::default());
    let error = restore(&places.data(), &places.target()).expect_err("it is in use");
    assert!(
        matches!(error, CopyError::Open(OpenError::Locked { .. })),
        "{error}"
    );
}

#[test]
fn where_there_is_no_store_nothing_is_copied() {
    let places = Places::new();
    let is_no_store = |copied: Result<(), CopyError>| matches!(copied, Err(CopyError::NoStore(_)));
    assert!(is_no_store(backup(&places.data(), &places.backup())));
    assert!(is_no_store(restore(&places.backup(), &places.target())));
    // What a copy leaves that was ended in its middle, by an older program.
    std::fs::create_dir_all(places.backup()).expect("it can be made");
    write(places.backup().join("postrider.db"), "").expect("it can be written");
    assert!(is_no_store(restore(&places.backup(), &places.target())));
    assert!(is_no_store(backup(&places.backup(), &places.data())));
    assert!(!places.target().join("postrider.db").exists());
}

#[tokio::test]
async fn a_damaged_copy_is_told_and_removed() {
    let places = Places::new();
    places.with_messages(200).await;
    let file = places.backup().join("postrider.db");
    let whole = read(&file).expect("it can be read");
    let mut overwritten = whole.clone();
    for page in (8_192..whole.len()).step_by(8_192) {
        overwritten[page..page + 64].fill(0xff);
    }
    let cut = whole[..whole.len() / 2].to_vec();
    let no_database = vec![b'x'; whole.len()];
    for damaged in [overwritten, cut, no_database] {
        write(&file, damaged).expect("it can be written");
        let error = restore(&places.backup(), &places.target()).expect_err("it is damaged");
        assert!(matches!(error, CopyError::Damaged(_)), "{error}");
        assert_eq!(
            names(&places.target()),
            [] as [&str; 0],
            "nothing is left of it"
        );
    }
}

#[tokio::test]
async fn another_programs_database_is_not_restored() {
    let places = Places::new();
    std::fs::create_dir_all(places.backup()).expect("it can be made");
    let connection = rusqlite::Connection::open(places.backup().join("postrider.db"));
    let connection = connection.expect("it opens");
    let made = connection.execute_batch("CREATE TABLE recipe (name TEXT)");
    made.expect("it can be made");
    connection.close().expect("it closes");
    let error = restore(&places.backup(), &places.target()).expect_err("it is foreign");
    assert!(
        matches!(error, CopyError::Open(OpenError::Foreign { .. })),
        "{error}"
    );
    assert_eq!(names(&places.target()), [] as [&str; 0]);
}
