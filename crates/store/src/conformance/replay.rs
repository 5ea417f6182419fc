//! Replays: what an endpoint was meant to get goes out again, and so does what it never got.

use super::drafts::{DAY, Ending, HOUR, Sent, name, names};
use super::fan_out::make_endpoints;
use super::world::World;
use crate::Lane;
use crate::change::{Change, Changed};
use crate::query::MessageFilter;
use crate::rows::Standing;
use crate::work::{ENDPOINT_NOT_LIVE, ReplayFilter, SLICE_MAX, Work, WorkRow, WorkState};
use model::Timestamp;
use model::delivery::{Delivery, Trigger};
use model::id::{EndpointKey, MessageKey, TaskId};
use std::collections::BTreeSet;

pub(super) async fn a_bulk_replay_opens_whatever_was_sent_and_is_not_on_its_way(world: &mut World) {
    let lane = world.lane().await;
    let neighbour = world.lane_in(lane.application).await;
    let sent = world.messages(lane.application, 5).await;
    let retry_at = world.now().plus(HOUR);
    let endings = [Ending::Success, Ending::GivenUp, Ending::Retry(retry_at)];
    for (claimed, ending) in world.claim(lane, 3).await.into_iter().zip(endings) {
        world.end(claimed, ending).await;
    }
    let id = bulk(world, lane, ReplayFilter::default()).await;
    world.reopen().await;
    let slices = world.finish_work().await;
    assert_eq!(slices[0].lanes[0].endpoint, lane.endpoint);
    assert_eq!(slices[0].lanes[0].due, world.now());

    let replayed = replays(world, lane).await;
    assert_eq!(messages(&replayed), [sent[0].key(), sent[1].key()]);
    for delivery in replayed {
        assert_eq!((delivery.due, delivery.attempts), (world.now(), 0));
    }
    assert_eq!(replays(world, neighbour).await, []);
    let row = self::row(world, id).await;
    assert_eq!((row.state, row.done), (WorkState::Finished, 2));
}

pub(super) async fn a_bulk_replay_opens_only_what_its_filter_wants(world: &World) {
    let only = |messages| ReplayFilter {
        messages,
        ..ReplayFilter::default()
    };
    let of = |standing| ReplayFilter {
        standing: Some(standing),
        ..ReplayFilter::default()
    };
    let codes = |first, end| ReplayFilter {
        status_codes: Some((first, end)),
        ..ReplayFilter::default()
    };
    let any = MessageFilter::default;
    let types = |types: [&str; 2]| MessageFilter {
        event_types: Some(types.map(name).to_vec()),
        ..any()
    };
    let heard = MessageFilter {
        channels: Some(vec![name("blue")]),
        ..any()
    };
    let marked = MessageFilter {
        tag: Some(name("vip")),
        ..any()
    };
    for (filter, expected) in [
        (only(types(["other.type", "unknown"])), 0..1),
        (only(heard), 1..2),
        (only(marked), 2..3),
        (of(Standing::Delivered), 0..4),
        (of(Standing::Failed), 4..5),
        (of(Standing::Cancelled), 5..6),
        (codes(201, 202), 3..4),
        (codes(500, 600), 4..5),
        (codes(0, 100), 0..0),
    ] {
        let (lane, keys) = six_messages(world).await;
        bulk(world, lane, filter.clone()).await;
        world.finish_work().await;
        let opened = messages(&replays(world, lane).await);
        assert_eq!(opened, keys[expected], "{filter:?}");
    }
}

/// Of another type, in a channel, with a tag and answered by 201, which all arrived; one that
/// failed, and one that was never sent since its endpoint was disabled.
async fn six_messages(world: &World) -> (Lane, Vec<MessageKey>) {
    let lane = world.lane().await;
    let sent = world.messages_with(lane.application, 6, |index, draft| {
        let message = &mut draft.message;
        match index {
            0 => message.event_type = name("other.type"),
            1 => message.channels = names(["blue"]),
            2 => message.tags = names(["vip"]),
            _ => {}
        }
    });
    let keys = sent.await.iter().map(Sent::key).collect();
    for (index, claimed) in world.claim(lane, 5).await.into_iter().enumerate() {
        let mut outcome = match index {
            4 => world.outcome(claimed, Ending::GivenUp),
            _ => world.outcome(claimed, Ending::Success),
        };
        if index == 3 {
            outcome.attempt.status_code = 201;
        }
        world.record(outcome).await;
    }
    for disabled in [true, false] {
        world
            .replace_endpoint(lane, move |it| it.disabled = disabled)
            .await;
        world.finish_work().await;
    }
    (lane, keys)
}

pub(super) async fn a_replay_reaches_from_since_to_before_until(world: &World) {
    let lane = world.lane().await;
    let begin = world.now();
    let mut sent = Vec::new();
    for _ in 0..4 {
        let claimed = world.handed_over(lane).await;
        sent.push(claimed.delivery.message);
        world.end(claimed, Ending::Success).await;
        world.clock.advance(HOUR);
    }
    let (since, until) = (begin.plus(HOUR), begin.plus(3 * HOUR));
    let work = Work::BulkReplay {
        endpoint: lane.endpoint,
        since,
        until,
        filter: ReplayFilter::default(),
    };
    start(world, lane, work).await;
    world.finish_work().await;
    assert_eq!(messages(&replays(world, lane).await), sent[1..3]);

    let newcomer = world.lane_in(lane.application).await;
    let work = Work::ReplayMissing {
        endpoint: newcomer.endpoint,
        since,
        until,
    };
    start(world, newcomer, work).await;
    world.finish_work().await;
    assert_eq!(messages(&replays(world, newcomer).await), sent[1..3]);
}

pub(super) async fn what_an_endpoint_wants_and_never_got_is_replayed(world: &mut World) {
    let first = world.lane().await;
    let application = first.application;
    let later = world.now().plus(DAY);
    let sent = world.messages_with(application, 4, |index, draft| {
        if index == 0 {
            draft.message.event_type = name("unwanted");
        }
        draft.message.deliver_at = (index == 1).then_some(later);
    });
    let sent = sent.await;
    let newcomer = world
        .endpoint_with(application, |it| {
            it.event_types = Some(names(["order.paid"]))
        })
        .await;
    let newcomer = Lane {
        application,
        endpoint: newcomer.endpoint.id.key(),
    };
    world.messages(application, 2).await;
    let claimed = world.claim(newcomer, 1).await.remove(0);
    world.end(claimed, Ending::GivenUp).await;
    missing(world, newcomer).await;
    world.reopen().await;
    world.finish_work().await;
    let replayed = replays(world, newcomer).await;
    let mut expected: Vec<(MessageKey, Timestamp)> = [1, 2, 3]
        .map(|index| (sent[index].key(), world.now()))
        .to_vec();
    expected[0].1 = later;
    let mut found: Vec<_> = replayed.iter().map(|one| (one.message, one.due)).collect();
    found.sort_unstable();
    assert_eq!(found, expected);
    assert_eq!(replays(world, first).await, [], "only to the one");
    missing(world, newcomer).await;
    world.finish_work().await;
    assert_eq!(
        replays(world, newcomer).await.len(),
        3,
        "they are known now"
    );
}

/// The replay's slice comes between two of the fan-out's, since open work takes turns.
pub(super) async fn what_a_fan_out_is_about_to_open_is_not_missing(world: &World) {
    let application = world.application().await.application.id.key();
    make_endpoints(world, application, SLICE_MAX).await;
    let last = world.lane_in(application).await;
    let mut draft = world.draft(application).await;
    draft.deliveries.clear();
    draft.fan_out_after = Some(EndpointKey::MIN);
    let sent = world.send(draft).await;
    let newcomer = world.lane_in(application).await;
    let replays = [missing(world, last).await, missing(world, newcomer).await];
    let slices = world.finish_work().await;
    let order: Vec<TaskId> = slices.iter().filter_map(|slice| slice.task).collect();
    assert_eq!(order[1..3], replays, "while the fan-out goes on");
    assert_eq!(order.first(), order.last());
    for lane in [last, newcomer] {
        let open = world.open_deliveries(lane).await;
        assert_eq!(messages(&open), [sent.key()], "once, by either");
    }
}

pub(super) async fn what_a_fan_out_has_passed_over_is_missing(world: &World) {
    let application = world.application().await.application.id.key();
    let picky = |it: &mut model::endpoint::Endpoint| it.event_types = Some(names(["other.type"]));
    let first = world.endpoint_with(application, picky).await;
    let first = Lane {
        application,
        endpoint: first.endpoint.id.key(),
    };
    make_endpoints(world, application, SLICE_MAX).await;
    let mut draft = world.draft(application).await;
    draft.deliveries.clear();
    draft.fan_out_after = Some(EndpointKey::MIN);
    let sent = world.send(draft).await;
    let fan_out = world.work().await;
    assert!(fan_out.more, "it goes on behind the first endpoint");
    world
        .replace_endpoint(first, |it| it.event_types = None)
        .await;
    missing(world, first).await;
    let replay = world.work().await;
    assert_ne!(replay.task, fan_out.task, "while the fan-out goes on");
    assert_eq!(messages(&replays(world, first).await), [sent.key()]);
    world.finish_work().await;
    let open = world.open_deliveries(first).await;
    assert_eq!(messages(&open), [sent.key()], "once");
}

pub(super) async fn what_has_no_payload_any_more_is_not_replayed(world: &World) {
    let lane = world.lane().await;
    let claimed = world.handed_over(lane).await;
    let message = claimed.delivery.message;
    world.end(claimed, Ending::Success).await;
    let expunge = Change::ExpungePayloads {
        application: lane.application,
        messages: vec![message],
    };
    world.change(expunge).await;
    let newcomer = world.lane_in(lane.application).await;
    bulk(world, lane, ReplayFilter::default()).await;
    missing(world, newcomer).await;
    world.finish_work().await;
    assert_eq!(world.open_deliveries(lane).await, []);
    assert_eq!(world.open_deliveries(newcomer).await, []);
}

/// More than two slices; after each the store is opened anew, and what the slice opened ends.
pub(super) async fn replays_go_on_after_reopening_and_open_each_once(world: &mut World) {
    let count = 2 * SLICE_MAX + 10;
    let lane = world.lane().await;
    let sent = world.messages(lane.application, count).await;
    let claimed = world.claim(lane, count).await;
    world.end_all(claimed, Ending::Success).await;
    let newcomer = world.lane_in(lane.application).await;
    let all: BTreeSet<MessageKey> = sent.iter().map(Sent::key).collect();
    let works = [
        bulk(world, lane, ReplayFilter::default()).await,
        missing(world, newcomer).await,
    ];
    let mut replayed = [BTreeSet::new(), BTreeSet::new()];
    while world.work().await.task.is_some() {
        world.reopen().await;
        for (lane, replayed) in [lane, newcomer].iter().zip(&mut replayed) {
            let opened = world.claim(*lane, count).await;
            assert!(opened.len() <= SLICE_MAX, "a slice keeps to its limit");
            for one in &opened {
                assert!(replayed.insert(one.delivery.message), "twice: {one:?}");
            }
            world.end_all(opened, Ending::GivenUp).await;
        }
    }
    for (id, replayed) in works.into_iter().zip(replayed) {
        assert_eq!(replayed, all);
        let row = self::row(world, id).await;
        assert_eq!((row.state, row.done), (WorkState::Finished, count as u64));
    }
}

pub(super) async fn what_goes_to_an_endpoint_that_is_not_live_has_failed(world: &World) {
    let lane = world.lane().await;
    let claimed = world.handed_over(lane).await;
    world.end(claimed, Ending::GivenUp).await;
    let (since, until) = (world.now().minus(DAY), world.now().plus(DAY));
    let works = [
        bulk(world, lane, ReplayFilter::default()).await,
        missing(world, lane).await,
        start(
            world,
            lane,
            Work::Recover {
                endpoint: lane.endpoint,
                since,
                until,
            },
        )
        .await,
    ];
    world.replace_endpoint(lane, |it| it.disabled = true).await;
    world.finish_work().await;
    for id in works {
        let row = self::row(world, id).await;
        assert_eq!((row.state, row.done), (WorkState::Failed, 0));
        assert_eq!(row.failure.as_deref(), Some(ENDPOINT_NOT_LIVE));
    }
    assert_eq!(world.open_deliveries(lane).await, []);
}

async fn bulk(world: &World, lane: Lane, filter: ReplayFilter) -> TaskId {
    let work = Work::BulkReplay {
        endpoint: lane.endpoint,
        since: world.now().minus(14 * DAY),
        until: world.now().plus(HOUR),
        filter,
    };
    start(world, lane, work).await
}

async fn missing(world: &World, lane: Lane) -> TaskId {
    let work = Work::ReplayMissing {
        endpoint: lane.endpoint,
        since: world.now().minus(14 * DAY),
        until: world.now().plus(HOUR),
    };
    start(world, lane, work).await
}

async fn start(world: &World, lane: Lane, work: Work) -> TaskId {
    let change = Change::StartWork {
        tail: world.tail(),
        application: Some(lane.application),
        work,
    };
    match world.change(change).await {
        Changed::Work(id, _) => id,
        other => panic!("started work, was told of {other:?}"),
    }
}

async fn row(world: &World, id: TaskId) -> WorkRow {
    let row = world.store().work_row(id).await;
    row.expect("reads go on").expect("it is there")
}

/// All open replays.
async fn replays(world: &World, lane: Lane) -> Vec<Delivery> {
    let mut open = world.open_deliveries(lane).await;
    open.retain(|one| one.trigger == Trigger::Replay);
    open
}

fn messages(deliveries: &[Delivery]) -> Vec<MessageKey> {
    deliveries.iter().map(|one| one.message).collect()
}
