//! Background work as people are shown it, and work whose slices are done outside the store.

use super::drafts::{HOUR, idempotency_key, sealed};
use super::reading::{newest, oldest, pages};
use super::world::World;
use crate::accept::{AcceptError, Accepted};
use crate::change::{Change, ChangeError, Changed};
use crate::query::WALK_BYTES_MAX;
use crate::work::{
    Advanced, OutsideKind, OutsideWork, TakenWork, Work, WorkEnd, WorkKind, WorkQuery, WorkRow,
    WorkState, WorkStep,
};
use model::id::{ApplicationKey, TaskId};

pub(super) async fn work_that_people_asked_for_is_listed_in_both_directions(world: &mut World) {
    let lane = world.lane().await;
    let mut started = Vec::new();
    for index in 0..5 {
        started.push(match index % 2 {
            0 => start(world, Some(lane.application), Work::ExpungeAll).await,
            _ => start(world, None, outside(OutsideKind::Broadcast)).await,
        });
        // What is not shown.
        let cancel = Change::CancelDeliveries {
            application: lane.application,
            endpoint: lane.endpoint,
            up_to: None,
        };
        world.change(cancel).await;
        world.clock.advance(HOUR);
    }
    world.finish_work().await;
    world.reopen().await;
    assert_eq!(ids(world, everything(2)).await, started);
    let mut query = everything(2);
    query.window = newest(2);
    started.reverse();
    assert_eq!(ids(world, query).await, started);
    query.window.limit = 5;
    let walk = world.store().work_rows(&query).await.expect("reads go on");
    assert_eq!((walk.rows.len(), walk.more), (5, false));
    let row = work_row(world, started[0]).await;
    assert_eq!(walk.rows[0], row);
    assert_eq!(row.application, Some(lane.application));
    assert_eq!(walk.rows[1].application, None);
}

const STATS: WorkKind = WorkKind::Outside(OutsideKind::ApplicationStats);

pub(super) async fn work_is_listed_by_kind_and_state(world: &World) {
    let lane = world.lane().await;
    let finished = start(world, Some(lane.application), Work::ExpungeAll).await;
    world.finish_work().await;
    let running = start(world, Some(lane.application), Work::ExpungeAll).await;
    let failed = start(world, None, outside(OutsideKind::ApplicationStats)).await;
    let taken = take(world).await;
    let step = WorkStep {
        end: Some(WorkEnd::Failed("There was too much of it.".to_owned())),
        ..WorkStep::default()
    };
    advance(world, &taken, step).await;
    let of_kinds = |kinds| WorkQuery {
        kinds: Some(kinds),
        ..everything(50)
    };
    let in_state = |state| WorkQuery {
        state: Some(state),
        ..everything(50)
    };
    for (query, expected) in [
        (of_kinds(&[WorkKind::ExpungeAll]), vec![finished, running]),
        (of_kinds(&[STATS]), vec![failed]),
        (
            of_kinds(&[STATS, WorkKind::ExpungeAll]),
            vec![finished, running, failed],
        ),
        (of_kinds(&[WorkKind::Recover]), vec![]),
        (in_state(WorkState::Finished), vec![finished]),
        (in_state(WorkState::Running), vec![running]),
        (in_state(WorkState::Failed), vec![failed]),
    ] {
        assert_eq!(ids(world, query).await, expected, "{query:?}");
    }
    let row = work_row(world, failed).await;
    assert_eq!(row.failure.as_deref(), Some("There was too much of it."));
}

pub(super) async fn a_page_of_work_with_much_to_do_ends_early(world: &World) {
    const MIB: usize = 1024 * 1024;
    let count = WALK_BYTES_MAX / MIB + 2;
    let mut started = Vec::new();
    for _ in 0..count {
        let broadcast = Work::Outside(OutsideWork {
            kind: OutsideKind::Broadcast,
            arguments: vec![7; MIB].into(),
        });
        started.push(start(world, None, broadcast).await);
    }
    let walk = world.store().work_rows(&everything(50)).await;
    let walk = walk.expect("reads go on");
    assert_eq!((walk.rows.len(), walk.more), (count - 2, true));
    assert_eq!(ids(world, everything(50)).await, started);
}

pub(super) async fn work_of_an_application_that_is_not_there_is_missing(world: &World) {
    let change = Change::StartWork {
        tail: world.tail(),
        application: Some(ApplicationKey::from_integer(7)),
        work: Work::ExpungeAll,
    };
    let refused = world.try_change(change).await;
    assert!(matches!(refused, Err(ChangeError::Missing)), "{refused:?}");
}

pub(super) async fn work_done_outside_is_not_done_inside(world: &World) {
    let id = start(world, None, outside(OutsideKind::Broadcast)).await;
    assert_eq!(world.finish_work().await, []);
    assert_eq!(work_row(world, id).await.state, WorkState::Running);
    let application = world.application().await.application.id.key();
    start(world, Some(application), Work::ExpungeAll).await;
    assert_eq!(take(world).await.row.id, id);
}

pub(super) async fn a_slice_tells_when_work_ends_that_people_are_shown(world: &World) {
    let lane = world.lane().await;
    let cancel = Change::CancelDeliveries {
        application: lane.application,
        endpoint: lane.endpoint,
        up_to: None,
    };
    world.change(cancel).await;
    let shown = start(world, Some(lane.application), Work::ExpungeAll).await;
    let slices = world.finish_work().await;
    let ends: Vec<_> = slices.iter().filter_map(|slice| slice.finished).collect();
    assert_eq!(ends, [shown], "{slices:?}");
}

pub(super) async fn taken_work_is_not_taken_again_until_its_hold_drops(world: &mut World) {
    assert!(try_take(world).await.is_none(), "there is none");
    let first = start(world, None, outside(OutsideKind::Broadcast)).await;
    let second = start(world, None, outside(OutsideKind::EventTypeAggregate)).await;
    let taken = [take(world).await, take(world).await];
    assert_eq!(taken.each_ref().map(|taken| taken.row.id), [first, second]);
    assert_eq!(taken[0].row.work, outside(OutsideKind::Broadcast));
    assert_eq!(taken[0].cursor, 0);
    assert!(try_take(world).await.is_none(), "both are taken");
    let [one, other] = taken;
    drop(one);
    assert_eq!(take(world).await.row.id, first);

    world.reopen().await;
    assert_eq!(take(world).await.row.id, first);
    drop(other);
}

pub(super) async fn what_is_done_outside_takes_turns(world: &World) {
    let mut started = Vec::new();
    for _ in 0..3 {
        started.push(start(world, None, outside(OutsideKind::Broadcast)).await);
    }
    let mut order = Vec::new();
    for cursor in 1..=6 {
        let taken = take(world).await;
        order.push(taken.row.id);
        advance(world, &taken, to(cursor)).await;
    }
    assert_eq!(order, [&started[..], &started[..]].concat());
}

pub(super) async fn a_step_commits_with_its_messages_and_its_data(world: &mut World) {
    let lane = world.lane().await;
    let id = start(world, None, outside(OutsideKind::Broadcast)).await;
    world.clock.advance(HOUR);
    let mut lost = world.draft(lane.application).await;
    lost.application = ApplicationKey::from_integer(7);
    let step = WorkStep {
        cursor: 70,
        done: 2,
        data: Some(r#"{"sent":1}"#.to_owned()),
        messages: vec![world.draft(lane.application).await, lost],
        ..WorkStep::default()
    };
    let taken = take(world).await;
    let Advanced::Moved(answers) = advance(world, &taken, step).await else {
        panic!("it was not written");
    };
    assert!(matches!(answers[0], Ok(Accepted::New { .. })));
    assert!(matches!(answers[1], Err(AcceptError::NoApplication)));
    drop(taken);

    world.reopen().await;
    assert_eq!(world.messages_of(lane.application).await.len(), 1);
    assert_eq!(world.open_deliveries(lane).await.len(), 1);
    let taken = take(world).await;
    assert_eq!((taken.row.id, taken.cursor), (id, 70));
    assert_eq!(taken.row, work_row(world, id).await);
    assert_eq!(taken.row.done, 2);
    assert_eq!(taken.row.data.as_deref(), Some(r#"{"sent":1}"#));
    assert_eq!(taken.row.updated_at, world.now());
    let end = WorkStep {
        done: 1,
        end: Some(WorkEnd::Finished),
        ..WorkStep::default()
    };
    advance(world, &taken, end).await;
    drop(taken);
    let row = work_row(world, id).await;
    assert_eq!((row.state, row.done), (WorkState::Finished, 3));
    assert_eq!(row.data.as_deref(), Some(r#"{"sent":1}"#), "it stays");
    assert!(try_take(world).await.is_none(), "it has ended");
}

pub(super) async fn a_step_is_written_once(world: &World) {
    let application = world.application().await.application.id.key();
    start(world, None, outside(OutsideKind::Broadcast)).await;
    let taken = take(world).await;
    let draft = world.draft(application).await;
    let step = || WorkStep {
        messages: vec![draft.clone()],
        ..to(5)
    };
    let first = advance(world, &taken, step()).await;
    assert!(matches!(first, Advanced::Moved(_)), "{first:?}");
    let again = advance(world, &taken, step()).await;
    assert!(matches!(again, Advanced::Lost), "{again:?}");
    assert_eq!(world.messages_of(application).await.len(), 1);
}

pub(super) async fn a_step_of_what_was_taken_before_reopening_is_lost_or_goes_on(
    world: &mut World,
) {
    start(world, None, outside(OutsideKind::Broadcast)).await;
    let before = take(world).await;
    world.reopen().await;
    let taken = take(world).await;
    let moved = advance(world, &taken, to(5)).await;
    assert!(matches!(moved, Advanced::Moved(_)), "{moved:?}");
    let late = advance(world, &before, to(5)).await;
    assert!(matches!(late, Advanced::Lost), "{late:?}");
    drop(before);
    drop(taken);
    assert_eq!(take(world).await.cursor, 5);
}

pub(super) async fn a_step_with_a_stale_message_writes_nothing(world: &World) {
    let lane = world.lane().await;
    let other = world.lane().await;
    start(world, None, outside(OutsideKind::Broadcast)).await;
    let taken = take(world).await;
    let mut messages = vec![
        world.draft(other.application).await,
        world.draft(lane.application).await,
    ];
    for (number, message) in (1..).zip(&mut messages) {
        message.idempotency = Some(idempotency_key(number));
    }
    world.lane_in(lane.application).await;
    let step = WorkStep { messages, ..to(5) };
    let answer = advance(world, &taken, step).await;
    assert!(matches!(answer, Advanced::Stale), "{answer:?}");
    assert_eq!(world.messages_of(other.application).await, []);
    let moved = advance(world, &taken, to(6)).await;
    assert!(matches!(moved, Advanced::Moved(_)), "it is where it was");
}

pub(super) async fn what_was_to_be_done_is_forgotten_when_the_work_ends(world: &World) {
    let work = outside(OutsideKind::Broadcast);
    for end in [WorkEnd::Finished, WorkEnd::Failed("It rained.".to_owned())] {
        let id = start(world, None, work.clone()).await;
        advance(world, &take(world).await, to(1)).await;
        assert_eq!(work_row(world, id).await.work, work);
        let last = WorkStep {
            end: Some(end),
            ..to(2)
        };
        advance(world, &take(world).await, last).await;
        let Work::Outside(ended) = work_row(world, id).await.work else {
            panic!("it is of another kind");
        };
        assert_eq!(
            (ended.kind, ended.arguments.len()),
            (OutsideKind::Broadcast, 0)
        );
    }
}

pub(super) fn outside(kind: OutsideKind) -> Work {
    Work::Outside(OutsideWork {
        kind,
        arguments: sealed("what is to be done"),
    })
}

pub(super) fn to(cursor: i64) -> WorkStep {
    WorkStep {
        cursor,
        ..WorkStep::default()
    }
}

pub(super) async fn start(
    world: &World,
    application: Option<ApplicationKey>,
    work: Work,
) -> TaskId {
    let change = Change::StartWork {
        tail: world.tail(),
        application,
        work,
    };
    match world.change(change).await {
        Changed::Work(id, _) => id,
        other => panic!("started work, was told of {other:?}"),
    }
}

pub(super) async fn try_take(world: &World) -> Option<TakenWork> {
    world.store().take_work().await.expect("it can write")
}

pub(super) async fn take(world: &World) -> TakenWork {
    try_take(world).await.expect("there is some to take")
}

pub(super) async fn advance(world: &World, taken: &TakenWork, step: WorkStep) -> Advanced {
    let advanced = world.store().advance_work(taken, step).await;
    advanced.expect("it can write")
}

fn everything(limit: usize) -> WorkQuery {
    WorkQuery {
        window: oldest(limit),
        kinds: None,
        state: None,
    }
}

async fn ids(world: &World, query: WorkQuery) -> Vec<TaskId> {
    let rows = pages(query.window, async |window| {
        let query = WorkQuery { window, ..query };
        world.store().work_rows(&query).await.expect("reads go on")
    });
    rows.await.iter().map(|row| row.id).collect()
}

pub(super) async fn work_row(world: &World, id: TaskId) -> WorkRow {
    let row = world.store().work_row(id).await;
    row.expect("reads go on").expect("it is there")
}
