//! What is reported is kept: soon, at most once a second, also when it ends, and also when the
//! store could not write for a while.

use model::id::Key;
use model::security::{EventSink, SecurityEvent, SecurityKind, Subject, SubjectKind};
use model::{Clock as _, Timestamp};
use std::sync::{Arc, Mutex};
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
use watch::keeper::{Fold, FoldSink};

struct World {
    keeper: Arc<Keeper>,
    store: Arc<SqliteStore>,
    clock: Arc<TestClock>,
    faults: Faults,
    handed_on: Arc<Next>,
    stop: CancellationToken,
    running: JoinHandle<()>,
    _home: tempfile::TempDir,
}

/// Keeps what is handed on.
#[derive(Default)]
struct Next(Mutex<Vec<Fold>>);

impl FoldSink for Next {
    fn take(&self, fold: Fold) {
        self.0.lock().expect("no panic while held").push(fold);
    }
}

impl Next {
    /// How often each happened, and whether it was written by then.
    fn counts(&self) -> Vec<(u64, bool)> {
        let folds = self.0.lock().expect("no panic while held");
        let counts = folds
            .iter()
            .map(|fold| (fold.event.count, fold.id.is_some()));
        counts.collect()
    }
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
        let handed_on = Arc::new(Next::default());
        keeper.hand_on_to(handed_on.clone());
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
            handed_on,
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

#[tokio::test(start_paused = true)]
async fn what_is_written_is_handed_on_with_its_row_and_more_of_it_as_it_comes() {
    let world = World::new();
    for _ in 0..3 {
        world.report();
        world.pass(1).await;
    }
    assert_eq!(world.handed_on.counts(), [(1, true); 3]);
    let row = world.rows().await[0].id;
    let folds = world.handed_on.0.lock().expect("no panic while held");
    assert!(folds.iter().all(|fold| fold.id == Some(row)));
}

#[tokio::test(start_paused = true)]
async fn what_can_not_be_written_is_handed_on_all_the_same_and_each_event_once() {
    let world = World::new();
    world.faults.fail_commits(Some(CommitFault::Write));
    world.report();
    world.pass(4).await;
    assert_eq!(world.handed_on.counts(), [(1, false)]);
    for _ in 0..100 {
        world.report();
    }
    world.pass(60).await;
    assert_eq!(world.handed_on.counts(), [(1, false), (100, false)]);
    world.faults.fail_commits(None);
    world.pass(2).await;
    world.store.step();
    world.pass(2).await;
    world.report();
    world.pass(2).await;
    let counts = world.handed_on.counts();
    assert_eq!(counts, [(1, false), (100, false), (1, true)]);
    assert_eq!(world.rows().await[0].event.count, 102);
}
