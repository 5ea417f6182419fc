//! Event types' own retry schedules: kept beside event types, and as many as may be.

use super::drafts::{self, name};
use super::world::World;
use crate::change::{Change, ChangeError, Changed, Expect, OwnSchedule};
use model::name::Name;
use model::retry::RetrySchedule;
use std::time::Duration;

pub(super) async fn an_event_type_has_its_own_schedule_until_it_is_taken_away(world: &mut World) {
    let paid = event_type(world, "order.paid").await;
    let sent = event_type(world, "Order.sent").await;
    assert_eq!(all(world).await, []);
    let odd = schedule(&[
        Duration::from_nanos(1),
        Duration::ZERO,
        Duration::from_secs(604_800),
    ]);
    let none = schedule(&[]);
    put(world, (&paid, Some(&odd)), 2)
        .await
        .expect("it is there");
    put(world, (&sent, Some(&none)), 2)
        .await
        .expect("it is there");
    world.reopen().await;
    let both = [(sent.clone(), none), (paid.clone(), odd)];
    assert_eq!(all(world).await, both);

    let other = schedule(&[Duration::from_millis(1_500)]);
    put(world, (&paid, Some(&other)), 2)
        .await
        .expect("it is there");
    put(world, (&sent, None), 2).await.expect("it is there");
    put(world, (&sent, None), 2).await.expect("it is there");
    assert_eq!(all(world).await, [(paid, other)]);
}

pub(super) async fn a_schedule_stays_with_its_event_type_and_goes_with_it(world: &World) {
    let paid = event_type(world, "order.paid").await;
    let own = schedule(&[Duration::from_secs(1)]);
    put(world, (&paid, Some(&own)), 1)
        .await
        .expect("it is there");
    let found = world
        .store()
        .event_types_named(std::slice::from_ref(&paid))
        .await;
    let mut found = found.expect("reads go on").pop().expect("it is there");
    found.archived = true;
    let expect = Expect::SavedAt(Some(found.updated_at));
    let event_type = found;
    world
        .change(Change::PutEventType { event_type, expect })
        .await;
    assert_eq!(all(world).await, [(paid.clone(), own.clone())]);

    world.change(Change::ExpungeEventType(paid.clone())).await;
    assert_eq!(all(world).await, []);
    for schedule in [Some(&own), None] {
        let refused = put(world, (&paid, schedule), 1).await;
        assert!(matches!(refused, Err(ChangeError::Missing)), "{refused:?}");
    }
}

pub(super) async fn there_are_no_more_schedules_than_may_be(world: &World) {
    let own = schedule(&[Duration::from_secs(1)]);
    let first = event_type(world, "a").await;
    let second = event_type(world, "b").await;
    put(world, (&first, Some(&own)), 1)
        .await
        .expect("it is the first");
    let refused = put(world, (&second, Some(&own)), 1).await;
    assert!(matches!(refused, Err(ChangeError::TooMany)), "{refused:?}");
    let again = schedule(&[]);
    put(world, (&first, Some(&again)), 1)
        .await
        .expect("it is the same one");
    put(world, (&first, None), 1).await.expect("it is there");
    put(world, (&second, Some(&own)), 1)
        .await
        .expect("there is none now");
    assert_eq!(all(world).await, [(second, own)]);
}

fn schedule(waits: &[Duration]) -> RetrySchedule {
    RetrySchedule::new(waits.to_vec()).expect("it can be kept")
}

async fn event_type(world: &World, text: &str) -> Name {
    let event_type = drafts::event_type(text);
    let expect = Expect::NoneLive;
    world
        .change(Change::PutEventType { event_type, expect })
        .await;
    name(text)
}

async fn put(
    world: &World,
    (event_type, schedule): (&Name, Option<&RetrySchedule>),
    schedules_max: usize,
) -> Result<(), ChangeError> {
    let change = Change::PutRetrySchedule(OwnSchedule {
        event_type: event_type.clone(),
        schedule: schedule.cloned(),
        schedules_max,
    });
    let changed = world.try_change(change).await?;
    assert!(matches!(changed, Changed::RetrySchedule), "{changed:?}");
    Ok(())
}

async fn all(world: &World) -> Vec<(Name, RetrySchedule)> {
    world.store().retry_schedules().await.expect("reads go on")
}
