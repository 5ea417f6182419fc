//! Applications: made, replaced, listed, found by id and uid.

use super::drafts::{self, HOUR, name, sealed};
use super::reading::{newest, oldest, pages};
use super::world::World;
use crate::Sealed;
use crate::change::{Change, ChangeError, Changed, SettingsChange};
use crate::master_keys::MASTER_KEYS;
use crate::query::ApplicationQuery;
use crate::rows::{ApplicationRef, ApplicationRow};
use model::id::{ApplicationId, ApplicationKey, Id};
use std::num::NonZeroU16;

pub(super) async fn an_application_is_read_back_as_it_was_made(world: &mut World) {
    let mut draft = drafts::application(world.tail());
    draft.uid = Some(name("shop-1"));
    draft.name = "Ein Laden \u{1f3ec}".to_owned();
    draft.rate_limit = NonZeroU16::new(u16::MAX);
    draft.metadata = [("plan".to_owned(), "gold \"24\"".to_owned())].into();
    let made = made(
        world
            .change(drafts::create_application(draft.clone()))
            .await,
    );

    draft.id = Id::new(made.application.id.key(), draft.id.tail());
    (draft.created_at, draft.updated_at) = (world.now(), world.now());
    assert_eq!(made.application, draft);
    assert_eq!(made.data_keys, [sealed("a data key")]);
    world.reopen().await;
    for reference in references(&made) {
        assert_eq!(find(world, &reference).await, Some(made.clone()));
    }
}

pub(super) async fn an_application_is_found_only_by_its_whole_id(world: &World) {
    let id = world.application().await.application.id;
    let mut tail = id.tail();
    tail[11] ^= 1;
    let guessed: ApplicationId = Id::new(id.key(), tail);
    assert_eq!(find(world, &ApplicationRef::Id(guessed)).await, None);
    assert_eq!(
        find(world, &ApplicationRef::Uid(name("nobody"))).await,
        None
    );
}

pub(super) async fn replacing_an_application_keeps_its_id_and_creation(world: &mut World) {
    let before = world.application().await;
    world.clock.advance(HOUR);
    let mut next = before.clone();
    next.application.uid = Some(name("shop-1"));
    next.application.name = "Renamed".to_owned();
    next.data_keys.push(sealed("a second data key"));
    let after = made(world.change(replace(next.clone())).await);

    next.application.updated_at = world.now();
    assert_eq!(after.application, next.application);
    assert_eq!(after.data_keys, next.data_keys);
    assert!(after.revision > before.revision);
    world.reopen().await;
    for reference in references(&after) {
        assert_eq!(find(world, &reference).await, Some(after.clone()));
    }
}

pub(super) async fn replacing_data_keys_is_no_save_but_stale_for_what_was_read_before(
    world: &mut World,
) {
    let before = world.application().await;
    world.clock.advance(HOUR);
    let replace_keys = |revision| Change::ReplaceDataKeys {
        application: before.application.id.key(),
        data_keys: vec![sealed("resealed"), sealed("a second data key")],
        revision,
    };
    let after = made(world.change(replace_keys(before.revision)).await);
    assert_eq!(after.application, before.application);
    assert_eq!(
        after.data_keys,
        [sealed("resealed"), sealed("a second data key")]
    );
    assert!(after.revision > before.revision);

    for stale in [replace_keys(before.revision), replace(before.clone())] {
        let refused = world.try_change(stale).await;
        assert!(matches!(refused, Err(ChangeError::Stale)), "{refused:?}");
    }
    world.reopen().await;
    assert_eq!(find(world, &key_of(&before)).await, Some(after));
    world
        .change(Change::DeleteApplication(before.application.id.key()))
        .await;
    let refused = world.try_change(replace_keys(before.revision)).await;
    assert!(matches!(refused, Err(ChangeError::Missing)), "{refused:?}");
}

pub(super) async fn no_data_key_is_written_that_another_master_key_sealed_than_seals_now(
    world: &mut World,
) {
    let key = |master: u8| Sealed::from([&[0; 9][..], &[master; 8], &[0; 68]].concat());
    let create = |master, tail| Change::CreateApplication {
        application: drafts::application(tail),
        data_key: key(master),
    };
    let row = made(world.change(create(1, world.tail())).await);
    let swap = |before: Option<u8>, after: u8| Change::SwapSetting {
        name: MASTER_KEYS,
        values: SettingsChange {
            before: before.map(|id| vec![id; 8]),
            after: vec![after; 8],
        },
    };
    let is_stale = |refused| matches!(refused, Err(ChangeError::Stale));
    world.change(swap(None, 1)).await;
    assert!(is_stale(world.try_change(swap(None, 2)).await));
    assert!(is_stale(world.try_change(swap(Some(2), 3)).await));
    world.change(swap(Some(1), 2)).await;
    world
        .change(Change::TellMasterKeys(vec!["02".to_owned()]))
        .await;

    world.reopen().await;
    let kept = world.store().setting(MASTER_KEYS).await;
    assert_eq!(kept.expect("reads go on"), Some(vec![2; 8]));
    let put = |masters: &[u8]| Change::ReplaceDataKeys {
        application: row.application.id.key(),
        data_keys: masters.iter().copied().map(key).collect(),
        revision: row.revision,
    };
    for refused in [create(1, world.tail()), put(&[1]), put(&[1, 2])] {
        assert!(is_stale(world.try_change(refused).await));
    }
    let mut renamed = row.clone();
    renamed.application.name = "Its keys stay as they are".to_owned();
    let row = made(world.change(replace(renamed)).await);
    let put = Change::ReplaceDataKeys {
        application: row.application.id.key(),
        data_keys: vec![key(2), key(2)],
        revision: row.revision,
    };
    world.change(put).await;
    world.change(create(2, world.tail())).await;
}

pub(super) async fn a_taken_application_uid_is_refused(world: &World) {
    let holder = world
        .application_with(|it| it.uid = Some(name("shop-1")))
        .await;
    let mut draft = drafts::application(world.tail());
    draft.uid = Some(name("shop-1"));
    let refused = world.try_change(drafts::create_application(draft)).await;
    assert!(matches!(refused, Err(ChangeError::Taken)), "{refused:?}");

    let other = world.application().await;
    let mut next = other.clone();
    next.application.uid = Some(name("shop-1"));
    let refused = world.try_change(replace(next)).await;
    assert!(matches!(refused, Err(ChangeError::Taken)), "{refused:?}");
    assert_eq!(find(world, &key_of(&other)).await, Some(other));

    let kept = made(world.change(replace(holder.clone())).await);
    assert_eq!(
        kept.application.uid, holder.application.uid,
        "its own is free"
    );
}

pub(super) async fn a_uid_that_was_given_up_is_free(world: &World) {
    let mut holder = world
        .application_with(|it| it.uid = Some(name("shop-1")))
        .await;
    holder.application.uid = None;
    world.change(replace(holder)).await;
    let next = world
        .application_with(|it| it.uid = Some(name("shop-1")))
        .await;
    let found = find(world, &ApplicationRef::Uid(name("shop-1"))).await;
    assert_eq!(found, Some(next));
}

pub(super) async fn a_stale_application_revision_is_refused(world: &World) {
    let before = world.application().await;
    let mut next = before.clone();
    next.application.name = "First".to_owned();
    let after = made(world.change(replace(next.clone())).await);
    next.application.name = "Second".to_owned();
    let refused = world.try_change(replace(next)).await;
    assert!(matches!(refused, Err(ChangeError::Stale)), "{refused:?}");
    assert_eq!(find(world, &key_of(&before)).await, Some(after));
}

pub(super) async fn an_application_that_is_not_there_is_missing(world: &World) {
    let mut unknown = world.application().await;
    unknown.application.id = Id::new(ApplicationKey::from_integer(1), [0; 12]);
    let delete = Change::DeleteApplication(ApplicationKey::from_integer(1));
    for change in [replace(unknown), delete] {
        let refused = world.try_change(change).await;
        assert!(matches!(refused, Err(ChangeError::Missing)), "{refused:?}");
    }
}

pub(super) async fn every_change_of_its_endpoints_grows_an_applications_revision(world: &World) {
    let lane = world.lane().await;
    let neighbour = world.lane().await;
    let untouched = revision(world, neighbour.application).await;
    let mut last = revision(world, lane.application).await;
    for step in ["create", "replace", "disable", "delete"] {
        match step {
            "create" => drop(world.lane_in(lane.application).await),
            "replace" => drop(world.replace_endpoint(lane, |_| {}).await),
            "disable" => drop(world.replace_endpoint(lane, |it| it.disabled = true).await),
            _ => {
                let delete = Change::DeleteEndpoint(lane.application, lane.endpoint);
                world.change(delete).await;
            }
        }
        let next = revision(world, lane.application).await;
        assert!(next > last, "{step}: {next} after {last}");
        last = next;
    }
    assert_eq!(revision(world, neighbour.application).await, untouched);
}

pub(super) async fn applications_page_in_both_directions(world: &World) {
    let mut made: Vec<ApplicationId> = Vec::new();
    for _ in 0..7 {
        made.push(world.application().await.application.id);
    }
    for limit in [1, 2, 3, 7, 8] {
        let all = |window| ApplicationQuery {
            window,
            with_endpoints: false,
            without_disabled_endpoints: false,
        };
        assert_eq!(ids(world, all(oldest(limit))).await, made, "limit {limit}");
        let mut backwards = ids(world, all(newest(limit))).await;
        backwards.reverse();
        assert_eq!(backwards, made, "limit {limit}");
    }
}

pub(super) async fn a_full_page_of_applications_knows_whether_it_is_the_last(world: &World) {
    for _ in 0..3 {
        world.application().await;
    }
    let gone = world.application().await.application.id.key();
    world.change(Change::DeleteApplication(gone)).await;
    for (limit, more) in [(0, true), (2, true), (3, false), (4, false)] {
        let query = ApplicationQuery {
            window: oldest(limit),
            with_endpoints: false,
            without_disabled_endpoints: false,
        };
        let walk = world.store().applications(&query).await;
        let walk = walk.expect("reads go on");
        assert_eq!(
            (walk.rows.len(), walk.more),
            (limit.min(3), more),
            "limit {limit}"
        );
        let last = walk.rows.last().map(|row| row.application.id.key());
        assert_eq!(walk.examined, last, "limit {limit}");
    }
}

pub(super) async fn applications_are_listed_by_what_their_endpoints_are(world: &World) {
    let bare = world.application().await.application.id;
    let enabled = world.application().await.application.id;
    let mixed = world.application().await.application.id;
    world.endpoint(enabled.key()).await;
    world.endpoint(mixed.key()).await;
    world
        .endpoint_with(mixed.key(), |it| it.disabled = true)
        .await;

    for (with_endpoints, without_disabled_endpoints, expected) in [
        (false, false, vec![bare, enabled, mixed]),
        (true, false, vec![enabled, mixed]),
        (false, true, vec![bare, enabled]),
        (true, true, vec![enabled]),
    ] {
        let query = ApplicationQuery {
            window: oldest(2),
            with_endpoints,
            without_disabled_endpoints,
        };
        assert_eq!(ids(world, query.clone()).await, expected, "{query:?}");
    }
}

pub(super) async fn deleted_endpoints_do_not_count_in_lists_of_applications(world: &World) {
    let lane = world.lane().await;
    world.replace_endpoint(lane, |it| it.disabled = true).await;
    let delete = Change::DeleteEndpoint(lane.application, lane.endpoint);
    world.change(delete).await;
    for (with_endpoints, expected) in [(true, 0), (false, 1)] {
        let query = ApplicationQuery {
            window: oldest(10),
            with_endpoints,
            without_disabled_endpoints: true,
        };
        assert_eq!(ids(world, query).await.len(), expected);
    }
}

async fn ids(world: &World, query: ApplicationQuery) -> Vec<ApplicationId> {
    let rows = pages(query.window, async |window| {
        let query = ApplicationQuery {
            window,
            ..query.clone()
        };
        world
            .store()
            .applications(&query)
            .await
            .expect("reads go on")
    });
    rows.await.iter().map(|row| row.application.id).collect()
}

pub(super) async fn find(world: &World, reference: &ApplicationRef) -> Option<ApplicationRow> {
    let found = world.store().registry(reference).await;
    found.expect("reads go on").map(|row| row.application)
}

pub(super) fn replace(row: ApplicationRow) -> Change {
    Change::ReplaceApplication {
        application: row.application,
        data_keys: row.data_keys,
        revision: row.revision,
    }
}

fn made(changed: Changed) -> ApplicationRow {
    match changed {
        Changed::Application(row) => row,
        other => panic!("wrote an application, was told of {other:?}"),
    }
}

/// All ways to name an application that has a uid.
fn references(row: &ApplicationRow) -> [ApplicationRef; 3] {
    let uid = row.application.uid.clone().expect("it has one");
    let id = ApplicationRef::Id(row.application.id);
    [id, ApplicationRef::Uid(uid), key_of(row)]
}

fn key_of(row: &ApplicationRow) -> ApplicationRef {
    ApplicationRef::Key(row.application.id.key())
}

async fn revision(world: &World, application: ApplicationKey) -> u64 {
    let registry = world.registry(application).await;
    registry.expect("it is live").application.revision
}
