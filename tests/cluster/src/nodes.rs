//! Three nodes on a database of their own, each behind a way to it that can be broken, unless the
//! nodes find their own way among several.

use e2e::chance::Chance;
use e2e::command::postrider;
use e2e::server::quiet_address;
use e2e::{Api, Options, Server};
use tempfile::TempDir;

use crate::clock::Clock;
use crate::database::{DATABASE, Database};
use crate::proxy::Proxy;
use crate::run::Plan;

/// How many nodes there are.
pub const COUNT: usize = 3;
/// Seconds between attempts.
const SCHEDULE: &str = "1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1";

/// All of them.
pub struct Nodes {
    /// In the order of their numbers.
    pub nodes: Vec<Node>,
    /// The database.
    pub database: Database,
    clock: Clock,
    keys: TempDir,
}

/// One node.
pub struct Node {
    /// The process.
    pub server: Server,
    /// Its way to the database.
    way: Option<Proxy>,
    /// A client of it.
    pub api: Api,
}

impl Nodes {
    /// Starts them as a plan says.
    ///
    /// # Panics
    /// When they do not start.
    pub async fn start(plan: &Plan) -> Self {
        let database = (plan.database)();
        let keys = tempfile::tempdir().expect("a directory");
        let directory = keys.path().to_str().expect("a path in UTF-8");
        let generate = ["keys", "generate", "--data-dir", directory];
        postrider(&generate).await.expect(0);
        let mut all = Self {
            nodes: Vec::new(),
            database,
            clock: Clock::new(),
            keys,
        };
        let mut chance = Chance::new();
        for number in 0..COUNT {
            let node = all.node((plan, number), &mut chance).await;
            all.nodes.push(node);
        }
        all
    }

    /// How many rows a table has.
    ///
    /// # Panics
    /// When there is no such table.
    pub fn count(&self, table: &str) -> u64 {
        let asked = format!("SELECT count(*) FROM {table}");
        let counted = self.database.psql(&asked);
        counted.trim().parse().expect("a number")
    }

    /// How a node is started.
    fn options(&self, way: Option<&Proxy>, wrong_by: i64) -> Options {
        let options = Options::dev()
            .data_dir(self.keys.path())
            .option("--retry-schedule", SCHEDULE);
        let account = self.database.account();
        let led = way.map(|way| format!("postgres://{account}@{}/{DATABASE}", way.address()));
        let options = match (led, self.database.direct_url()) {
            (Some(led), None) => options.variable("POSTRIDER_DATABASE_URL", led),
            (Some(led), Some(direct)) => options
                .variable("POSTRIDER_DATABASE_URL", led)
                .variable("POSTRIDER_DATABASE_DIRECT_URL", direct),
            (None, direct) => {
                let url = direct.expect("there is one way or the other");
                options.variable("POSTRIDER_DATABASE_URL", url)
            }
        };
        match wrong_by {
            0 => options,
            _ => self.clock.wrong_by(wrong_by, options),
        }
    }

    async fn node(&self, (plan, number): (&Plan, usize), chance: &mut Chance) -> Node {
        let way = match self.database.socket() {
            Some(socket) => Some(Proxy::start(socket).await),
            None => None,
        };
        let options = self.options(way.as_ref(), plan.clocks_wrong_by[number]);
        let options = match plan.roles[number] {
            Some(role) => options.option("--role", role),
            None => options,
        };
        let options = options.listen(quiet_address(chance));
        let mut server = Server::start(options).await;
        // All have the same keys, and the clock of a token that the first mints is right.
        let api = match self.nodes.first() {
            Some(first) => first.api.of(&server.url()),
            None => server.api().await,
        };
        Node { server, way, api }
    }

    /// Starts a node again that has ended, with the right clock.
    pub async fn mend_clock(&mut self, number: usize) {
        let node = &self.nodes[number];
        let options = self.options(node.way.as_ref(), 0);
        let options = options.listen(node.server.address());
        self.nodes[number].server.restart_with(options).await;
    }
}

impl Node {
    /// Its way to the database.
    ///
    /// # Panics
    /// When it finds that itself.
    pub fn way(&self) -> &Proxy {
        self.way.as_ref().expect("it is led to its database")
    }
}
