//! A database with the keys of its nodes, and nodes on it.

use std::fs;
use std::path::Path;

use e2e::command::{Outcome, postrider, run};
use e2e::{Options, Server, place};
use private_postgres::Database;
use tempfile::TempDir;

/// Waits between attempts.
pub(crate) const EVERY_SECOND: &str = "1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1";
/// Names the database.
const VARIABLE: &str = "POSTRIDER_DATABASE_URL";
const KEY_FILES: [&str; 2] = ["master.key", "token.key"];

/// See the file's head.
pub(crate) struct Cluster {
    url: String,
    home: TempDir,
    _database: Option<Database>,
}

impl Cluster {
    /// On an empty database of the server that tests share.
    pub(crate) async fn new() -> Self {
        let database = Database::new();
        let mut cluster = Self::on(database.url().to_owned()).await;
        cluster._database = Some(database);
        cluster
    }

    /// On this one.
    pub(crate) async fn on(url: String) -> Self {
        let home = tempfile::tempdir().expect("a directory");
        let cluster = Self {
            url,
            home,
            _database: None,
        };
        let keys = cluster.keys();
        postrider(&["keys", "generate", "--data-dir", text(&keys)])
            .await
            .expect(0);
        cluster
    }

    /// A directory of the test's own.
    pub(crate) fn home(&self) -> &Path {
        self.home.path()
    }

    /// The directory that holds the keys.
    pub(crate) fn keys(&self) -> std::path::PathBuf {
        self.home.path().join("keys")
    }

    /// The same keys as the other's from now on.
    pub(crate) fn take_keys_of(&self, other: &Self) {
        for name in KEY_FILES {
            fs::copy(other.keys().join(name), self.keys().join(name)).expect("a key");
        }
    }

    /// How its nodes are started.
    pub(crate) fn options(&self) -> Options {
        Options::dev()
            .data_dir(&self.keys())
            .variable(VARIABLE, &self.url)
            .option("--retry-schedule", EVERY_SECOND)
    }

    /// Starts a node.
    pub(crate) async fn node(&self) -> Server {
        self.node_with(self.options()).await
    }

    /// Starts a node like this.
    pub(crate) async fn node_with(&self, options: Options) -> Server {
        Server::start(options).await
    }

    /// Runs another command on the database, with the keys.
    pub(crate) async fn run(&self, arguments: &[&str]) -> Outcome {
        self.run_with(arguments, &self.keys()).await
    }

    /// Runs another command on the database, with another directory of keys.
    pub(crate) async fn run_with(&self, arguments: &[&str], keys: &Path) -> Outcome {
        let mut command = place::command(place::binary());
        command
            .args(arguments)
            .args(["--data-dir", text(keys)])
            .env(VARIABLE, &self.url);
        run(command).await
    }
}

pub(crate) fn text(path: &Path) -> &str {
    path.to_str().expect("a path in UTF-8")
}
