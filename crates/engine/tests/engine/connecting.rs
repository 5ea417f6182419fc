//! How receivers are known, and what is learned of them.

use crate::network::Reaction;
use crate::world::{Plan, World};
use engine::EngineConfig;
use model::Pin;
use model::protection::{Pinning, PinningMode, Protection};
use model::security::SecurityKind;
use store::rows::ApplicationRef;

fn first_use() -> Protection {
    Protection {
        pins: Some(Pinning {
            pins: Vec::new(),
            mode: PinningMode::FirstUse,
        }),
        ..Protection::default()
    }
}

/// The receiver shows another key to whoever looks, so that it is seen whose look counted.
#[tokio::test(start_paused = true)]
async fn of_several_nodes_and_attempts_the_first_pin_that_is_written_holds() {
    let world = World::new();
    let application = world.application(None).await;
    let plan = Plan {
        protection: first_use(),
        ..Plan::new("https://a.example/")
    };
    let lane = world.endpoint(application, plan).await;
    let mut one = world.start(EngineConfig::default()).await;
    let mut other = world.start(EngineConfig::default()).await;
    let reference = ApplicationRef::Key(lane.application);
    let found = other.registry.find(&reference).await;
    assert!(found.expect("reads go on").is_some());

    for _ in 0..4 {
        world.send(&one, &[lane]).await;
    }
    one.until_recorded(4).await;
    assert!(world.network.looks() >= 1);
    let looks = world.network.looks();
    world.send(&other, &[lane]).await;
    other.until_recorded(1).await;
    assert_eq!(world.network.looks(), looks + 1, "it knew of no pin yet");

    let sent = world.network.sent();
    assert_eq!(sent.len(), 5);
    let taken = sent[0].pins.clone();
    assert_eq!(taken.len(), 1);
    assert!(sent.iter().all(|sent| sent.pins == taken));
    assert_ne!(taken, [Pin::new([0; 32])], "nothing is sent before");
    world.send(&other, &[lane]).await;
    other.until_recorded(1).await;
    assert_eq!(world.network.looks(), looks + 1, "now it knows");
}

#[tokio::test(start_paused = true)]
async fn several_receivers_clocks_tell_that_ours_runs_apart() {
    let world = World::new();
    let application = world.application(None).await;
    let mut lanes = Vec::new();
    for host in ["a.example", "b.example", "c.example", "d.example"] {
        world.network.host(host, |_| Reaction::Dated(-100));
        let url = format!("https://{host}/");
        lanes.push(world.endpoint(application, Plan::new(&url)).await);
    }
    let mut node = world.start(EngineConfig::default()).await;
    for (lane, reported) in lanes.into_iter().zip([0, 0, 1, 1]) {
        world.send(&node, &[lane]).await;
        node.until_recorded(1).await;
        let kinds = world.reports.kinds();
        assert_eq!(kinds, [SecurityKind::ClockSkew].repeat(reported));
    }
}
