//! What can be set of the store.

use model::node::Roles;
use std::fmt;
use std::time::Duration;

/// How to reach the database, and how much of it to use.
#[derive(Clone)]
pub struct PostgresConfig {
    /// `postgres://…`: may hold a password, and is never printed.
    pub url: String,
    /// Where to reach the database itself, if `url` names a pooler that hands out connections by
    /// transaction: for what can't pass through that.
    pub direct_url: Option<String>,
    /// The most connections of this node.
    pub connections: usize,
    /// How long a statement may take: shorter than a lease.
    pub statement_timeout: Duration,
    /// Where less comes than this, rows are removed one by one as they reach their age; where more,
    /// with all of their partition. Payloads may be eight times as many.
    pub few_bytes_per_hour: u64,
    /// Migrations that come after this program's own: a test is a later version so.
    #[doc(hidden)]
    pub later_migrations: &'static [&'static str],
    /// What this node is called in lists of nodes.
    pub name: String,
    /// The version that it runs.
    pub version: String,
    /// What it does.
    pub roles: Roles,
}

impl Default for PostgresConfig {
    fn default() -> Self {
        Self {
            url: String::new(),
            direct_url: None,
            connections: 16,
            statement_timeout: Duration::from_secs(10),
            few_bytes_per_hour: 8 << 20,
            later_migrations: &[],
            name: String::new(),
            version: String::new(),
            roles: Roles::default(),
        }
    }
}

impl fmt::Debug for PostgresConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresConfig")
            .field("connections", &self.connections)
            .field("statement_timeout", &self.statement_timeout)
            .field("name", &self.name)
            .field("version", &self.version)
            .field("roles", &self.roles)
            .finish_non_exhaustive()
    }
}
