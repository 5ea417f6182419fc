//! What becomes of a batch when a request in it, the disk or the writer itself fails.

use super::*;
use crate::checkpoint::CheckpointLoop;
use crate::faults::{CommitFault, Faults};
use crate::open::{Surroundings, prepare};
use crate::{DataDirectory, SqliteConfig};
use rusqlite::params;
use std::sync::Mutex;
use store::conformance::{TestClock, TestEntropy};

struct Fixture {
    writer: Writer,
    clock: Arc<TestClock>,
    faults: Faults,
    answers: Arc<Mutex<Vec<(i64, bool)>>>,
    home: tempfile::TempDir,
}

impl Fixture {
    fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        let clock = Arc::new(TestClock::default());
        let faults = Faults::default();
        let config = SqliteConfig {
            faults: faults.clone(),
            ..SqliteConfig::default()
        };
        let surroundings = Surroundings {
            clock: clock.clone(),
            entropy: Arc::new(TestEntropy::new(1)),
        };
        let directory = DataDirectory::lock(home.path()).unwrap();
        let (writer, _) = prepare(directory, config, surroundings, true).unwrap();
        Self {
            writer,
            clock,
            faults,
            answers: Arc::default(),
            home,
        }
    }

    /// Writes row `id`; `run` comes first, and may refuse.
    fn request(
        &self,
        id: i64,
        urgency: Urgency,
        run: impl Fn() -> Result<(), Failure> + Send + 'static,
    ) -> Box<dyn Request> {
        Box::new(Scripted {
            id,
            urgency,
            script: Box::new(run),
            answers: self.answers.clone(),
        })
    }

    fn plain(&self, id: i64) -> Box<dyn Request> {
        self.request(id, Urgency::Now, || Ok(()))
    }

    /// Which requests were answered, and whether they were committed.
    fn answers(&self) -> Vec<(i64, bool)> {
        self.answers.lock().unwrap().clone()
    }

    /// Which rows are there.
    fn rows(&self) -> Vec<i64> {
        let mut select = self
            .writer
            .connection
            .prepare("SELECT id FROM probe ORDER BY id")
            .unwrap();
        let rows = select.query_map([], |row| row.get(0)).unwrap();
        rows.collect::<Result<_, _>>().unwrap()
    }

    fn database(&self) -> Vec<u8> {
        std::fs::read(self.home.path().join("postrider.db")).unwrap()
    }
}

struct Scripted {
    id: i64,
    urgency: Urgency,
    script: Box<dyn Fn() -> Result<(), Failure> + Send>,
    answers: Arc<Mutex<Vec<(i64, bool)>>>,
}

impl Request for Scripted {
    fn run(&mut self, batch: &mut Batch<'_>) -> Result<(), Failure> {
        let sql = "INSERT INTO probe (id, ballast) VALUES (?1, x'00')";
        batch.connection.execute(sql, params![self.id])?;
        (self.script)()
    }

    fn committed(self: Box<Self>) {
        self.answers.lock().unwrap().push((self.id, true));
    }

    fn refused(self: Box<Self>, _: &Failure) {
        self.answers.lock().unwrap().push((self.id, false));
    }

    fn urgency(&self) -> Urgency {
        self.urgency
    }

    fn kib(&self) -> u32 {
        1
    }
}

fn unreadable() -> Result<(), Failure> {
    Err(Failure::unreadable("a row"))
}

#[test]
fn a_request_that_fails_takes_nothing_of_the_others_with_it_and_leaves_nothing() {
    let mut fixture = Fixture::new();
    let batch = vec![
        fixture.plain(1),
        fixture.request(2, Urgency::Now, unreadable),
        // The same row again: SQLite itself refuses it.
        fixture.plain(1),
        fixture.plain(3),
    ];
    fixture.writer.commit(batch);
    assert_eq!(
        fixture.answers(),
        [(1, true), (2, false), (1, false), (3, true)]
    );
    assert_eq!(fixture.rows(), [1, 3]);
}

#[test]
fn nothing_is_committed_behind_a_failed_fsync() {
    let mut fixture = Fixture::new();
    let (breaks, mends) = (fixture.faults.clone(), fixture.faults.clone());
    let batch = vec![
        fixture.request(1, Urgency::Now, unreadable),
        fixture.request(2, Urgency::Now, move || {
            breaks.fail_commits(Some(CommitFault::Sync));
            Ok(())
        }),
        fixture.request(3, Urgency::Now, move || {
            mends.fail_commits(None);
            Ok(())
        }),
    ];
    fixture.writer.commit(batch);
    assert_eq!(fixture.answers(), [(1, false), (2, false), (3, false)]);
    assert!(fixture.rows().is_empty());
}

#[test]
fn nothing_is_tried_when_the_probes_own_fsync_failed() {
    let mut fixture = Fixture::new();
    fixture.faults.fail_commits(Some(CommitFault::Write));
    let outcome = fixture.request(1, Urgency::Patient, || Ok(()));
    fixture.writer.commit(vec![outcome]);
    assert_eq!(fixture.answers(), [], "an outcome waits");

    fixture.faults.fail_commits(Some(CommitFault::Sync));
    fixture.clock.advance(PROBE_EVERY);
    let mends = fixture.faults.clone();
    let sweep = fixture.request(2, Urgency::MakesRoom, move || {
        mends.fail_commits(None);
        Ok(())
    });
    fixture.writer.commit(vec![sweep]);
    assert_eq!(fixture.answers(), [(1, false), (2, false)]);
    assert!(fixture.rows().is_empty());
}

#[test]
fn outcomes_that_had_to_wait_go_first_and_in_their_order() {
    let mut fixture = Fixture::new();
    fixture.faults.fail_commits(Some(CommitFault::Write));
    for id in 1..=3 {
        let outcome = fixture.request(id, Urgency::Patient, || Ok(()));
        fixture.writer.commit(vec![outcome]);
    }
    fixture.faults.fail_commits(None);
    fixture.clock.advance(PROBE_EVERY);
    let accept = fixture.plain(4);
    fixture.writer.commit(vec![accept]);
    assert_eq!(
        fixture.answers(),
        [(1, true), (2, true), (3, true), (4, true)]
    );
}

#[test]
fn the_log_is_left_alone_after_a_failed_fsync() {
    let mut fixture = Fixture::new();
    let first = fixture.plain(1);
    fixture.writer.commit(vec![first]);
    let before = fixture.database();
    fixture.faults.fail_commits(Some(CommitFault::Sync));
    fixture.writer.shared.checkpoints.pass_was_made();
    let second = fixture.plain(2);
    fixture.writer.commit(vec![second]);
    assert!(fixture.database() == before, "the writer made a checkpoint");

    let shared = fixture.writer.shared.clone();
    shared.checkpoints.order();
    CheckpointLoop::new(shared.clone(), shared.directory.database()).run();
    assert!(fixture.database() == before, "the loop made a checkpoint");

    fixture.writer.close();
    assert!(fixture.database() == before, "the close made a checkpoint");
}

/// Whoever lets go of a delivery must find the store failed, not as if nothing had happened.
#[test]
fn a_panic_is_told_before_what_was_in_hand_is_dropped() {
    struct Witness(Arc<Shared>, Arc<Mutex<Option<Condition>>>);
    impl Drop for Witness {
        fn drop(&mut self) {
            *self.1.lock().unwrap() = Some(self.0.standing());
        }
    }
    let fixture = Fixture::new();
    let seen = Arc::default();
    let witness = Witness(fixture.writer.shared.clone(), Arc::clone(&seen));
    let request = fixture.request(1, Urgency::Patient, move || {
        let _in_hand = &witness;
        panic!("a request that this test makes panic");
    });
    let mut writer = fixture.writer;
    let work = std::panic::AssertUnwindSafe(move || writer.commit(vec![request]));
    assert!(std::panic::catch_unwind(work).is_err());
    assert_eq!(*seen.lock().unwrap(), Some(Condition::Failed));
}
