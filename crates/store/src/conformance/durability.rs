//! What is answered is there after a restart; keys only grow; copies are whole.

use super::drafts::{Ending, HOUR, SECOND, name};
use super::reading::message_query;
use super::world::World;
use crate::rows::ApplicationRef;
use crate::work::SweepLimits;
use crate::{Condition, MessageRef, Store};
use model::Timestamp;
use model::id::{ApplicationKey, MessageId};
use std::sync::Arc;
use std::time::Duration;

pub(super) async fn a_message_answered_is_there_after_reopening(world: &mut World) {
    let lane = world.lane().await;
    let mut draft = world.draft(lane.application).await;
    draft.message.event_id = Some(name("order-1"));
    let sent = world.send(draft).await;
    world.reopen().await;
    assert_eq!(
        world.message_row(lane.application, sent.id).await,
        Some(sent.row())
    );
    assert_eq!(world.open_deliveries(lane).await, [sent.delivery(0)]);
    assert_eq!(world.messages_of(lane.application).await, [sent.id]);

    let mut draft = world.draft(lane.application).await;
    draft.message.event_id = Some(name("order-1"));
    let taken = world.accept(draft).await;
    let is_taken = matches!(taken, Err(crate::accept::AcceptError::EventIdTaken));
    assert!(is_taken, "{taken:?}");
}

pub(super) async fn what_waits_is_claimed_after_reopening_in_its_order(world: &mut World) {
    let lane = world.lane().await;
    let mut expected = Vec::new();
    for seconds in [3, 1, 2] {
        let mut draft = world.draft(lane.application).await;
        draft.deliveries[0].due = world.now().plus(seconds * SECOND);
        let sent = world.send(draft).await;
        expected.push(sent.delivery(0));
    }
    expected.sort_by_key(|delivery| delivery.due);
    world.reopen().await;
    assert_eq!(world.waiting(10).await[0].due, expected[0].due);
    world.clock.advance(2 * SECOND);
    let claimed = world.claim(lane, 10).await;
    let claimed: Vec<_> = claimed.into_iter().map(|one| one.delivery).collect();
    assert_eq!(claimed, expected[..2]);
}

pub(super) async fn a_store_that_was_just_opened_can_write(world: &mut World) {
    for _ in 0..2 {
        let condition = world.store().condition();
        assert_eq!(*condition.borrow(), Condition::Writable);
        world.reopen().await;
    }
}

pub(super) async fn keys_grow_although_the_clock_is_set_back(world: &mut World) {
    let lane = world.lane().await;
    let mut last = None;
    for step in 0..8 {
        // 40 seconds back at first, then half a second at a time.
        let back = if step == 0 { 40 * SECOND } else { SECOND };
        world.clock.set(world.now().minus(back));
        if step % 3 == 2 {
            world.reopen().await;
        }
        let sent = world.message(lane.application).await;
        let claimed = world.claim_one(lane).await;
        let attempt = world.end(claimed, Ending::Success).await.attempt;
        let keys = (sent.key(), sent.deliveries[0].0, attempt.key());
        if let Some((message, delivery, attempt)) = last {
            let grown = keys.0 > message && keys.1 > delivery && keys.2 > attempt;
            assert!(grown, "step {step}: {keys:?} after {last:?}");
        }
        last = Some(keys);
        world.clock.advance(SECOND / 2);
    }
    let later = world.lane().await;
    assert!(later.application > lane.application && later.endpoint > lane.endpoint);
}

pub(super) async fn keys_grow_although_all_that_was_made_is_swept(world: &mut World) {
    let lane = world.lane().await;
    let claimed = world.handed_over(lane).await;
    let message = claimed.message.message.id.key();
    let attempt = world.end(claimed, Ending::Success).await.attempt.key();
    let limits = SweepLimits {
        keep_since: world.now().plus(SECOND),
        rows_max: 10,
    };
    let swept = world.sweep(limits).await;
    assert_eq!((swept.messages, swept.attempts), (1, 1));
    world.reopen().await;
    world.clock.set(world.now().minus(40 * SECOND));
    world.reopen().await;
    let sent = world.message(lane.application).await;
    assert!(sent.key().integer() > attempt.integer() && sent.key() > message);
}

pub(super) async fn a_keys_time_is_when_its_row_was_made(world: &World) {
    let application = world.application().await.application.id.key();
    for _ in 0..5 {
        world.clock.advance(HOUR + Duration::from_millis(4));
        let sent = world.message(application).await;
        assert_eq!(sent.key().time(), world.now());
    }
}

pub(super) async fn a_setting_is_written_once(world: &mut World) {
    let first = world.store().set_setting("check", b"one").await;
    assert_eq!(first.expect("it can write"), b"one");
    let second = world.store().set_setting("check", b"two").await;
    assert_eq!(second.expect("it can write"), b"one");
    let empty = world.store().set_setting("empty", b"").await;
    assert_eq!(empty.expect("it can write"), b"");
    world.reopen().await;
    assert_eq!(
        setting(&*world.store(), "check").await.as_deref(),
        Some(&b"one"[..])
    );
    assert_eq!(
        setting(&*world.store(), "empty").await.as_deref(),
        Some(&b""[..])
    );
    assert_eq!(setting(&*world.store(), "other").await, None);
}

pub(super) async fn settings_written_at_once_agree(world: &World) {
    let mut writing = tokio::task::JoinSet::new();
    for value in 0..8_u8 {
        let store = world.store();
        writing.spawn(async move { store.set_setting("check", &[value]).await });
    }
    let there = setting(&*world.store(), "check").await;
    let answers = writing.join_all().await;
    let first = answers[0].as_ref().expect("it can write").clone();
    for answer in answers {
        assert_eq!(answer.expect("it can write"), first);
    }
    assert!(there.is_none_or(|there| there == first));
}

pub(super) async fn a_backup_is_a_store_with_the_same_content(world: &World) {
    let lane = world.lane().await;
    let mut draft = world.draft(lane.application).await;
    draft.message.event_id = Some(name("order-1"));
    let sent = world.send(draft).await;
    let claimed = world.claim_one(lane).await;
    world
        .end(claimed, Ending::Retry(world.now().plus(HOUR)))
        .await;
    let written = world.store().set_setting("check", b"one").await;
    written.expect("it can write");

    let directory = world.harness.empty_directory();
    let made = world.store().backup(&directory).await;
    made.expect("the directory is empty");
    let later = world.message(lane.application).await;

    let (clock, entropy) = (world.clock.clone(), world.entropy.clone());
    let copy = world.harness.open_backup(&directory, clock, entropy).await;
    assert_eq!(ids(&copy, lane.application).await, [sent.id]);
    let reference = MessageRef::EventId(name("order-1"));
    let found = copy.message(lane.application, &reference).await;
    assert_eq!(found.expect("reads go on"), Some(sent.row()));
    let registry = copy.registry(&ApplicationRef::Key(lane.application)).await;
    let registry = registry.expect("reads go on").expect("it is live");
    assert_eq!(
        registry.endpoint(lane.endpoint).cloned(),
        world.endpoint_row(lane).await
    );
    let claimed = copy.claim(lane, Timestamp::MAX, 10).await;
    assert_eq!(claimed.expect("reads go on").len(), 1);
    assert_eq!(setting(&*copy, "check").await.as_deref(), Some(&b"one"[..]));
    world.harness.close(copy).await;

    assert_eq!(
        world.messages_of(lane.application).await,
        [later.id, sent.id]
    );
}

pub(super) async fn a_backup_made_under_load_is_consistent(world: &World) {
    let lane = world.lane().await;
    world.messages(lane.application, 50).await;
    let directory = world.harness.empty_directory();
    let (store, into) = (world.store(), directory.clone());
    let copying = tokio::spawn(async move { store.backup(&into).await });
    while !copying.is_finished() {
        world.message(lane.application).await;
    }
    let made = copying.await.expect("no panic");
    made.expect("the directory is empty");

    let (clock, entropy) = (world.clock.clone(), world.entropy.clone());
    let copy = world.harness.open_backup(&directory, clock, entropy).await;
    let copied = ids(&copy, lane.application).await;
    let all = world.messages_of(lane.application).await;
    assert!(copied.len() >= 50 && all.ends_with(&copied), "without gaps");
    let claimed = copy
        .claim(lane, Timestamp::MAX, usize::from(u16::MAX))
        .await;
    assert_eq!(claimed.expect("reads go on").len(), copied.len());
    world.harness.close(copy).await;
}

pub(super) async fn a_backup_into_a_directory_with_something_in_it_is_refused(world: &World) {
    world.lane().await;
    let directory = world.harness.empty_directory();
    let first = world.store().backup(&directory).await;
    first.expect("the directory is empty");
    let second = world.store().backup(&directory).await;
    assert!(second.is_err(), "it holds a backup");
    let (clock, entropy) = (world.clock.clone(), world.entropy.clone());
    let copy = world.harness.open_backup(&directory, clock, entropy).await;
    world.harness.close(copy).await;
}

async fn setting(store: &dyn Store, key: &str) -> Option<Vec<u8>> {
    store.setting(key).await.expect("reads go on")
}

/// The newest first.
async fn ids(store: &Arc<dyn Store>, application: ApplicationKey) -> Vec<MessageId> {
    let query = message_query(application);
    let rows = super::reading::pages(query.window, async |window| {
        let query = crate::query::MessageQuery {
            window,
            ..query.clone()
        };
        store.messages(&query).await.expect("reads go on")
    });
    rows.await.iter().map(|row| row.message.id).collect()
}
