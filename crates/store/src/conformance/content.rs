//! Expunging: payloads and excerpts that go before their time, and what is open of them.

use super::drafts::{self, Ending, sealed};
use super::world::World;
use crate::Lane;
use crate::change::{Change, ChangeError, Changed};
use crate::rows::{Payload, Standing};
use crate::work::Work;
use model::attempt::AttemptResult;
use model::delivery::{EndReason, Trigger};
use model::id::{ApplicationKey, AttemptId, EndpointKey, MessageId, MessageKey};

const ENDED: AttemptResult = AttemptResult::Cancelled(EndReason::Expunged);

/// How many open deliveries were ended.
pub(super) async fn expunge(
    world: &World,
    application: ApplicationKey,
    messages: &[MessageKey],
) -> usize {
    let messages = messages.to_vec();
    let change = Change::ExpungePayloads {
        application,
        messages,
    };
    match world.change(change).await {
        Changed::Expunged(ended) => ended,
        other => panic!("expunged payloads, was told of {other:?}"),
    }
}

async fn payload(world: &World, application: ApplicationKey, id: MessageId) -> Payload {
    let row = world.message_row(application, id).await;
    row.expect("the message stays").payload
}

pub(super) async fn an_expunged_payload_is_gone_and_its_message_stays(world: &mut World) {
    let application = world.application().await.application.id.key();
    let sent = world.messages(application, 3).await;
    let keys = [sent[0].key(), sent[2].key()];
    assert_eq!(expunge(world, application, &keys).await, 0);

    world.reopen().await;
    assert_eq!(payload(world, application, sent[0].id).await, Payload::Gone);
    assert_eq!(payload(world, application, sent[2].id).await, Payload::Gone);
    let row = world.message_row(application, sent[1].id).await;
    assert_eq!(row, Some(sent[1].row()));
    assert_eq!(world.messages_of(application).await.len(), 3);
}

pub(super) async fn expunging_again_or_what_is_not_there_changes_nothing(world: &World) {
    let lane = world.lane().await;
    let stranger = world.lane().await;
    let sent = world.message(lane.application).await;
    for key in [sent.key(), MessageKey::from_integer(1)] {
        assert_eq!(expunge(world, stranger.application, &[key]).await, 0);
    }
    let row = world.message_row(lane.application, sent.id).await;
    assert_eq!(row, Some(sent.row()), "it is another application's");
    assert_eq!(expunge(world, lane.application, &[sent.key()]).await, 1);
    assert_eq!(expunge(world, lane.application, &[sent.key()]).await, 0);
    assert_eq!(expunge(world, lane.application, &[]).await, 0);
    assert_eq!(world.results(lane).await, [ENDED]);

    let application = lane.application;
    world.change(Change::DeleteApplication(application)).await;
    let change = Change::ExpungePayloads {
        application,
        messages: vec![sent.key()],
    };
    let refused = world.try_change(change).await;
    assert!(matches!(refused, Err(ChangeError::Missing)), "{refused:?}");
}

pub(super) async fn expunging_ends_what_is_open_whoever_holds_it(world: &mut World) {
    let lane = world.lane().await;
    let neighbour = world.lane_in(lane.application).await;
    let sent = world.messages(lane.application, 2).await;
    let held = world.claim(lane, 10).await;
    let retried = world.claim(neighbour, 1).await.remove(0);
    let later = world.now().plus(drafts::DAY);
    world.end(retried, Ending::Retry(later)).await;
    let keys: Vec<_> = sent.iter().map(|one| one.key()).collect();
    assert_eq!(expunge(world, lane.application, &keys).await, 4);
    drop(held);

    world.reopen().await;
    assert_eq!(world.open_deliveries(lane).await, []);
    assert_eq!(world.open_deliveries(neighbour).await, []);
    assert_eq!(world.results(lane).await, [ENDED; 2]);
    let expected = [AttemptResult::Failure, ENDED, ENDED];
    assert_eq!(world.results(neighbour).await, expected);
    let counted = world.statistics(neighbour).await;
    assert_eq!((counted.pending, counted.retrying), (0, 0));
    assert_eq!(counted.cancelled, 2);
    let expected = [(Standing::Cancelled, None); 2];
    assert_eq!(world.standings(lane).await, expected);
}

pub(super) async fn an_attempt_under_way_while_its_payload_is_expunged_is_kept(world: &World) {
    let lane = world.lane().await;
    let claimed = world.handed_over(lane).await;
    let message = claimed.message.message.id.key();
    assert_eq!(expunge(world, lane.application, &[message]).await, 1);
    let recorded = world.end(claimed, Ending::Retry(world.now())).await;
    assert!(recorded.stale);
    assert_eq!(world.results(lane).await, [ENDED, AttemptResult::Failure]);
    assert_eq!(world.open_deliveries(lane).await, []);
}

pub(super) async fn a_revision_grows_only_where_something_open_was_ended(world: &World) {
    let lane = world.lane().await;
    let sent = world.messages(lane.application, 2).await;
    let delivered = world.claim(lane, 1).await.remove(0);
    let first = delivered.message.message.id.key();
    world.end(delivered, Ending::Success).await;
    let before = revision(world, lane).await;
    expunge(world, lane.application, &[first]).await;
    assert_eq!(revision(world, lane).await, before);
    expunge(world, lane.application, &[sent[1].key()]).await;
    assert_eq!(revision(world, lane).await, before + 1);
}

async fn revision(world: &World, lane: Lane) -> u64 {
    let registry = world.registry(lane.application).await;
    registry.expect("it is live").application.revision
}

pub(super) async fn nothing_is_opened_of_an_expunged_payload(world: &World) {
    let lane = world.lane().await;
    let failed = world.handed_over(lane).await;
    let message = failed.message.message.id.key();
    world.end(failed, Ending::GivenUp).await;
    expunge(world, lane.application, &[message]).await;

    let resend = drafts::open_delivery(lane, message, Trigger::Manual);
    let refused = world.try_change(resend).await;
    assert!(matches!(refused, Err(ChangeError::Missing)), "{refused:?}");
    let recover = Change::StartWork {
        tail: world.tail(),
        application: Some(lane.application),
        work: Work::Recover {
            endpoint: lane.endpoint,
            since: world.now().minus(drafts::DAY),
            until: world.now().plus(drafts::DAY),
        },
    };
    world.change(recover).await;
    world.finish_work().await;
    assert_eq!(world.open_deliveries(lane).await, []);

    let mut draft = world.draft(lane.application).await;
    draft.deliveries.clear();
    draft.fan_out_after = Some(EndpointKey::MIN);
    let fanned = world.send(draft).await;
    expunge(world, lane.application, &[fanned.key()]).await;
    world.finish_work().await;
    assert_eq!(world.open_deliveries(lane).await, []);
}

fn expunge_excerpt(lane: Lane, message: MessageKey, attempt: AttemptId) -> Change {
    Change::ExpungeExcerpt {
        application: lane.application,
        message,
        attempt,
    }
}

pub(super) async fn an_expunged_excerpt_is_empty_and_stays_so(world: &mut World) {
    let lane = world.lane().await;
    for answer in [Some(sealed("thanks")), None] {
        let claimed = world.handed_over(lane).await;
        let message = claimed.message.message.id.key();
        let mut outcome = world.outcome(claimed, Ending::Success);
        outcome.attempt.excerpt = answer;
        let id = world.record(outcome).await.attempt;
        for _ in 0..2 {
            let changed = world.change(expunge_excerpt(lane, message, id)).await;
            assert!(matches!(changed, Changed::Removed), "{changed:?}");
            world.reopen().await;
            let found = world.store().attempt(lane.application, message, id).await;
            let found = found.expect("reads go on").expect("the attempt stays");
            assert_eq!(found.excerpt, Some(sealed("")));
        }
    }
}

pub(super) async fn an_excerpt_is_expunged_only_by_its_whole_id_under_its_message(world: &World) {
    let lane = world.lane().await;
    let stranger = world.lane().await;
    let claimed = world.handed_over(lane).await;
    let message = claimed.message.message.id.key();
    let other = world.message(lane.application).await.key();
    let mut outcome = world.outcome(claimed, Ending::Success);
    outcome.attempt.excerpt = Some(sealed("thanks"));
    let id = world.record(outcome).await.attempt;
    let odd = AttemptId::new(id.key(), world.tail());
    for change in [
        expunge_excerpt(lane, message, odd),
        expunge_excerpt(lane, other, id),
        expunge_excerpt(stranger, message, id),
    ] {
        let refused = world.try_change(change).await;
        assert!(matches!(refused, Err(ChangeError::Missing)), "{refused:?}");
    }
    let found = world.store().attempt(lane.application, message, id).await;
    let found = found.expect("reads go on").expect("it is there");
    assert_eq!(found.excerpt, Some(sealed("thanks")));
}

pub(super) async fn a_delivery_is_open_until_it_is_ended_or_moves_on(world: &World) {
    let lane = world.lane().await;
    let claimed = world.handed_over(lane).await;
    let is_open = async |delivery: &_| world.store().is_open(delivery).await.expect("it reads");
    let first = claimed.delivery.clone();
    assert!(is_open(&first).await);
    world.end(claimed, Ending::Retry(world.now())).await;
    assert!(!is_open(&first).await, "an attempt was made of it");
    let second = world.claim_one(lane).await;
    assert!(is_open(&second.delivery).await);
    expunge(world, lane.application, &[first.message]).await;
    assert!(!is_open(&second.delivery).await);
}

pub(super) async fn a_lanes_first_due_time_is_that_of_its_earliest_open_delivery(world: &World) {
    let lane = world.lane().await;
    let first_due = async || {
        let found = world.store().first_due(lane.endpoint).await;
        found.expect("reads go on")
    };
    assert_eq!(first_due().await, None);
    let begun = world.now();
    let held = world.handed_over(lane).await;
    assert_eq!(first_due().await, Some(begun), "whoever holds it");
    let later = begun.plus(drafts::DAY);
    world.end(held, Ending::Retry(later)).await;
    assert_eq!(first_due().await, Some(later));
    world.clock.advance(drafts::HOUR);
    let message = world.messages_of(lane.application).await[0].key();
    world.resend(lane, message, Trigger::Replay).await;
    assert_eq!(first_due().await, Some(world.now()));
}
