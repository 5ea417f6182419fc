//! Connections: a pool for statements, and one connection at a time for what a pooler in between
//! could not carry.

use crate::OpenError;
use crate::config::PostgresConfig;
use crate::failure::Failure;
use crate::location::{CONNECT_MAX, Location};
use crate::sql::{Manner, Sql};
use crate::trust::Trust;
use deadpool_postgres::{
    Client, Hook, HookError, Manager, ManagerConfig, Pool, RecyclingMethod, Runtime, Timeouts,
};
use std::sync::Arc;
use std::time::Duration;
use store::vitals::Fill;
use tokio::time::Instant;
use tokio_postgres::Config;

/// A node that stands still in a transaction keeps others from what it has locked, the row of its
/// own lease among it. The database ends that transaction: after less time than the others'
/// statements may wait, so that none of them fails for it.
const STILL_MAX: Duration = Duration::from_secs(5);
/// How many connections nobody but the two loops may have.
const WRITERS: usize = 2;
/// A statement that the database ends itself is answered within this.
const GRACE: Duration = Duration::from_secs(2);

/// The planner goes by index everywhere: what it would guess from statistics that are behind, or
/// from an empty table, are scans of tables that grow. Plans are made once.
/// Compiling one takes longer than any of them runs. Bitmaps read all of a lane, and sort it, for
/// the few rows that its index has in order.
///
/// What names many rows of a table at once is to have no other plan than to look for each of them:
/// a query does so by `LATERAL` with a limit, and what changes rows by `= ANY(ARRAY[…])` for the
/// first column of an index, which can't be merged by. With `=` alone, a plan that was made while a
/// table was small may go through all of it, and do so until its next statistics.
const PLANNER: [&str; 6] = [
    "enable_bitmapscan=off",
    "enable_hashjoin=off",
    "enable_mergejoin=off",
    "enable_seqscan=off",
    "plan_cache_mode=force_generic_plan",
    "jit=off",
];

/// The connections of a node.
pub(crate) struct Pools {
    pool: Pool,
    /// Of the two loops: however many read, commits go on.
    writers: Pool,
    direct: Location,
    /// Statements have no names: a pooler stands between.
    unnamed: bool,
    /// The database is given so long to answer: a little longer than it gives itself.
    limit: Duration,
    /// In what the pools connect to.
    trust: Arc<Trust>,
    statement_timeout: Duration,
}

impl Pools {
    /// Connects when it is first asked to.
    pub(crate) fn new(config: &PostgresConfig) -> Result<Self, OpenError> {
        let pooled = config.direct_url.is_some();
        let mut through = Location::parse(&config.url)?;
        let mut direct = match &config.direct_url {
            Some(url) => Location::parse(url)?,
            None => through.clone(),
        };
        let timeout = config.statement_timeout;
        set_options(&mut direct.config, Duration::ZERO);
        if !pooled {
            set_options(&mut through.config, timeout);
        }
        let pool = |connections| pool(&through, connections);
        Ok(Self {
            pool: pool(config.connections.saturating_sub(WRITERS).max(1))?,
            writers: pool(WRITERS)?,
            direct,
            unnamed: pooled,
            limit: timeout + GRACE,
            trust: through.trust.clone(),
            statement_timeout: timeout,
        })
    }

    /// A connection for a transaction.
    pub(crate) async fn client(&self) -> Result<Client, Failure> {
        Ok(self.pool.get().await?)
    }

    /// The same for the writer and for what ends leases.
    pub(crate) async fn writer(&self) -> Result<Client, Failure> {
        Ok(self.writers.get().await?)
    }

    /// What is done on a connection as it is may take as long as a statement.
    pub(crate) async fn within<T, E: From<Failure>>(
        &self,
        done: impl Future<Output = Result<T, E>>,
    ) -> Result<T, E> {
        let began = Instant::now();
        let done = tokio::time::timeout(self.limit, done).await;
        done.unwrap_or_else(|_| {
            self.trust.doubt(began);
            self.direct.trust.doubt(began);
            let late = "the database does not answer".to_owned();
            Err(Failure::Unavailable(late).into())
        })
    }

    /// What is done on a connection of a pool must succeed there, or another host is asked next.
    pub(crate) async fn doubting<T>(
        &self,
        done: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        let began = Instant::now();
        let done = done.await;
        if matches!(done, Err(Failure::Unavailable(_))) {
            self.trust.doubt(began);
        }
        done
    }

    /// A transaction that writes.
    pub(crate) fn begin<'c>(&self, client: &'c mut Client) -> Sql<'c> {
        self.transaction(client, "BEGIN ISOLATION LEVEL READ COMMITTED;")
    }

    /// A transaction that sees one state of everything.
    pub(crate) fn snapshot<'c>(&self, client: &'c mut Client) -> Sql<'c> {
        self.transaction(client, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;")
    }

    /// Through a pooler each transaction brings its own settings.
    fn transaction<'c>(&self, client: &'c Client, begin: &str) -> Sql<'c> {
        let mut begin = begin.to_owned();
        if self.unnamed {
            let (timeout, still) = (self.statement_timeout.as_millis(), STILL_MAX.as_millis());
            begin.push_str(&format!(
                "SET LOCAL statement_timeout={timeout};
                 SET LOCAL idle_in_transaction_session_timeout={still};"
            ));
            begin.extend(PLANNER.map(|setting| format!("SET LOCAL {setting};")));
        }
        let manner = Manner {
            unnamed: self.unnamed,
            limit: self.limit,
            trust: self.trust.clone(),
            since: Instant::now(),
        };
        Sql::new(client, manner, begin)
    }

    /// A connection of its own to the database itself. It ends when the client is dropped.
    pub(crate) async fn direct(&self) -> Result<tokio_postgres::Client, Failure> {
        let connecting = self.direct.connect();
        let connected = tokio::time::timeout(self.direct.patience(), connecting).await;
        let (client, connection) = connected
            .map_err(|_| Failure::Unavailable("the database does not answer".to_owned()))??;
        tokio::spawn(connection);
        Ok(client)
    }

    /// How many connections are in use, of both pools.
    pub(crate) fn fill(&self) -> Fill {
        let of = |pool: &Pool| {
            let status = pool.status();
            let taken = status.size.saturating_sub(status.available);
            (taken as u64, status.max_size as u64)
        };
        let (readers, writers) = (of(&self.pool), of(&self.writers));
        Fill {
            taken: readers.0 + writers.0,
            of: readers.1 + writers.1,
        }
    }

    /// No connection is given out any more.
    pub(crate) fn close(&self) {
        self.pool.close();
        self.writers.close();
    }
}

/// So many connections by this way, each for as long as it is to be trusted.
fn pool(way: &Location, connections: usize) -> Result<Pool, OpenError> {
    let manager = ManagerConfig {
        recycling_method: RecyclingMethod::Fast,
    };
    let timeouts = Timeouts {
        wait: Some(CONNECT_MAX),
        create: Some(way.patience()),
        recycle: Some(CONNECT_MAX),
    };
    let trust = way.trust.clone();
    let is_trusted = Hook::sync_fn(move |_, metrics| match trust.covers(metrics.created) {
        true => Ok(()),
        false => Err(HookError::message("it may lead nowhere")),
    });
    let manager = Manager::from_connect(way.config.clone(), way.clone(), manager);
    Pool::builder(manager)
        .max_size(connections)
        .timeouts(timeouts)
        .runtime(Runtime::Tokio1)
        .pre_recycle(is_trusted)
        .build()
        .map_err(|error| OpenError::Database(error.to_string()))
}

fn set_options(config: &mut Config, statement_timeout: Duration) {
    let mut options = config.get_options().unwrap_or_default().to_owned();
    for setting in PLANNER {
        options.push_str(&format!(" -c {setting}"));
    }
    let (timeout, still) = (statement_timeout.as_millis(), STILL_MAX.as_millis());
    options.push_str(&format!(
        " -c statement_timeout={timeout} -c idle_in_transaction_session_timeout={still}"
    ));
    config.options(&options);
}
