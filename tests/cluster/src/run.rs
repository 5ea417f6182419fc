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

use crate::database::Database;
use crate::ledger::{LATE, Ledger};
use crate::load::{Clients, Load, OPEN_MAX, Repeats};
use crate::nodes::{COUNT, Nodes};
use crate::receiver::{Endpoints, SLOW};
use crate::row::Row;

/// Messages a second.
const RATE: u32 = 100;
/// Applications of the steady load, each with an endpoint.
const APPLICATIONS: usize = 8;
/// How long everything must have been on time before the load ends, and before something breaks.
const CALM: Duration = Duration::from_secs(1);
/// The longest that anything may take to get well.
const RECOVERY_MAX: Duration = Duration::from_secs(75);
const PACE: Duration = Duration::from_millis(200);
const MESSAGES: &str = "SELECT count(*) FROM message";

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
#[derive(Clone, Debug)]
pub struct Failure {
    /// When it began.
    pub began: Instant,
    /// When its last part began.
    pub last: Instant,
    /// When all of it was mended.
    pub ended: Instant,
    /// What else is to be told of it, behind its title.
    pub note: String,
}

impl Failure {
    /// One that was mended just now.
    pub fn mended(began: Instant, last: Instant) -> Self {
        Self {
            began,
            last,
            ended: Instant::now(),
            note: String::new(),
        }
    }
}

/// How a scenario differs from others.
pub struct Plan {
    /// What it is called in the table.
    pub title: &'static str,
    /// By how many seconds each node's clock is wrong.
    pub clocks_wrong_by: [i64; COUNT],
    /// By how many seconds a request's time may be wrong for its receiver.
    pub tolerance_seconds: u32,
    /// Starts what the nodes share.
    pub database: fn() -> Database,
    /// Each node's role, where it does not do everything.
    pub roles: [Option<&'static str>; COUNT],
    /// What clients send again.
    pub repeats: Repeats,
}

impl Plan {
    /// All is as it mostly is: clocks are right, nobody stands between nodes and database, nodes do
    /// everything, and clients don't give up.
    pub fn of(title: &'static str) -> Self {
        Self {
            title,
            clocks_wrong_by: [0; COUNT],
            tolerance_seconds: webhook::TOLERANCE_SECONDS,
            database: Database::plain,
            roles: [None; COUNT],
            repeats: Repeats::Everything,
        }
    }

    /// Runs it.
    ///
    /// # Panics
    /// When something was lost, or never got well.
    pub async fn run(self, breaking: impl AsyncFnOnce(&mut World) -> Failure) -> Row {
        let mut world = World::new(&self).await;
        world.nodes.database.assert_synchronous("at the beginning");
        let mut load = Load::start(world.clients(&self), RATE);
        let goes_well = async {
            world.on_time().await;
            let failure = breaking(&mut world).await;
            world.on_time().await;
            failure
        };
        let failure = tokio::select! {
            failure = goes_well => failure,
            () = load.failed() => panic!("a client was answered as none may be"),
        };
        let repeated_requests = load.finish().await;
        world.drain().await;
        world.nodes.database.assert_synchronous("at the end");
        Row::of(&self, &failure, &world, repeated_requests)
    }
}

impl World {
    async fn new(plan: &Plan) -> Self {
        let ledger = Arc::<Ledger>::default();
        let (endpoints, receiver) = Endpoints::start(&ledger, plan.tolerance_seconds).await;
        let nodes = Nodes::start(plan).await;
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

    fn clients(&self, plan: &Plan) -> Clients {
        let nodes = self.nodes.nodes.iter().zip(plan.roles);
        let accepting = nodes.filter(|(_, role)| role.is_none_or(|role| role == "api"));
        Clients {
            apis: accepting.map(|(node, _)| node.api.clone()).collect(),
            applications: applications().collect(),
            ledger: Arc::clone(&self.ledger),
            room: Arc::new(Semaphore::new(OPEN_MAX)),
            repeats: plan.repeats,
        }
    }

    /// Waits until nothing has been late for a while.
    pub async fn on_time(&self) {
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

    /// Waits until everything accepted has arrived, nothing is open, and the standby has it all.
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
        poll("the standby to have all messages", || {
            let counted = self.nodes.database.psql_on_standby(MESSAGES);
            match counted == self.nodes.database.psql(MESSAGES) {
                true => Ok(()),
                false => Err(format!("it has {counted}")),
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
    (0..APPLICATIONS).map(application_of)
}

/// Whose message of the steady load this is.
pub fn application_of(number: usize) -> String {
    format!("app-{}", number % APPLICATIONS)
}
