//! How receivers are known, and what is learned of them.

use crate::network::Reaction;
use crate::sending::schedule;
use crate::world::{Plan, World};
use engine::EngineConfig;
use model::protection::{Identity, Mtls, Pinning, PinningMode, Protection};
use model::security::SecurityKind;
use model::{Clock, Pin, Secret};
use std::time::Duration;
use store::rows::ApplicationRef;
use transport::Limits;

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

/// A client certificate with its key.
fn identity(name: &str) -> Identity {
    let vectors = include_str!(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../conformance/spki.json"
    ));
    let vectors: serde_json::Value = serde_json::from_str(vectors).expect("JSON");
    let text = |field| vectors["certs"][name][field].as_str().expect("a text");
    Identity {
        certificates: text("pem").to_owned(),
        key: Secret::from(text("private_key_pkcs8_pem").to_owned()),
    }
}

#[tokio::test(start_paused = true)]
async fn all_client_certificates_are_tried_within_the_time_of_one_attempt() {
    let world = World::new();
    let until = world.clock.now().plus(Duration::from_secs(60));
    let mtls = Mtls {
        current: identity("leaf-p256"),
        previous: Some((until, identity("leaf-p256"))),
    };
    let plan = Plan {
        protection: Protection {
            mtls: Some(mtls),
            ..Protection::default()
        },
        ..Plan::new("https://a.example/")
    };
    let application = world.application(None).await;
    let lane = world.endpoint(application, plan).await;
    world.network.host("a.example", |nth| match nth {
        0 => Reaction::Answer(403, Duration::from_secs(2)),
        _ => Reaction::Hang,
    });
    let limits = Limits {
        total_timeout: Duration::from_secs(3),
        ..Limits::default()
    };
    let config = EngineConfig {
        limits,
        ..schedule(&[120])
    };
    let mut node = world.start(config).await;
    world.send(&node, &[lane]).await;
    node.until_recorded(1).await;
    assert_eq!(world.network.sent().len(), 2);
    let attempts = world.attempts(lane).await;
    assert_eq!(attempts[0].attempt.duration, limits.total_timeout);
}
