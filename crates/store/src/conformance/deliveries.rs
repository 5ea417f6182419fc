//! The list of deliveries, open and ended, of all applications, of one, and of an endpoint.

use super::deliveries_read::{
    FAILED, OPEN, Shown, all, delivery_query, find, narrowed, shown, walk, whole,
};
use super::drafts::{self, DAY, Ending, HOUR, Sent, name};
use super::world::World;
use crate::Lane;
use crate::change::Change;
use crate::deliveries::{DeliveryPosition, DeliveryQuery, DeliveryRow, DeliveryScope};
use crate::query::EXAMINED_MAX;
use crate::rows::{Claimed, Standing};
use crate::work::SweepLimits;
use model::attempt::AttemptResult;
use model::delivery::{EndReason, Trigger};
use model::id::{EndpointId, EndpointKey, MessageKey};

pub(super) async fn a_delivery_tells_what_became_of_it_in_every_phase(world: &mut World) {
    let lane = world.lane().await;
    let sent = world.message(lane.application).await.key();
    let pending = find(world, lane, sent).await;
    assert_eq!(pending.story.standing, Standing::Pending);
    assert_eq!((pending.story.attempts, pending.last), (0, None));
    assert_eq!(pending.story.next_attempt, Some(world.now()));

    let later = world.now().plus(HOUR);
    let claimed = world.claim_one(lane).await;
    let first = world.end(claimed, Ending::Retry(later)).await.attempt;
    world.clock.advance(HOUR);
    let retrying = find(world, lane, sent).await;
    assert_eq!(retrying.story.standing, Standing::Retrying);
    assert_eq!(retrying.story.next_attempt, Some(later));
    assert_eq!(retrying.last, Some(first));
    let told = retrying.story.last.expect("there is an attempt");
    assert_eq!(
        (told.status_code, told.result),
        (500, AttemptResult::Failure)
    );

    let claimed = world.claim_one(lane).await;
    let last = world.end(claimed, Ending::GivenUp).await.attempt;
    world.reopen().await;
    let exhausted = find(world, lane, sent).await;
    assert_eq!(exhausted.story.standing, Standing::Failed);
    assert_eq!(
        (exhausted.story.attempts, exhausted.story.next_attempt),
        (2, None)
    );
    assert_eq!(exhausted.last, Some(last));

    world.resend(lane, sent, Trigger::Manual).await;
    let again = find(world, lane, sent).await.story;
    assert_eq!(again.standing, Standing::Retrying);
    let claimed = world.claim_one(lane).await;
    world.end(claimed, Ending::Success).await;
    let delivered = find(world, lane, sent).await.story;
    assert_eq!(
        (delivered.standing, delivered.attempts),
        (Standing::Delivered, 3)
    );
    assert_eq!(delivered.last.map(|told| told.status_code), Some(204));
}

pub(super) async fn a_delivery_says_whose_it_is(world: &World) {
    let application = world.application_with(|one| one.uid = Some(name("acme")));
    let application = application.await.application;
    let endpoint = world.endpoint_with(application.id.key(), |one| one.uid = Some(name("first")));
    let endpoint = endpoint.await.endpoint;
    let mut draft = world.draft(application.id.key()).await;
    draft.message.event_id = Some(name("order-1"));
    let sent = world.send(draft).await;
    let rows = all(world, &delivery_query(DeliveryScope::All)).await;
    assert_eq!(rows.len(), 1, "{rows:?}");
    let row = &rows[0];
    assert_eq!(row.message, sent.row().message);
    assert_eq!(row.application, (application.id, application.uid));
    assert_eq!(row.endpoint, (endpoint.id, endpoint.uid));
}

pub(super) async fn whatever_ends_a_delivery_is_found_as_cancelled(world: &World) {
    let lane = world.lane().await;
    let expunged = world.message(lane.application).await.key();
    let change = Change::ExpungePayloads {
        application: lane.application,
        messages: vec![expunged],
    };
    world.change(change).await;
    let mut draft = world.draft(lane.application).await;
    draft.message.expires_at = world.now().plus(HOUR);
    let expired = world.send(draft).await.key();
    world.clock.advance(HOUR);
    world.sweep(super::sweep::payloads_only(world)).await;
    let disabled = world.message(lane.application).await.key();
    world
        .replace_endpoint(lane, |one| one.disabled = true)
        .await;
    world.finish_work().await;
    world
        .replace_endpoint(lane, |one| one.disabled = false)
        .await;
    let deleted = world.message(lane.application).await.key();
    let change = Change::DeleteEndpoint(lane.application, lane.endpoint);
    world.change(change).await;
    world.finish_work().await;

    for (message, reason) in [
        (expunged, EndReason::Expunged),
        (expired, EndReason::PayloadGone),
        (disabled, EndReason::EndpointDisabled),
        (deleted, EndReason::EndpointDeleted),
    ] {
        for scope in scopes(lane) {
            let mut query = delivery_query(scope);
            query.standing = Some(vec![Standing::Cancelled]);
            let rows = all(world, &query).await;
            let row = rows.iter().find(|row| row.message.id.key() == message);
            let row = row.unwrap_or_else(|| panic!("{reason:?} {scope:?}: {rows:?}"));
            let told = row.story.last.expect("it ended");
            assert_eq!(told.result, AttemptResult::Cancelled(reason));
            assert_eq!((told.status_code, row.story.attempts), (0, 0));
        }
    }
}

pub(super) async fn deliveries_page_once_in_both_directions_by_every_filter(world: &World) {
    let (first, second) = (world.lane().await, world.lane().await);
    let neighbour = world.lane_in(first.application).await;
    for _ in 0..4 {
        for lane in [first, second] {
            world.messages(lane.application, 2).await;
            world.clock.advance(HOUR);
        }
    }
    let later = world.now().plus(DAY);
    for (lane, endings) in [
        (
            first,
            vec![Ending::Success, Ending::GivenUp, Ending::Retry(later)],
        ),
        (
            neighbour,
            vec![Ending::GivenUp, Ending::Success, Ending::GivenUp],
        ),
        (
            second,
            vec![Ending::GivenUp, Ending::Retry(later), Ending::Success],
        ),
    ] {
        let claimed = world.claim(lane, 6).await;
        for (claimed, ending) in claimed.into_iter().zip(endings.iter().cycle()) {
            world.end(claimed, *ending).await;
        }
    }
    let everything = whole(world).await;
    assert_eq!(everything.len(), 24);
    let codes = [None, Some((200, 300)), Some((500, 600)), Some((0, 100))];
    for scope in [first, neighbour, second].into_iter().flat_map(scopes) {
        for standing in [None, Some(Standing::Delivered), Some(Standing::Pending)]
            .into_iter()
            .chain([Some(Standing::Retrying), Some(Standing::Failed)])
        {
            for status_codes in codes {
                let query = DeliveryQuery {
                    standing: standing.map(|one| vec![one]),
                    status_codes,
                    ..delivery_query(scope)
                };
                page_as(world, &query, narrowed(&everything, &query)).await;
            }
        }
    }
}

/// Whatever the limit, and the direction, these are all, in this order.
async fn page_as(world: &World, query: &DeliveryQuery, expected: Vec<Shown>) {
    for limit in [1, 2, 5, 50] {
        for ascending in [true, false] {
            let mut query = query.clone();
            (query.window.limit, query.window.ascending) = (limit, ascending);
            let mut rows: Vec<Shown> = all(world, &query).await.iter().map(shown).collect();
            if !ascending {
                rows.reverse();
            }
            assert_eq!(rows, expected, "{query:?}");
        }
    }
}

fn scopes(lane: Lane) -> [DeliveryScope; 3] {
    [
        DeliveryScope::All,
        DeliveryScope::Application(lane.application),
        DeliveryScope::Endpoint(lane),
    ]
}

pub(super) async fn a_full_page_of_deliveries_knows_whether_it_is_the_last(world: &World) {
    let lane = world.lane().await;
    world.lane_in(lane.application).await;
    world.messages(lane.application, 3).await;
    let claimed = world.claim(lane, 3).await;
    world.end_all(claimed, Ending::GivenUp).await;
    for scope in [
        DeliveryScope::All,
        DeliveryScope::Application(lane.application),
    ] {
        for (standing, count) in [(None, 6), (Some(FAILED), 3), (Some(OPEN), 3)] {
            let mut query = delivery_query(scope);
            query.standing = standing.map(<[Standing]>::to_vec);
            for (limit, more) in [
                (0, true),
                (count - 1, true),
                (count, false),
                (count + 1, false),
            ] {
                query.window.limit = limit;
                let found = walk(world, &query).await;
                assert_eq!(found.more, more, "limit {limit}: {query:?}");
            }
        }
    }
}

/// The walk comes to the end of a page in the middle of a message, or behind one for nobody.
pub(super) async fn deliveries_to_many_endpoints_page_once_in_both_directions(world: &World) {
    let first = world.lane().await;
    let mut lanes = vec![first];
    for _ in 0..6 {
        lanes.push(world.lane_in(first.application).await);
    }
    for number in 0..9 {
        let mut draft = world.draft(first.application).await;
        draft.deliveries.truncate([0, 7, 3][number % 3]);
        world.send(draft).await;
        for lane in &lanes[number % 2..] {
            let claimed = world.claim(*lane, 2).await;
            world.end_all(claimed, Ending::Success).await;
        }
    }
    let everything = whole(world).await;
    assert_eq!(everything.len(), 30);
    for scope in scopes(first) {
        let query = delivery_query(scope);
        page_as(world, &query, narrowed(&everything, &query)).await;
    }
}

pub(super) async fn a_list_goes_on_where_it_was_while_deliveries_come_and_go(world: &World) {
    let lane = world.lane().await;
    let sent = world.messages(lane.application, 8).await;
    for ascending in [false, true] {
        let mut query = delivery_query(DeliveryScope::All);
        (query.window.limit, query.window.ascending) = (3, ascending);
        let first = walk(world, &query).await;
        let reached = first.examined.expect("there is more");
        query.window = query.window.behind(Some(reached));
        let claimed = world.claim(lane, 4).await;
        let endings = [Ending::Success, Ending::GivenUp, Ending::Retry(world.now())];
        for (claimed, ending) in claimed.into_iter().zip(endings.iter().cycle()) {
            world.end(claimed, *ending).await;
        }
        world.message(lane.application).await;
        let mut seen: Vec<MessageKey> = first.rows.iter().map(message_of).collect();
        seen.extend(all(world, &query).await.iter().map(message_of));
        let there: Vec<MessageKey> = sent.iter().map(Sent::key).collect();
        seen.retain(|key| there.contains(key));
        seen.sort_unstable();
        assert_eq!(seen, there, "each of them once");
    }
}

fn message_of(row: &DeliveryRow) -> MessageKey {
    row.message.id.key()
}

pub(super) async fn what_is_sent_again_with_success_is_given_up_no_more(world: &World) {
    for trigger in [Trigger::Manual, Trigger::Replay] {
        let lane = world.lane().await;
        let claimed = world.handed_over(lane).await;
        let message = claimed.delivery.message;
        world.end(claimed, Ending::GivenUp).await;
        assert_eq!(given_up(world, lane).await, [message]);
        for (ending, left) in [(Ending::GivenUp, true), (Ending::Success, false)] {
            world.resend(lane, message, trigger).await;
            assert_eq!(given_up(world, lane).await, [], "it is on its way again");
            let claimed = world.claim_one(lane).await;
            world.end(claimed, ending).await;
            assert_eq!(given_up(world, lane).await.len(), usize::from(left));
        }
        // It was delivered, whatever comes after that.
        world.resend(lane, message, trigger).await;
        let claimed = world.claim_one(lane).await;
        world.end(claimed, Ending::GivenUp).await;
        assert_eq!(given_up(world, lane).await, []);
    }
}

/// The messages that were given up, however one looks for them.
async fn given_up(world: &World, lane: Lane) -> Vec<MessageKey> {
    let mut found: Vec<Vec<MessageKey>> = Vec::new();
    for scope in scopes(lane) {
        let mut query = delivery_query(scope);
        query.standing = Some(FAILED.to_vec());
        found.push(all(world, &query).await.iter().map(message_of).collect());
    }
    assert!(found.iter().all(|one| *one == found[0]), "{found:?}");
    found.swap_remove(0)
}

pub(super) async fn a_series_that_goes_on_after_a_failure_by_hand_is_not_given_up(world: &World) {
    let lane = world.lane().await;
    let message = world.message(lane.application).await.key();
    let claimed = world.claim_one(lane).await;
    let later = world.now().plus(HOUR);
    world.end(claimed, Ending::Retry(later)).await;
    world.resend(lane, message, Trigger::Manual).await;
    let by_hand = world.claim_one(lane).await;
    world.end(by_hand, Ending::GivenUp).await;
    assert_eq!(given_up(world, lane).await, []);
    world.clock.advance(HOUR);
    let claimed = world.claim_one(lane).await;
    world.end(claimed, Ending::GivenUp).await;
    assert_eq!(given_up(world, lane).await, [message]);
}

pub(super) async fn deliveries_are_listed_by_type_of_message(world: &World) {
    let lane = world.lane().await;
    let types = ["order.paid", "order.sent"];
    let sent = world.messages_with(lane.application, 6, |index, draft| {
        draft.message.event_type = name(types[index % 2]);
    });
    let sent = sent.await;
    let claimed: Vec<Claimed> = world.claim(lane, 4).await;
    world.end_all(claimed, Ending::GivenUp).await;
    for scope in scopes(lane) {
        for (standing, places) in [(None, vec![1, 3, 5]), (Some(FAILED), vec![1, 3])] {
            let query = DeliveryQuery {
                event_type: Some(name(types[1])),
                standing: standing.map(<[Standing]>::to_vec),
                ..delivery_query(scope)
            };
            let rows = all(world, &query).await;
            let found: Vec<_> = rows.iter().map(message_of).collect();
            let expected = places.into_iter().map(|place: usize| sent[place].key());
            assert_eq!(found, expected.collect::<Vec<_>>(), "{query:?}");
        }
    }
}

pub(super) async fn deliveries_of_deleted_applications_are_not_listed(world: &World) {
    let (gone, stays) = (world.lane().await, world.lane().await);
    for lane in [gone, stays] {
        let claimed = world.handed_over(lane).await;
        world.end(claimed, Ending::GivenUp).await;
        world.message(lane.application).await;
    }
    world
        .change(Change::DeleteApplication(gone.application))
        .await;
    world.finish_work().await;
    let rows = all(world, &delivery_query(DeliveryScope::All)).await;
    assert_eq!(rows.len(), 2);
    let whose = rows.iter().map(|row| row.application.0.key());
    assert!(whose.into_iter().all(|one| one == stays.application));
}

pub(super) async fn deliveries_go_with_their_messages(world: &World) {
    let lane = world.lane().await;
    let claimed = world.handed_over(lane).await;
    world.end(claimed, Ending::GivenUp).await;
    world.clock.advance(40 * DAY);
    let claimed = world.handed_over(lane).await;
    let young = claimed.delivery.message;
    world.end(claimed, Ending::GivenUp).await;
    let limits = SweepLimits {
        keep_since: world.now().minus(DAY),
        rows_max: 100,
    };
    world.sweep(limits).await;
    assert_eq!(given_up(world, lane).await, [young]);
    let rows = all(world, &delivery_query(DeliveryScope::All)).await;
    assert_eq!(rows.len(), 1);
}

pub(super) async fn a_walk_of_deliveries_stops_after_the_most_it_looks_at(world: &World) {
    let lane = world.lane().await;
    let count = EXAMINED_MAX + 100;
    let sent = world.messages(lane.application, count).await;
    let first = world.claim(lane, 1).await.remove(0);
    world.end(first, Ending::Success).await;
    for scope in scopes(lane) {
        let mut query = delivery_query(scope);
        query.window.ascending = false;
        query.standing = Some(vec![Standing::Delivered]);
        let found = walk(world, &query).await;
        assert_eq!((found.rows, found.more), (vec![], true), "{scope:?}");
        let stopped_at = DeliveryPosition {
            message: sent[count - EXAMINED_MAX].key(),
            endpoint: lane.endpoint,
        };
        assert_eq!(found.examined, Some(stopped_at), "{scope:?}");
        query.window = query.window.behind(Some(stopped_at));
        let found = walk(world, &query).await;
        let found: Vec<_> = found.rows.iter().map(message_of).collect();
        assert_eq!(found, [sent[0].key()], "{scope:?}");
    }
}

pub(super) async fn much_that_is_open_is_listed_by_application_and_endpoint(world: &World) {
    let (busy, quiet) = (world.lane().await, world.lane().await);
    let before = world.message(quiet.application).await.key();
    world.messages(busy.application, EXAMINED_MAX + 100).await;
    let after = world.message(quiet.application).await.key();
    for scope in &scopes(quiet)[1..] {
        let mut query = delivery_query(*scope);
        query.standing = Some(OPEN.to_vec());
        let found = walk(world, &query).await;
        let messages: Vec<_> = found.rows.iter().map(message_of).collect();
        assert_eq!((messages, found.more), (vec![before, after], false));
    }
    for scope in &scopes(busy)[1..] {
        let mut query = delivery_query(*scope);
        query.standing = Some(OPEN.to_vec());
        query.window.limit = 250;
        let rows = all(world, &query).await;
        assert_eq!(rows.len(), EXAMINED_MAX + 100, "{scope:?}");
        assert!(rows.iter().all(|row| row.endpoint.0.key() == busy.endpoint));
    }
}

pub(super) async fn messages_for_nobody_are_passed_over(world: &World) {
    let lane = world.lane().await;
    let mut draft = world.draft(lane.application).await;
    draft.deliveries.clear();
    world.send(draft.clone()).await;
    let sent = world.message(lane.application).await.key();
    draft.message.tail = world.tail();
    world.send(draft).await;
    for scope in scopes(lane) {
        let mut query = delivery_query(scope);
        query.window.limit = 1;
        let rows = all(world, &query).await;
        let messages: Vec<_> = rows.iter().map(message_of).collect();
        assert_eq!(messages, [sent], "{scope:?}");
    }
}

pub(super) async fn an_endpoint_is_found_by_its_whole_id_also_when_it_is_deleted(world: &World) {
    let lane = world.lane().await;
    let row = world.endpoint_row(lane).await.expect("it is live");
    let id = row.endpoint.id;
    let endpoint = async |id| world.store().endpoint(id).await.expect("reads go on");
    assert_eq!(endpoint(id).await, Some(row));
    assert_eq!(endpoint(EndpointId::new(id.key(), [0; 12])).await, None);
    let nobody = EndpointId::new(EndpointKey::from_integer(1), id.tail());
    assert_eq!(endpoint(nobody).await, None);
    let change = Change::DeleteEndpoint(lane.application, lane.endpoint);
    world.change(change).await;
    let found = endpoint(id).await.expect("it was there once");
    assert!(found.deleted);
    assert_eq!(found.endpoint.id, id);
    assert_eq!(found.revision, drafts::FIRST_REVISION + 1);
}
