//! Claiming: what is due goes to one holder at a time, in its order.

use super::drafts::{Ending, SECOND, name};
use super::world::World;
use crate::rows::{CLAIM_BYTES_MAX, Claimed, LaneDue};
use crate::{Lane, Scope, Store};
use model::delivery::Trigger;
use model::id::{DeliveryKey, EndpointKey, MessageKey};
use model::message::PayloadForm;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;

pub(super) async fn a_claim_brings_all_that_an_attempt_needs(world: &World) {
    let lane = world.lane().await;
    let mut draft = world.draft(lane.application).await;
    draft.message.event_id = Some(name("order-1"));
    draft.message.form = PayloadForm::Raw { content_type: None };
    let sent = world.send(draft).await;
    let claimed = world.claim_one(lane).await;
    assert_eq!(claimed.delivery, sent.delivery(0));
    assert_eq!(claimed.message, sent.row());
}

pub(super) async fn an_owned_delivery_is_not_claimed_until_its_hold_drops(world: &World) {
    let lane = world.lane().await;
    let handed_over = world.handed_over(lane).await;
    let delivery = handed_over.delivery.clone();
    assert_eq!(keys(&world.claim(lane, 10).await), []);
    drop(handed_over);
    assert_eq!(keys(&world.claim(lane, 10).await), [delivery.key]);
}

pub(super) async fn a_claimed_delivery_is_not_claimed_again_until_its_hold_drops(world: &World) {
    let lane = world.lane().await;
    world.messages(lane.application, 3).await;
    let first = world.claim(lane, 2).await;
    let second = world.claim(lane, 2).await;
    assert_eq!((first.len(), second.len()), (2, 1));
    assert_eq!(keys(&world.claim(lane, 2).await), []);

    let dropped = keys(&first);
    drop(first);
    assert_eq!(keys(&world.claim(lane, 3).await), dropped);
}

pub(super) async fn reopening_lets_go_of_everything(world: &mut World) {
    let lane = world.lane().await;
    let handed_over = world.handed_over(lane).await;
    world.message(lane.application).await;
    let claimed = world.claim_one(lane).await;
    world.reopen().await;
    let expected = [handed_over.delivery.key, claimed.delivery.key];
    assert_eq!(keys(&world.claim(lane, 10).await), expected);
}

pub(super) async fn a_hold_from_before_reopening_lets_go_of_nothing(world: &mut World) {
    let lane = world.lane().await;
    world.message(lane.application).await;
    let before = world.claim_one(lane).await;
    world.reopen().await;
    let _after = world.claim_one(lane).await;
    drop(before);
    assert_eq!(keys(&world.claim(lane, 10).await), []);
}

pub(super) async fn what_is_not_due_is_not_claimed(world: &World) {
    let lane = world.lane().await;
    let due = world.now().plus(Duration::from_millis(1_500));
    let mut draft = world.draft(lane.application).await;
    draft.deliveries[0].due = due;
    world.send(draft).await;

    let before = due.minus(Duration::from_micros(1));
    for (due_by, expected) in [(world.now(), 0), (before, 0), (due, 1)] {
        let claimed = world.store().claim(lane, due_by, 10).await;
        assert_eq!(claimed.expect("reads go on").len(), expected, "{due_by:?}");
    }
}

pub(super) async fn a_claim_stops_after_the_most_payload_it_reads(world: &World) {
    let sizes = [CLAIM_BYTES_MAX + 1, 1 << 20, 1 << 20, 1 << 20];
    let lane = world.lane().await;
    let sent = world.messages_with(lane.application, sizes.len(), |index, draft| {
        draft.message.payload = vec![b'x'; sizes[index]].into();
    });
    sent.await;
    let mut held = Vec::new();
    for expected in [1, 2, 1, 0] {
        let claimed = world.claim(lane, 10).await;
        assert_eq!(claimed.len(), expected);
        held.extend(claimed);
    }
}

pub(super) async fn live_goes_before_replayed_and_the_earliest_due_first(world: &World) {
    let lane = world.lane().await;
    let mut sent = Vec::new();
    for seconds in [3, 1, 1, 2] {
        let mut draft = world.draft(lane.application).await;
        draft.deliveries[0].due = world.now().plus(seconds * SECOND);
        sent.push(world.send(draft).await.key());
    }
    world.resend(lane, sent[2], Trigger::Replay).await;
    world.resend(lane, sent[0], Trigger::Manual).await;
    world.clock.advance(10 * SECOND);
    world.resend(lane, sent[3], Trigger::Replay).await;

    let (scheduled, manual, replay) = (Trigger::Scheduled, Trigger::Manual, Trigger::Replay);
    let expected = [
        (sent[0], manual),
        (sent[1], scheduled),
        (sent[2], scheduled),
        (sent[3], scheduled),
        (sent[0], scheduled),
        (sent[2], replay),
        (sent[3], replay),
    ];
    let mut held = Vec::new();
    for limit in [2, 1, 3, 5] {
        held.extend(world.claim(lane, limit).await);
    }
    let order: Vec<(MessageKey, Trigger)> = held
        .iter()
        .map(|one| (one.delivery.message, one.delivery.trigger))
        .collect();
    assert_eq!(order, expected);
}

pub(super) async fn a_claim_takes_at_most_its_limit(world: &World) {
    let lane = world.lane().await;
    world.messages(lane.application, 5).await;
    for (limit, expected) in [(0, 0), (1, 1), (4, 4), (100, 5)] {
        assert_eq!(world.claim(lane, limit).await.len(), expected);
    }
}

pub(super) async fn a_claim_takes_from_its_own_lane(world: &World) {
    let lane = world.lane().await;
    let neighbour = world.lane_in(lane.application).await;
    let stranger = world.lane().await;
    world.message(lane.application).await;
    world.message(stranger.application).await;
    for lane in [lane, neighbour, stranger] {
        let claimed = world.claim_one(lane).await;
        assert_eq!(claimed.delivery.endpoint, lane.endpoint);
        assert_eq!(claimed.delivery.application, lane.application);
    }
}

pub(super) async fn lanes_show_the_earliest_that_nobody_holds(world: &World) {
    let quiet = world.lane().await;
    let (first, second) = (world.lane().await, world.lane().await);
    for (lane, seconds) in [(first, 7), (first, 5), (second, 9)] {
        let mut draft = world.draft(lane.application).await;
        draft.deliveries[0].due = world.now().plus(seconds * SECOND);
        world.send(draft).await;
    }
    assert_eq!(world.claim(quiet, 1).await.len(), 0);
    let due = |lane: Lane, seconds: u32| LaneDue {
        endpoint: lane.endpoint,
        application: lane.application,
        due: world.now().plus(seconds * SECOND),
    };
    let all = [due(first, 5), due(second, 9)];
    assert_eq!(world.waiting(100).await, all);

    let in_time = world.store().claim(first, all[0].due, 1).await;
    assert_eq!(world.waiting(1).await, [due(first, 7), due(second, 9)]);
    drop(in_time);
    assert_eq!(world.waiting(1).await, all);
}

pub(super) async fn whoever_has_the_sole_right_gets_it_again(world: &mut World) {
    let lane = world.lane().await;
    world.message(lane.application).await;
    let scopes = [
        Scope::Endpoint(lane.endpoint),
        Scope::Application(lane.application),
        Scope::Endpoint(lane.endpoint),
    ];
    for _ in 0..3 {
        let rights = world.store().own(&scopes).await;
        let again = world.store().own(&scopes[1..]).await;
        let rights = [rights, again].map(|given| given.expect("the store is open"));
        assert_eq!(rights.each_ref().map(Vec::len), [3, 2]);
        assert!(rights.iter().flatten().all(Option::is_some));
        assert!(matches!(world.store().own(&[]).await.as_deref(), Ok([])));
        let told = world.store().lanes(EndpointKey::MIN, 10).await;
        assert_eq!(
            told.expect("reads go on").len(),
            1,
            "its own lane is told of"
        );
        world.reopen().await;
    }
}

pub(super) async fn what_is_released_can_be_claimed_and_what_is_held_stays_held(world: &World) {
    let lane = world.lane().await;
    world.messages(lane.application, 3).await;
    let mut claimed = world.claim(lane, 3).await;
    let held = claimed.pop().expect("all three");
    let dropped = keys(&claimed);
    drop(claimed);
    let released = world.store().release(lane).await;
    released.expect("the store is open");
    assert_eq!(keys(&world.claim(lane, 3).await), dropped);
    drop(held);
}

pub(super) async fn a_lane_shows_the_earliest_of_all_classes(world: &World) {
    let lane = world.lane().await;
    let mut draft = world.draft(lane.application).await;
    draft.deliveries[0].due = world.now().plus(5 * SECOND);
    let message = world.send(draft).await.key();
    assert_eq!(world.waiting(10).await[0].due, world.now().plus(5 * SECOND));
    world.resend(lane, message, Trigger::Replay).await;
    assert_eq!(world.waiting(10).await[0].due, world.now());
}

pub(super) async fn a_lane_whose_deliveries_are_all_held_is_not_shown(world: &World) {
    let lane = world.lane().await;
    let handed_over = world.handed_over(lane).await;
    assert_eq!(world.waiting(10).await, []);
    drop(handed_over);
    assert_eq!(world.waiting(10).await.len(), 1);
    let claimed = world.claim_one(lane).await;
    world.end(claimed, Ending::Success).await;
    assert_eq!(world.waiting(10).await, []);
}

pub(super) async fn lanes_are_walked_by_ascending_endpoint(world: &World) {
    let application = world.application().await.application.id.key();
    let mut endpoints: Vec<EndpointKey> = Vec::new();
    for _ in 0..7 {
        endpoints.push(world.lane_in(application).await.endpoint);
    }
    world.message(application).await;
    for limit in [1, 2, 3, 7, 10] {
        let waiting = world.waiting(limit).await;
        let found: Vec<EndpointKey> = waiting.iter().map(|lane| lane.endpoint).collect();
        assert_eq!(found, endpoints, "limit {limit}");
    }
}

/// Every delivery is tried five times, always due at once, while claims and outcomes of all lanes
/// race each other. That a pair of delivery and number of attempts is claimed once means that
/// nobody had it while somebody else did.
pub(super) async fn nothing_is_handed_out_twice_at_once(world: &World) {
    const DELIVERIES: usize = 25;
    const TRIES: u16 = 5;
    let mut sending = JoinSet::new();
    for _ in 0..4 {
        let lane = world.lane().await;
        world.messages(lane.application, DELIVERIES).await;
        sending.spawn(send_all(lane, Sender::of(world), DELIVERIES, TRIES));
    }
    sending.join_all().await;
    assert_eq!(world.waiting(10).await, []);
}

/// What a sender that races others needs of the world.
struct Sender {
    store: Arc<dyn Store>,
    entropy: Arc<super::TestEntropy>,
    now: model::Timestamp,
}

impl Sender {
    fn of(world: &World) -> Self {
        Self {
            store: world.store(),
            entropy: world.entropy.clone(),
            now: world.now(),
        }
    }
}

async fn send_all(lane: Lane, sender: Sender, deliveries: usize, tries: u16) {
    let mut claimed_once = BTreeSet::new();
    let mut recording = JoinSet::new();
    while claimed_once.len() < deliveries * usize::from(tries) {
        let claimed = sender.store.claim(lane, sender.now, 7).await;
        let claimed = claimed.expect("reads go on");
        if claimed.is_empty() {
            let recorded = recording.join_next().await;
            recorded
                .expect("what is not claimed is being recorded")
                .expect("no panic");
        }
        for one in claimed {
            let turn = (one.delivery.key, one.delivery.attempts);
            assert!(claimed_once.insert(turn), "handed out twice: {turn:?}");
            let ending = if one.delivery.attempts + 1 < tries {
                Ending::Retry(sender.now)
            } else {
                Ending::GivenUp
            };
            let tail = model::entropy::random(&*sender.entropy);
            let outcome = super::drafts::outcome(one, ending, tail, sender.now);
            let store = sender.store.clone();
            recording.spawn(async move {
                let recorded = store.record(outcome).await.expect("it can write");
                assert!(!recorded.stale, "nobody else had it");
            });
        }
    }
    recording.join_all().await;
}

fn keys(claimed: &[Claimed]) -> Vec<DeliveryKey> {
    claimed.iter().map(|one| one.delivery.key).collect()
}
