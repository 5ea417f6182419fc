//! Opening: what is refused, what is private, and where keys go on.

use crate::support::{SECOND, World};
use model::Timestamp;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use store::accept::Accepted;
use store::conformance::TestClock;
use store::{Lane, Store};
use store_sqlite::{DataDirectory, OpenError, SqliteConfig};

fn open(path: &Path, now: Timestamp) -> Result<World, OpenError> {
    World::try_open_inline(path, SqliteConfig::default(), now)
}

fn refusal(path: &Path) -> OpenError {
    let opened = open(path, TestClock::START);
    opened.err().expect("it is refused")
}

#[test]
fn a_locked_directory_is_refused_by_its_name() {
    let home = tempfile::tempdir().expect("a temporary directory");
    let first = DataDirectory::lock(home.path()).expect("it is free");
    let error = DataDirectory::lock(home.path()).expect_err("it is locked");
    assert!(matches!(error, OpenError::Locked { .. }));
    let name = home.path().display().to_string();
    assert!(error.to_string().contains(&name), "{error}");
    drop(first);
    DataDirectory::lock(home.path()).expect("it is free again");
}

#[test]
fn a_directory_that_is_a_file_is_refused() {
    let home = tempfile::tempdir().expect("a temporary directory");
    let file = home.path().join("file");
    std::fs::write(&file, "not a directory").expect("it can be written");
    let error = DataDirectory::lock(&file).expect_err("it is no directory");
    assert!(matches!(error, OpenError::Directory { .. }), "{error}");
}

#[test]
fn what_is_made_is_its_owners_alone() {
    let home = tempfile::tempdir().expect("a temporary directory");
    let path = home.path().join("new").join("data");
    let _world = World::open_inline(&path, SqliteConfig::default());
    let mode = |path: &Path| {
        let metadata = path.metadata().expect("it is there");
        metadata.permissions().mode() & 0o777
    };
    assert_eq!(mode(&path), 0o700);
    let mut files = 0;
    for entry in path.read_dir().expect("it can be read") {
        let entry = entry.expect("it can be read").path();
        assert_eq!(mode(&entry), 0o600, "{}", entry.display());
        files += 1;
    }
    assert!(files >= 2, "the lock and the database");
}

#[test]
fn a_newer_schema_is_refused() {
    let home = tempfile::tempdir().expect("a temporary directory");
    let path = home.path().join("data");
    let database = {
        let world = World::open_inline(&path, SqliteConfig::default());
        world.store.directory().database()
    };
    let connection = rusqlite::Connection::open(&database).expect("it opens");
    connection
        .pragma_update(None, "user_version", 99)
        .expect("it can be set");
    connection.close().expect("it closes");
    let error = refusal(&path);
    assert!(
        matches!(error, OpenError::NewerSchema { found: 99, .. }),
        "{error}"
    );
}

#[test]
fn another_programs_database_is_refused_and_left_alone() {
    let home = tempfile::tempdir().expect("a temporary directory");
    let database = home.path().join("postrider.db");
    let connection = rusqlite::Connection::open(&database).expect("it opens");
    connection
        .execute_batch("CREATE TABLE recipe (name TEXT)")
        .expect("it can be made");
    connection.close().expect("it closes");
    let before = std::fs::read(&database).expect("it can be read");
    let error = refusal(home.path());
    assert!(matches!(error, OpenError::Foreign { .. }), "{error}");
    assert_eq!(std::fs::read(&database).expect("it can be read"), before);
}

#[test]
fn a_file_that_is_no_database_is_refused() {
    let home = tempfile::tempdir().expect("a temporary directory");
    std::fs::write(home.path().join("postrider.db"), "x".repeat(9_000)).expect("it is written");
    let error = refusal(home.path());
    assert!(matches!(error, OpenError::Database(_)), "{error}");
}

#[tokio::test]
async fn keys_never_repeat_although_the_clock_is_set_back() {
    let home = tempfile::tempdir().expect("a temporary directory");
    let mut last = 0;
    for back in [0, 30, 59] {
        let now = TestClock::START.minus(back * SECOND);
        let world = open(home.path(), now).expect("so much is borne");
        let lane = world.lane().await;
        let Ok(Accepted::New { id, deliveries, .. }) = world.send(lane).await else {
            panic!("it is accepted");
        };
        let keys = [
            lane.application.integer(),
            lane.endpoint.integer(),
            deliveries[0].0.integer(),
            id.key().integer(),
        ];
        for key in keys {
            assert!(key > last, "{key} after {last}");
            last = key;
        }
    }
}

#[tokio::test]
async fn a_clock_set_back_by_more_than_a_minute_is_refused() {
    let home = tempfile::tempdir().expect("a temporary directory");
    let world = World::open_inline(home.path(), SqliteConfig::default());
    world.lane().await;
    drop(world);
    let error = open(home.path(), TestClock::START.minus(61 * SECOND)).err();
    let Some(OpenError::ClockBehind { behind }) = error else {
        panic!("it was not refused for its clock: {error:?}");
    };
    assert_eq!(behind.as_secs(), 61);
}

/// The rows that told where the sequence was may be gone by age.
#[tokio::test]
async fn keys_go_on_although_all_rows_were_swept() {
    let home = tempfile::tempdir().expect("a temporary directory");
    let world = World::open_inline(home.path(), SqliteConfig::default());
    let lane = world.lane().await;
    world.clock.advance(400 * 24 * 3_600 * SECOND);
    let Ok(Accepted::New { id, .. }) = world.send(lane).await else {
        panic!("it is accepted");
    };
    world.clock.advance(SECOND);
    let limits = store::work::SweepLimits {
        keep_since: model::Clock::now(&*world.clock),
        rows_max: 100,
    };
    assert_eq!(
        world
            .store
            .sweep(limits)
            .await
            .expect("it can write")
            .messages,
        1
    );
    let now = model::Clock::now(&*world.clock);
    drop(world);
    assert!(
        open(home.path(), now.minus(62 * SECOND)).is_err(),
        "its clock is behind"
    );
    let world = open(home.path(), now.minus(30 * SECOND)).expect("so much is borne");
    let Ok(Accepted::New { id: next, .. }) = world.send(lane).await else {
        panic!("it is accepted");
    };
    assert!(next.key() > id.key());
}

/// Leaves in `to` what SIGKILL would: the files as they are on disk while a store is open, in which
/// 19 messages wait.
async fn crash(home: &Path, to: &Path) -> Lane {
    let path = home.join("data");
    let world = World::open(&path, SqliteConfig::default());
    let lane = world.lane().await;
    for _ in 0..20 {
        world.send(lane).await.expect("it is accepted");
    }
    let outcome = world.outcome(lane).await;
    world.store.record(outcome).await.expect("it is recorded");
    std::fs::create_dir(to).expect("it can be made");
    for file in ["postrider.db", "postrider.db-wal"] {
        std::fs::copy(path.join(file), to.join(file)).expect("it can be copied");
    }
    lane
}

#[tokio::test]
async fn what_was_acknowledged_is_there_after_a_crash() {
    let home = tempfile::tempdir().expect("a temporary directory");
    let crashed = home.path().join("crashed");
    let lane = crash(home.path(), &crashed).await;
    let world = World::open_inline(&crashed, SqliteConfig::default());
    assert_eq!(world.waiting(lane).await, 19);
}

/// What a failed fsync left of the log may look as if it were on disk, and not be.
#[tokio::test]
async fn what_a_crash_left_in_the_log_is_written_anew_by_opening() {
    let home = tempfile::tempdir().expect("a temporary directory");
    let (crashed, again) = (home.path().join("crashed"), home.path().join("again"));
    let lane = crash(home.path(), &crashed).await;
    let _world = World::open_inline(&crashed, SqliteConfig::default());
    std::fs::create_dir(&again).expect("it can be made");
    let without_its_log = "postrider.db";
    std::fs::copy(crashed.join(without_its_log), again.join(without_its_log))
        .expect("it can be copied");
    let world = World::open_inline(&again, SqliteConfig::default());
    assert_eq!(world.waiting(lane).await, 19);
}
