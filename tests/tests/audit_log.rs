//! The audit log as it is kept by the real binary: whatever is done to its database is found, and
//! what was done is said. Somebody who can write to the database does it here.

use e2e::command::{Outcome, postrider};
use e2e::{Example, Options, Server, eventually};
use model::audit::{Actor, ActorKind, AuditAction};
use model::id::{AuditId, Key};
use model::security::{Subject, SubjectKind};
use model::{Clock, Entropy, Timestamp};
use rusqlite::{Connection, TransactionBehavior, params};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use store::audit::{AUDIT_SIGNING_KEY, AuditEntry, SignedCheckpoint};
use store_sqlite::{DataDirectory, SqliteConfig, SqliteStore, Surroundings};
use tempfile::TempDir;
use vault::{AuditKey, MasterKey, SealedDataKey, Vault};
use watch::audit::{Sealer, SigningKey};

/// So many entries are in the log at least.
const ENTRIES: u64 = 6;

/// What is done to a database.
type Tampering = fn(&Connection) -> rusqlite::Result<()>;

/// What was done, how, and a part of what is said of it.
const TAMPERINGS: [(&str, Tampering, &str); 11] = [
    (
        "an entry is changed",
        |sql| {
            run(
                sql,
                "UPDATE audit_entry SET entry = replace(entry, 'org_1', 'org_2') WHERE position = 3",
            )
        },
        "at position 3 is not what was sealed there",
    ),
    (
        "a column of the list is changed",
        |sql| {
            run(
                sql,
                "UPDATE audit_entry SET actor = 'org_2' WHERE position = 3",
            )
        },
        "the column `actor`",
    ),
    (
        "an entry is removed",
        |sql| run(sql, "DELETE FROM audit_entry WHERE position = 3"),
        "the entry at position 3 was removed",
    ),
    (
        "an entry is removed, and those behind it take its place",
        |sql| {
            run(sql, "DELETE FROM audit_entry WHERE position = 3")?;
            run(
                sql,
                "UPDATE audit_entry SET position = position - 1 WHERE position > 3",
            )
        },
        "at position 3 is not what was sealed there",
    ),
    (
        "an entry is inserted behind the last",
        |sql| {
            run(
                sql,
                "INSERT INTO audit_entry SELECT id + 1, tail, entry, application, action, actor,
                 subject, position + 1, hash FROM audit_entry ORDER BY position DESC LIMIT 1",
            )
        },
        "no checkpoint is over",
    ),
    (
        "an entry is inserted where no position is",
        |sql| {
            run(
                sql,
                "INSERT INTO audit_entry SELECT id + 1, tail, entry, application, action, actor,
                 subject, -1, hash FROM audit_entry ORDER BY position DESC LIMIT 1",
            )
        },
        "it was inserted, or moved",
    ),
    (
        "two entries are in each other's place",
        |sql| {
            run(
                sql,
                "UPDATE audit_entry SET position = -position WHERE position IN (3, 4)",
            )?;
            run(
                sql,
                "UPDATE audit_entry SET position = 7 + position WHERE position < 0",
            )
        },
        "put in another's place",
    ),
    (
        "a checkpoint is changed",
        |sql| run(sql, "UPDATE audit_checkpoint SET signed_at = signed_at + 1"),
        "is not signed with the log's key",
    ),
    (
        "a checkpoint is removed",
        |sql| run(sql, "DELETE FROM audit_checkpoint WHERE previous = 0"),
        "checkpoints between positions 0 and",
    ),
    (
        "the tail is cut",
        |sql| {
            run(
                sql,
                "DELETE FROM audit_entry WHERE position >
                 (SELECT previous FROM audit_checkpoint ORDER BY previous DESC LIMIT 1)",
            )?;
            run(
                sql,
                "DELETE FROM audit_checkpoint WHERE previous =
                 (SELECT max(previous) FROM audit_checkpoint)",
            )
        },
        "its tail was cut",
    ),
    (
        "the key is replaced",
        |sql| {
            run(
                sql,
                "UPDATE setting SET value = zeroblob(69) WHERE name = 'audit_signing_key'",
            )
        },
        "the key that the audit log is signed with",
    ),
];

#[tokio::test]
async fn whatever_is_done_to_the_database_is_found() {
    let mut log = Log::written().await;
    let outside = log.checkpoints.clone();
    let beside = log.verify(log.server.data_dir(), Some(&outside)).await;
    assert_eq!(beside.status, Some(0), "beside the server: {beside:?}");
    assert!(log.server.terminate().await.success());

    let whole = log.copy("whole");
    let verified = log.verify(&whole, Some(&outside)).await;
    let told: Value = serde_json::from_str(verified.text()).expect("JSON");
    assert_eq!(told["outcome"], "whole", "{told}");
    assert_eq!(told["confirmed"], told["head"], "{told}");
    assert!(told["head"].as_u64() >= Some(ENTRIES), "{told}");
    let alone = log.verify(&whole, None).await;
    let told: Value = serde_json::from_str(&alone.expect(4).stdout).expect("JSON");
    assert_eq!(told["outcome"], "unconfirmed", "{told}");

    for (number, (what, tamper, said)) in TAMPERINGS.into_iter().enumerate() {
        let copy = log.copy(&format!("tampered-{number}"));
        let connection = Connection::open(copy.join("postrider.db")).expect("a database");
        tamper(&connection).expect("whoever can write can do it");
        connection.close().expect("it is closed");
        let found = log.verify(&copy, Some(&outside)).await;
        assert_eq!(found.status, Some(1), "{what}: {found:?}");
        let text = format!("{}{}", found.stdout, found.stderr);
        assert!(text.contains(said), "{what}: {found:?}");
    }
}

#[tokio::test]
async fn a_database_that_was_rolled_back_is_found_by_what_was_kept_outside() {
    let mut log = Log::written().await;
    assert!(log.server.terminate().await.success());
    let old = log.copy("old");
    log.server.restart().await;
    log.write(ENTRIES, 1).await;
    let found = log.verify(&old, Some(&log.checkpoints)).await;
    let text = &found.expect(1).stdout;
    assert!(text.contains("an older state"), "{text}");
    let alone = log.verify(&old, None).await;
    alone.expect(4);
}

#[tokio::test]
async fn what_was_cut_begins_with_a_start_that_can_t_be_taken_away() {
    let mut log = Log::written().await;
    assert!(log.server.terminate().await.success());
    let copy = log.copy("cut");
    cut(&copy).await;
    let whole = log.verify(&copy, Some(&log.checkpoints)).await;
    let told: Value = serde_json::from_str(whole.text()).expect("JSON");
    assert!(told["first"].as_u64() > Some(1), "{told}");
    let connection = Connection::open(copy.join("postrider.db")).expect("a database");
    run(&connection, "DELETE FROM audit_start").expect("whoever can write can do it");
    connection.close().expect("it is closed");
    let found = log.verify(&copy, Some(&log.checkpoints)).await;
    let text = &found.expect(1).stdout;
    assert!(
        text.contains("positions 1 to") && text.contains("removed"),
        "{text}"
    );
}

#[tokio::test]
async fn an_export_is_verified_with_the_public_key_alone_also_by_the_documentation_s_script() {
    let log = Log::written().await;
    let export = log.home.path().join("audit.jsonl");
    let key = log.public_key();
    let data_dir = text(log.server.data_dir());
    let exported = [
        "audit",
        "export",
        "--out",
        text(&export),
        "--data-dir",
        data_dir,
    ];
    assert!(postrider(&exported).await.text().contains(&key));
    let outside = log.checkpoints.clone();
    let verify = |export: &Path| {
        let arguments = ["audit", "verify", "--export", text(export), "--public-key"];
        let arguments: Vec<String> = arguments
            .into_iter()
            .chain([key.as_str(), "--checkpoint", text(&outside)])
            .map(str::to_owned)
            .collect();
        async move {
            let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
            postrider(&arguments).await
        }
    };
    assert!(
        verify(&export)
            .await
            .text()
            .contains("confirmed from outside")
    );
    let script = Example::find("audit-log.md", "A verifier of your own", "python");
    let files = |export| [text(export), key.as_str(), text(&outside)].map(str::to_owned);
    let said = script.runs(&files(&export)).await;
    assert!(said.text().contains("whole up to"), "{said:?}");

    let changed = log.home.path().join("changed.jsonl");
    let lines = std::fs::read_to_string(&export).expect("it was written");
    std::fs::write(&changed, lines.replacen("org_1", "org_2", 1)).expect("a file");
    let found = verify(&changed).await;
    assert!(
        found.expect(1).stdout.contains("not what was sealed"),
        "{found:?}"
    );
    let said = script.runs(&files(&changed)).await;
    said.expect(1).complains_of("was changed");
}

#[tokio::test]
async fn the_log_s_key_stays_when_the_master_key_is_replaced() {
    let mut log = Log::written().await;
    let before = log.public_key();
    let rotate = ["keys", "rotate", "--data-dir", text(log.server.data_dir())];
    postrider(&rotate).await.expect(0);
    log.write(ENTRIES, 1).await;
    assert_eq!(log.public_key(), before);
    assert!(log.server.terminate().await.success());
    let verified = log
        .verify(log.server.data_dir(), Some(&log.checkpoints))
        .await;
    verified.expect(0);
}

/// A server with entries in its log, sealed by two checkpoints at least.
struct Log {
    server: Server,
    home: TempDir,
    checkpoints: PathBuf,
}

impl Log {
    async fn written() -> Self {
        let home = tempfile::tempdir().expect("a directory");
        let checkpoints = home.path().join("checkpoints.jsonl");
        let options = Options::dev().option("--audit-checkpoint-file", text(&checkpoints));
        let log = Self {
            server: Server::start(options).await,
            home,
            checkpoints,
        };
        for number in 0..2 {
            log.write(number * ENTRIES / 2, ENTRIES / 2).await;
        }
        log
    }

    /// Writes entries as changes do, but all at once, so that one checkpoint is over them; waits
    /// until it is outside.
    async fn write(&self, first: u64, count: u64) {
        let mut sql =
            Connection::open(self.server.data_dir().join("postrider.db")).expect("it is there");
        sql.busy_timeout(Duration::from_secs(60))
            .expect("a timeout");
        let immediate = TransactionBehavior::Immediate;
        let together = sql.transaction_with_behavior(immediate);
        let together = together.expect("the server lets others write");
        for number in first..first + count {
            let entry = entry(number);
            let listed = entry.listed();
            together
                .execute(
                    "INSERT INTO audit_entry (id, tail, entry, application, action, actor, subject)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                    params![
                        entry.id.key().integer(),
                        entry.id.tail(),
                        entry.text(),
                        listed.application.integer(),
                        listed.action,
                        listed.actor,
                        listed.subject
                    ],
                )
                .expect("it is a row");
        }
        together.commit().expect("it can be written");
        eventually("the entries to be sealed", || async {
            let waiting = "SELECT count(*) FROM audit_entry WHERE position IS NULL";
            let waiting: i64 = sql
                .query_row(waiting, [], |row| row.get(0))
                .expect("a number");
            let head = "SELECT coalesce(max(position), 0) FROM audit_checkpoint";
            let head: u64 = sql
                .query_row(head, [], |row| row.get::<_, i64>(0))
                .expect("a number")
                .unsigned_abs();
            let outside = self.outside().last().map(|one| one.checkpoint.position);
            match waiting == 0 && outside == Some(head) {
                true => Ok(()),
                false => Err(format!("{waiting} wait, {outside:?} of {head} is outside")),
            }
        })
        .await;
    }

    fn outside(&self) -> Vec<SignedCheckpoint> {
        let lines = std::fs::read_to_string(&self.checkpoints).expect("the server made it");
        let read = |line| SignedCheckpoint::read(line).expect("it is a checkpoint");
        lines.lines().map(read).collect()
    }

    fn public_key(&self) -> String {
        let last = self.outside().pop().expect("there is one");
        store::audit::hex(&last.public_key)
    }

    fn copy(&self, name: &str) -> PathBuf {
        let to = self.home.path().join(name);
        std::fs::create_dir(&to).expect("a directory");
        for file in std::fs::read_dir(self.server.data_dir()).expect("a directory") {
            let file = file.expect("a file").path();
            let name = file.file_name().expect("it has one");
            std::fs::copy(&file, to.join(name)).expect("it can be copied");
        }
        to
    }

    async fn verify(&self, data_dir: &Path, outside: Option<&Path>) -> Outcome {
        let mut arguments = vec!["audit", "verify", "--json", "--data-dir", text(data_dir)];
        if let Some(outside) = outside {
            arguments.extend(["--checkpoint", text(outside)]);
        }
        postrider(&arguments).await
    }
}

fn entry(number: u64) -> AuditEntry {
    let number = i64::try_from(number).expect("tests write few");
    AuditEntry {
        id: AuditId::new(Key::from_integer(1_000 * (1 + number)), [1; 12]),
        at: Timestamp::from_seconds(number),
        actor: Actor {
            kind: ActorKind::Command,
            subject: "org_1".to_owned(),
            credential: None,
            remote_address: None,
        },
        action: AuditAction::ApplicationUpdated,
        subject: Subject::new(SubjectKind::Application, number),
        application: None,
        detail: "with a \"quote\", and é".to_owned(),
    }
}

/// Takes away the oldest entries of a store at rest, as retention does a year later.
async fn cut(data_dir: &Path) {
    let setting = |name| {
        let found = store_sqlite::setting(data_dir, name).expect("it can be read");
        found.expect("a server has worked here")
    };
    let master = std::fs::read_to_string(data_dir.join("master.key")).expect("it has one");
    let master = MasterKey::parse(&master).expect("it is a key");
    let installation = SealedDataKey::from_bytes(setting("installation_key"));
    let later = Arc::new(Later);
    let vault = Vault::open([master], &installation, later.clone()).expect("they fit");
    let key = vault
        .audit_key(&setting(AUDIT_SIGNING_KEY))
        .expect("it opens");

    let directory = DataDirectory::lock(data_dir).expect("nobody has it");
    let surroundings = Surroundings {
        clock: later.clone(),
        entropy: later.clone(),
    };
    let opened = SqliteStore::open_inline(directory, SqliteConfig::default(), surroundings);
    let store = Arc::new(opened.expect("it can be opened"));
    let sealer = Sealer::new(store.clone(), Box::new(Signing(key)), later);
    // Half of it: what was sealed before the second checkpoint.
    let all = store::Store::audit_checkpoints(&*store, 0, 10)
        .await
        .expect("it reads");
    let cut = sealer.cut(all[1].at).await;
    assert!(cut.expect("it can write"), "there is something to cut");
    drop(sealer);
    store.close();
}

/// A day that is far off, on which nothing is random.
struct Later;

impl Clock for Later {
    fn now(&self) -> Timestamp {
        Timestamp::from_seconds(2_500_000_000)
    }

    fn monotonic(&self) -> Duration {
        Duration::ZERO
    }
}

impl Entropy for Later {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(7);
    }
}

struct Signing(AuditKey);

impl SigningKey for Signing {
    fn public_key(&self) -> [u8; 32] {
        self.0.public_key()
    }

    fn sign(&self, bytes: &[u8]) -> [u8; 64] {
        self.0.sign(bytes)
    }
}

fn run(sql: &Connection, statements: &str) -> rusqlite::Result<()> {
    sql.execute_batch(statements)
}

fn text(path: &Path) -> &str {
    path.to_str().expect("tests' paths are UTF-8")
}
