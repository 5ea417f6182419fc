//! Group commit, as the writer's thread does it while messages of 1 KiB pass through: one request
//! brings a batch of them, and with it come the outcomes of as many that were claimed before.
//! Which of them share a commit is the writer's choice, as ever; how many commits there were is
//! printed. Claiming is not in the time.

use crate::message;
use crate::support::World;
use criterion::{BatchSize, BenchmarkId, Criterion, Throughput};
use model::Clock;
use std::cell::LazyCell;
use store::accept::Accept;
use store::record::Outcome;
use store::{Lane, Store};
use store_sqlite::SqliteConfig;
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinSet;

const BATCHES: [usize; 4] = [1, 16, 64, 256];

pub(crate) fn group_commit(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("group commit");
    for count in BATCHES {
        let stage = LazyCell::new(|| Stage::new(count));
        let mut rounds = 0;
        group.throughput(Throughput::Elements(count as u64));
        group.bench_function(BenchmarkId::new("accept and record", count), |bencher| {
            let requests = || stage.requests();
            let round = |requests| {
                rounds += 1;
                stage.runtime.block_on(stage.round(requests));
            };
            bencher.iter_batched(requests, round, BatchSize::PerIteration);
        });
        if rounds > 0 {
            let commits = stage.world.store.commits() - stage.commits_before;
            println!("{commits} commits in {rounds} rounds of {count}\n");
        }
    }
    group.finish();
}

/// A store with one lane, in which there is always a batch to claim.
struct Stage {
    world: World,
    runtime: Runtime,
    lane: Lane,
    /// A round's messages.
    batch: Vec<Accept>,
    commits_before: u64,
    _home: TempDir,
}

impl Stage {
    fn new(count: usize) -> Self {
        let home = tempfile::tempdir().expect("a temporary directory");
        let world = World::open(home.path(), SqliteConfig::default());
        let runtime = Builder::new_current_thread().build().expect("a runtime");
        let lane = runtime.block_on(world.lane());
        let item = runtime.block_on(message(&world, lane));
        let mut stage = Self {
            batch: vec![item; count],
            world,
            runtime,
            lane,
            commits_before: 0,
            _home: home,
        };
        let first = (stage.batch.clone(), Vec::new());
        stage.runtime.block_on(stage.round(first));
        stage.commits_before = stage.world.store.commits();
        stage
    }

    fn requests(&self) -> (Vec<Accept>, Vec<Outcome>) {
        let (store, now) = (&self.world.store, self.world.clock.now());
        let claimed = self
            .runtime
            .block_on(store.claim(self.lane, now, self.batch.len()));
        let claimed = claimed.expect("reads go on").into_iter();
        let outcomes = claimed.map(|one| self.world.success(one)).collect();
        (self.batch.clone(), outcomes)
    }

    async fn round(&self, (batch, outcomes): (Vec<Accept>, Vec<Outcome>)) {
        let mut asked = JoinSet::new();
        for outcome in outcomes {
            let store = self.world.store.clone();
            asked.spawn(async move {
                store.record(outcome).await.expect("it can write");
            });
        }
        let store = self.world.store.clone();
        asked.spawn(async move {
            let all = store.accept(batch).await.into_iter();
            all.for_each(|one| drop(one.expect("the message is in order")));
        });
        asked.join_all().await;
    }
}
