//! Claiming due deliveries with their payloads of 1 KiB: from one lane with many due, and from a
//! small lane beside a large one, which must cost it nothing.
//!
//! On a store that is driven inline, so the way to a reader's thread and back is not in the time;
//! nor is letting go of what was claimed. The same rows are claimed each time: they are in memory.

use crate::support::World;
use crate::{accept, message};
use criterion::{BatchSize, BenchmarkId, Criterion, Throughput};
use model::Clock;
use std::cell::LazyCell;
use store::{Lane, Store};
use store_sqlite::SqliteConfig;
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};

const LANE_ROWS: usize = 100_000;
const LARGE_LANE_ROWS: usize = 1_000_000;
const SMALL_LANE_ROWS: usize = 32;
/// Rows that are made in one commit.
const COMMIT_ROWS: usize = 1_000;

pub(crate) fn from_one_lane(criterion: &mut Criterion) {
    let many = Rows {
        count: LANE_ROWS,
        of_message: 1,
    };
    let stage = LazyCell::new(|| Stage::new(&[many]));
    for limit in [1, 32, 256] {
        let name = BenchmarkId::new(format!("of {LANE_ROWS} in a lane"), limit);
        claim(criterion, name, (&stage, limit));
    }
}

pub(crate) fn beside_another_lane(criterion: &mut Criterion) {
    let few = Rows {
        count: SMALL_LANE_ROWS,
        of_message: 1,
    };
    // So many messages would take longer to make than everything else here: each is due to the
    // same endpoint a thousand times over, which is as many rows in the lane.
    let multitude = Rows {
        count: LARGE_LANE_ROWS,
        of_message: COMMIT_ROWS,
    };
    let beside = format!("all, beside a lane of {LARGE_LANE_ROWS}");
    for (name, lanes) in [("all, alone", &[few][..]), (&*beside, &[few, multitude])] {
        let stage = LazyCell::new(|| Stage::new(lanes));
        let name = BenchmarkId::new(name, SMALL_LANE_ROWS);
        claim(criterion, name, (&stage, SMALL_LANE_ROWS));
    }
}

/// Claims so many of a stage's first lane, which is filled only if this benchmark is asked for.
fn claim<F: FnOnce() -> Stage>(
    criterion: &mut Criterion,
    name: BenchmarkId,
    (stage, limit): (&LazyCell<Stage, F>, usize),
) {
    let mut group = criterion.benchmark_group("claim");
    group.throughput(Throughput::Elements(limit as u64));
    group.bench_function(name, |bencher| {
        let (store, now) = (&stage.world.store, stage.world.clock.now());
        let claim = |()| {
            let claimed = store.claim(stage.lane, now, limit);
            let claimed = stage.runtime.block_on(claimed).expect("reads go on");
            assert_eq!(claimed.len(), limit);
            claimed
        };
        // One at a time: what was claimed is let go of before the next.
        bencher.iter_batched(|| (), claim, BatchSize::PerIteration);
    });
    group.finish();
}

/// Due deliveries of a lane.
#[derive(Clone, Copy)]
struct Rows {
    count: usize,
    /// How many of them are of the same message.
    of_message: usize,
}

/// A store with filled lanes; the first is claimed from.
struct Stage {
    world: World,
    runtime: Runtime,
    lane: Lane,
    _home: TempDir,
}

impl Stage {
    fn new(lanes: &[Rows]) -> Self {
        let home = tempfile::tempdir().expect("a temporary directory");
        let runtime = Builder::new_current_thread().build().expect("a runtime");
        let open = || World::open_inline(home.path(), SqliteConfig::default());
        let world = open();
        let fill = async |rows: &Rows| fill(&world, *rows).await;
        let filled: Vec<Lane> = lanes
            .iter()
            .map(|rows| runtime.block_on(fill(rows)))
            .collect();
        // Closed once, so that nothing is in the log any more.
        drop(world);
        Self {
            world: open(),
            runtime,
            lane: filled[0],
            _home: home,
        }
    }
}

/// Makes a lane with so many due deliveries.
async fn fill(world: &World, rows: Rows) -> Lane {
    let lane = world.lane().await;
    let mut item = message(world, lane).await;
    item.deliveries = vec![item.deliveries[0]; rows.of_message];
    let mut items = rows.count / rows.of_message;
    while items > 0 {
        let batch = items.min(COMMIT_ROWS / rows.of_message);
        accept(world, vec![item.clone(); batch]).await;
        items -= batch;
    }
    lane
}
