//! How messages stand with endpoints: an endpoint's messages, and a message's endpoints.

use super::drafts::{Ending, HOUR, name, names};
use super::reading::{endpoint_message_query, newest, oldest};
use super::world::World;
use crate::Lane;
use crate::query::{EXAMINED_MAX, EndpointMessageQuery, MessageFilter};
use crate::rows::{EndpointMessageRow, MessageEndpointRow, Payload, Standing};
use model::delivery::Trigger;
use model::id::{ApplicationKey, EndpointKey, MessageId, MessageKey};

pub(super) async fn a_message_stands_as_its_last_attempt_left_it(world: &mut World) {
    let lane = world.lane().await;
    let sent = in_every_standing(world, lane).await;
    let retry_at = world.now().plus(HOUR);
    let expected = [
        (sent[0], Standing::Delivered, None),
        (sent[1], Standing::Failed, None),
        (sent[2], Standing::Cancelled, None),
        (sent[3], Standing::Retrying, Some(retry_at)),
        (sent[4], Standing::Pending, Some(world.now())),
    ];
    for _ in 0..2 {
        let rows = world.endpoint_message_rows(&ascending(lane, 10)).await;
        let found: Vec<_> = rows
            .iter()
            .map(|row| (row.message.message.id, row.standing, row.next_attempt))
            .collect();
        assert_eq!(found, expected);
        world.reopen().await;
    }
}

pub(super) async fn an_endpoints_messages_are_listed_by_standing(world: &World) {
    use Standing::{Cancelled, Delivered, Failed, Pending, Retrying};
    let lane = world.lane().await;
    let sent = in_every_standing(world, lane).await;
    for (standing, expected) in [
        (vec![Delivered], vec![0]),
        (vec![Failed], vec![1]),
        (vec![Cancelled], vec![2]),
        (vec![Retrying], vec![3]),
        (vec![Pending], vec![4]),
        (vec![Pending, Retrying], vec![3, 4]),
        (vec![Failed, Cancelled, Delivered], vec![0, 1, 2]),
        (vec![], vec![]),
    ] {
        let query = EndpointMessageQuery {
            standing: Some(standing.clone()),
            ..ascending(lane, 2)
        };
        let rows = world.endpoint_message_rows(&query).await;
        let expected: Vec<MessageId> = expected.into_iter().map(|at: usize| sent[at]).collect();
        assert_eq!(ids_of(&rows), expected, "{standing:?}");
    }
}

pub(super) async fn a_delivered_message_stays_so_when_a_resend_fails(world: &World) {
    let lane = world.lane().await;
    let claimed = world.handed_over(lane).await;
    let message = claimed.delivery.message;
    world.end(claimed, Ending::Success).await;
    world.resend(lane, message, Trigger::Manual).await;
    let claimed = world.claim_one(lane).await;
    world.end(claimed, Ending::GivenUp).await;
    assert_eq!(world.standings(lane).await, [(Standing::Delivered, None)]);
}

pub(super) async fn a_failed_message_is_delivered_when_a_resend_succeeds(world: &World) {
    let lane = world.lane().await;
    let claimed = world.handed_over(lane).await;
    let message = claimed.delivery.message;
    world.end(claimed, Ending::GivenUp).await;
    assert_eq!(world.standings(lane).await, [(Standing::Failed, None)]);
    world.resend(lane, message, Trigger::Manual).await;
    let claimed = world.claim_one(lane).await;
    world.end(claimed, Ending::Success).await;
    assert_eq!(world.standings(lane).await, [(Standing::Delivered, None)]);
}

pub(super) async fn an_endpoints_messages_page_once_in_both_directions(world: &World) {
    let lane = world.lane().await;
    let neighbour = world.lane_in(lane.application).await;
    let mut sent = in_every_standing(world, lane).await;
    // One that has several attempts and an open delivery as well is still one.
    let claimed = world.claim_one(lane).await;
    world.end(claimed, Ending::Retry(world.now())).await;
    let claimed = world.claim_one(lane).await;
    world.end(claimed, Ending::Retry(world.now())).await;
    sent.push(world.message(lane.application).await.id);
    only_to(world, neighbour).await;

    for limit in [1, 2, 3, 6, 7] {
        let rows = world.endpoint_message_rows(&ascending(lane, limit)).await;
        assert_eq!(ids_of(&rows), sent, "limit {limit}");
        let query = EndpointMessageQuery {
            window: newest(limit),
            ..endpoint_message_query(lane)
        };
        let mut backwards = ids_of(&world.endpoint_message_rows(&query).await);
        backwards.reverse();
        assert_eq!(backwards, sent, "limit {limit}");
    }
}

pub(super) async fn a_full_page_of_an_endpoints_messages_knows_whether_it_is_the_last(
    world: &World,
) {
    let lane = world.lane().await;
    in_every_standing(world, lane).await;
    for (limit, more) in [(0, true), (4, true), (5, false), (6, false)] {
        let store = world.store();
        let walk = store.endpoint_messages(&ascending(lane, limit)).await;
        assert_eq!(walk.expect("reads go on").more, more, "limit {limit}");
    }
}

pub(super) async fn an_endpoints_messages_are_listed_by_what_they_are(world: &World) {
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
    });
    let sent = sent.await;
    let word = |text: &str| Some(name(text));
    for (event_type, channel, tag, expected) in [
        (word("order.paid"), None, None, vec![0, 2]),
        (None, word("north"), None, vec![1, 2]),
        (None, None, word("red"), vec![2]),
    ] {
        let query = EndpointMessageQuery {
            filter: MessageFilter {
                event_types: event_type.map(|one| vec![one]),
                channels: channel.map(|one| vec![one]),
                tag,
            },
            ..ascending(lane, 1)
        };
        let rows = world.endpoint_message_rows(&query).await;
        let expected: Vec<MessageId> = expected.into_iter().map(|at: usize| sent[at].id).collect();
        assert_eq!(ids_of(&rows), expected, "{:?}", query.filter);
    }
}

pub(super) async fn an_endpoints_messages_bring_payloads_only_when_asked(world: &World) {
    let lane = world.lane().await;
    let sent = world.message(lane.application).await;
    for with_payload in [false, true] {
        let query = EndpointMessageQuery {
            with_payload,
            ..ascending(lane, 1)
        };
        let mut expected = sent.row();
        if !with_payload {
            expected.payload = Payload::NotRead;
        }
        let row = world.endpoint_message_rows(&query).await.remove(0);
        assert_eq!(row.message, expected);
    }
}

pub(super) async fn a_walk_of_an_endpoints_messages_stops_after_the_most_it_looks_at(
    world: &World,
) {
    let lane = world.lane().await;
    let count = EXAMINED_MAX + 100;
    let sent = world.messages(lane.application, count).await;
    let first = world.claim(lane, 1).await.remove(0);
    world.end(first, Ending::Success).await;
    let mut query = EndpointMessageQuery {
        window: newest(5),
        standing: Some(vec![Standing::Delivered]),
        ..endpoint_message_query(lane)
    };
    let store = world.store();
    let walk = store.endpoint_messages(&query).await.expect("reads go on");
    assert_eq!((walk.rows, walk.more), (vec![], true));
    let stopped_at = sent[count - EXAMINED_MAX].key();
    assert_eq!(walk.examined, Some(stopped_at));

    query.window.below = stopped_at;
    let walk = store.endpoint_messages(&query).await.expect("reads go on");
    assert_eq!(ids_of(&walk.rows), [sent[0].id]);
    assert!(!walk.more);
}

pub(super) async fn a_messages_endpoints_are_listed_by_ascending_key(world: &World) {
    let application = world.application().await.application.id.key();
    let mut lanes = Vec::new();
    for _ in 0..5 {
        lanes.push(world.lane_in(application).await);
    }
    let message = world.message(application).await.key();
    world.lane_in(application).await; // made after it
    let retry_at = world.now().plus(HOUR);
    for (lane, ending) in [
        (lanes[0], Ending::Success),
        (lanes[1], Ending::Retry(retry_at)),
        (lanes[3], Ending::GivenUp),
    ] {
        let claimed = world.claim_one(lane).await;
        world.end(claimed, ending).await;
    }
    let expected = [
        (lanes[0].endpoint, Standing::Delivered, None),
        (lanes[1].endpoint, Standing::Retrying, Some(retry_at)),
        (lanes[2].endpoint, Standing::Pending, Some(world.now())),
        (lanes[3].endpoint, Standing::Failed, None),
        (lanes[4].endpoint, Standing::Pending, Some(world.now())),
    ];
    for limit in [1, 2, 4, 5, 6] {
        let rows = message_endpoints(world, (application, message), limit).await;
        let found: Vec<_> = rows
            .iter()
            .map(|row| {
                (
                    row.endpoint.endpoint.id.key(),
                    row.standing,
                    row.next_attempt,
                )
            })
            .collect();
        assert_eq!(found, expected, "limit {limit}");
    }
    for (limit, more) in [(0, true), (4, true), (5, false), (6, false)] {
        let store = world.store();
        let page = store
            .message_endpoints((application, message), EndpointKey::MIN, limit)
            .await;
        assert_eq!(page.expect("reads go on").more, more, "limit {limit}");
    }
    let row = message_endpoints(world, (application, message), 1)
        .await
        .swap_remove(0);
    assert_eq!(Some(row.endpoint), world.endpoint_row(lanes[0]).await);
}

/// Five messages: delivered, failed, cancelled, retrying in an hour, and pending.
async fn in_every_standing(world: &World, lane: Lane) -> Vec<MessageId> {
    let retry_at = world.now().plus(HOUR);
    let sent = world.messages(lane.application, 5).await;
    let endings = [
        Ending::Success,
        Ending::GivenUp,
        Ending::GivenUp,
        Ending::Retry(retry_at),
    ];
    let claimed = world.claim(lane, 4).await;
    for (index, (claimed, ending)) in claimed.into_iter().zip(endings).enumerate() {
        let mut outcome = world.outcome(claimed, ending);
        if index == 2 {
            let reason = model::delivery::EndReason::PayloadGone;
            outcome.attempt.result = model::attempt::AttemptResult::Cancelled(reason);
        }
        world.record(outcome).await;
    }
    sent.iter().map(|sent| sent.id).collect()
}

/// A message that only this endpoint of its application gets.
async fn only_to(world: &World, lane: Lane) {
    let mut draft = world.draft(lane.application).await;
    draft.deliveries.retain(|one| one.endpoint == lane.endpoint);
    world.send(draft).await;
}

fn ascending(lane: Lane, limit: usize) -> EndpointMessageQuery {
    EndpointMessageQuery {
        window: oldest(limit),
        ..endpoint_message_query(lane)
    }
}

async fn message_endpoints(
    world: &World,
    message: (ApplicationKey, MessageKey),
    limit: usize,
) -> Vec<MessageEndpointRow> {
    let mut rows = Vec::new();
    let mut after = EndpointKey::MIN;
    loop {
        let store = world.store();
        let page = store.message_endpoints(message, after, limit).await;
        let page = page.expect("reads go on");
        assert!(page.rows.len() <= limit, "a page keeps to its limit");
        rows.extend(page.rows);
        if !page.more {
            return rows;
        }
        after = page.examined.expect("a walk with more has a position");
    }
}

fn ids_of(rows: &[EndpointMessageRow]) -> Vec<MessageId> {
    rows.iter().map(|row| row.message.message.id).collect()
}
