//! What endpoints get that lack something of what the operator demands: nothing, until they have
//! it.

use crate::network::answer;
use crate::sending::{paid, schedule};
use crate::world::{Node, Plan, World};
use engine::{EngineConfig, Happening};
use model::policy::{Demand, Policy};
use model::protection::{Auth, Credential, Protection};
use model::security::SecurityKind;
use store::Store;
use store::access::POLICY;
use store::change::{Change, SettingsChange};

/// Demands something, as the API does.
pub(crate) async fn demand(world: &World, node: &Node, policy: &Policy) {
    write(world, node, policy.to_stored()).await;
}

async fn write(world: &World, node: &Node, after: Vec<u8>) {
    let before = world.store.setting(POLICY).await.expect("reads go on");
    let values = SettingsChange { before, after };
    let change = Change::SwapSetting {
        name: POLICY,
        values,
    };
    world.change(change).await;
    node.registry.forget_policy();
}

pub(crate) fn demands(require: &[Demand], of_paid: &[Demand]) -> Policy {
    let own = (paid().name, of_paid.iter().copied().collect());
    Policy {
        require: require.iter().copied().collect(),
        event_types: [own].into(),
    }
}

fn with_token() -> Protection {
    let credential = Credential::Bearer {
        token: model::Secret::from("sesame".to_owned()),
    };
    Protection {
        auth: Some(Auth {
            current: credential,
            previous: None,
        }),
        ..Protection::default()
    }
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_that_lacks_what_is_demanded_gets_nothing_and_others_get_theirs() {
    let demanded = [demands(&[Demand::Auth], &[]), demands(&[], &[Demand::Auth])];
    for policy in demanded {
        let world = World::new();
        let application = world.application(None).await;
        let plan = Plan::new("https://bare.example/");
        let bare = world.endpoint(application, plan).await;
        let plan = Plan {
            protection: with_token(),
            ..Plan::new("https://known.example/")
        };
        let known = world.endpoint(application, plan).await;
        let mut node = world.start(EngineConfig::default()).await;
        demand(&world, &node, &policy).await;
        world.send(&node, &[bare, known]).await;
        node.until_recorded(2).await;
        assert!(world.network.sent_to("bare.example").is_empty());
        assert_eq!(world.network.sent_to("known.example").len(), 1);
        assert_eq!(world.reports.kinds(), [SecurityKind::PolicyUnmet]);
        let attempts = world.attempts(bare).await;
        let excerpt = world.excerpt(bare, &attempts[0]).await.expect("a reason");
        let says = "not sent: the operator demands what the endpoint does not have: auth";
        assert!(excerpt.starts_with(says), "{excerpt}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_policy_holds_for_what_is_on_its_way_from_the_next_attempt_on() {
    let world = World::new();
    let lane = world.lane("https://down.example/").await;
    world.network.host("down.example", |_| answer(500));
    let mut node = world.start(schedule(&[100, 100])).await;
    world.send(&node, &[lane]).await;
    node.until_recorded(1).await;
    demand(&world, &node, &demands(&[], &[Demand::Encryption])).await;
    node.until_recorded(1).await;
    assert_eq!(world.network.sent().len(), 1);
    demand(&world, &node, &Policy::default()).await;
    node.until_recorded(1).await;
    assert_eq!(world.network.sent().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn what_is_demanded_of_other_event_types_holds_nothing_back() {
    let world = World::new();
    let lane = world.lane("https://a.example/").await;
    let mut node = world.start(EngineConfig::default()).await;
    let every = Demand::ALL.into_iter().collect();
    let other = "order.refunded".parse().expect("a name");
    let policy = Policy {
        event_types: [(other, every)].into(),
        ..Policy::default()
    };
    demand(&world, &node, &policy).await;
    world.send(&node, &[lane]).await;
    node.until_recorded(1).await;
    assert_eq!(world.network.sent().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_policy_of_another_version_lets_nothing_out_and_loses_nothing() {
    let world = World::new();
    let lane = world.lane("https://a.example/").await;
    let mut node = world.start(EngineConfig::default()).await;
    write(&world, &node, b"* pins and more\n".to_vec()).await;
    world.send(&node, &[lane]).await;
    node.until(|happening| matches!(happening, Happening::LetGo(..)))
        .await;
    assert!(world.network.sent().is_empty());
    demand(&world, &node, &Policy::default()).await;
    node.until_recorded(1).await;
    assert_eq!(world.network.sent().len(), 1);
}
