//! Copies of a database: whole or not there, and put back only where nothing is. What claims say of
//! backups is tried in `conformance`.

use model::id::Key;
use model::{Clock, Entropy, Timestamp};
use private_postgres::Database;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use store::conformance::{TestClock, TestEntropy};
use store_postgres::{CopyError, PostgresConfig, PostgresStore, Surroundings, backup, restore};

const WEEK: i64 = 7 * DAY;
const DAY: i64 = 24 * 3_600 * 1_000_000;
/// Of a partition: the one of this number begins so many weeks after the epoch; of payloads, days.
const NUMBER: i64 = 2_970;

/// A database with a row in each table, and a place for backups of it.
struct World {
    database: Database,
    home: tempfile::TempDir,
}

impl World {
    async fn new() -> Self {
        let database = Database::new();
        open(&database).await;
        let key = |weeks: i64| Key::<()>::first_at(Timestamp::from_micros(weeks * WEEK)).integer();
        for (table, from, to) in [
            ("message", key(NUMBER), key(NUMBER + 1)),
            ("attempt", key(NUMBER), key(NUMBER + 1)),
            ("excerpt", key(NUMBER), key(NUMBER + 1)),
            ("payload", NUMBER * DAY, (NUMBER + 1) * DAY),
            ("idempotency", NUMBER, NUMBER + 1),
        ] {
            database.psql(&format!(
                "CREATE TABLE IF NOT EXISTS {table}_{NUMBER}
                 PARTITION OF {table} FOR VALUES FROM ({from}) TO ({to})"
            ));
        }
        let (id, time) = (key(NUMBER), NUMBER * DAY);
        database.psql(&format!(
            "INSERT INTO setting VALUES ('one', '\\x00ff'), ('empty', '');
             INSERT INTO application VALUES (1, '\\x01', 'uid', 'n', NULL, '{{}}', 2, 3, 4);
             INSERT INTO data_key VALUES (1, 0, '\\x02');
             INSERT INTO endpoint VALUES (5, '\\x03', 1, NULL, 'https://a.example/ü', '', false,
                 NULL, NULL, 7, '{{}}', 1, '\\x04', NULL, '\\x09', 2, NULL, 3, 4);
             INSERT INTO endpoint_url VALUES (5, 1, 'https://a.example/');
             INSERT INTO event_type VALUES ('a.b', E'two\\nlines', false, false, NULL, '', NULL, 3, 4,
                 'drop /a', '/b');
             INSERT INTO retry_schedule VALUES ('a.b', '5');
             INSERT INTO message VALUES (1, {id}, '\\x05', 'a.b', 'e', NULL, NULL, NULL, {time}, 0, NULL,
                 NULL),
                 (1, {id} + 1, '\\x05', 'a.b', NULL, 'c', 't', 9, {time}, 0, 'text/plain', 2);
             INSERT INTO payload VALUES (1, {id}, {time}, '\\x7b7d');
             INSERT INTO event_key VALUES (1, 'e', {id});
             INSERT INTO delivery VALUES (5, 0, {time}, {id}, 1, {id}, 0, 0, 0);
             INSERT INTO open_count VALUES (5, 1, 1, 0);
             INSERT INTO attempt VALUES (1, {id}, '\\x06', {id}, 5, 0, 1, {time}, 8, 200, 0, 1, false,
                 '\\x1f', -1);
             INSERT INTO excerpt VALUES (1, {id}, '\\x07', '\\x20'), (1, {id} + 1, NULL, '\\x20');
             INSERT INTO chain_shown VALUES (-1, 2, '\\x21');
             INSERT INTO rollup VALUES (5, 6, 'a.b', 0, 1, 1);
             INSERT INTO idempotency VALUES ({NUMBER}, '\\x08', '\\x09', 202, {id}, '\\x0a');
             INSERT INTO task VALUES (1, '\\x0b', 1, 16, 1, 0, 0, 0, '\\x0f', 0, 0, 2, 'f', '{{}}', 4, 1);
             INSERT INTO access_version VALUES (0, 3);
             INSERT INTO revoked_token VALUES ('a b', 4, 1);
             INSERT INTO token_floor VALUES (1, '', 3, 4, 5, 2);
             INSERT INTO api_key VALUES (1, '\\x0c', '\\x0d', 'n', 's', '*', 3, NULL, NULL, 3);
             INSERT INTO source VALUES (1, '\\x11', 'uid', 'n', 't', '{{}}', 3, 4, '\\x12', '\\x13', 3);
             INSERT INTO replay_key VALUES ('\\x14', NULL, '\\x15', {id}, '\\x16', 5);
             INSERT INTO one_time_token VALUES ('\\x0e', '{{}}', 4);
             INSERT INTO security_event
             VALUES (1, '\\x10', 'k', 1, 'node', 'n', 0, NULL, 2, 3, 4, 'd', '\\x17');
             INSERT INTO audit_entry VALUES (1, '\\x18', 'e', 0, 'a', 'o', 's', 1, '\\x19');
             INSERT INTO audit_checkpoint VALUES (0, 1, '\\x1a', 1, 2, '\\x1b');
             INSERT INTO audit_left VALUES ('\\x1e', 'l');
             INSERT INTO audit_start VALUES (1, 1, '\\x1c', 2, '\\x1d');"
        ));
        let home = tempfile::tempdir().expect("a temporary directory");
        Self { database, home }
    }

    async fn backed_up(&self) -> PathBuf {
        let directory = self.home.path().join("new").join("backup");
        let made = backup(&config(&self.database), &directory).await;
        made.expect("the directory is new");
        directory
    }
}

fn config(database: &Database) -> PostgresConfig {
    PostgresConfig {
        url: database.url().to_owned(),
        ..PostgresConfig::default()
    }
}

/// Makes it a node's, and leaves it as a node does that is killed.
async fn open(database: &Database) {
    let clock: Arc<dyn Clock> = Arc::new(TestClock::default());
    let entropy: Arc<dyn Entropy> = Arc::new(TestEntropy::new(1));
    let opened = PostgresStore::open(config(database), Surroundings { clock, entropy }).await;
    drop(opened.expect("it opens"));
}

/// Its tables, but for their partitions, and for the rights of nodes, which end with these.
fn tables(database: &Database) -> Vec<String> {
    let listed = database.psql(
        "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace
         AND relkind IN ('r', 'p') AND NOT relispartition
         AND relname NOT IN ('schema_version', 'lane')
         ORDER BY 1",
    );
    listed.lines().map(str::to_owned).collect()
}

/// All rows of a table, as text.
fn rows(database: &Database, table: &str) -> String {
    let columns = match table {
        "node" => "slot, epoch, started_at, name, version, last_key, floor, batch",
        _ => "*",
    };
    database.psql(&format!(
        "SELECT t::text FROM (SELECT {columns} FROM {table}) t ORDER BY 1"
    ))
}

fn holds_anything(database: &Database) -> bool {
    let exist = tables(database)
        .iter()
        .map(|table| format!("EXISTS (SELECT FROM {table})"))
        .collect::<Vec<_>>();
    database.psql(&format!("SELECT {}", exist.join(" OR "))) == "t\n"
}

fn names(directory: &Path) -> Vec<String> {
    let entries = directory.read_dir().expect("it is there");
    let mut names: Vec<_> = entries
        .map(|entry| entry.expect("it is readable").file_name())
        .map(|name| name.into_string().expect("it is text"))
        .collect();
    names.sort_unstable();
    names
}

#[tokio::test]
async fn every_row_of_every_table_is_copied_and_restored() {
    let world = World::new().await;
    let directory = world.backed_up().await;
    let restored = Database::new();
    let made = restore(&directory, &config(&restored)).await;
    made.expect("the database is new");
    let tables = tables(&world.database);
    assert!(tables.len() > 10, "{tables:?}");
    for table in &tables {
        let there = rows(&world.database, table);
        assert!(!there.is_empty(), "{table}: each has a row here");
        assert_eq!(rows(&restored, table), there, "{table}");
    }
    let mut files: Vec<String> = tables.iter().map(|table| format!("{table}.copy")).collect();
    files.push("manifest".to_owned());
    files.sort_unstable();
    assert_eq!(names(&directory), files);
}

#[tokio::test]
async fn nodes_of_a_backup_are_gone_and_their_epochs_do_not_come_again() {
    let world = World::new().await;
    world.database.psql("SELECT setval('node_epoch', 70)");
    let directory = world.backed_up().await;
    let restored = Database::new();
    let made = restore(&directory, &config(&restored)).await;
    made.expect("the database is new");
    let alive = restored.psql("SELECT count(*) FROM node WHERE expires_at > now()");
    assert_eq!(alive, "0\n");
    assert_eq!(restored.psql("SELECT nextval('node_epoch')"), "71\n");
    open(&restored).await;
    let alive = restored.psql("SELECT count(*) FROM node WHERE expires_at > now()");
    assert_eq!(alive, "1\n");
}

#[tokio::test]
async fn a_backup_is_its_owners_to_read() {
    let world = World::new().await;
    let directory = world.backed_up().await;
    let mode = |path: &Path| path.metadata().expect("it is there").permissions().mode() & 0o777;
    assert_eq!(mode(&directory), 0o700);
    for name in names(&directory) {
        assert_eq!(mode(&directory.join(&name)), 0o600, "{name}");
    }
}

#[tokio::test]
async fn a_backup_that_fails_leaves_nothing() {
    let world = World::new().await;
    // The last table's rows can't be read.
    world.database.psql(
        "ALTER TABLE task RENAME TO gone;
         CREATE VIEW task AS SELECT 1 / 0 * id AS id FROM gone",
    );
    let directory = world.home.path().join("backup");
    let failed = backup(&config(&world.database), &directory).await;
    let told = failed.expect_err("it can't be read").to_string();
    assert!(told.contains("division by zero"), "{told}");
    assert_eq!(names(&directory), [""; 0]);
}

#[tokio::test]
async fn a_backup_that_was_not_finished_is_refused() {
    let world = World::new().await;
    let directory = world.backed_up().await;
    let manifest = directory.join("manifest");
    let aside = manifest.with_extension("unfinished");
    std::fs::rename(&manifest, aside).expect("it is ours");
    let restored = Database::new();
    let refused = restore(&directory, &config(&restored)).await;
    assert!(
        matches!(refused, Err(CopyError::NotABackup(_))),
        "{refused:?}"
    );
    assert_eq!(tables(&restored), [""; 0]);
}

#[tokio::test]
async fn a_damaged_backup_leaves_a_database_that_can_be_restored_into() {
    let world = World::new().await;
    let directory = world.backed_up().await;
    let restored = Database::new();
    let path = directory.join("message.copy");
    let whole = std::fs::read(&path).expect("it is there");
    let one_row = whole.len() / 2;
    let mut without_a_row = whole[..19].to_vec();
    without_a_row.extend([0xff, 0xff]);
    let mut other = whole.clone();
    other[..6].copy_from_slice(b"XXCOPY");
    let mut broken = whole.clone();
    broken[19..23].copy_from_slice(&[0, 11, 0x7f, 0xff]);
    for (what, damaged) in [
        ("cut off", &whole[..one_row]),
        ("empty", &[][..]),
        ("without rows", &without_a_row),
        ("something else", &other),
        ("broken", &broken),
    ] {
        std::fs::write(&path, damaged).expect("it is ours");
        let refused = restore(&directory, &config(&restored)).await;
        assert!(
            matches!(refused, Err(CopyError::Damaged(_))),
            "{what}: {refused:?}"
        );
        let told = refused.expect_err("it was refused").to_string();
        assert!(told.contains("message.copy"), "{what}: {told}");
        assert!(!holds_anything(&restored), "{what}");
    }
    std::fs::write(&path, &whole).expect("it is ours");
    let made = restore(&directory, &config(&restored)).await;
    made.expect("nothing is in it");
    assert_eq!(rows(&restored, "message"), rows(&world.database, "message"));
}

#[tokio::test]
async fn a_database_that_holds_anything_is_left_as_it_is() {
    let world = World::new().await;
    let directory = world.backed_up().await;
    let refused = restore(&directory, &config(&world.database)).await;
    assert!(matches!(refused, Err(CopyError::NotEmpty)), "{refused:?}");
    world.database.psql("DELETE FROM node");
    let refused = restore(&directory, &config(&world.database)).await;
    assert!(matches!(refused, Err(CopyError::NotEmpty)), "{refused:?}");
    let there = world.database.psql("SELECT count(*) FROM message");
    assert_eq!(there, "2\n");
}

#[tokio::test]
async fn a_backup_of_another_schema_is_refused() {
    let world = World::new().await;
    let directory = world.backed_up().await;
    let path = directory.join("manifest");
    let text = std::fs::read_to_string(&path).expect("it is there");
    let restored = Database::new();
    for (version, expected) in [
        (0, "restore it with the program that made it"),
        (999, "start a newer program"),
    ] {
        let changed = text
            .lines()
            .map(|line| match line.starts_with("schema ") {
                true => format!("schema {version}\n"),
                false => format!("{line}\n"),
            })
            .collect::<String>();
        std::fs::write(&path, changed).expect("it is ours");
        let told = restore(&directory, &config(&restored)).await;
        let told = told.expect_err("it is another").to_string();
        assert!(told.contains(expected), "{told}");
    }
    assert_eq!(tables(&restored), [""; 0]);
}
