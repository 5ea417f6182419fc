//! What is observed reaches the rules, what they find is reported with what is done about it, and
//! what they have learnt outlives the process.

use model::security::{EventSink, SecurityEvent, SecurityKind, Subject, SubjectKind};
use model::{Clock as _, Timestamp};
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use store::conformance::{TestClock, TestEntropy};
use store::registry::RegistryConfig;
use store::{Registry, Store as _};
use store_sqlite::{DataDirectory, SqliteConfig, SqliteStore};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use watch::Detector;
use watch::detect::{Config, Finding};
use watch::detector::{Respond, Surroundings};

const RULE: &str = "brute-force-by-address";

/// Takes down what is reported.
#[derive(Default)]
struct Reported(Mutex<Vec<SecurityEvent>>);

impl EventSink for Reported {
    fn report(&self, event: SecurityEvent) {
        self.0.lock().expect("nobody panics").push(event);
    }
}

/// Says that something was done.
struct Done;

impl Respond for Done {
    fn respond(&self, finding: &Finding) -> Option<String> {
        Some(format!("about {} something was done", finding.rule))
    }

    fn pass(&self) {}
}

struct World {
    store: Arc<SqliteStore>,
    clock: Arc<TestClock>,
    reported: Arc<Reported>,
    _home: tempfile::TempDir,
}

struct Running {
    detector: Arc<Detector>,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl World {
    fn new() -> Self {
        let home = tempfile::tempdir().expect("a temporary directory");
        let directory = DataDirectory::lock(home.path()).expect("a directory of its own");
        let clock = Arc::new(TestClock::default());
        let surroundings = store_sqlite::Surroundings {
            clock: clock.clone(),
            entropy: Arc::new(TestEntropy::new(1)),
        };
        let config = SqliteConfig::default();
        let store = SqliteStore::open_inline(directory, config, surroundings).expect("it opens");
        Self {
            store: Arc::new(store),
            clock,
            reported: Arc::default(),
            _home: home,
        }
    }

    fn detect(&self, is_on: bool) -> Running {
        let mut config = Config::default();
        config.set(RULE, "failures", 3).expect("it can be set");
        let registry = RegistryConfig {
            applications_max: NonZeroUsize::MIN,
            shared: false,
        };
        let store = self.store.clone();
        let around = Surroundings {
            registry: Arc::new(Registry::new(store.clone(), self.clock.clone(), registry)),
            store,
            clock: self.clock.clone(),
            events: self.reported.clone(),
            responses: Arc::new(Done),
        };
        let (detector, stop) = (Arc::new(Detector::new(is_on)), CancellationToken::new());
        let (runs, until) = (detector.clone(), stop.clone());
        let task = tokio::spawn(async move { runs.run(around, config, until).await });
        Running {
            detector,
            stop,
            task,
        }
    }

    fn failure(&self) -> SecurityEvent {
        let subject = Subject::new(SubjectKind::Organisation, "org");
        let at: Timestamp = self.clock.now();
        let event = SecurityEvent::new(SecurityKind::AuthenticationFailed, subject, at, "no");
        event.from_address("192.0.2.7".parse().ok())
    }

    /// Lets a second pass.
    async fn pass(&self) {
        let second = Duration::from_secs(1);
        self.clock.advance(second);
        tokio::time::sleep(second).await;
    }

    fn take(&self) -> Vec<SecurityEvent> {
        std::mem::take(&mut self.reported.0.lock().expect("nobody panics"))
    }
}

impl Running {
    async fn end(self) {
        self.stop.cancel();
        self.task.await.expect("it ends");
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_found_is_one_event_with_what_was_done_about_it() {
    let world = World::new();
    let running = world.detect(true);
    for _ in 0..10 {
        running.detector.take(&world.failure());
    }
    world.pass().await;
    let found = world.take();
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0].kind, SecurityKind::TrafficAnomaly);
    assert_eq!(found[0].remote_address, "192.0.2.7".parse().ok());
    let text = &found[0].description;
    assert!(text.starts_with(&format!("{RULE}: ")), "{text}");
    assert!(text.ends_with(&format!("(about {RULE} something was done)")));
    // What was found is not looked at again.
    for _ in 0..10 {
        running.detector.take(&found[0]);
    }
    world.pass().await;
    assert_eq!(world.take(), []);
    running.end().await;
}

#[tokio::test(start_paused = true)]
async fn what_was_learnt_and_told_is_known_to_the_next_process() {
    let world = World::new();
    for (told, why) in [(1, "it is new"), (0, "it was told before")] {
        let running = world.detect(true);
        for _ in 0..10 {
            running.detector.take(&world.failure());
        }
        world.pass().await;
        assert_eq!(world.take().len(), told, "{why}");
        running.end().await;
        let kept = world.store.setting("detection").await;
        assert!(kept.expect("it is read").is_some());
    }
}

#[tokio::test(start_paused = true)]
async fn what_still_waits_at_the_end_is_looked_at() {
    let world = World::new();
    let running = world.detect(true);
    world.pass().await;
    for _ in 0..10 {
        running.detector.take(&world.failure());
    }
    running.end().await;
    assert_eq!(world.take().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn where_no_rule_is_on_nothing_is_taken_and_nothing_kept() {
    let world = World::new();
    let running = world.detect(false);
    running.detector.take(&world.failure());
    running.task.await.expect("it ends by itself");
    assert_eq!(world.take(), []);
    let kept = world.store.setting("detection").await;
    assert_eq!(kept.expect("it is read"), None);
}
