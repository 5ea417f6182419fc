//! What is reported is kept: soon, at most once a second, also when it ends, and also when the
//! store could not write for a while.

use model::id::Key;
use model::security::{EventSink, SecurityEvent, SecurityKind, Subject, SubjectKind};
use model::{Clock as _, Timestamp};
use std::sync::Arc;
use std::time::Duration;
use store::conformance::{TestClock, TestEntropy};
use store::query::Window;
use store::security::{SecurityQuery, SecurityRow};
use store::{Condition, Store as _};
use store_sqlite::faults::{CommitFault, Faults};
use store_sqlite::{DataDirectory, SqliteConfig, SqliteStore, Surroundings};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use watch::Keeper;

struct World {
    keeper: Arc<Keeper>,
    store: Arc<SqliteStore>,
    clock: Arc<TestClock>,
    faults: Faults,
    stop: CancellationToken,
    running: JoinHandle<()>,
    _home: tempfile::TempDir,
}

impl World {
    fn new() -> Self {
        let home = tempfile::tempdir().expect("a temporary directory");
        let directory = DataDirectory::lock(home.path()).expect("a directory of its own");
        let (clock, config) = (Arc::new(TestClock::default()), SqliteConfig::default());
        let faults = config.faults.clone();
        let surroundings = Surroundings {
            clock: clock.clone(),
            entropy: Arc::new(TestEntropy::new(1)),
        };
        let store = SqliteStore::open_inline(directory, config, surroundings).expect("it opens");
        let (store, keeper) = (Arc::new(store), Arc::new(Keeper::default()));
        let stop = CancellationToken::new();
        let running = {
            let (keeper, store, stop) = (keeper.clone(), store.clone(), stop.clone());
            tokio::spawn(async move { keeper.run(&*store, stop).await })
        };
        Self {
            keeper,
            store,
            clock,
            faults,
            stop,
            running,
            _home: home,
        }
    }

    fn report(&self) {
        let subject = Subject::new(SubjectKind::Node, "a");
        let at = self.clock.now();
        let event = SecurityEvent::new(SecurityKind::ClockSkew, subject, at, "it is late");
        self.keeper.report(event);
    }

    /// Lets time pass, a little more than so many seconds.
    async fn pass(&self, seconds: u64) {
        let time = Duration::from_millis(1_000 * seconds + 1);
        self.clock.advance(time);
        tokio::time::sleep(time).await;
    }

    async fn rows(&self) -> Vec<SecurityRow> {
        let query = SecurityQuery {
            window: Window {
                above: Key::MIN,
                below: Key::MAX,
                ascending: true,
                limit: 100,
            },
            application: None,
            subject: None,
            kind: None,
            severity: None,
            with_samples: false,
        };
        let walk = self.store.security_events(&query).await;
        walk.expect("reads go on").rows
    }

    /// How often each row's event happened, and by when all of it.
    async fn counts(&self) -> Vec<(u64, Timestamp)> {
        let rows = self.rows().await.into_iter();
        rows.map(|row| (row.event.count, row.event.last_seen))
            .collect()
    }
}

#[tokio::test(start_paused = true)]
async fn a_flood_is_one_row_written_once_a_second() {
    let world = World::new();
    world.pass(1).await;
    let before = world.store.commits();
    for _ in 0..10 {
        for _ in 0..100 {
            world.report();
        }
        world.pass(1).await;
    }
    let last = world.clock.now().minus(Duration::from_millis(1_001));
    assert_eq!(world.counts().await, [(1_000, last)]);
    let commits = world.store.commits() - before;
    assert!((9..=11).contains(&commits), "{commits}");
}

#[tokio::test(start_paused = true)]
async fn what_is_left_is_kept_when_it_is_stopped() {
    let mut world = World::new();
    let first = world.clock.now();
    world.report();
    world.pass(0).await;
    assert_eq!(
        world.counts().await,
        [(1, first)],
        "the first is kept at once"
    );
    world.report();
    world.stop.cancel();
    (&mut world.running).await.expect("it ends");
    assert_eq!(world.counts().await, [(2, world.clock.now())]);
}

#[tokio::test(start_paused = true)]
async fn a_store_that_can_not_write_is_waited_for_and_nothing_is_left_out() {
    let world = World::new();
    world.faults.fail_commits(Some(CommitFault::Write));
    world.report();
    world.pass(1).await;
    assert_eq!(*world.store.condition().borrow(), Condition::ReadOnly);
    for _ in 0..100 {
        world.report();
    }
    world.pass(60).await;
    world.faults.fail_commits(None);
    world.pass(2).await;
    world.store.step();
    world.pass(2).await;
    let rows = world.rows().await;
    assert_eq!(rows.len(), 1, "{rows:?}");
    assert_eq!(rows[0].event.count, 101);
}
