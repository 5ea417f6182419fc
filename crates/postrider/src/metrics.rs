//! What monitoring is told: all that the node's parts count of themselves, put together when
//! somebody asks for it. Nothing is counted here.
//!
//! Map: [`process`] (what the system says of this process) · `families` (the rest) ·
//! [`recent`] (what was counted in the last hour).

mod families;
mod process;
mod recent;

use crate::entrances::Places;
use crate::events::Events;
use app::App;
use dashboard::Counted;
use engine::{Counters, Engine, LaneCounts, Reading};
use model::id::SourceId;
use model::meter::CameLately;
use model::{Clock, Timestamp};
use recent::Memory;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use store::Store;
use store::vitals::Backlog;
use tokio::sync::Mutex;
use tokio::time::MissedTickBehavior;
use watch::exposition::Exposition;

/// For how long what is looked for, rather than counted, is good at least.
const GOOD_FOR: Duration = Duration::from_secs(10);
/// And for so many times as long as looking took: it takes at most a hundredth of the time.
const GOOD_FOR_TIMES: u32 = 100;
/// How often what was counted is remembered.
const REMEMBERED: Duration = Duration::from_secs(1);

/// The parts that count.
pub(crate) struct Metrics {
    store: Arc<dyn Store>,
    engine: Option<Arc<Engine>>,
    slots: usize,
    events: Arc<Events>,
    clock: Arc<dyn Clock>,
    since: Timestamp,
    /// What is there once the node listens.
    doors: OnceLock<Doors>,
    looked: Mutex<Option<Looked>>,
    recent: Memory,
}

/// What counts at the entrances.
pub(crate) struct Doors {
    pub(crate) requests: api::Requests,
    pub(crate) gate: Option<Arc<ingest::Meter>>,
    pub(crate) places: Vec<Places>,
}

/// What was looked for a moment ago.
#[derive(Clone, Copy)]
struct Looked {
    until: Duration,
    /// None where it can't be read.
    backlog: Option<Backlog>,
    lanes: Option<LaneCounts>,
}

/// All that a text is made of.
struct Found {
    looked: Looked,
    counters: Option<Counters>,
    reading: Option<Reading>,
    now: Timestamp,
}

/// Who tells what was counted.
pub(crate) trait Families: Send + Sync {
    /// All of it, as it is now.
    fn families(&self) -> Pin<Box<dyn Future<Output = Exposition> + Send + '_>>;
}

impl Metrics {
    /// Of these parts; see [`Metrics::opened`] for the rest.
    pub(crate) fn new(
        app: &App,
        (engine, slots): (Option<Arc<Engine>>, usize),
        events: Arc<Events>,
    ) -> Arc<Self> {
        Arc::new(Self {
            store: app.store.clone(),
            engine,
            slots,
            events,
            since: app.clock.now(),
            clock: app.clock.clone(),
            doors: OnceLock::new(),
            looked: Mutex::default(),
            recent: Memory::default(),
        })
    }

    /// The node listens: once.
    pub(crate) fn opened(&self, doors: Doors) {
        let _ = self.doors.set(doors);
    }

    async fn tell(&self) -> Exposition {
        let found = Found {
            looked: self.look().await,
            counters: self.engine.as_ref().map(|engine| engine.counters()),
            reading: self.engine.as_ref().map(|engine| engine.read_meter()),
            now: self.clock.now(),
        };
        let mut text = Exposition::default();
        process::write(&mut text, self.since);
        self.write_requests(&mut text);
        self.write_gateway(&mut text);
        self.write_connections(&mut text);
        self.write_store(&mut text);
        self.write_backlog(&mut text, &found);
        self.write_attempts(&mut text, &found);
        self.write_lanes(&mut text, &found);
        self.write_events(&mut text);
        text
    }

    /// What the first page shows of it.
    async fn read_figures(&self) -> dashboard::Reading {
        let looked = self.look().await;
        let counters = self.engine.as_ref().map(|engine| engine.counters());
        dashboard::Reading {
            counted: self.count(),
            since: self.since,
            recent: self.recent.tell(),
            open: looked.backlog.map(|backlog| backlog.open),
            first_due: looked.backlog.and_then(|backlog| backlog.first_due),
            in_flight: counters.map_or(0, |counters| counters.in_flight as u64),
        }
    }

    /// What was counted so far: a look at memory.
    fn count(&self) -> Counted {
        let vitals = self.store.vitals();
        let counters = self.engine.as_ref().map(|engine| engine.counters());
        let reading = self.engine.as_ref().map(|engine| engine.read_meter());
        Counted {
            at: self.clock.now(),
            accepted: vitals.accepted,
            succeeded: counters.map_or(0, |counters| counters.succeeded),
            failed: counters.map_or(0, |counters| counters.failed),
            succeeded_took: reading.map(|reading| reading.succeeded).unwrap_or_default(),
            failed_took: reading.map(|reading| reading.failed).unwrap_or_default(),
            delivered: reading.map(|reading| reading.delivered).unwrap_or_default(),
            commits: vitals.commits,
        }
    }

    /// Remembers what was counted, each second, for the charts of the last hour. Goes on until it
    /// is dropped.
    pub(crate) async fn remember(self: Arc<Self>) {
        let mut period = tokio::time::interval(REMEMBERED);
        period.set_missed_tick_behavior(MissedTickBehavior::Skip);
        loop {
            period.tick().await;
            self.recent.note(self.count());
        }
    }

    /// Whoever comes while somebody looks waits for that, rather than look, too.
    async fn look(&self) -> Looked {
        let mut looked = self.looked.lock().await;
        let begun = self.clock.monotonic();
        if let Some(looked) = looked.filter(|looked| begun < looked.until) {
            return looked;
        }
        let backlog = self.store.backlog().await;
        let backlog = backlog.inspect_err(|error| {
            tracing::warn!(%error, "open deliveries can't be counted");
        });
        let lanes = self.engine.as_ref().map(|engine| engine.count_lanes());
        let ended = self.clock.monotonic();
        let rest = GOOD_FOR.max(ended.saturating_sub(begun) * GOOD_FOR_TIMES);
        *looked.insert(Looked {
            until: ended + rest,
            backlog: backlog.ok(),
            lanes,
        })
    }
}

impl dashboard::Figures for Metrics {
    fn read(&self) -> Pin<Box<dyn Future<Output = dashboard::Reading> + Send + '_>> {
        Box::pin(self.read_figures())
    }

    fn came(&self, source: SourceId) -> Option<CameLately> {
        let gate = self.doors.get()?.gate.as_ref()?;
        Some(gate.lately(source, self.clock.now()))
    }
}

impl Families for Metrics {
    fn families(&self) -> Pin<Box<dyn Future<Output = Exposition> + Send + '_>> {
        Box::pin(self.tell())
    }
}

impl api::Scrape for Metrics {
    fn scrape(&self) -> Pin<Box<dyn Future<Output = String> + Send + '_>> {
        Box::pin(async { self.families().await.end() })
    }
}
