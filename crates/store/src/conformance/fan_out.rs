//! Background work, and the one that completes a large fan-out: in slices, once, over restarts too.

use super::drafts::{self, DAY, HOUR, leave_to_fan_out, name, names};
use super::endpoints::{keep_proof, proved};
use super::world::World;
use crate::Lane;
use crate::accept::Accept;
use crate::change::{Change, Changed};
use crate::rows::LaneDue;
use crate::work::{SLICE_MAX, Slice, Work, WorkState};
use model::delivery::Delivery;
use model::id::{ApplicationKey, EndpointKey, Id, TaskId};
use model::proof::Proof;
use std::collections::BTreeSet;

pub(super) async fn without_work_there_is_nothing_to_do(world: &World) {
    world.lane().await;
    let expected = Slice {
        task: None,
        lanes: vec![],
        more: false,
        finished: None,
    };
    assert_eq!(world.work().await, expected);
}

pub(super) async fn a_fan_out_opens_what_the_accept_did_not_carry(world: &mut World) {
    let lanes = lanes(world, 5).await;
    let draft = split(world, lanes[0].application, 2).await;
    let sent = world.send(draft).await;
    assert!(sent.fan_out);
    assert_eq!(sent.deliveries.len(), 2);
    for lane in &lanes[2..] {
        assert_eq!(world.open_deliveries(*lane).await, []);
    }
    world.reopen().await;
    let slices = world.finish_work().await;

    let told: BTreeSet<EndpointKey> = slices.iter().flat_map(endpoints_of).collect();
    let expected: BTreeSet<EndpointKey> = lanes[2..].iter().map(|lane| lane.endpoint).collect();
    assert_eq!(told, expected, "the lanes that have something now");
    for (index, lane) in lanes.iter().enumerate() {
        let open = world.open_deliveries(*lane).await;
        assert_eq!(open.len(), 1, "endpoint {index}");
        let like_carried = Delivery {
            key: open[0].key,
            endpoint: lane.endpoint,
            ..sent.delivery(0)
        };
        assert_eq!(open, [like_carried]);
    }
}

pub(super) async fn a_fan_out_reaches_only_those_that_want_the_message(world: &World) {
    let lanes = lanes(world, 1).await;
    let application = lanes[0].application;
    let makings = [
        (Some(names(["order.sent"])), None, false),
        (Some(names(["order.paid"])), Some(names(["north"])), false),
        (None, Some(names(["south"])), false),
        (None, None, true),
        (None, Some(names(["south", "north"])), false),
    ];
    let mut reached = Vec::new();
    for (event_types, channels, disabled) in makings {
        let row = world.endpoint_with(application, |it| {
            (it.event_types, it.channels) = (event_types.clone(), channels.clone());
            it.disabled = disabled;
        });
        let lane = Lane {
            application,
            endpoint: row.await.endpoint.id.key(),
        };
        reached.push(lane);
    }
    let mut draft = world.draft(application).await;
    draft.message.channels = names(["north"]);
    let registry = world.registry(application).await.expect("it is live");
    world.address(&mut draft, &registry);
    leave_to_fan_out(&mut draft, 1);
    world.send(draft).await;
    world.finish_work().await;
    let mut open = Vec::new();
    for lane in reached {
        open.push(world.open_deliveries(lane).await.len());
    }
    assert_eq!(open, [0, 1, 0, 0, 1]);
}

pub(super) async fn a_fan_out_may_pass_over_endpoints_that_have_proved_nothing(world: &World) {
    let lanes = lanes(world, 3).await;
    let row = world.endpoint_row(lanes[1]).await.expect("it is live");
    let asked = Proof {
        url: row.endpoint.url,
        asked_at: world.now(),
        told: None,
    };
    let proof = asked.after(proved(world.now()));
    world.change(keep_proof(lanes[1], None, &proof)).await;
    let mut draft = split(world, lanes[0].application, 1).await;
    draft.proved_only = true;
    world.send(draft).await;
    world.finish_work().await;
    let open = async |lane| world.open_deliveries(lane).await.len();
    assert_eq!(
        [
            open(lanes[0]).await,
            open(lanes[1]).await,
            open(lanes[2]).await
        ],
        [1, 1, 0]
    );
}

pub(super) async fn a_fan_out_skips_endpoints_made_or_deleted_since(world: &World) {
    let lanes = lanes(world, 3).await;
    let application = lanes[0].application;
    let draft = split(world, application, 1).await;
    world.send(draft).await;
    let later = world.lane_in(application).await;
    let delete = Change::DeleteEndpoint(application, lanes[1].endpoint);
    world.change(delete).await;
    world.finish_work().await;
    let mut open = Vec::new();
    for lane in [lanes[0], lanes[1], lanes[2], later] {
        open.push(world.open_deliveries(lane).await.len());
    }
    assert_eq!(open, [1, 0, 1, 0]);
}

pub(super) async fn a_fan_outs_deliveries_are_due_with_their_message(world: &World) {
    let lanes = lanes(world, 2).await;
    let deliver_at = world.now().plus(HOUR);
    let mut draft = world.draft(lanes[0].application).await;
    draft.message.deliver_at = Some(deliver_at);
    draft.deliveries[0].due = deliver_at;
    leave_to_fan_out(&mut draft, 1);
    world.send(draft).await;
    let slices = world.finish_work().await;
    let expected = LaneDue {
        endpoint: lanes[1].endpoint,
        application: lanes[1].application,
        due: deliver_at,
    };
    assert_eq!(slices[0].lanes, [expected]);
    assert_eq!(world.open_deliveries(lanes[1]).await[0].due, deliver_at);
}

pub(super) async fn a_fan_out_of_a_message_whose_payload_is_gone_opens_nothing(world: &World) {
    let lanes = lanes(world, 2).await;
    let mut draft = split(world, lanes[0].application, 1).await;
    draft.message.expires_at = world.now().plus(5 * DAY);
    world.send(draft).await;
    world.clock.advance(5 * DAY);
    world.sweep(super::sweep::payloads_only(world)).await;
    world.finish_work().await;
    for lane in lanes {
        assert_eq!(world.open_deliveries(lane).await, []);
    }
}

/// More than two slices, and the store is opened anew after each.
pub(super) async fn a_fan_out_goes_on_after_reopening_and_opens_each_delivery_once(
    world: &mut World,
) {
    const CARRIED: usize = 10;
    let count = CARRIED + 2 * SLICE_MAX + 10;
    let application = world.application().await.application.id.key();
    make_endpoints(world, application, count).await;
    let draft = split(world, application, CARRIED).await;
    world.send(draft).await;

    let mut told = Vec::new();
    let mut slices = 0;
    loop {
        let slice = world.work().await;
        assert!(slice.lanes.len() <= SLICE_MAX, "a slice keeps to its limit");
        let Some(id) = slice.task else {
            break;
        };
        slices += 1;
        told.extend(endpoints_of(&slice));
        world.reopen().await;
        let row = work_row(world, id).await;
        assert_eq!(row.done, told.len() as u64);
    }
    assert!(slices >= 3, "{slices} slices");
    assert_eq!(told.len(), count - CARRIED);
    assert!(told.is_sorted_by(|one, next| one < next), "each once");
    let registry = world.registry(application).await.expect("it is live");
    for row in registry.endpoints {
        let endpoint = row.endpoint.id.key();
        let lane = Lane {
            application,
            endpoint,
        };
        assert_eq!(world.open_deliveries(lane).await.len(), 1, "{endpoint:?}");
    }
}

/// More than two slices, and the store is opened anew after each.
pub(super) async fn ending_deliveries_goes_on_after_reopening_and_ends_each_once(
    world: &mut World,
) {
    let count = 2 * SLICE_MAX + 10;
    let lane = world.lane().await;
    world.messages(lane.application, count).await;
    world.replace_endpoint(lane, |it| it.disabled = true).await;
    let mut ended = 0;
    while world.work().await.task.is_some() {
        let now_ended = world.statistics(lane).await.cancelled;
        assert!(
            now_ended <= ended + SLICE_MAX as u64,
            "a slice keeps to its limit"
        );
        ended = now_ended;
        world.reopen().await;
    }
    assert_eq!(ended, count as u64);
    assert_eq!(world.open_deliveries(lane).await, []);
    let rows = world.attempts_to(lane).await;
    let messages: BTreeSet<_> = rows.iter().map(|row| row.attempt.message).collect();
    assert_eq!((rows.len(), messages.len()), (count, count));
}

pub(super) async fn a_row_of_work_is_there_before_and_after_its_end(world: &mut World) {
    let lane = world.lane().await;
    let (tail, application) = (world.tail(), Some(lane.application));
    let work = Work::Recover {
        endpoint: lane.endpoint,
        since: world.now().minus(HOUR),
        until: world.now(),
    };
    let change = Change::StartWork {
        tail,
        application,
        work: work.clone(),
    };
    let Changed::Work(id, started) = world.change(change).await else {
        panic!("it started work");
    };
    assert_eq!((id.tail(), started), (tail, world.now()));
    let row = work_row(world, id).await;
    assert_eq!((row.application, &row.work), (application, &work));
    assert_eq!((row.done, row.state), (0, WorkState::Running));
    assert_eq!(row.updated_at, started);

    world.clock.advance(HOUR);
    world.finish_work().await;
    world.reopen().await;
    let row = work_row(world, id).await;
    assert_eq!((row.application, row.work), (application, work));
    assert_eq!(row.state, WorkState::Finished);
    assert_eq!(row.updated_at, world.now());

    let mut tail = id.tail();
    tail[3] ^= 1;
    let guessed = world.store().work_row(Id::new(id.key(), tail)).await;
    assert_eq!(guessed.expect("reads go on"), None);
}

pub(super) async fn works_of_several_kinds_are_all_done(world: &World) {
    let lanes = lanes(world, 3).await;
    let application = lanes[0].application;
    for _ in 0..2 {
        let draft = split(world, application, 1).await;
        world.send(draft).await;
    }
    world
        .replace_endpoint(lanes[0], |it| it.disabled = true)
        .await;
    let slices = world.finish_work().await;
    let works: BTreeSet<TaskId> = slices.iter().filter_map(|slice| slice.task).collect();
    assert_eq!(works.len(), 3);
    for (lane, expected) in lanes.iter().zip([0, 2, 2]) {
        assert_eq!(world.open_deliveries(*lane).await.len(), expected);
    }
    for id in works {
        assert_eq!(work_row(world, id).await.state, WorkState::Finished);
    }
}

pub(super) async fn a_message_type_with_an_odd_name_fans_out(world: &World) {
    let application = world.application().await.application.id.key();
    let odd = "-_.A0";
    let mut last = None;
    for _ in 0..2 {
        let row = world.endpoint_with(application, |it| it.event_types = Some(names([odd])));
        last = Some(row.await.endpoint.id.key());
    }
    let mut draft = world.draft(application).await;
    draft.message.event_type = name(odd);
    let registry = world.registry(application).await.expect("it is live");
    world.address(&mut draft, &registry);
    leave_to_fan_out(&mut draft, 1);
    world.send(draft).await;
    let slices = world.finish_work().await;
    let told: Vec<EndpointKey> = slices.iter().flat_map(endpoints_of).collect();
    assert_eq!(told, [last.expect("two were made")]);
}

/// Endpoints of one application.
async fn lanes(world: &World, count: usize) -> Vec<Lane> {
    let mut lanes = vec![world.lane().await];
    while lanes.len() < count {
        lanes.push(world.lane_in(lanes[0].application).await);
    }
    lanes
}

/// Many endpoints, made at once.
pub(super) async fn make_endpoints(world: &World, application: ApplicationKey, count: usize) {
    let mut making = tokio::task::JoinSet::new();
    for _ in 0..count {
        let endpoint = drafts::endpoint(application, world.tail());
        let request = crate::change::ChangeRequest {
            change: drafts::create_endpoint(endpoint),
            idempotency: None,
            audit: None,
        };
        let store = world.store();
        making.spawn(async move { store.change(request).await.map(drop) });
    }
    while let Some(made) = making.join_next().await {
        made.expect("no panic").expect("the change is in order");
    }
}

/// A message to all endpoints, of which the accept carries only the first.
async fn split(world: &World, application: ApplicationKey, carried: usize) -> Accept {
    let mut draft = world.draft(application).await;
    leave_to_fan_out(&mut draft, carried);
    draft
}

fn endpoints_of(slice: &Slice) -> impl Iterator<Item = EndpointKey> + '_ {
    slice.lanes.iter().map(|lane| lane.endpoint)
}

async fn work_row(world: &World, id: TaskId) -> crate::work::WorkRow {
    let row = world.store().work_row(id).await;
    row.expect("reads go on").expect("it is there")
}
