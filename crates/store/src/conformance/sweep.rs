//! Sweeping: payloads go at their expiry, attempts and messages by age, in slices, and nothing that
//! is open points at what is gone.

use super::drafts::{DAY, Ending, HOUR, SECOND, name, sealed};
use super::reading::message_query;
use super::world::World;
use crate::query::MessageQuery;
use crate::rows::{Payload, Standing};
use crate::work::{SweepLimits, Swept};
use crate::{MessageRef, Store};
use model::attempt::AttemptResult;
use model::delivery::{EndReason, Trigger};
use model::id::MessageId;
use std::collections::BTreeSet;
use std::sync::Arc;

const ENDED: AttemptResult = AttemptResult::Cancelled(EndReason::PayloadGone);

/// Limits at which nothing goes by age.
pub(super) fn payloads_only(world: &World) -> SweepLimits {
    SweepLimits {
        keep_since: world.now().minus(1_000 * DAY),
        rows_max: 100,
    }
}

pub(super) async fn a_payload_goes_at_its_expiry_and_not_before(world: &mut World) {
    let lane = world.lane().await;
    let mut draft = world.draft(lane.application).await;
    draft.message.expires_at = world.now().plus(5 * DAY);
    draft.deliveries[0].owned = true;
    let sent = world.send(draft).await;
    let (id, row) = (sent.id, sent.row());
    let later = world.message(lane.application).await;
    let claimed = sent.handed_over().remove(0);
    world.end(claimed, Ending::Success).await;

    world.clock.advance(5 * DAY - SECOND);
    assert_eq!(world.sweep(payloads_only(world)).await, Swept::default());
    assert_eq!(
        world.message_row(lane.application, id).await,
        Some(row.clone())
    );

    world.clock.advance(SECOND);
    let expected = Swept {
        payloads: 1,
        ..Swept::default()
    };
    assert_eq!(world.sweep(payloads_only(world)).await, expected);
    assert_eq!(world.sweep(payloads_only(world)).await, Swept::default());

    let mut gone = row;
    gone.payload = Payload::Gone;
    for _ in 0..2 {
        let query = MessageQuery {
            with_payload: true,
            ..message_query(lane.application)
        };
        let walk = world.message_walk(&query).await;
        assert_eq!(walk.rows, [later.row(), gone.clone()]);
        let found = world.message_row(lane.application, id).await;
        assert_eq!(found, Some(gone.clone()));
        assert_eq!(world.results(lane).await, [AttemptResult::Success]);
        world.reopen().await;
    }
}

pub(super) async fn open_deliveries_of_an_expired_payload_are_ended(world: &World) {
    let lane = world.lane().await;
    let neighbour = world.lane_in(lane.application).await;
    let mut draft = world.draft(lane.application).await;
    draft.message.expires_at = world.now().plus(5 * DAY);
    let sent = world.send(draft).await;
    let claimed = world.claim_one(lane).await;
    world
        .end(claimed, Ending::Retry(world.now().plus(6 * DAY)))
        .await;
    world.resend(lane, sent.key(), Trigger::Manual).await;
    world.clock.advance(5 * DAY);
    let later = world.message(lane.application).await;

    let swept = world.sweep(payloads_only(world)).await;
    assert_eq!((swept.payloads, swept.ended), (1, 3));
    assert_eq!(
        world.results(lane).await,
        [AttemptResult::Failure, ENDED, ENDED]
    );
    assert_eq!(world.results(neighbour).await, [ENDED]);
    assert_eq!(world.statistics(lane).await.cancelled, 2);
    for (lane, index) in [(lane, 0), (neighbour, 1)] {
        assert_eq!(world.open_deliveries(lane).await, [later.delivery(index)]);
        let (standing, next_attempt) = world.standings(lane).await[1];
        assert_eq!((standing, next_attempt), (Standing::Cancelled, None));
    }
}

pub(super) async fn a_message_without_payload_is_not_sent_again(world: &World) {
    let lane = world.lane().await;
    let claimed = world.handed_over(lane).await;
    let message = claimed.message.message.clone();
    world.end(claimed, Ending::Success).await;
    world.clock.set(message.expires_at);
    world.sweep(payloads_only(world)).await;
    let change = super::drafts::open_delivery(lane, message.id.key(), Trigger::Manual);
    let refused = world.try_change(change).await;
    let is_missing = matches!(refused, Err(crate::change::ChangeError::Missing));
    assert!(is_missing, "{refused:?}");
    assert_eq!(world.open_deliveries(lane).await, []);
}

pub(super) async fn attempts_and_messages_go_by_age(world: &mut World) {
    let lane = world.lane().await;
    let old = finished(world, lane).await;
    world.clock.advance(DAY);
    let keep_since = world.now();
    let young = finished(world, lane).await;
    world.clock.advance(DAY);

    let limits = SweepLimits {
        keep_since,
        rows_max: 100,
    };
    let swept = world.sweep(limits).await;
    assert_eq!((swept.attempts, swept.messages, swept.ended), (1, 1, 0));
    assert_eq!(world.sweep(limits).await, Swept::default());
    world.reopen().await;
    assert_eq!(world.messages_of(lane.application).await, [young]);
    assert_eq!(world.message_row(lane.application, old).await, None);
    assert_eq!(world.attempts_of(lane.application, old.key()).await, []);
    let left = world.attempts_to(lane).await;
    assert_eq!(left.len(), 1);
    assert_eq!(left[0].attempt.message, young);
    assert_eq!(left[0].excerpt, None, "it was not asked for");
}

pub(super) async fn an_event_id_is_free_when_its_message_is_gone(world: &World) {
    let application = world.application().await.application.id.key();
    let event_id = || Some(name("order-1"));
    let mut draft = world.draft(application).await;
    draft.message.event_id = event_id();
    world.send(draft).await;
    world.clock.advance(HOUR);
    let limits = SweepLimits {
        keep_since: world.now(),
        rows_max: 100,
    };
    world.sweep(limits).await;

    let mut draft = world.draft(application).await;
    draft.message.event_id = event_id();
    let again = world.send(draft).await;
    let reference = MessageRef::EventId(name("order-1"));
    let found = world.store().message(application, &reference).await;
    assert_eq!(found.expect("reads go on"), Some(again.row()));
}

pub(super) async fn a_sweep_removes_messages_in_slices(world: &mut World) {
    let nobody = world.application().await.application.id.key();
    let lane = world.lane().await;
    for wanted in [false, true] {
        for _ in 0..7 {
            if wanted {
                finished(world, lane).await;
            } else {
                world.message(nobody).await;
            }
        }
        world.clock.advance(2 * DAY);
        let slices = sweep_in_slices(world, 3).await;
        assert_eq!(slices.iter().sum::<usize>(), 7);
        assert!(slices.len() >= 3, "{slices:?}");
        assert_eq!(world.messages_of(nobody).await, []);
        assert_eq!(world.messages_of(lane.application).await, []);
        assert_eq!(world.attempts_to(lane).await, []);
    }
}

/// Removes what is older than a day; how many messages each slice removed.
async fn sweep_in_slices(world: &mut World, rows_max: usize) -> Vec<usize> {
    let limits = SweepLimits {
        keep_since: world.now().minus(DAY),
        rows_max,
    };
    let mut slices = Vec::new();
    loop {
        let swept = world.store().sweep(limits).await.expect("it can write");
        assert!(swept.messages <= rows_max, "a slice keeps to its limit");
        slices.push(swept.messages);
        if !swept.more {
            return slices;
        }
        world.reopen().await;
    }
}

pub(super) async fn nothing_open_points_at_what_a_sweep_removed(world: &mut World) {
    // Before their payloads expire, and after.
    for days in [2, 100] {
        let lane = world.lane().await;
        world.messages(lane.application, 3).await;
        let retried = world.claim(lane, 1).await.remove(0);
        let retry_at = world.now().plus(200 * DAY);
        world.end(retried, Ending::Retry(retry_at)).await;
        world.clock.advance(days * DAY);
        sweep_in_slices(world, 2).await;
        assert_eq!(world.messages_of(lane.application).await, []);
        assert_eq!(world.open_deliveries(lane).await, []);
        assert_eq!(world.waiting(10).await, []);
        let counted = world.statistics(lane).await;
        assert_eq!((counted.pending, counted.retrying), (0, 0));
    }
}

pub(super) async fn a_sweep_races_with_what_is_sent(world: &World) {
    let lane = world.lane().await;
    for _ in 0..20 {
        finished(world, lane).await;
    }
    world.clock.advance(100 * DAY);
    let limits = SweepLimits {
        keep_since: world.now().minus(DAY),
        rows_max: 2,
    };
    let sweeping = tokio::spawn(sweep_up(world.store(), limits));
    let mut young = BTreeSet::new();
    for _ in 0..20 {
        young.insert(finished(world, lane).await);
    }
    sweeping.await.expect("no panic");
    // What was in use just then goes with the next.
    sweep_up(world.store(), limits).await;
    let left: BTreeSet<MessageId> = world
        .messages_of(lane.application)
        .await
        .into_iter()
        .collect();
    assert_eq!(left, young);
    assert_eq!(world.attempts_to(lane).await.len(), 20);
}

/// Sweeps until nothing is left that could be swept just now.
async fn sweep_up(store: Arc<dyn Store>, limits: SweepLimits) {
    while store.sweep(limits).await.expect("it can write").more {}
}

/// A message that was sent with success, and answered.
async fn finished(world: &World, lane: crate::Lane) -> MessageId {
    let claimed = world.handed_over(lane).await;
    let id = claimed.message.message.id;
    let mut outcome = world.outcome(claimed, Ending::Success);
    outcome.attempt.excerpt = Some(sealed("thanks"));
    world.record(outcome).await;
    id
}
