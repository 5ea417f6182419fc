//! A store that other nodes write to, which tell nobody here: what they leave for anybody, and what
//! they change.

use crate::network::{Reaction, answer};
use crate::world::{Node, Plan, World};
use engine::{EngineConfig, Happening, SURVEY_SHARED_EVERY};
use model::Clock;
use model::attempt::AttemptResult;
use model::delivery::EndReason;
use model::endpoint::Endpoint;
use model::id::{DeliveryKey, EndpointKey};
use std::num::NonZeroU16;
use std::sync::Arc;
use std::time::Duration;
use store::change::Change;
use store::lanes::LetGo;
use store::rows::EndpointRow;
use store::{Fresh, Hold, Lane, Lanes, Store};

fn shared() -> EngineConfig {
    EngineConfig {
        shared: true,
        ..EngineConfig::default()
    }
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// Changes an endpoint as on another node: nobody hears of it.
async fn set_elsewhere(world: &World, lane: Lane, set: impl Fn(&mut Endpoint)) {
    let mut row = world.endpoint_row(lane).await;
    set(&mut row.endpoint);
    let EndpointRow {
        endpoint,
        sealed,
        revision,
        ..
    } = row;
    let change = Change::ReplaceEndpoint {
        endpoint,
        sealed,
        revision,
    };
    world.change(change).await;
}

/// How often all lanes are looked through in this time.
async fn surveys_within(node: &mut Node, time: Duration) -> usize {
    let mut count = 0;
    let counting = async {
        loop {
            node.until(|happening| happening == Happening::Surveyed)
                .await;
            count += 1;
        }
    };
    let _ = tokio::time::timeout(time, counting).await;
    count
}

#[tokio::test(start_paused = true)]
async fn what_another_node_left_is_found_within_a_second() {
    let world = World::new();
    let lane = world.lane("https://a.example/").await;
    world.network.host("a.example", |_| answer(200));
    let mut node = world.start(shared()).await;
    for _ in 0..3 {
        tokio::time::sleep(Duration::from_millis(700)).await;
        let left_at = world.clock.now();
        world.accept(None, &[lane], |_| {}).await;
        node.until_recorded_of(lane, 1).await;
        let waited = world.clock.now().since(left_at);
        assert!(waited <= SURVEY_SHARED_EVERY, "{waited:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_store_of_ones_own_is_looked_through_seldom() {
    let world = World::new();
    let mut alone = world.start(EngineConfig::default()).await;
    assert_eq!(surveys_within(&mut alone, seconds(29)).await, 0);
    alone.end().await;
    let mut one_of_many = world.start(shared()).await;
    let surveys = surveys_within(&mut one_of_many, seconds(29)).await;
    assert!((28..=30).contains(&surveys), "{surveys}");
}

#[tokio::test(start_paused = true)]
async fn background_work_that_another_node_left_is_done_within_a_second() {
    let world = World::new();
    let lane = world.lane("https://a.example/").await;
    let later = world.clock.now().plus(seconds(3_600));
    world
        .accept(None, &[lane], |message| message.deliver_at = Some(later))
        .await;
    let mut node = world.start(shared()).await;
    node.until(|happening| happening == Happening::WorkDone)
        .await;
    world
        .change(Change::DeleteEndpoint(lane.application, lane.endpoint))
        .await;
    let left_at = world.clock.now();
    node.until(|happening| happening == Happening::WorkDone)
        .await;
    assert!(world.clock.now().since(left_at) <= SURVEY_SHARED_EVERY);
    let ended = AttemptResult::Cancelled(EndReason::EndpointDeleted);
    assert_eq!(world.results(lane).await, [ended]);
}

#[tokio::test(start_paused = true)]
async fn what_finds_no_room_on_one_node_goes_out_from_another() {
    let world = World::new();
    let lane = world.lane("https://slow.example/").await;
    world
        .network
        .host("slow.example", |_| Reaction::Answer(200, seconds(10)));
    let full = world.start(shared()).await;
    let mut other = world.start(shared()).await;
    for _ in 0..30 {
        world.send(&full, &[lane]).await;
    }
    tokio::time::sleep(seconds(2)).await;
    let started = |node: &Node| node.engine.counters().started;
    assert_eq!((started(&full), started(&other)), (4, 4));
    other.until_recorded_of(lane, 4).await;
}

#[tokio::test(start_paused = true)]
async fn a_rate_limit_that_was_set_on_another_node_holds() {
    let world = World::new();
    let lane = world.lane("https://a.example/").await;
    world.network.host("a.example", |_| answer(200));
    let mut node = world.start(shared()).await;
    let send_for = async |seconds: u64| {
        let before = world.network.sent().len();
        for _ in 0..seconds * 10 {
            world.send(&node, &[lane]).await;
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        world.network.sent().len() - before
    };
    assert_eq!(send_for(3).await, 30);
    let limit = NonZeroU16::new(2);
    set_elsewhere(&world, lane, |endpoint| endpoint.rate_limit = limit).await;
    send_for(3).await;
    let sent = send_for(10).await;
    assert!((18..=22).contains(&sent), "{sent} in 10 s");

    set_elsewhere(&world, lane, |endpoint| endpoint.rate_limit = None).await;
    let lifted_at = world.clock.now();
    while world.network.sent().len() < 160 {
        node.until_recorded(1).await;
    }
    assert!(world.clock.now().since(lifted_at) < seconds(5));
}

/// A resend can still open one: it is ended rather than tried again and again.
#[tokio::test(start_paused = true)]
async fn what_is_opened_for_an_endpoint_that_was_disabled_on_another_node_is_ended() {
    let world = World::new();
    let lane = world.lane("https://a.example/").await;
    world.network.host("a.example", |_| answer(200));
    let mut node = world.start(shared()).await;
    let id = world.send(&node, &[lane]).await;
    node.until_recorded(1).await;
    set_elsewhere(&world, lane, |endpoint| endpoint.disabled = true).await;
    tokio::time::sleep(seconds(3)).await;
    world.resend(&node, lane, id.key()).await;
    node.until_recorded(1).await;
    let ended = AttemptResult::Cancelled(EndReason::EndpointDisabled);
    assert_eq!(world.results(lane).await, [AttemptResult::Success, ended]);
    assert_eq!(world.network.sent().len(), 1);
    assert_eq!(world.open_lanes().await, []);
}

/// Its health is what the store says, not what this node saw of it days ago.
#[tokio::test(start_paused = true)]
async fn an_endpoint_that_has_worked_elsewhere_since_is_not_disabled() {
    let world = World::new();
    let application = world.application(None).await;
    let lane = world
        .endpoint(application, Plan::new("https://a.example/"))
        .await;
    world.network.host("a.example", |count| {
        answer(if count == 1 { 200 } else { 400 })
    });
    let config = EngineConfig {
        disable_after: seconds(3_600),
        retry_schedule: model::retry::RetrySchedule::new(Vec::new()).expect("a schedule"),
        ..shared()
    };
    let mut here = world.start(config.clone()).await;
    world.send(&here, &[lane]).await;
    here.until_recorded_of(lane, 1).await;
    assert!(world.endpoint_row(lane).await.failing_since.is_some());

    let mut there = world.start(config).await;
    tokio::time::sleep(seconds(5)).await;
    world.send(&there, &[lane]).await;
    there.until_recorded_of(lane, 1).await;
    assert_eq!(world.endpoint_row(lane).await.failing_since, None);

    tokio::time::sleep(seconds(7_200)).await;
    world.send(&here, &[lane]).await;
    here.until_recorded_of(lane, 1).await;
    let row = world.endpoint_row(lane).await;
    assert!(!row.endpoint.disabled);
    let since = row.failing_since.expect("it fails again");
    assert!(world.clock.now().since(since) < seconds(60));
}

/// A lease that has ended.
struct Ended;

impl LetGo for Ended {
    fn let_go(&self, _: EndpointKey, _: DeliveryKey) {}

    fn has_ended(&self) -> bool {
        true
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_held_under_a_lease_that_has_ended_is_claimed_anew_before_it_is_sent() {
    let world = World::new();
    let lane = world.lane("https://a.example/").await;
    let mut node = world.start(shared()).await;
    world.accept(None, &[lane], |_| {}).await;
    let claimed = world.store.claim(lane, world.clock.now(), 1).await;
    let mut claimed = claimed.expect("it can be read").remove(0);
    let delivery = claimed.delivery.key;
    claimed.hold = Hold::new(Arc::new(Ended), lane.endpoint, delivery);
    let place = node.engine.grant(lane, false).expect("there is room");
    let fresh = Fresh {
        payload: b"{}"[..].into(),
        revision: world.row(lane).await.application.revision,
    };
    node.engine.hand_over(claimed, fresh, place);
    let let_go = Happening::LetGo(lane.endpoint, delivery);
    let told = node.until(|happening| happening == let_go);
    let told = tokio::time::timeout(seconds(60), told).await;
    told.expect("it is let go of");
    node.until_recorded(1).await;
    assert_eq!(world.results(lane).await, [AttemptResult::Success]);
    assert_eq!(world.network.sent().len(), 1);
}
