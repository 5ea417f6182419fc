//! What is kept of event types' own retry schedules, and for how long.

use super::Scene;
use model::name::Name;
use std::sync::Arc;
use std::sync::atomic::Ordering;

impl Scene {
    /// The only wait of an event type's own schedule, in seconds.
    async fn wait(&self, event_type: &Name) -> Option<u64> {
        let found = self.registry.retry_schedule(event_type).await;
        Some(found.expect("it is known").as_ref()?.waits()[0].as_secs())
    }
}

fn paid() -> Name {
    "order.paid".parse().expect("it is a word")
}

#[tokio::test]
async fn schedules_are_read_once_for_all_event_types() {
    let scene = Scene::new(1, false);
    scene.store.put_schedule(&paid(), 5);
    scene.ticks.0.store(1_000_000, Ordering::Relaxed);
    for _ in 0..3 {
        assert_eq!(scene.wait(&paid()).await, Some(5));
        assert_eq!(scene.wait(&"other".parse().unwrap()).await, None);
    }
    assert_eq!(scene.reads(), 1);
}

#[tokio::test]
async fn a_schedule_that_was_forgotten_is_read_again() {
    let scene = Scene::new(1, false);
    assert_eq!(scene.wait(&paid()).await, None);
    scene.store.put_schedule(&paid(), 5);
    assert_eq!(scene.wait(&paid()).await, None);
    scene.registry.forget_schedules();
    assert_eq!(scene.wait(&paid()).await, Some(5));
}

#[tokio::test]
async fn other_nodes_schedules_hold_within_a_second() {
    let scene = Scene::new(1, true);
    assert_eq!(scene.wait(&paid()).await, None);
    scene.store.put_schedule(&paid(), 5);
    scene.ticks.0.store(1_000, Ordering::Relaxed);
    assert_eq!(scene.wait(&paid()).await, None);
    scene.ticks.0.store(1_001, Ordering::Relaxed);
    assert_eq!(scene.wait(&paid()).await, Some(5));
}

#[tokio::test]
async fn what_was_known_holds_while_the_store_cannot_be_read() {
    let scene = Scene::new(1, true);
    scene.store.fail_next_read();
    assert!(scene.registry.retry_schedule(&paid()).await.is_err());
    scene.store.put_schedule(&paid(), 5);
    assert_eq!(scene.wait(&paid()).await, Some(5));
    scene.ticks.0.store(5_000, Ordering::Relaxed);
    scene.store.put_schedule(&paid(), 6);
    scene.store.fail_next_read();
    assert_eq!(scene.wait(&paid()).await, Some(5));
    assert_eq!(scene.wait(&paid()).await, Some(6));
}

#[tokio::test]
async fn a_schedule_that_was_read_before_it_changed_is_not_kept() {
    let scene = Arc::new(Scene::new(1, false));
    let held = scene.store.hold_next_read();
    let reading = tokio::spawn({
        let scene = scene.clone();
        async move { scene.wait(&paid()).await }
    });
    held.begun().await;
    scene.store.put_schedule(&paid(), 5);
    scene.registry.forget_schedules();
    held.let_go();
    assert_eq!(reading.await.expect("it does not panic"), None);
    assert_eq!(scene.wait(&paid()).await, Some(5));
}
