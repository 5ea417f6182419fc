//! What a lane's admission costs: a place that is granted for a message about to be accepted, and
//! given back.
//!
//! The engine is a real one that has nothing to do; every lane is known to it before, and the
//! lanes of an application stand together.

use criterion::Criterion;
use engine::EngineConfig;
use model::id::{ApplicationKey, EndpointKey};
use std::hint::black_box;
use std::time::Duration;
use store::{Lane, Lanes};
use tokio::runtime::Builder;
use world::World;

#[path = "../../tests/engine/network.rs"]
#[expect(dead_code, reason = "the tests ask for more")]
mod network;
#[path = "../../tests/engine/world.rs"]
#[expect(dead_code, reason = "the tests ask for more")]
mod world;

const LANES_OF_APPLICATION: i64 = 10;
/// No divisor of the number of lanes, so that all take their turn, and none beside the last.
const STRIDE: usize = 7_919;

fn main() {
    let mut criterion = Criterion::default()
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(3))
        .without_plots()
        .configure_from_args();
    for count in [1, 10_000] {
        grant(&mut criterion, count);
    }
    criterion.final_summary();
}

fn grant(criterion: &mut Criterion, count: i64) {
    let runtime = Builder::new_current_thread().enable_all().build();
    let runtime = runtime.expect("a runtime");
    let config = EngineConfig {
        lane_idle: Duration::from_secs(86_400),
        ..EngineConfig::default()
    };
    let world = runtime.block_on(async { World::new() });
    let node = runtime.block_on(world.start(config));
    let grant = |lane| drop(node.engine.grant(lane, false).expect("there is room"));
    let lanes: Vec<Lane> = (1..=count).map(lane).collect();
    lanes.iter().for_each(|lane| grant(*lane));
    let mut next = 0;
    criterion.bench_function(&format!("grant a place/lanes/{count}"), |bencher| {
        bencher.iter(|| {
            next = (next + STRIDE) % lanes.len();
            grant(black_box(lanes[next]));
        });
    });
    runtime.block_on(node.end());
}

fn lane(number: i64) -> Lane {
    Lane {
        application: ApplicationKey::from_integer(1 + number / LANES_OF_APPLICATION),
        endpoint: EndpointKey::from_integer(number),
    }
}
