//! Where the store of the bench's own servers is, and how they are started on it: a data directory
//! for one, or a private PostgreSQL for several nodes, in a directory of its own as well.
//!
//! Both are gone when this is: the PostgreSQL is a part whose standard input is held here, and
//! takes its directory away when that is closed.

use crate::BenchError;
use crate::plan::{Case, Plan};
use crate::process::{Listening, complete};
use std::path::Path;
use tempfile::TempDir;

/// Endpoints that a server lets an application have if it is told nothing else.
const ENDPOINTS_ALLOWED: u32 = 500;
/// What fills a database.
const FILLER: &str = "what fills the database";

/// A store's home, for as long as this is held.
pub(crate) enum Home {
    /// The data directory.
    Directory(TempDir),
    /// What holds a PostgreSQL, and a directory with the keys of its nodes.
    Database(Box<Listening>),
}

/// How the servers on a home are started.
#[derive(Debug, Clone)]
pub(crate) struct Start {
    /// What this program is given.
    pub(crate) arguments: Vec<String>,
    /// How many.
    pub(crate) servers: usize,
    /// The PostgreSQL, by its first process.
    pub(crate) postmaster: Option<u32>,
}

impl Home {
    /// Makes an empty one of the kind that is planned.
    pub(crate) async fn make(plan: &Plan, below: &Path) -> Result<Self, BenchError> {
        let Some(most) = plan.nodes.iter().max() else {
            let directory = tempfile::tempdir_in(below);
            let directory = directory.map_err(BenchError::io("no data directory can be made"))?;
            return Ok(Self::Directory(directory));
        };
        let (nodes, below) = (most.to_string(), text(below));
        let arguments = ["bench", "--part", "database", "--data-dir", &below];
        let arguments = [&arguments[..], &["--cluster", &nodes]].concat();
        let started = Listening::start_database(&plan.program, "the database", &arguments);
        Ok(Self::Database(Box::new(started.await?)))
    }

    /// How a case's servers are started on it.
    pub(crate) fn start(&self, plan: &Plan, case: &Case) -> Start {
        let endpoints = plan.size.endpoints.saturating_add(plan.size.bystanders);
        let endpoints_max = endpoints.max(ENDPOINTS_ALLOWED).to_string();
        let data = match self {
            Self::Directory(directory) => text(directory.path()),
            Self::Database(part) => part.keys().unwrap_or_default(),
        };
        // Whatever ends the bench ends its nodes: they would wait for their database for ever.
        let node = ["bench", "--part", "node", "--"];
        let serve = ["serve", "--dev", "--listen", "127.0.0.1:0", "--log", "warn"];
        let serve = [&serve[..], &["--log-format", "text"]].concat();
        let serve = [&serve[..], &["--data-dir", &data]].concat();
        let serve = [&serve[..], &["--endpoints-max", &endpoints_max]].concat();
        let (arguments, postmaster) = match self {
            Self::Directory(_) => (serve, None),
            Self::Database(part) => {
                let database = ["--database-url", part.url()];
                ([&node[..], &serve, &database].concat(), part.postmaster())
            }
        };
        Start {
            arguments: arguments.iter().map(ToString::to_string).collect(),
            servers: case.nodes.map_or(1, |nodes| nodes as usize),
            postmaster,
        }
    }

    /// Whether what is delivered here can be multiplied by [`Self::multiply`].
    pub(crate) fn multiplies(&self) -> bool {
        matches!(self, Self::Database(_))
    }

    /// Fills a database with more of the messages that it holds, until there are so many, while no
    /// node works on it. Tells how many there are.
    pub(crate) async fn multiply(
        &self,
        plan: &Plan,
        stored: u64,
        told: impl Fn(u64),
    ) -> Result<(), BenchError> {
        let Self::Database(database) = self else {
            return Ok(());
        };
        let stored = stored.to_string();
        let arguments = ["bench", "--part", "fill", "--stored", &stored];
        let arguments = [&arguments[..], &["--database", database.url()]].concat();
        complete(&plan.program, FILLER, &arguments, told).await
    }

    /// Takes it away.
    pub(crate) async fn end(self) {
        if let Self::Database(database) = self {
            database.leave().await;
        }
    }
}

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}
