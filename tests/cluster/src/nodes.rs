//! Three nodes on a PostgreSQL of their own that really syncs, each behind a way to it that can be
//! broken.

use std::path::Path;

use e2e::chance::Chance;
use e2e::command::postrider;
use e2e::server::quiet_address;
use e2e::{Api, Options, Server};
use tempfile::TempDir;

use crate::clock::Clock;
use crate::proxy::Proxy;

/// How many nodes there are.
pub const COUNT: usize = 3;
const DATABASE: &str = "postrider";
/// Seconds between attempts.
const SCHEDULE: &str = "1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1";

/// All of them.
pub struct Nodes {
    /// In the order of their numbers.
    pub nodes: Vec<Node>,
    /// The database.
    pub postgres: private_postgres::Server,
    clock: Clock,
    keys: TempDir,
}

/// One node.
pub struct Node {
    /// The process.
    pub server: Server,
    /// Its way to the database.
    pub proxy: Proxy,
    /// A client of it.
    pub api: Api,
}

impl Nodes {
    /// Starts them, with clocks that are wrong by so many seconds.
    ///
    /// # Panics
    /// When they do not start.
    pub async fn start(wrong_by: [i64; COUNT]) -> Self {
        let durable = ["fsync=on", "full_page_writes=on"];
        let postgres = private_postgres::Server::start_with(&durable);
        postgres.database(DATABASE);
        let keys = tempfile::tempdir().expect("a directory");
        let directory = keys.path().to_str().expect("a path in UTF-8");
        let generate = ["keys", "generate", "--data-dir", directory];
        postrider(&generate).await.expect(0);
        let mut all = Self {
            nodes: Vec::new(),
            postgres,
            clock: Clock::new(),
            keys,
        };
        let mut chance = Chance::new();
        for wrong in wrong_by {
            let node = all.node(wrong, &mut chance).await;
            all.nodes.push(node);
        }
        all
    }

    /// How many rows a table has.
    ///
    /// # Panics
    /// When there is no such table.
    pub fn count(&self, table: &str) -> u64 {
        let counted = self
            .postgres
            .psql(DATABASE, &format!("SELECT count(*) FROM {table}"));
        counted.trim().parse().expect("a number")
    }

    /// How a node is started.
    fn options(&self, proxy: &Proxy, wrong_by: i64) -> Options {
        let url = format!("postgres://postgres@{}/{DATABASE}", proxy.address());
        let options = Options::dev()
            .data_dir(self.keys.path())
            .variable("POSTRIDER_DATABASE_URL", url)
            .option("--retry-schedule", SCHEDULE);
        match wrong_by {
            0 => options,
            _ => self.clock.wrong_by(wrong_by, options),
        }
    }

    async fn node(&self, wrong_by: i64, chance: &mut Chance) -> Node {
        let proxy = Proxy::start(socket(self.postgres.directory())).await;
        let options = self.options(&proxy, wrong_by).listen(quiet_address(chance));
        let mut server = Server::start(options).await;
        // All have the same keys, and the clock of a token that the first mints is right.
        let api = match self.nodes.first() {
            Some(first) => first.api.of(&server.url()),
            None => server.api().await,
        };
        Node { server, proxy, api }
    }

    /// Starts a node again that has ended, with the right clock.
    pub async fn mend_clock(&mut self, number: usize) {
        let node = &self.nodes[number];
        let options = self.options(&node.proxy, 0).listen(node.server.address());
        self.nodes[number].server.restart_with(options).await;
    }
}

fn socket(directory: &Path) -> std::path::PathBuf {
    directory.join(".s.PGSQL.5432")
}
