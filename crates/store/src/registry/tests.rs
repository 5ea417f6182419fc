//! What the cache in front of a store may and may not keep. The store here is a fake: what is
//! claimed is the order of reads and changes, which a database can't be stopped in the middle of.

mod fake;
mod schedules;

use super::*;
use crate::{Lane, Lanes, NoLanes};
use fake::FakeStore;
use model::Timestamp;
use std::sync::atomic::{AtomicU64, Ordering};

/// A monotonic clock in milliseconds.
#[derive(Default)]
struct Ticks(AtomicU64);

impl Clock for Ticks {
    fn now(&self) -> Timestamp {
        Timestamp::default()
    }

    fn monotonic(&self) -> Duration {
        Duration::from_millis(self.0.load(Ordering::Relaxed))
    }
}

struct Scene {
    store: Arc<FakeStore>,
    ticks: Arc<Ticks>,
    registry: Arc<Registry>,
}

impl Scene {
    fn new(applications_max: usize, shared: bool) -> Self {
        let store = Arc::new(FakeStore::default());
        let ticks = Arc::new(Ticks::default());
        let config = RegistryConfig {
            applications_max: NonZeroUsize::new(applications_max).expect("at least one"),
            shared,
        };
        let registry = Arc::new(Registry::new(store.clone(), ticks.clone(), config));
        Self {
            store,
            ticks,
            registry,
        }
    }

    /// The name of the application that is found.
    async fn find(&self, reference: &ApplicationRef) -> Option<String> {
        name_of(&self.registry, reference).await
    }

    /// How many reads reached the store since this was asked last.
    fn reads(&self) -> usize {
        self.store.take_reads()
    }
}

async fn name_of(registry: &Registry, reference: &ApplicationRef) -> Option<String> {
    let found = registry.find(reference).await.expect("the fake reads");
    found.map(|row| row.application.application.name.clone())
}

fn key(number: i64) -> ApplicationRef {
    ApplicationRef::Key(ApplicationKey::from_integer(number))
}

fn uid(text: &str) -> ApplicationRef {
    ApplicationRef::Uid(text.parse().expect("tests use valid words"))
}

#[tokio::test]
async fn an_application_is_read_once_by_whatever_name() {
    let scene = Scene::new(10, false);
    let id = scene.store.put(1, "Shop", Some("shop"));
    for reference in [uid("shop"), key(1), ApplicationRef::Id(id), uid("shop")] {
        assert_eq!(scene.find(&reference).await.as_deref(), Some("Shop"));
    }
    assert_eq!(scene.reads(), 1);
}

#[tokio::test]
async fn an_application_that_is_not_there_is_looked_for_again() {
    let scene = Scene::new(10, false);
    assert_eq!(scene.find(&key(1)).await, None);
    scene.store.put(1, "Shop", None);
    assert_eq!(scene.find(&key(1)).await.as_deref(), Some("Shop"));
    assert_eq!(scene.reads(), 2);
}

#[tokio::test]
async fn an_id_whose_tail_differs_finds_nothing_in_memory_either() {
    let scene = Scene::new(10, false);
    let id = scene.store.put(1, "Shop", None);
    scene.find(&key(1)).await;
    let guessed = ApplicationRef::Id(model::id::Id::new(id.key(), [9; 12]));
    assert_eq!(scene.find(&guessed).await, None);
    assert_eq!(scene.find(&key(1)).await.as_deref(), Some("Shop"));
}

#[tokio::test]
async fn what_was_forgotten_is_read_again() {
    let scene = Scene::new(10, false);
    scene.store.put(1, "Before", Some("shop"));
    scene.find(&key(1)).await;
    scene.store.put(1, "After", Some("shop"));
    assert_eq!(scene.find(&uid("shop")).await.as_deref(), Some("Before"));
    scene.registry.forget(ApplicationKey::from_integer(1));
    assert_eq!(scene.find(&uid("shop")).await.as_deref(), Some("After"));
}

#[tokio::test]
async fn a_node_without_lanes_grants_no_place_and_forgets_what_changed() {
    let scene = Scene::new(10, false);
    scene.store.put(1, "Before", None);
    scene.find(&key(1)).await;
    scene.store.put(1, "After", None);
    let lanes = NoLanes::new(scene.registry.clone());
    let (application, endpoint) = (ApplicationKey::from_integer(1), EndpointKey::MIN);
    let lane = Lane {
        application,
        endpoint,
    };
    assert!(lanes.grant(lane, false).is_none());
    lanes.changed(application);
    assert_eq!(scene.find(&key(1)).await.as_deref(), Some("After"));
}

#[tokio::test]
async fn many_who_miss_the_same_application_read_it_once() {
    let scene = Scene::new(10, false);
    scene.store.put(1, "Shop", None);
    let reading = scene.store.hold_next_read();
    let finds = (0..10).map(|_| {
        let registry = scene.registry.clone();
        tokio::spawn(async move { name_of(&registry, &key(1)).await })
    });
    let finds: Vec<_> = finds.collect();
    reading.begun().await;
    reading.let_go();
    for found in finds {
        let name = found.await.expect("no panic");
        assert_eq!(name.as_deref(), Some("Shop"));
    }
    assert_eq!(scene.reads(), 1);
}

#[tokio::test]
async fn forgetting_one_application_lets_others_be_kept() {
    let scene = Scene::new(10, false);
    let mut keys = model::id::KeySequence::after(0, 0);
    let mut made =
        |minute: i64| -> ApplicationKey { keys.next(Timestamp::from_seconds(60 * minute)) };
    let first = made(30_000_000);
    scene.store.put(first.integer(), "Shop", None);
    let reading = scene.store.hold_next_read();
    let (registry, name) = (scene.registry.clone(), ApplicationRef::Key(first));
    let found = tokio::spawn(async move { name_of(&registry, &name).await });
    reading.begun().await;
    for minute in 1..=3 {
        scene.registry.forget(made(30_000_000 + minute));
    }
    reading.let_go();
    found.await.expect("no panic");
    scene.find(&ApplicationRef::Key(first)).await;
    assert_eq!(scene.reads(), 1);
}

#[tokio::test]
async fn a_read_that_began_before_forgetting_is_not_kept() {
    let scene = Scene::new(10, false);
    scene.store.put(1, "Before", None);
    let reading = scene.store.hold_next_read();
    let registry = scene.registry.clone();
    let found = tokio::spawn(async move { name_of(&registry, &key(1)).await });
    reading.begun().await; // the old row is in the reader's hands

    scene.store.put(1, "After", None);
    scene.registry.forget(ApplicationKey::from_integer(1));
    reading.let_go();
    assert_eq!(found.await.expect("no panic").as_deref(), Some("Before"));
    assert_eq!(scene.find(&key(1)).await.as_deref(), Some("After"));
}

#[tokio::test]
async fn entries_age_when_others_share_the_store() {
    let age = u64::try_from(AGE_MAX.as_millis()).expect("it is short");
    for (shared, wait, expected) in [
        (true, age, "Before"),
        (true, age + 1, "After"),
        (false, 1_000 * age, "Before"),
    ] {
        let scene = Scene::new(10, shared);
        scene.store.put(1, "Before", None);
        scene.find(&key(1)).await;
        scene.store.put(1, "After", None);
        scene.ticks.0.fetch_add(wait, Ordering::Relaxed);
        let found = scene.find(&key(1)).await;
        assert_eq!(found.as_deref(), Some(expected), "{shared} {wait}");
    }
}

#[tokio::test]
async fn an_entry_ages_from_before_it_was_read() {
    let scene = Scene::new(10, true);
    scene.store.put(1, "Before", None);
    let reading = scene.store.hold_next_read();
    let registry = scene.registry.clone();
    let found = tokio::spawn(async move { name_of(&registry, &key(1)).await });
    reading.begun().await;
    scene.ticks.0.fetch_add(1_001, Ordering::Relaxed); // the read took longer than an age
    reading.let_go();
    found.await.expect("no panic");
    scene.store.put(1, "After", None);
    assert_eq!(scene.find(&key(1)).await.as_deref(), Some("After"));
}

#[tokio::test]
async fn a_uid_moves_to_another_application() {
    let scene = Scene::new(10, false);
    scene.store.put(1, "First", Some("shop"));
    scene.store.put(2, "Second", None);
    assert_eq!(scene.find(&uid("shop")).await.as_deref(), Some("First"));
    scene.find(&key(2)).await;

    scene.store.put(1, "First", None);
    scene.registry.forget(ApplicationKey::from_integer(1));
    scene.find(&key(1)).await; // in memory again, without its uid
    assert_eq!(scene.find(&uid("shop")).await, None);

    scene.store.put(2, "Second", Some("shop"));
    scene.registry.forget(ApplicationKey::from_integer(2));
    assert_eq!(scene.find(&uid("shop")).await.as_deref(), Some("Second"));
    assert_eq!(scene.find(&key(1)).await.as_deref(), Some("First"));
}

#[tokio::test]
async fn no_more_applications_are_kept_than_may_be() {
    let scene = Scene::new(2, false);
    for number in [1, 2, 3] {
        scene
            .store
            .put(number, "Shop", Some(&format!("shop-{number}")));
        scene.find(&uid(&format!("shop-{number}"))).await;
    }
    assert_eq!(scene.reads(), 3);
    for number in [2, 3] {
        scene.find(&key(number)).await;
        scene.find(&uid(&format!("shop-{number}"))).await;
    }
    assert_eq!(scene.reads(), 0, "the last two are in memory");
    scene.find(&key(1)).await;
    assert_eq!(scene.reads(), 1, "the one used longest ago went");
}

#[tokio::test]
async fn a_store_that_fails_is_asked_again() {
    let scene = Scene::new(10, false);
    scene.store.put(1, "Shop", None);
    scene.store.fail_next_read();
    assert!(scene.registry.find(&key(1)).await.is_err());
    assert_eq!(scene.find(&key(1)).await.as_deref(), Some("Shop"));
}
