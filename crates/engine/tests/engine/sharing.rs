//! One lane's trouble stays in that lane, and what there is is shared.

use crate::network::{Reaction, answer};
use crate::world::{Plan, World};
use engine::EngineConfig;
use model::Clock;
use std::time::Duration;

const MILLISECOND: Duration = Duration::from_millis(1);

fn small(slots: usize) -> EngineConfig {
    EngineConfig {
        slots,
        queue_max: 64,
        ..EngineConfig::default()
    }
}

#[tokio::test(start_paused = true)]
async fn a_slow_endpoint_does_not_delay_another() {
    let world = World::new();
    let slow = world.lane("https://slow.example/").await;
    let quick = world.lane("https://quick.example/").await;
    world.network.host("slow.example", |_| {
        Reaction::Answer(200, Duration::from_secs(20))
    });
    let mut node = world.start(EngineConfig::default()).await;
    for _ in 0..40 {
        world.send(&node, &[slow]).await;
    }
    let sent_at = world.clock.now();
    for _ in 0..20 {
        world.send(&node, &[quick]).await;
    }
    node.until_recorded_of(quick, 20).await;
    assert!(world.clock.now().since(sent_at) < 100 * MILLISECOND);
    node.until_recorded_of(slow, 40).await;
}

#[tokio::test(start_paused = true)]
async fn dead_endpoints_with_a_backlog_leave_slots_for_others() {
    let world = World::new();
    let application = world.application(None).await;
    let mut dead = Vec::new();
    for number in 0..20 {
        let url = format!("https://dead-{number}.example/");
        world
            .network
            .host(&format!("dead-{number}.example"), |_| Reaction::Hang);
        dead.push(world.endpoint(application, Plan::new(&url)).await);
    }
    for _ in 0..5 {
        world.accept(None, &dead, |_| {}).await;
    }
    let other = world.lane("https://quick.example/").await;
    let mut node = world.start(small(16)).await;
    for _ in 0..20 {
        let sent_at = world.clock.now();
        world.send(&node, &[other]).await;
        node.until_recorded_of(other, 1).await;
        let took = world.clock.now().since(sent_at);
        assert!(took < 100 * MILLISECOND, "{took:?}");
        tokio::time::sleep(Duration::from_secs(7)).await;
    }
    assert!(
        world.network.most_at_once() <= 9,
        "half of the slots, and the other's one"
    );
}

#[tokio::test(start_paused = true)]
async fn applications_share_slots_fairly() {
    let world = World::new();
    world
        .network
        .host("busy.example", |_| Reaction::Answer(200, 50 * MILLISECOND));
    world
        .network
        .host("small.example", |_| Reaction::Answer(200, 50 * MILLISECOND));
    let busy = world.application(None).await;
    let mut lanes = Vec::new();
    for path in 0..10 {
        let url = format!("https://busy.example/{path}");
        lanes.push(world.endpoint(busy, Plan::new(&url)).await);
    }
    let small_one = world.lane("https://small.example/").await;
    let mut node = world.start(small(8)).await;
    for _ in 0..20 {
        world.send(&node, &lanes).await;
    }
    for _ in 0..20 {
        world.send(&node, &[small_one]).await;
    }
    node.until_recorded_of(small_one, 20).await;
    let busy_done = world.network.sent_to("busy.example").len();
    assert!(
        busy_done < 100,
        "{busy_done} of 200 went before 20 of the other's"
    );
    node.until_recorded(200 + 20 - node.trace_recorded()).await;
    assert!(world.network.most_at_once() <= 8);
}

#[tokio::test(start_paused = true)]
async fn rate_limits_of_endpoint_and_application_hold() {
    let world = World::new();
    let application = world.application(Some(10)).await;
    let limited = Plan {
        rate_limit: Some(4),
        ..Plan::new("https://limited.example/")
    };
    let limited = world.endpoint(application, limited).await;
    let free = world
        .endpoint(application, Plan::new("https://free.example/"))
        .await;
    let mut node = world.start(EngineConfig::default()).await;
    for _ in 0..30 {
        world.send(&node, &[limited, free]).await;
    }
    node.until_recorded(60).await;
    for (host, per_second) in [("limited.example", 4), ("", 10)] {
        let mut sent = world.network.sent();
        sent.retain(|sent| sent.host.contains(host));
        for (index, first) in sent.iter().enumerate() {
            let within = |seconds| {
                let end = first.at.plus(Duration::from_secs(seconds));
                sent[index..].iter().filter(|sent| sent.at < end).count() as u64
            };
            for seconds in 1..8 {
                let count = within(seconds);
                assert!(
                    count <= per_second * (seconds + 1),
                    "{host} {count} in {seconds} s"
                );
            }
        }
    }
    let last = world
        .network
        .sent()
        .pop()
        .unwrap()
        .at
        .since(world.network.sent()[0].at);
    assert!(last < Duration::from_secs(8), "and are used up: {last:?}");
}

#[tokio::test(start_paused = true)]
async fn one_host_is_not_flooded_by_many_endpoints() {
    let world = World::new();
    let mut lanes = Vec::new();
    for path in 0..10 {
        lanes.push(world.lane(&format!("https://shared.example/{path}")).await);
    }
    world.network.host("shared.example", |_| {
        Reaction::Answer(200, 20 * MILLISECOND)
    });
    let config = EngineConfig {
        per_host: 6,
        ..EngineConfig::default()
    };
    let mut node = world.start(config).await;
    for lane in &lanes {
        for _ in 0..5 {
            world.send(&node, &[*lane]).await;
        }
    }
    node.until_recorded(50).await;
    assert_eq!(world.network.most_at_once(), 6);
}

#[tokio::test(start_paused = true)]
async fn a_backlog_in_the_store_is_worked_off_in_its_order() {
    let world = World::new();
    let lane = world.lane("https://a.example/").await;
    let mut ids = Vec::new();
    for _ in 0..100 {
        ids.push(world.accept(None, &[lane], |_| {}).await.to_string());
        tokio::time::sleep(MILLISECOND).await;
    }
    world.network.host("a.example", |_| answer(200));
    let mut node = world.start(EngineConfig::default()).await;
    node.until_recorded(100 - node.trace_recorded()).await;
    let sent: Vec<_> = world
        .network
        .sent()
        .into_iter()
        .map(|sent| sent.id)
        .collect();
    assert_eq!(sent.len(), 100);
    assert_eq!(sent, ids);
    assert_eq!(world.open_lanes().await, []);
}
