//! How a scenario goes: steady load, a failure, and on until everything is on time again; then
//! what is still open, to the last delivery. Waits are for what can be seen, never for a time that
//! is thought to be enough.

use std::sync::Arc;
use std::time::Duration;

use e2e::wait::within_time;
use e2e::{Api, Receiver};
use serde_json::json;
use tokio::sync::Semaphore;
use tokio::time::{Instant, MissedTickBehavior, interval, interval_at};

use crate::ledger::{LATE, Ledger};
use crate::load::{Clients, Load, OPEN_MAX};
use crate::nodes::{COUNT, Nodes};
use crate::receiver::{Endpoints, SLOW};
use crate::row::Row;

/// Messages a second.
const RATE: u32 = 100;
/// Applications of the steady load, each with an endpoint.
const APPLICATIONS: usize = 8;
/// How long everything must have been on time before the load ends, and before something breaks.
const CALM: Duration = Duration::from_secs(3);
/// The longest that anything may take to get well.
const RECOVERY_MAX: Duration = Duration::from_secs(75);
const PACE: Duration = Duration::from_millis(200);

/// What a failure is done to.
pub struct World {
    /// The nodes.
    pub nodes: Nodes,
    /// What their messages arrive at.
    pub endpoints: Arc<Endpoints>,
    /// What is known of each message.
    pub ledger: Arc<Ledger>,
    receiver: Receiver,
}

/// When it was.
#[derive(Clone, Copy, Debug)]
pub struct Failure {
    /// When it began.
    pub began: Instant,
    /// When its last part began.
    pub last: Instant,
    /// When all of it was mended.
    pub ended: Instant,
}

/// How a scenario differs from others.
pub struct Plan {
    /// What it is called in the table.
    pub title: &'static str,
    /// By how many seconds each node's clock is wrong.
    pub clocks_wrong_by: [i64; COUNT],
    /// By how many seconds a request's time may be wrong for its receiver.
    pub tolerance_seconds: u32,
}

impl Plan {
    /// Clocks are right.
    pub fn of(title: &'static str) -> Self {
        Self {
            title,
            clocks_wrong_by: [0; COUNT],
            tolerance_seconds: webhook::TOLERANCE_SECONDS,
        }
    }

    /// Runs it.
    ///
    /// # Panics
    /// When something was lost, or never got well.
    pub async fn run(self, breaking: impl AsyncFnOnce(&mut World) -> Failure) -> Row {
        let mut world = World::new(&self).await;
        let load = Load::start(world.clients(), RATE);
        world.on_time().await;
        let failure = breaking(&mut world).await;
        world.on_time().await;
        let repeated_requests = load.finish().await;
        world.drain().await;
        Row::of(&self, &failure, &world, repeated_requests)
    }
}

impl World {
    async fn new(plan: &Plan) -> Self {
        let ledger = Arc::<Ledger>::default();
        let (endpoints, receiver) = Endpoints::start(&ledger, plan.tolerance_seconds).await;
        let nodes = Nodes::start(plan.clocks_wrong_by).await;
        let world = Self {
            nodes,
            endpoints,
            ledger,
            receiver,
        };
        for application in applications().chain([SLOW.to_owned()]) {
            world.application(&application).await;
        }
        world
    }

    async fn application(&self, uid: &str) {
        let (api, path) = (self.api(0), format!("/{uid}"));
        api.application(uid).await;
        let url = self.receiver.url(&path);
        let endpoint = api.endpoint(uid, &json!({"url": url})).await;
        self.endpoints
            .trust(path, &api.secret(uid, &endpoint).await);
    }

    /// A client of this node.
    pub fn api(&self, node: usize) -> &Api {
        &self.nodes.nodes[node].api
    }

    fn clients(&self) -> Clients {
        Clients {
            apis: self
                .nodes
                .nodes
                .iter()
                .map(|node| node.api.clone())
                .collect(),
            applications: applications().collect(),
            ledger: Arc::clone(&self.ledger),
            room: Arc::new(Semaphore::new(OPEN_MAX)),
        }
    }

    /// Waits until nothing has been late for a while.
    async fn on_time(&self) {
        let mut since = Instant::now();
        poll("everything to be on time", || {
            let late = self.ledger.late();
            if late > 0 {
                since = Instant::now();
            }
            match since.elapsed() > LATE + CALM {
                true => Ok(()),
                false => Err(format!("{late} late")),
            }
        })
        .await;
    }

    /// Waits until everything accepted has arrived, and nothing is open.
    async fn drain(&self) {
        poll("the last deliveries", || match self.ledger.missing() {
            0 => Ok(()),
            missing => Err(format!("{missing} accepted and not delivered")),
        })
        .await;
        poll("the end of all deliveries", || {
            match self.nodes.count("delivery") {
                0 => Ok(()),
                open => Err(format!("{open} open")),
            }
        })
        .await;
    }
}

/// Lets some time pass, of a failure or an answer.
pub async fn lasts(time: Duration) {
    interval_at(Instant::now() + time, PACE).tick().await;
}

async fn poll(what: &str, mut ask: impl FnMut() -> Result<(), String>) {
    let mut last = String::new();
    let mut pace = interval(PACE);
    pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let asking = async {
        loop {
            pace.tick().await;
            match ask() {
                Ok(()) => return,
                Err(told) if told != last => {
                    println!("waiting for {what}: {told}");
                    last = told;
                }
                Err(_) => {}
            }
        }
    };
    within_time(RECOVERY_MAX, what, asking).await;
}

fn applications() -> impl Iterator<Item = String> {
    (0..APPLICATIONS).map(|number| format!("app-{number}"))
}
