//! What the whole installation is set to, and many event types at once: all of it or nothing, and
//! whoever asks behind a version hears of it.

use super::drafts::{self, HOUR, name};
use super::world::World;
use crate::access::{AccessRows, ENVIRONMENT};
use crate::change::{
    Change, ChangeError, Changed, EnvironmentChange, Expect, OwnRedaction, OwnSchedule,
    SettingsChange,
};
use model::event_type::EventType;
use model::retry::RetrySchedule;
use std::time::Duration;

pub(super) async fn settings_are_read_back_and_heard_of_behind_a_version(world: &mut World) {
    assert_eq!(since(world, 0).await, None, "nothing was written");
    set(world, None, b"one").await.expect("there was none");
    let seen = since(world, 0).await.expect("something is new");
    assert_eq!(seen.environment.as_deref(), Some(&b"one"[..]));
    assert_eq!(since(world, seen.version).await, None, "nothing is new");
    set(world, Some(b"one"), b"two")
        .await
        .expect("it was current");
    world.reopen().await;
    let new = since(world, seen.version).await.expect("something is new");
    assert!(new.version > seen.version, "{new:?}");
    assert_eq!(new.environment.as_deref(), Some(&b"two"[..]));
    let setting = world.store().setting(ENVIRONMENT).await;
    assert_eq!(setting.expect("reads go on").as_deref(), Some(&b"two"[..]));
}

pub(super) async fn settings_that_changed_since_they_were_read_are_stale(world: &World) {
    set(world, None, b"one").await.expect("there was none");
    for before in [None, Some(&b"two"[..])] {
        let refused = set(world, before, b"three").await;
        assert!(matches!(refused, Err(ChangeError::Stale)), "{refused:?}");
    }
    let setting = world.store().setting(ENVIRONMENT).await;
    assert_eq!(setting.expect("reads go on").as_deref(), Some(&b"one"[..]));
}

pub(super) async fn event_types_written_at_once_are_as_those_written_one_by_one(world: &mut World) {
    let first = EventType {
        schemas: Some(r#"{"1":{"type":"object"}}"#.to_owned()),
        feature_flags: vec![name("beta"), name("alpha")],
        group_name: Some(name("orders")),
        ..drafts::event_type("a.new")
    };
    let old = drafts::event_type("b.old");
    write(world, vec![(old, Expect::NoneLive)])
        .await
        .expect("it is new");
    let old = named(world, "b.old").await.expect("it is there");
    assert_eq!(old.created_at, world.now());
    world.clock.advance(HOUR);
    let changed = EventType {
        archived: true,
        deprecated: true,
        description: "Anders \u{1f4b6}".to_owned(),
        ..old.clone()
    };
    let seen = Expect::SavedAt(Some(old.updated_at));
    let both = vec![
        (first.clone(), Expect::SavedAt(None)),
        (changed.clone(), seen),
    ];
    let written = write(world, both).await;
    assert!(matches!(written, Ok(Changed::Environment)), "{written:?}");
    world.reopen().await;
    let now = world.now();
    let first = EventType {
        created_at: now,
        updated_at: now,
        ..first
    };
    let changed = EventType {
        updated_at: now,
        ..changed
    };
    assert_eq!(named(world, "a.new").await, Some(first));
    assert_eq!(named(world, "b.old").await, Some(changed));
}

pub(super) async fn an_environment_is_written_as_a_whole_or_not_at_all(world: &World) {
    let there = (drafts::event_type("b"), Expect::NoneLive);
    write(world, vec![there]).await.expect("it is new");
    let new = (drafts::event_type("a"), Expect::SavedAt(None));
    for (expect, settings) in [
        (Expect::SavedAt(None), None),
        (Expect::NoneLive, None),
        (
            Expect::SavedAt(saved(world, "b").await),
            Some(change(Some(b"other"), b"one")),
        ),
    ] {
        let refused = EnvironmentChange {
            event_types: vec![new.clone(), (drafts::event_type("b"), expect)],
            settings: settings.or(Some(change(None, b"one"))),
            ..EnvironmentChange::default()
        };
        let refused = world.try_change(Change::PutEnvironment(refused)).await;
        let is_refused = matches!(refused, Err(ChangeError::Stale | ChangeError::Taken));
        assert!(is_refused, "{refused:?}");
        assert_eq!(named(world, "a").await, None);
        let setting = world.store().setting(ENVIRONMENT).await;
        assert_eq!(setting.expect("reads go on"), None);
    }
}

pub(super) async fn what_is_beside_event_types_is_written_with_them_or_nothing_is(world: &World) {
    let new = |text: &str| (drafts::event_type(text), Expect::SavedAt(None));
    let rules = |text: &str, redactions_max| OwnRedaction {
        event_type: name(text),
        rules: model::redaction::rules("drop /a").expect("they are rules"),
        redactions_max,
    };
    let waits = |text: &str, schedules_max| OwnSchedule {
        event_type: name(text),
        schedule: RetrySchedule::new(vec![Duration::from_secs(7)]).ok(),
        schedules_max,
    };
    let with = |redactions, schedules| EnvironmentChange {
        event_types: vec![new("a"), new("b")],
        settings: Some(change(None, b"one")),
        redactions,
        schedules,
    };
    for (refused, stale) in [
        (with(vec![rules("a", 2), rules("c", 2)], vec![]), true),
        (with(vec![], vec![waits("c", 2)]), true),
        (with(vec![rules("a", 1), rules("b", 1)], vec![]), false),
        (with(vec![], vec![waits("a", 1), waits("b", 1)]), false),
    ] {
        let refused = world.try_change(Change::PutEnvironment(refused)).await;
        let is_refused = match stale {
            true => matches!(refused, Err(ChangeError::Stale)),
            false => matches!(refused, Err(ChangeError::TooMany)),
        };
        assert!(is_refused, "{refused:?}");
        assert_eq!(named(world, "a").await, None);
        let setting = world.store().setting(ENVIRONMENT).await;
        assert_eq!(setting.expect("reads go on"), None);
    }
    let written = with(vec![rules("a", 2), rules("b", 2)], vec![waits("b", 1)]);
    world.change(Change::PutEnvironment(written)).await;
    let redactions = world.store().redactions().await.expect("reads go on");
    let redacted: Vec<_> = redactions.into_iter().map(|(name, _)| name).collect();
    assert_eq!(redacted, [name("a"), name("b")]);
    let schedules = world.store().retry_schedules().await.expect("reads go on");
    assert_eq!(schedules.len(), 1);
    assert_eq!(schedules[0].0, name("b"));
}

async fn saved(world: &World, text: &str) -> Option<model::Timestamp> {
    named(world, text)
        .await
        .map(|event_type| event_type.updated_at)
}

fn change(before: Option<&[u8]>, after: &[u8]) -> SettingsChange {
    SettingsChange {
        before: before.map(<[u8]>::to_vec),
        after: after.to_vec(),
    }
}

async fn set(world: &World, before: Option<&[u8]>, after: &[u8]) -> Result<Changed, ChangeError> {
    let change = EnvironmentChange {
        settings: Some(change(before, after)),
        ..EnvironmentChange::default()
    };
    world.try_change(Change::PutEnvironment(change)).await
}

async fn write(
    world: &World,
    event_types: Vec<(EventType, Expect)>,
) -> Result<Changed, ChangeError> {
    let change = EnvironmentChange {
        event_types,
        ..EnvironmentChange::default()
    };
    world.try_change(Change::PutEnvironment(change)).await
}

async fn named(world: &World, text: &str) -> Option<EventType> {
    let found = world.store().event_types_named(&[name(text)]).await;
    found.expect("reads go on").pop()
}

async fn since(world: &World, version: u64) -> Option<AccessRows> {
    world.store().access(version).await.expect("reads go on")
}
