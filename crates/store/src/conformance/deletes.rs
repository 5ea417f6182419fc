//! Deletes: what is deleted is missing everywhere but beside its old attempts, and leaves nothing
//! open behind.

use super::applications::{find, replace};
use super::drafts::{self, Ending, name};
use super::reading::{oldest, pages};
use super::world::World;
use crate::Lane;
use crate::accept::AcceptError;
use crate::change::{Change, ChangeError};
use crate::query::ApplicationQuery;
use crate::record::HealthChange;
use crate::rows::{ApplicationRef, Standing};
use model::attempt::AttemptResult;
use model::delivery::{EndReason, Trigger};
use model::id::EndpointKey;

const ENDED: AttemptResult = AttemptResult::Cancelled(EndReason::EndpointDeleted);

pub(super) async fn a_deleted_application_is_missing_everywhere(world: &mut World) {
    let row = world
        .application_with(|it| it.uid = Some(name("shop-1")))
        .await;
    let id = row.application.id;
    let lane = world.lane_in(id.key()).await;
    let endpoint = world.endpoint_row(lane).await.expect("it is live");
    let draft = world.draft(id.key()).await;
    world.change(Change::DeleteApplication(id.key())).await;

    world.reopen().await;
    let references = [
        ApplicationRef::Id(id),
        ApplicationRef::Key(id.key()),
        ApplicationRef::Uid(name("shop-1")),
    ];
    for reference in references {
        assert_eq!(find(world, &reference).await, None, "{reference:?}");
    }
    let answer = world.accept(draft).await;
    assert!(
        matches!(answer, Err(AcceptError::NoApplication)),
        "{answer:?}"
    );
    for change in [
        replace(row),
        Change::DeleteApplication(id.key()),
        drafts::create_endpoint(drafts::endpoint(id.key(), world.tail())),
        drafts::replace_endpoint(endpoint),
        Change::DeleteEndpoint(id.key(), lane.endpoint),
    ] {
        let refused = world.try_change(change).await;
        assert!(matches!(refused, Err(ChangeError::Missing)), "{refused:?}");
    }
    let query = ApplicationQuery {
        window: oldest(10),
        with_endpoints: false,
        without_disabled_endpoints: false,
    };
    let store = world.store();
    let listed = pages(query.window, async |_| {
        store.applications(&query).await.expect("reads go on")
    });
    assert_eq!(listed.await, []);
}

pub(super) async fn a_deleted_applications_uid_is_free(world: &World) {
    let uid = || Some(name("shop-1"));
    let first = world.application_with(|it| it.uid = uid()).await;
    let delete = Change::DeleteApplication(first.application.id.key());
    world.change(delete).await;
    let second = world.application_with(|it| it.uid = uid()).await;
    let found = find(world, &ApplicationRef::Uid(name("shop-1"))).await;
    assert_eq!(found, Some(second));
}

pub(super) async fn deleting_an_application_ends_its_open_deliveries(world: &mut World) {
    let lanes = {
        let first = world.lane().await;
        [first, world.lane_in(first.application).await]
    };
    let stranger = world.lane().await;
    world.messages(lanes[0].application, 2).await;
    world.message(stranger.application).await;
    let delete = Change::DeleteApplication(lanes[0].application);
    world.change(delete).await;

    world.reopen().await;
    world.finish_work().await;
    for lane in lanes {
        assert_eq!(world.open_deliveries(lane).await, []);
        assert_eq!(world.results(lane).await, [ENDED; 2]);
    }
    assert_eq!(world.open_deliveries(stranger).await.len(), 1);
}

pub(super) async fn a_deleted_endpoint_is_missing_from_what_is_live(world: &mut World) {
    let lane = world.lane().await;
    let neighbour = world.lane_in(lane.application).await;
    let message = world.message(lane.application).await.key();
    let row = world.endpoint_row(lane).await.expect("it is live");
    delete(world, lane).await;

    world.reopen().await;
    let registry = world.registry(lane.application).await.expect("it is live");
    let left: Vec<EndpointKey> = registry
        .endpoints
        .iter()
        .map(|row| row.endpoint.id.key())
        .collect();
    assert_eq!(left, [neighbour.endpoint]);
    for change in [
        drafts::replace_endpoint(row),
        drafts::open_delivery(lane, message, Trigger::Manual),
        Change::DeleteEndpoint(lane.application, lane.endpoint),
    ] {
        let refused = world.try_change(change).await;
        assert!(matches!(refused, Err(ChangeError::Missing)), "{refused:?}");
    }
}

pub(super) async fn a_deleted_endpoints_uid_is_free(world: &World) {
    let application = world.application().await.application.id.key();
    let uid = || Some(name("hook-1"));
    let first = world.endpoint_with(application, |it| it.uid = uid()).await;
    let delete = Change::DeleteEndpoint(application, first.endpoint.id.key());
    world.change(delete).await;
    let second = world.endpoint_with(application, |it| it.uid = uid()).await;
    let registry = world.registry(application).await.expect("it is live");
    assert_eq!(registry.endpoints, [second]);
}

pub(super) async fn deleting_an_endpoint_ends_its_open_deliveries(world: &mut World) {
    let lane = world.lane().await;
    let neighbour = world.lane_in(lane.application).await;
    world.messages(lane.application, 2).await;
    delete(world, lane).await;

    world.reopen().await;
    world.finish_work().await;
    assert_eq!(world.open_deliveries(lane).await, []);
    assert_eq!(world.results(lane).await, [ENDED; 2]);
    assert_eq!(world.open_deliveries(neighbour).await.len(), 2);
}

pub(super) async fn an_attempt_under_way_while_its_endpoint_is_deleted_is_kept(world: &World) {
    let lane = world.lane().await;
    let claimed = world.handed_over(lane).await;
    delete(world, lane).await;
    let mut outcome = world.outcome(claimed, Ending::Retry(world.now()));
    outcome.health = HealthChange::Disable;
    let recorded = world.record(outcome).await;
    assert!(!recorded.disabled, "there is nothing to disable");
    world.finish_work().await;
    assert_eq!(world.results(lane).await, [AttemptResult::Failure, ENDED]);
    assert_eq!(world.open_deliveries(lane).await, []);
}

pub(super) async fn a_deleted_endpoint_is_seen_beside_its_old_attempts(world: &World) {
    let lane = world.lane().await;
    let neighbour = world.lane_in(lane.application).await;
    let message = world.message(lane.application).await;
    let claimed = world.claim_one(lane).await;
    world.end(claimed, Ending::Success).await;
    delete(world, lane).await;
    world.finish_work().await;

    let attempts = world.attempts_of(lane.application, message.key()).await;
    assert_eq!(attempts.len(), 1);
    let id = attempts[0].attempt.id;
    let found = world
        .store()
        .attempt(lane.application, message.key(), id)
        .await;
    assert!(found.expect("reads go on").is_some());

    let store = world.store();
    let page = store
        .message_endpoints((lane.application, message.key()), EndpointKey::MIN, 10)
        .await;
    let rows = page.expect("reads go on").rows;
    let seen: Vec<(EndpointKey, bool, Standing)> = rows
        .iter()
        .map(|row| {
            (
                row.endpoint.endpoint.id.key(),
                row.endpoint.deleted,
                row.standing,
            )
        })
        .collect();
    let expected = [
        (lane.endpoint, true, Standing::Delivered),
        (neighbour.endpoint, false, Standing::Pending),
    ];
    assert_eq!(seen, expected);
}

async fn delete(world: &World, lane: Lane) {
    let change = Change::DeleteEndpoint(lane.application, lane.endpoint);
    let changed = world.change(change).await;
    assert!(
        matches!(changed, crate::change::Changed::Removed),
        "{changed:?}"
    );
}
