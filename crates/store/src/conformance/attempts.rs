//! Lists of attempts: by message and by endpoint, filtered, with what was asked for.

use super::drafts::{Ending, name, names, sealed};
use super::reading::{attempt_query, newest, oldest};
use super::world::World;
use crate::Lane;
use crate::query::{AttemptQuery, AttemptScope, MessageFilter, ResultFilter, Window};
use crate::rows::{AttemptRow, MessageRow, Payload};
use model::attempt::AttemptResult;
use model::delivery::EndReason;
use model::id::AttemptId;

pub(super) async fn attempts_are_listed_by_message_and_by_endpoint(world: &World) {
    let lane = world.lane().await;
    let neighbour = world.lane_in(lane.application).await;
    let sent = world.messages(lane.application, 2).await;
    for lane in [lane, neighbour] {
        for claimed in world.claim(lane, 10).await {
            world.end(claimed, Ending::GivenUp).await;
        }
    }
    let (first, second) = (sent[0].id, sent[1].id);
    let (one, other) = (lane.endpoint, neighbour.endpoint);
    for (scope, expected) in [
        (
            AttemptScope::Message(first.key(), None),
            vec![(first, one), (first, other)],
        ),
        (
            AttemptScope::Message(second.key(), Some(one)),
            vec![(second, one)],
        ),
        (
            AttemptScope::Message(second.key(), Some(other)),
            vec![(second, other)],
        ),
        (
            AttemptScope::Endpoint(one),
            vec![(first, one), (second, one)],
        ),
        (
            AttemptScope::Endpoint(other),
            vec![(first, other), (second, other)],
        ),
    ] {
        let rows = world
            .attempt_rows(&attempt_query(lane.application, scope))
            .await;
        let found: Vec<_> = rows
            .iter()
            .map(|row| (row.attempt.message, row.attempt.endpoint.key()))
            .collect();
        assert_eq!(found, expected, "{scope:?}");
    }
}

pub(super) async fn attempts_page_through_everything_once_in_both_directions(world: &World) {
    let lane = world.lane().await;
    let message = world.message(lane.application).await.key();
    let mut recorded = Vec::new();
    for _ in 0..7 {
        let claimed = world.claim_one(lane).await;
        let recorded_one = world.end(claimed, Ending::Retry(world.now())).await;
        recorded.push(recorded_one.attempt);
    }
    for scope in [
        AttemptScope::Endpoint(lane.endpoint),
        AttemptScope::Message(message, None),
        AttemptScope::Message(message, Some(lane.endpoint)),
    ] {
        for limit in [1, 2, 6, 7, 8] {
            assert_eq!(ids(world, lane, scope, oldest(limit)).await, recorded);
            let mut backwards = ids(world, lane, scope, newest(limit)).await;
            backwards.reverse();
            assert_eq!(backwards, recorded, "{scope:?}, limit {limit}");
        }
        let window = Window {
            above: recorded[1].key(),
            below: recorded[5].key(),
            ..oldest(2)
        };
        assert_eq!(ids(world, lane, scope, window).await, recorded[2..5]);
    }
}

pub(super) async fn a_full_page_of_attempts_knows_whether_it_is_the_last(world: &World) {
    let lane = world.lane().await;
    for _ in 0..3 {
        let claimed = world.handed_over(lane).await;
        world.end(claimed, Ending::Success).await;
    }
    let scope = AttemptScope::Endpoint(lane.endpoint);
    for (limit, length, more) in [(0, 0, true), (2, 2, true), (3, 3, false), (4, 3, false)] {
        let query = AttemptQuery {
            window: newest(limit),
            ..attempt_query(lane.application, scope)
        };
        let walk = world.store().attempts(&query).await.expect("reads go on");
        assert_eq!(
            (walk.rows.len(), walk.more),
            (length, more),
            "limit {limit}"
        );
        let last = walk.rows.last().map(|row| row.attempt.id.key());
        assert_eq!(walk.examined, last);
    }
}

pub(super) async fn attempts_are_listed_by_how_they_ended(world: &World) {
    let lane = world.lane().await;
    let failure = AttemptResult::Failure;
    let cancelled = AttemptResult::Cancelled(EndReason::EndpointDisabled);
    let makings = [
        (204, AttemptResult::Success),
        (500, failure),
        (0, failure),
        (0, cancelled),
        (404, failure),
        (200, AttemptResult::Success),
        (999, failure),
    ];
    let mut recorded = Vec::new();
    for (status_code, result) in makings {
        let claimed = world.handed_over(lane).await;
        let mut outcome = world.outcome(claimed, Ending::GivenUp);
        (outcome.attempt.status_code, outcome.attempt.result) = (status_code, result);
        recorded.push(world.record(outcome).await.attempt);
    }
    use ResultFilter as Filter;
    for (result, status_codes, expected) in [
        (None, None, vec![0, 1, 2, 3, 4, 5, 6]),
        (Some(Filter::Success), None, vec![0, 5]),
        (Some(Filter::Failure), None, vec![1, 2, 4, 6]),
        (Some(Filter::Cancelled), None, vec![3]),
        (Some(Filter::FailureOrCancelled), None, vec![1, 2, 3, 4, 6]),
        (Some(Filter::Nothing), None, vec![]),
        (None, Some((200, 300)), vec![0, 5]),
        (None, Some((200, 204)), vec![5]),
        (None, Some((0, 100)), vec![2, 3]),
        (Some(Filter::Failure), Some((0, 100)), vec![2]),
        (Some(Filter::Failure), Some((500, 1_000)), vec![1, 6]),
    ] {
        let query = AttemptQuery {
            window: oldest(2),
            result,
            status_codes,
            ..attempt_query(lane.application, AttemptScope::Endpoint(lane.endpoint))
        };
        let rows = world.attempt_rows(&query).await;
        let expected: Vec<AttemptId> = expected.into_iter().map(|at: usize| recorded[at]).collect();
        assert_eq!(ids_of(&rows), expected, "{result:?} {status_codes:?}");
    }
}

pub(super) async fn attempts_are_listed_by_what_their_messages_are(world: &World) {
    let lane = world.lane().await;
    let makings = [
        ("order.paid", names([]), names(["blue"])),
        ("order.sent", names(["north"]), names([])),
        ("order.paid", names(["north"]), names(["blue", "red"])),
    ];
    let sent = world.messages_with(lane.application, 3, |index, draft| {
        let (event_type, channels, tags) = makings[index].clone();
        draft.message.event_type = name(event_type);
        (draft.message.channels, draft.message.tags) = (channels, tags);
        draft.deliveries[0].owned = true;
    });
    let mut recorded = Vec::new();
    for claimed in sent.await.into_iter().flat_map(|sent| sent.handed_over()) {
        recorded.push(world.end(claimed, Ending::Success).await.attempt);
    }
    let word = |text: &str| Some(name(text));
    for (event_type, channel, tag, expected) in [
        (word("order.paid"), None, None, vec![0, 2]),
        (None, word("north"), None, vec![1, 2]),
        (None, None, word("blue"), vec![0, 2]),
        (word("order.paid"), word("north"), word("red"), vec![2]),
        (word("order.sent"), None, word("red"), vec![]),
    ] {
        let query = AttemptQuery {
            filter: MessageFilter {
                event_types: event_type.map(|one| vec![one]),
                channels: channel.map(|one| vec![one]),
                tag,
            },
            ..attempt_query(lane.application, AttemptScope::Endpoint(lane.endpoint))
        };
        let rows = world.attempt_rows(&query).await;
        let expected: Vec<AttemptId> = expected.into_iter().map(|at: usize| recorded[at]).collect();
        assert_eq!(ids_of(&rows), expected, "{:?}", query.filter);
    }
}

pub(super) async fn excerpts_and_messages_come_only_when_asked(world: &World) {
    let lane = world.lane().await;
    let claimed = world.handed_over(lane).await;
    let message = claimed.message.clone();
    let mut outcome = world.outcome(claimed, Ending::Success);
    outcome.attempt.excerpt = Some(sealed("thanks"));
    world.record(outcome).await;
    for (with_excerpt, with_message) in [(false, false), (true, false), (false, true), (true, true)]
    {
        let query = AttemptQuery {
            with_excerpt,
            with_message,
            ..attempt_query(lane.application, AttemptScope::Endpoint(lane.endpoint))
        };
        let row = world.attempt_rows(&query).await.remove(0);
        assert_eq!(row.excerpt, with_excerpt.then(|| sealed("thanks")));
        assert_eq!(row.message, with_message.then(|| message.clone()));
    }
}

pub(super) async fn an_attempts_message_without_payload_is_still_there(world: &World) {
    let lane = world.lane().await;
    let claimed = world.handed_over(lane).await;
    let message = claimed.message.message.clone();
    world.end(claimed, Ending::Success).await;
    world.clock.set(message.expires_at);
    world.sweep(super::sweep::payloads_only(world)).await;
    let query = AttemptQuery {
        with_message: true,
        ..attempt_query(lane.application, AttemptScope::Endpoint(lane.endpoint))
    };
    let row = world.attempt_rows(&query).await.remove(0);
    let payload = Payload::Gone;
    assert_eq!(row.message, Some(MessageRow { message, payload }));
}

async fn ids(
    world: &World,
    lane: Lane,
    scope: AttemptScope,
    window: Window<model::id::AttemptKind>,
) -> Vec<AttemptId> {
    let query = AttemptQuery {
        window,
        ..attempt_query(lane.application, scope)
    };
    ids_of(&world.attempt_rows(&query).await)
}

fn ids_of(rows: &[AttemptRow]) -> Vec<AttemptId> {
    rows.iter().map(|row| row.attempt.id).collect()
}
