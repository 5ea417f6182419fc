//! What the nodes share: a PostgreSQL of their own that really syncs, alone, behind PgBouncer, or
//! two that Patroni runs.

use std::path::PathBuf;

use private_postgres::{Patroni, Pooler, Server};

/// The name of the nodes' database.
pub const DATABASE: &str = "postrider";
/// Whom the nodes connect as, but for through a pooler.
pub const ACCOUNT: &str = "postrider";
/// Committed is on disk.
const DURABLE: [&str; 2] = ["fsync=on", "full_page_writes=on"];
/// So many connections are more than the nodes take, but not many more.
const SCARCE: &str = "max_connections=60";

/// See the file's head.
pub enum Database {
    /// One server.
    Alone(Server),
    /// One server behind a pooler, which hands out its connections by transaction.
    Pooled(Server, Pooler),
    /// A primary and its synchronous standby.
    Patroni(Patroni),
}

impl Database {
    /// One server.
    pub fn alone() -> Self {
        Self::Alone(server(&[]))
    }

    /// One server with few connections.
    pub fn scarce() -> Self {
        Self::Alone(server(&[SCARCE]))
    }

    /// One server behind a pooler.
    pub fn pooled() -> Self {
        let server = server(&[]);
        let pooler = Pooler::start(&server);
        Self::Pooled(server, pooler)
    }

    /// One server behind a pooler with two connections, for all nodes.
    pub fn narrow() -> Self {
        let server = server(&[]);
        let pooler = Pooler::start_with(&server, &["default_pool_size = 2"]);
        Self::Pooled(server, pooler)
    }

    /// Two servers that Patroni runs.
    pub fn patroni() -> Self {
        let patroni = Patroni::start();
        patroni.database(DATABASE);
        Self::Patroni(patroni)
    }

    /// The socket that nodes are led to. None where they find their way themselves.
    pub fn socket(&self) -> Option<PathBuf> {
        let directory = match self {
            Self::Alone(server) => server.directory(),
            Self::Pooled(_, pooler) => pooler.directory(),
            Self::Patroni(_) => return None,
        };
        Some(directory.join(".s.PGSQL.5432"))
    }

    /// Whom the nodes connect as.
    pub fn account(&self) -> &'static str {
        match self {
            Self::Pooled(..) => "postgres", // the only one that the pooler knows
            _ => ACCOUNT,
        }
    }

    /// How a node gets there without being led.
    pub fn direct_url(&self) -> Option<String> {
        match self {
            Self::Alone(_) => None,
            Self::Pooled(server, _) => Some(server.url(DATABASE)),
            Self::Patroni(patroni) => Some(patroni.url(DATABASE)),
        }
    }

    /// What statements give in the nodes' database, one row a line.
    ///
    /// # Panics
    /// When one of them fails.
    pub fn psql(&self, statements: &str) -> String {
        match self {
            Self::Alone(server) | Self::Pooled(server, _) => server.psql(DATABASE, statements),
            Self::Patroni(patroni) => patroni.psql(DATABASE, statements),
        }
    }
}

fn server(options: &[&str]) -> Server {
    let server = Server::start_with(&[&DURABLE, options].concat());
    server.database(DATABASE);
    let owner = format!(
        "CREATE ROLE {ACCOUNT} LOGIN;
         ALTER DATABASE {DATABASE} OWNER TO {ACCOUNT}"
    );
    server.psql(DATABASE, &owner);
    server
}
