//! What the nodes share: a PostgreSQL of their own that really syncs, with a synchronous standby;
//! behind PgBouncer, or run by Patroni, where a scenario says so.

use std::path::PathBuf;

use private_postgres::{Patroni, Pooler, Server, Standby};

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
    /// A primary and its standby.
    Plain(Pair),
    /// The same behind a pooler, which hands out the primary's connections by transaction.
    Pooled(Pair, Pooler),
    /// Two servers, of which Patroni says which is the primary.
    Patroni(Patroni),
}

/// Two servers, which stay what they are.
pub struct Pair {
    /// The one that the nodes know.
    pub primary: Server,
    /// It has every commit before it is answered.
    standby: Standby,
}

impl Pair {
    fn start(options: &[&str]) -> Self {
        let primary = Server::start_with(&[&DURABLE, options].concat());
        primary.database(DATABASE);
        let owner = format!(
            "CREATE ROLE {ACCOUNT} LOGIN;
             ALTER DATABASE {DATABASE} OWNER TO {ACCOUNT}"
        );
        primary.psql(DATABASE, &owner);
        let standby = Standby::start(&primary, &DURABLE);
        Self { primary, standby }
    }
}

impl Database {
    /// A primary and its standby.
    pub fn plain() -> Self {
        Self::Plain(Pair::start(&[]))
    }

    /// The same with few connections.
    pub fn scarce() -> Self {
        Self::Plain(Pair::start(&[SCARCE]))
    }

    /// The same behind a pooler.
    pub fn pooled() -> Self {
        let pair = Pair::start(&[]);
        let pooler = Pooler::start(&pair.primary);
        Self::Pooled(pair, pooler)
    }

    /// The same behind a pooler with two connections, for all nodes.
    pub fn narrow() -> Self {
        let pair = Pair::start(&[]);
        let pooler = Pooler::start_with(&pair.primary, &["default_pool_size = 2"]);
        Self::Pooled(pair, pooler)
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
            Self::Plain(pair) => pair.primary.directory(),
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
            Self::Plain(_) => None,
            Self::Pooled(pair, _) => Some(pair.primary.url(DATABASE)),
            Self::Patroni(patroni) => Some(patroni.url(DATABASE)),
        }
    }

    /// What statements give in the nodes' database, one row a line.
    ///
    /// # Panics
    /// When one of them fails.
    pub fn psql(&self, statements: &str) -> String {
        match self {
            Self::Plain(pair) | Self::Pooled(pair, _) => pair.primary.psql(DATABASE, statements),
            Self::Patroni(patroni) => patroni.psql(DATABASE, statements),
        }
    }

    /// The same on the standby, as far as it has got.
    ///
    /// # Panics
    /// When there is none, or one of the statements fails.
    pub fn psql_on_standby(&self, statements: &str) -> String {
        match self {
            Self::Plain(pair) | Self::Pooled(pair, _) => pair.standby.psql(DATABASE, statements),
            Self::Patroni(patroni) => {
                let primary = patroni.primary().expect("there is a primary");
                let said = patroni.psql_on(1 - primary, DATABASE, statements);
                said.unwrap_or_else(|error| panic!("{statements}: {error}"))
            }
        }
    }

    /// That the standby has every commit before it is answered, says the primary.
    ///
    /// # Panics
    /// When it does not.
    pub fn assert_synchronous(&self, when: &str) {
        let is_it = match self {
            Self::Plain(pair) | Self::Pooled(pair, _) => pair.primary.is_synchronous(),
            Self::Patroni(patroni) => patroni.is_synchronous(),
        };
        assert!(is_it, "the standby is not synchronous {when}");
    }
}
