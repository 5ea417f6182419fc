//! Sources: rows of who may come in, which change only as they were read, and whose end is told.

use super::access::since;
use super::drafts::{HOUR, SECOND, name, sealed};
use super::world::World;
use crate::access::{AccessChange, AccessChanged, DELETED_SOURCE_KEPT, SourceRow};
use crate::change::{Change, ChangeError, Changed};
use crate::work::SweepLimits;
use model::Timestamp;
use model::application::Metadata;
use model::id::{Key, SourceId};
use model::source::Source;

const SOURCES_MAX: usize = 3;

pub(super) async fn a_source_is_read_back_as_it_was_made(world: &mut World) {
    let draft = Source {
        uid: Some(name("shop")),
        metadata: Metadata::from([("a \"key\"".to_owned(), "W\u{e9}rt".to_owned())]),
        ..draft(world, "B\u{fc}ro")
    };
    let made = create(world, draft.clone(), 1).await.expect("it is made");
    assert_eq!(made.source.id.tail(), draft.id.tail());
    let expected = Source {
        id: made.source.id,
        created_at: world.now(),
        updated_at: world.now(),
        ..draft
    };
    assert_eq!((&made.source, made.token), (&expected, [1; 32]));
    assert_eq!(made.sealed, Some(sealed("configuration 1")));
    assert_ne!(made.source.id.key(), Key::MIN, "the store gives the key");
    world.reopen().await;
    assert_eq!(sources(world).await, [made]);
}

pub(super) async fn a_source_is_replaced_only_as_it_was_read(world: &mut World) {
    let made = create(world, draft(world, "a"), 1)
        .await
        .expect("it is new");
    world.clock.advance(HOUR);
    let source = Source {
        uid: Some(name("u")),
        name: "b".to_owned(),
        source_type: name("github"),
        metadata: Metadata::from([("k".to_owned(), "v".to_owned())]),
        ..made.source.clone()
    };
    let replaced = replace(world, source.clone(), (2, made.version)).await;
    let replaced = replaced.expect("it was current");
    let expected = Source {
        updated_at: world.now(),
        ..source.clone()
    };
    assert_eq!((&replaced.source, replaced.token), (&expected, [2; 32]));
    assert_eq!(replaced.sealed, Some(sealed("configuration 2")));

    let stale = replace(world, source.clone(), (3, made.version)).await;
    assert!(matches!(stale, Err(ChangeError::Stale)), "{stale:?}");
    let mut other = source;
    other.id = SourceId::new(other.id.key(), [9; 12]);
    let other = replace(world, other, (3, replaced.version)).await;
    assert!(matches!(other, Err(ChangeError::Missing)), "{other:?}");
    world.reopen().await;
    assert_eq!(sources(world).await, [replaced]);
}

pub(super) async fn a_taken_source_uid_is_refused(world: &World) {
    let named = |source: Source| Source {
        uid: Some(name("shop")),
        ..source
    };
    let first = create(world, named(draft(world, "a")), 1).await;
    let first = first.expect("the uid is free");
    let taken = create(world, named(draft(world, "b")), 2).await;
    assert!(matches!(taken, Err(ChangeError::Taken)), "{taken:?}");
    let second = create(world, draft(world, "b"), 2)
        .await
        .expect("it has none");
    let taken = replace(world, named(second.source.clone()), (2, second.version)).await;
    assert!(matches!(taken, Err(ChangeError::Taken)), "{taken:?}");
    assert_eq!(sources(world).await, [first.clone(), second.clone()]);

    // It may keep its own, and who gives it up leaves it free.
    let kept = replace(world, first.source.clone(), (1, first.version)).await;
    let kept = kept.expect("it is its own");
    let given_up = Source {
        uid: None,
        ..kept.source
    };
    let given_up = replace(world, given_up, (1, kept.version)).await;
    given_up.expect("it was current");
    let got = replace(world, named(second.source), (2, second.version)).await;
    got.expect("the uid is free");
}

pub(super) async fn a_deleted_source_leaves_a_row_that_says_so(world: &mut World) {
    let named = Source {
        uid: Some(name("shop")),
        metadata: Metadata::from([("k".to_owned(), "v".to_owned())]),
        ..draft(world, "a")
    };
    let made = create(world, named, 1).await.expect("it is new");
    let other = create(world, draft(world, "b"), 2)
        .await
        .expect("it is new");
    delete(world, &made).await.expect("it is there");

    let new = since(world, other.version).await.expect("something is new");
    let [gone] = &new.sources[..] else {
        panic!("one was deleted: {:?}", new.sources);
    };
    assert_eq!(gone.source.id, made.source.id);
    let left = (&gone.source.uid, &gone.source.name, &gone.source.metadata);
    assert_eq!(left, (&None, &String::new(), &Metadata::new()));
    assert_eq!((&gone.sealed, gone.version), (&None, new.version));

    let again = delete(world, &made).await;
    assert!(matches!(again, Err(ChangeError::Missing)), "{again:?}");
    let back = replace(world, made.source.clone(), (1, gone.version)).await;
    assert!(matches!(back, Err(ChangeError::Missing)), "{back:?}");
    world.reopen().await;
    assert_eq!(sources(world).await, [gone.clone(), other]);
    create(world, made.source, 3)
        .await
        .expect("its uid is free");
}

pub(super) async fn what_is_new_of_sources_is_read_behind_a_version(world: &World) {
    let first = create(world, draft(world, "a"), 1)
        .await
        .expect("it is new");
    let second = create(world, draft(world, "b"), 2)
        .await
        .expect("it is new");
    assert!(second.version > first.version, "{second:?}");
    let new = since(world, first.version).await.expect("something is new");
    assert_eq!(
        (new.version, new.sources),
        (second.version, vec![second.clone()])
    );
    assert_eq!((new.keys, new.revoked), (Vec::new(), Vec::new()));
    assert_eq!(since(world, second.version).await, None);

    let replaced = replace(world, first.source, (1, first.version)).await;
    let replaced = replaced.expect("it was current");
    let new = since(world, second.version)
        .await
        .expect("something is new");
    assert_eq!(
        (new.version, new.sources),
        (replaced.version, vec![replaced])
    );
}

pub(super) async fn there_are_no_more_sources_than_there_may_be(world: &World) {
    let mut made = Vec::new();
    for number in 1..=SOURCES_MAX {
        let number = u8::try_from(number).expect("it is small");
        let one = create(world, draft(world, "a"), number).await;
        made.push(one.expect("there is room"));
    }
    let refused = create(world, draft(world, "a"), 99).await;
    assert!(matches!(refused, Err(ChangeError::TooMany)), "{refused:?}");
    assert_eq!(sources(world).await, made);
    delete(world, &made[0]).await.expect("it is there");
    let one = create(world, draft(world, "a"), 99).await;
    one.expect("those that were deleted don't count");
}

pub(super) async fn what_was_deleted_long_ago_leaves_nothing(world: &World) {
    let gone = create(world, draft(world, "a"), 1)
        .await
        .expect("it is new");
    let stays = create(world, draft(world, "b"), 2)
        .await
        .expect("it is new");
    delete(world, &gone).await.expect("it is there");
    let deleted_at = world.now();
    for (after, left) in [(DELETED_SOURCE_KEPT - SECOND, 2), (DELETED_SOURCE_KEPT, 1)] {
        world.clock.set(deleted_at.plus(after));
        let limits = SweepLimits {
            keep_since: world.now(),
            rows_max: 100,
        };
        world.sweep(limits).await;
        let rows = sources(world).await;
        assert_eq!(rows.len(), left, "{after:?} after it was deleted: {rows:?}");
        assert!(rows.contains(&stays), "it was not deleted");
    }
}

/// Sources with and without all that there may be, for whoever moves or copies a store.
pub(super) async fn fill(world: &World) {
    let full = Source {
        uid: Some(name("shop")),
        metadata: Metadata::from([("a \"key\"".to_owned(), "W\u{e9}rt".to_owned())]),
        ..draft(world, "B\u{fc}ro")
    };
    let mut made = Vec::new();
    for (number, source) in (1..).zip([full, draft(world, ""), draft(world, "gone")]) {
        let one = create(world, source, number).await;
        made.push(one.expect("there is room"));
    }
    delete(world, &made[2]).await.expect("it is there");
}

fn draft(world: &World, name: &str) -> Source {
    Source {
        id: SourceId::new(Key::MIN, world.tail()),
        uid: None,
        name: name.to_owned(),
        source_type: super::drafts::name("stripe"),
        metadata: Metadata::new(),
        created_at: Timestamp::MIN,
        updated_at: Timestamp::MIN,
    }
}

/// All of them, by their keys.
async fn sources(world: &World) -> Vec<SourceRow> {
    let mut rows = since(world, 0).await.unwrap_or_default().sources;
    rows.sort_by_key(|row| row.source.id.key());
    rows
}

async fn create(world: &World, source: Source, number: u8) -> Result<SourceRow, ChangeError> {
    let change = AccessChange::CreateSource {
        source,
        token: [number; 32],
        sealed: sealed(&format!("configuration {number}")),
        sources_max: SOURCES_MAX,
    };
    source_of(world.try_change(Change::Access(change)).await)
}

async fn replace(
    world: &World,
    source: Source,
    (number, version): (u8, u64),
) -> Result<SourceRow, ChangeError> {
    let change = AccessChange::ReplaceSource {
        source,
        token: [number; 32],
        sealed: sealed(&format!("configuration {number}")),
        version,
    };
    source_of(world.try_change(Change::Access(change)).await)
}

async fn delete(world: &World, row: &SourceRow) -> Result<(), ChangeError> {
    let change = AccessChange::DeleteSource(row.source.id.key());
    match world.try_change(Change::Access(change)).await? {
        Changed::Access(AccessChanged::Done) => Ok(()),
        other => panic!("deleted a source, was told of {other:?}"),
    }
}

fn source_of(changed: Result<Changed, ChangeError>) -> Result<SourceRow, ChangeError> {
    match changed? {
        Changed::Access(AccessChanged::Source(row)) => Ok(row),
        other => panic!("changed a source, was told of {other:?}"),
    }
}
