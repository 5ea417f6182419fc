//! Event types: kept by name, archived, listed to those who may see them.

use super::drafts::{self, HOUR, name};
use super::world::World;
use crate::change::{Change, ChangeError, Changed, Expect};
use crate::query::{EventTypeQuery, WALK_BYTES_MAX};
use model::event_type::EventType;
use model::name::Name;

pub(super) async fn an_event_type_is_read_back_as_it_was_put(world: &mut World) {
    let draft = EventType {
        description: "Bezahlt \u{1f4b6}".to_owned(),
        deprecated: true,
        schemas: Some(r#"{"1":{"type":"object"}}"#.to_owned()),
        sensitive: model::redaction::paths("$..ssn\n/é").expect("they are paths"),
        feature_flags: vec![name("beta"), name("alpha")],
        group_name: Some(name("orders")),
        ..drafts::event_type("order.paid")
    };
    let made = put(world, draft.clone(), Expect::NoneLive).await;
    let expected = EventType {
        created_at: world.now(),
        updated_at: world.now(),
        ..draft
    };
    assert_eq!(made, expected);
    world.reopen().await;
    assert_eq!(named(world, "order.paid").await, Some(expected));
}

pub(super) async fn putting_an_event_type_again_keeps_its_creation(world: &World) {
    let first = put(
        world,
        drafts::event_type("order.paid"),
        Expect::SavedAt(None),
    )
    .await;
    world.clock.advance(HOUR);
    let mut draft = drafts::event_type("order.paid");
    draft.description = "Changed".to_owned();
    let second = put(world, draft, Expect::SavedAt(Some(first.updated_at))).await;
    assert_eq!(second.created_at, first.created_at);
    assert_eq!(second.updated_at, world.now());
    assert_eq!(second.description, "Changed");
    assert_eq!(named(world, "order.paid").await, Some(second));
}

pub(super) async fn a_live_event_type_is_taken_and_an_archived_one_is_not(world: &World) {
    let first = put(world, drafts::event_type("order.paid"), Expect::NoneLive).await;
    let again = drafts::event_type("order.paid");
    let refused = try_put(world, again.clone(), Expect::NoneLive).await;
    assert!(matches!(refused, Err(ChangeError::Taken)), "{refused:?}");

    let mut archived = first.clone();
    archived.archived = true;
    put(world, archived, Expect::SavedAt(Some(first.updated_at))).await;
    let revived = put(world, again, Expect::NoneLive).await;
    assert!(!revived.archived);
}

pub(super) async fn an_event_type_saved_meanwhile_is_stale(world: &World) {
    let first = put(world, drafts::event_type("order.paid"), Expect::NoneLive).await;
    let seen = Expect::SavedAt(Some(first.updated_at));
    world.clock.advance(HOUR);
    let second = put(world, drafts::event_type("order.paid"), seen).await;
    for expect in [seen, Expect::SavedAt(None)] {
        let refused = try_put(world, drafts::event_type("order.paid"), expect).await;
        assert!(matches!(refused, Err(ChangeError::Stale)), "{refused:?}");
    }
    assert_eq!(named(world, "order.paid").await, Some(second));

    expunge(world, "order.paid").await.expect("it is there");
    let gone = try_put(world, drafts::event_type("order.paid"), seen).await;
    assert!(matches!(gone, Err(ChangeError::Stale)), "{gone:?}");
}

pub(super) async fn an_expunged_event_type_is_gone(world: &mut World) {
    put(world, drafts::event_type("order.paid"), Expect::NoneLive).await;
    expunge(world, "order.paid").await.expect("it is there");
    world.reopen().await;
    assert_eq!(named(world, "order.paid").await, None);
    let again = expunge(world, "order.paid").await;
    assert!(matches!(again, Err(ChangeError::Missing)), "{again:?}");
    put(
        world,
        drafts::event_type("order.paid"),
        Expect::SavedAt(None),
    )
    .await;
}

pub(super) async fn names_find_archived_event_types_and_leave_out_missing_ones(world: &World) {
    let live = put(world, drafts::event_type("order.paid"), Expect::NoneLive).await;
    let mut draft = drafts::event_type("order.sent");
    draft.archived = true;
    let archived = put(world, draft, Expect::NoneLive).await;
    let asked = ["order.sent", "order.lost", "order.paid"].map(name);
    let found = world.store().event_types_named(&asked).await;
    let mut found = found.expect("reads go on");
    found.sort_by(|one, other| one.name.cmp(&other.name));
    assert_eq!(found, [live, archived]);
    let none = world.store().event_types_named(&[]).await;
    assert_eq!(none.expect("reads go on"), []);
}

pub(super) async fn event_types_page_by_name_in_both_directions(world: &World) {
    let mut all = ["b", "a.b", "a-b", "B", "a", "c", "a_b"];
    for text in all {
        put(world, drafts::event_type(text), Expect::NoneLive).await;
    }
    all.sort_unstable(); // bytewise
    for limit in [1, 2, 3, 7, 8] {
        let query = everything(limit);
        assert_eq!(walk(world, query.clone()).await, all, "limit {limit}");
        let mut backwards = walk(
            world,
            EventTypeQuery {
                ascending: false,
                ..query
            },
        )
        .await;
        backwards.reverse();
        assert_eq!(backwards, all, "limit {limit}");
    }
}

pub(super) async fn a_full_page_of_event_types_knows_whether_it_is_the_last(world: &World) {
    for text in ["a", "b", "c"] {
        put(world, drafts::event_type(text), Expect::NoneLive).await;
    }
    for (limit, more) in [(0, true), (2, true), (3, false), (4, false)] {
        let page = world.store().event_types(&everything(limit)).await;
        let page = page.expect("reads go on");
        assert_eq!(
            (page.rows.len(), page.more),
            (limit.min(3), more),
            "limit {limit}"
        );
        let last = page.rows.last().map(|row| row.name.clone());
        assert_eq!(page.examined, last, "limit {limit}");
    }
}

pub(super) async fn event_types_are_listed_beyond_a_name_that_need_not_exist(world: &World) {
    for text in ["a", "c", "e"] {
        put(world, drafts::event_type(text), Expect::NoneLive).await;
    }
    for (beyond, ascending, expected) in [
        ("c", true, vec!["e"]),
        ("d", true, vec!["e"]),
        ("c", false, vec!["a"]),
        ("d", false, vec!["c", "a"]),
        ("e", true, vec![]),
    ] {
        let query = EventTypeQuery {
            beyond: Some(name(beyond)),
            ascending,
            ..everything(10)
        };
        assert_eq!(walk(world, query).await, expected, "{beyond} {ascending}");
    }
}

pub(super) async fn event_types_are_listed_to_those_who_may_see_them(world: &World) {
    for (text, flags, archived) in [
        ("a", vec![], false),
        ("b", vec![name("beta")], false),
        ("c", vec![name("beta"), name("gamma")], false),
        ("d", vec![], true),
        ("e", vec![name("gamma")], true),
    ] {
        let draft = EventType {
            feature_flags: flags,
            archived,
            ..drafts::event_type(text)
        };
        put(world, draft, Expect::NoneLive).await;
    }
    let beta = Some(vec![name("beta")]);
    let both = Some(vec![name("gamma"), name("beta")]);
    for (visible_to, archived, expected) in [
        (None, false, vec!["a", "b", "c"]),
        (None, true, vec!["a", "b", "c", "d", "e"]),
        (Some(vec![]), true, vec!["a", "d"]),
        (beta.clone(), false, vec!["a", "b", "c"]),
        (beta, true, vec!["a", "b", "c", "d"]),
        (both, true, vec!["a", "b", "c", "d", "e"]),
    ] {
        let query = EventTypeQuery {
            visible_to,
            archived,
            ..everything(2)
        };
        assert_eq!(walk(world, query.clone()).await, expected, "{query:?}");
    }
}

pub(super) async fn schemas_come_only_when_asked_and_bound_a_page(world: &World) {
    let large = || Some("x".repeat(WALK_BYTES_MAX / 2 + 1));
    for text in ["a", "b", "c"] {
        let draft = EventType {
            schemas: large(),
            ..drafts::event_type(text)
        };
        put(world, draft, Expect::NoneLive).await;
    }
    for (with_schemas, rows) in [(true, 2), (false, 3)] {
        let query = EventTypeQuery {
            with_schemas,
            ..everything(10)
        };
        let page = world.store().event_types(&query).await;
        let page = page.expect("reads go on");
        assert_eq!((page.rows.len(), page.more), (rows, with_schemas));
        assert_eq!(page.rows[0].schemas.is_some(), with_schemas);
        assert_eq!(walk(world, query).await, ["a", "b", "c"]);
    }
}

fn everything(limit: usize) -> EventTypeQuery {
    EventTypeQuery {
        beyond: None,
        ascending: true,
        limit,
        archived: true,
        with_schemas: true,
        visible_to: None,
    }
}

/// The names of a whole list, walked page by page.
async fn walk(world: &World, mut query: EventTypeQuery) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    loop {
        let page = world.store().event_types(&query).await;
        let page = page.expect("reads go on");
        assert!(page.rows.len() <= query.limit, "a page keeps to its limit");
        names.extend(page.rows.iter().map(|row| row.name.to_string()));
        if !page.more {
            return names;
        }
        assert_ne!(page.examined, query.beyond, "a walk goes on");
        query.beyond = page.examined;
    }
}

async fn put(world: &World, event_type: EventType, expect: Expect) -> EventType {
    match try_put(world, event_type, expect).await {
        Ok(Changed::EventType(row)) => row,
        other => panic!("put an event type, was told of {other:?}"),
    }
}

async fn try_put(
    world: &World,
    event_type: EventType,
    expect: Expect,
) -> Result<Changed, ChangeError> {
    let change = Change::PutEventType { event_type, expect };
    world.try_change(change).await
}

async fn expunge(world: &World, text: &str) -> Result<Changed, ChangeError> {
    world.try_change(Change::ExpungeEventType(name(text))).await
}

async fn named(world: &World, text: &str) -> Option<EventType> {
    let names: [Name; 1] = [name(text)];
    let found = world.store().event_types_named(&names).await;
    found.expect("reads go on").pop()
}
