//! A rate limit is one in all, however many nodes accept and deliver.

use std::time::Duration;

use e2e::{Api, Receiver, Server};
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::cluster::Cluster;

const PER_SECOND: u32 = 40;
/// What arrives before the rate is looked at: more than may start at once when nothing was sent for
/// a while, so that from there on nothing is left of that.
const BEFORE: usize = 3 * PER_SECOND as usize;
const SECONDS: u32 = 6;

/// How far from the limit what arrives may be.
const WITHIN: f64 = 0.1;

#[tokio::test]
async fn an_endpoint_s_rate_limit_holds_over_all_nodes() {
    let world = World::new().await;
    let (apis, receiver) = (&world.apis, &world.receiver);
    apis[0].application("shop").await;
    let limited = json!({"url": receiver.url("/"), "rateLimit": PER_SECOND});
    apis[0].endpoint("shop", &limited).await;
    arrive_at_the_rate(apis, receiver).await;
}

#[tokio::test]
async fn an_application_s_rate_limit_holds_over_all_its_endpoints_and_all_nodes() {
    let world = World::new().await;
    let (apis, receiver) = (&world.apis, &world.receiver);
    let limited = json!({"name": "Shop", "uid": "shop", "rateLimit": PER_SECOND});
    apis[0].post("/app", &limited).await.expect(201);
    for path in ["/a", "/b", "/c"] {
        let endpoint = json!({"url": receiver.url(path)});
        apis[0].endpoint("shop", &endpoint).await;
    }
    arrive_at_the_rate(apis, receiver).await;
}

#[tokio::test]
async fn a_limit_that_comes_on_one_node_holds_on_all_within_a_second() {
    let world = World::new().await;
    let (apis, receiver) = (&world.apis, &world.receiver);
    apis[0].application("shop").await;
    let endpoint = json!({"url": receiver.url("/")});
    let endpoint = apis[0].endpoint("shop", &endpoint).await;
    for api in apis {
        send(api, 50).await;
    }
    receiver.take(150).await;
    let limited = json!({"rateLimit": PER_SECOND});
    let path = format!("/app/shop/endpoint/{endpoint}");
    apis[2].patch(&path, &limited).await.expect(200);
    arrive_at_the_rate(apis, receiver).await;
}

#[tokio::test]
async fn what_the_owner_of_a_limited_lane_leaves_another_goes_on_with() {
    let mut world = World::new().await;
    let (apis, receiver) = (&world.apis, &world.receiver);
    apis[0].application("shop").await;
    let limited = json!({"url": receiver.url("/"), "rateLimit": PER_SECOND});
    apis[0].endpoint("shop", &limited).await;
    // The first that hears of the lane has the right.
    send(&apis[0], 1).await;
    receiver.next().await;
    for api in apis {
        send(api, 40).await;
    }
    receiver.take(20).await;
    assert!(world.nodes[0].terminate().await.success());
    receiver.take(100).await;
    assert_eq!(receiver.rest().await.len(), 0);
}

/// Three nodes of one database, and whom they send to.
struct World {
    nodes: Vec<Server>,
    apis: Vec<Api>,
    receiver: Receiver,
    _cluster: Cluster,
}

impl World {
    async fn new() -> Self {
        let cluster = Cluster::new().await;
        let (mut nodes, mut apis) = (Vec::new(), Vec::new());
        for _ in 0..3 {
            let mut node = cluster.node().await;
            apis.push(node.api().await);
            nodes.push(node);
        }
        Self {
            nodes,
            apis,
            receiver: Receiver::willing().await,
            _cluster: cluster,
        }
    }
}

async fn send(api: &Api, count: usize) {
    let messages: Vec<Value> = (0..count)
        .map(|n| json!({"eventType": "x", "payload": {"n": n}}))
        .collect();
    for message in messages {
        api.post("/app/shop/msg", &message).await.expect(202);
    }
}

/// Has every node accept more than may be sent in the time that is looked at, and counts what
/// arrives in it.
async fn arrive_at_the_rate(apis: &[Api], receiver: &Receiver) {
    let counted = (PER_SECOND * SECONDS) as usize;
    let each = (BEFORE + counted) / apis.len() + 1;
    let [first, second, third] = apis else {
        panic!("there are three nodes");
    };
    let sending = async { tokio::join!(send(first, each), send(second, each), send(third, each)) };
    let counting = async {
        receiver.take(BEFORE).await;
        let begun = Instant::now();
        receiver.take(counted).await;
        begun.elapsed()
    };
    let (_, took) = tokio::join!(sending, counting);
    let expected = Duration::from_secs(u64::from(SECONDS));
    let off = took.as_secs_f64() / expected.as_secs_f64() - 1.0;
    assert!(off.abs() <= WITHIN, "{took:?} instead of {expected:?}");
}
