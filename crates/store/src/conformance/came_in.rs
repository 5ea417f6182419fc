//! What comes in at sources comes in once: by its entry, which is written with its message, a
//! replay of it is told.

use super::accept::in_a_word;
use super::content::expunge;
use super::drafts::{DAY, HOUR, SECOND, idempotency_key, name};
use super::sweep::payloads_only;
use super::world::World;
use crate::Lane;
use crate::accept::{Accept, Accepted, ReplayEntry, Seen};
use crate::change::Change;
use model::Timestamp;
use model::id::{Key, MessageId};
use std::time::Duration;

const TICK: Duration = Duration::from_micros(1);

pub(super) async fn what_came_in_before_is_seen(world: &World) {
    let lane = world.lane().await;
    let (first, entry) = came_in(world, lane, 1).await;
    let mut again = arriving(world, lane, 1).await;
    again.message.event_id = Some(name("order-1"));
    again.replay = Some(ReplayEntry {
        unsigned_id: None,
        content: [9; 16],
        until: entry.until.plus(DAY),
        ..entry
    });
    let expected = Seen { id: first, entry };
    // What is told is what was remembered: who is told compares.
    assert_eq!(seen(world, again).await, expected);
    let (other, _) = came_in(world, lane, 2).await;
    assert_eq!(world.messages_of(lane.application).await, [other, first]);
    assert_eq!(world.open_deliveries(lane).await.len(), 2);
    let plain = world.message(lane.application).await;
    assert_ne!(plain.id, first, "what came in at no source has no entry");
}

pub(super) async fn an_entry_without_an_unsigned_id_is_read_back_without_one(world: &World) {
    let lane = world.lane().await;
    let mut draft = arriving(world, lane, 1).await;
    let entry = ReplayEntry {
        unsigned_id: None,
        ..entry(world, 1)
    };
    draft.replay = Some(entry);
    let id = world.send(draft.clone()).await.id;
    assert_eq!(seen(world, draft).await, Seen { id, entry });
}

pub(super) async fn what_was_signed_anew_is_seen_by_its_second_key(world: &World) {
    let lane = world.lane().await;
    let second = Some([77; 16]);
    let mut first = arriving(world, lane, 1).await;
    let entry = ReplayEntry {
        second,
        ..entry(world, 1)
    };
    first.replay = Some(entry);
    let id = world.send(first).await.id;
    let mut anew = arriving(world, lane, 2).await;
    let of = |key: u8, content| ReplayEntry {
        key: [key; 16],
        content,
        ..entry
    };
    anew.replay = Some(of(2, entry.content));
    let told = seen(world, anew.clone()).await;
    assert_eq!((told.id, told.entry.unsigned_id), (id, entry.unsigned_id));
    // Its own key is no less remembered: with another id, it is told for what it is.
    let other = ReplayEntry {
        unsigned_id: Some([78; 16]),
        second: Some([78; 16]),
        ..of(2, entry.content)
    };
    anew.replay = Some(other);
    let told = seen(world, anew.clone()).await;
    assert_eq!((told.id, told.entry.unsigned_id), (id, entry.unsigned_id));
    // With other content it is something else, and the key goes on to tell of what came first.
    anew.replay = Some(of(3, [99; 16]));
    world.send(anew.clone()).await;
    anew.replay = Some(of(4, entry.content));
    assert_eq!(seen(world, anew.clone()).await.id, id);
    anew.replay = Some(of(5, [99; 16]));
    assert_eq!(in_a_word(&world.accept(anew).await), "new");
}

pub(super) async fn what_comes_twice_in_one_batch_comes_in_once(world: &World) {
    let lane = world.lane().await;
    let mut batch = Vec::new();
    for number in [1, 2, 1, 3, 2] {
        batch.push(arriving(world, lane, number).await);
    }
    let answers = world.store().accept(batch).await;
    let told: Vec<&str> = answers.iter().map(in_a_word).collect();
    assert_eq!(told, ["new", "new", "seen", "new", "seen"]);
    let Ok(Accepted::Seen(again)) = &answers[2] else {
        panic!("it was seen: {answers:?}");
    };
    let Ok(Accepted::New { id, .. }) = &answers[0] else {
        panic!("it was new: {answers:?}");
    };
    let entry = entry(world, 1);
    assert_eq!(*again, Seen { id: *id, entry });
    assert_eq!(world.messages_of(lane.application).await.len(), 3);
}

pub(super) async fn what_comes_many_times_at_once_comes_in_once(world: &World) {
    let lane = world.lane().await;
    let mut accepting = tokio::task::JoinSet::new();
    for _ in 0..16 {
        let (store, draft) = (world.store(), arriving(world, lane, 1).await);
        accepting.spawn(async move { store.accept(vec![draft]).await.remove(0) });
    }
    let answers = accepting.join_all().await;
    let ids = world.messages_of(lane.application).await;
    assert_eq!(ids.len(), 1, "it came in once");
    let mut again = 0;
    for answer in answers {
        match answer.expect("it is in order") {
            Accepted::New { id, .. } => assert_eq!(id, ids[0]),
            Accepted::Seen(seen) => {
                assert_eq!(seen.id, ids[0]);
                again += 1;
            }
            Accepted::Repeated(prior) => panic!("it has no key: {prior:?}"),
        }
    }
    assert_eq!(again, 15);
}

pub(super) async fn what_came_in_is_seen_after_reopening(world: &mut World) {
    let lane = world.lane().await;
    let (id, entry) = came_in(world, lane, 1).await;
    world.reopen().await;
    let again = arriving(world, lane, 1).await;
    assert_eq!(seen(world, again).await, Seen { id, entry });
}

pub(super) async fn what_came_in_is_seen_whatever_has_become_of_it(world: &World) {
    let lane = world.lane().await;
    let stale = arriving(world, lane, 1).await;
    let (id, entry) = came_in(world, lane, 1).await;
    world.lane_in(lane.application).await;
    assert_eq!(seen(world, stale.clone()).await, Seen { id, entry });
    assert_eq!(expunge(world, lane.application, &[id.key()]).await, 1);
    assert_eq!(seen(world, stale.clone()).await, Seen { id, entry });
    world
        .change(Change::DeleteApplication(lane.application))
        .await;
    world.finish_work().await;
    assert_eq!(seen(world, stale).await, Seen { id, entry });
}

pub(super) async fn a_refused_item_leaves_no_entry(world: &World) {
    let lane = world.lane().await;
    let mut taken = world.draft(lane.application).await;
    taken.message.event_id = Some(name("order-1"));
    world.send(taken).await;
    let draft = arriving(world, lane, 1).await;
    let (mut stale, mut taken, mut nowhere) = (draft.clone(), draft.clone(), draft.clone());
    stale.registry_revision += 1;
    taken.message.event_id = Some(name("order-1"));
    nowhere.application = Key::from_integer(1);
    let answers = world
        .store()
        .accept(vec![stale, taken, nowhere, draft])
        .await;
    let told: Vec<&str> = answers.iter().map(in_a_word).collect();
    assert_eq!(told, ["stale", "event id", "application", "new"]);
}

pub(super) async fn an_entry_ends_although_nothing_was_swept(world: &World) {
    let lane = world.lane().await;
    let (first, entry) = came_in(world, lane, 1).await;
    world.clock.set(entry.until);
    let again = arriving(world, lane, 1).await;
    assert_eq!(seen(world, again).await, Seen { id: first, entry });

    world.clock.set(entry.until.plus(TICK));
    let (second, entry) = came_in(world, lane, 1).await;
    assert_ne!(second, first);
    let again = arriving(world, lane, 1).await;
    let expected = Seen { id: second, entry };
    assert_eq!(seen(world, again).await, expected);
}

pub(super) async fn an_entry_that_has_ended_already_fails_nobody(world: &World) {
    let lane = world.lane().await;
    let mut late = arriving(world, lane, 1).await;
    late.replay = Some(ReplayEntry {
        until: world.now().minus(SECOND),
        ..entry(world, 1)
    });
    let batch = vec![late.clone(), arriving(world, lane, 2).await, late];
    let answers = world.store().accept(batch).await;
    let told: Vec<&str> = answers.iter().map(in_a_word).collect();
    assert_eq!(told, ["new", "new", "new"]);
}

pub(super) async fn entries_that_have_ended_are_swept(world: &World) {
    let lane = world.lane().await;
    let begun = world.now();
    let (_, short) = came_in(world, lane, 1).await;
    let mut long = arriving(world, lane, 2).await;
    long.replay = Some(ReplayEntry {
        until: short.until.plus(HOUR),
        ..entry(world, 2)
    });
    world.send(long.clone()).await;
    // What was swept is new to a clock by which it has not ended. It may stay to the hour's end.
    for (swept_at, expected) in [
        (short.until, ["seen", "seen"]),
        (short.until.plus(HOUR), ["new", "seen"]),
    ] {
        world.clock.set(swept_at);
        world.sweep(payloads_only(world)).await;
        world.clock.set(begun);
        let batch = vec![arriving(world, lane, 1).await, long.clone()];
        let answers = world.store().accept(batch).await;
        let told: Vec<&str> = answers.iter().map(in_a_word).collect();
        assert_eq!(told, expected, "at {swept_at:?}");
    }
}

pub(super) async fn a_repeat_is_one_before_it_is_seen(world: &World) {
    let lane = world.lane().await;
    let mut draft = arriving(world, lane, 1).await;
    draft.idempotency = Some(idempotency_key(1));
    world.send(draft.clone()).await;
    let answer = world.accept(draft.clone()).await;
    assert_eq!(in_a_word(&answer), "repeated");
    draft.idempotency = Some(idempotency_key(2));
    let answer = world.accept(draft.clone()).await;
    assert_eq!(in_a_word(&answer), "seen");
    // What is seen keeps no key: nothing was written.
    draft.replay = None;
    assert_eq!(in_a_word(&world.accept(draft).await), "new");
}

/// Entries of both forms, for whoever moves or copies a store.
pub(super) async fn fill(world: &World, lane: Lane) {
    came_in(world, lane, 1).await;
    let mut bare = arriving(world, lane, 2).await;
    bare.replay = Some(ReplayEntry {
        unsigned_id: None,
        until: Timestamp::MAX,
        ..entry(world, 2)
    });
    world.send(bare).await;
}

fn entry(world: &World, number: u8) -> ReplayEntry {
    ReplayEntry {
        key: [number; 16],
        unsigned_id: Some([number + 100; 16]),
        second: None,
        content: [number + 200; 16],
        until: world.now().plus(HOUR),
    }
}

/// A message that comes in at a source.
async fn arriving(world: &World, lane: Lane, number: u8) -> Accept {
    Accept {
        replay: Some(entry(world, number)),
        ..world.draft(lane.application).await
    }
}

async fn came_in(world: &World, lane: Lane, number: u8) -> (MessageId, ReplayEntry) {
    let draft = arriving(world, lane, number).await;
    let entry = draft.replay.expect("it has one");
    (world.send(draft).await.id, entry)
}

async fn seen(world: &World, draft: Accept) -> Seen {
    match world.accept(draft).await {
        Ok(Accepted::Seen(seen)) => seen,
        other => panic!("it came in before, not {other:?}"),
    }
}
