//! A guard in a PostgreSQL, the receiver's own: what it remembers is shared by all processes of the
//! receiver, and can be confirmed in the very transaction in which an event's work is written down.
//!
//! A reservation has a lease besides: what a process that crashed had reserved is welcome again
//! once that is over. Every call but the giving back waits for the database, in whatever thread it
//! is asked; a runtime of the guard's own, with one thread, speaks to it meanwhile, so that it may
//! be asked from async code and from other. What is asked at once travels together.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::mpsc::sync_channel;
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};
use tokio::sync::Mutex;
use tokio_postgres::tls::{MakeTlsConnect, TlsConnect};
use tokio_postgres::types::Type;
use tokio_postgres::{Client, Config, GenericClient, Socket};

use super::{Guard, GuardError, Key, LEASE_SECONDS, Reservation, Reserve, Ticket};

/// How long a call waits for the database.
const PATIENCE: Duration = Duration::from_secs(5);

/// Remembers in the table `webhook_replay`, which any number of processes may share.
///
/// ```no_run
/// use std::sync::Arc;
/// use tokio_postgres::{Config, NoTls};
/// use webhook::provider::ReplayKey;
/// use webhook::replay::{Key, Postgres, Reservation};
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let config: Config = "host=/run/postgresql dbname=shop".parse()?;
/// let guard = Arc::new(Postgres::connect(config.clone(), NoTls)?);
/// let (mut orders, connection) = config.connect(NoTls).await?; // the same database
/// tokio::spawn(connection);
///
/// let key = Key::of("orders", &ReplayKey::Id("msg_1".into()));
/// let (now, until) = (1_764_000_000, 1_764_000_600);
/// let reservation = Reservation::new(guard, &[key], now, until)?;
/// let transaction = orders.transaction().await?;
/// transaction.execute("INSERT INTO paid VALUES (7)", &[]).await?;
/// Postgres::confirm_in(&transaction, &reservation).await?;
/// transaction.commit().await?; // both, or neither
/// drop(reservation); // gives back what is not confirmed: nothing
/// # Ok(())
/// # }
/// ```
pub struct Postgres {
    shared: Arc<Shared>,
    /// There until it is dropped.
    runtime: Option<Runtime>,
    lease_seconds: u32,
}

impl Postgres {
    /// What the guard's table is made by, for who makes it as another role. The guard makes it
    /// itself where it isn't there.
    pub const SCHEMA: &str = "
        CREATE TABLE IF NOT EXISTS webhook_replay (
            key bytea PRIMARY KEY,
            until bigint NOT NULL,
            ticket bigint NOT NULL,
            leased_until bigint
        );
        CREATE INDEX IF NOT EXISTS webhook_replay_until ON webhook_replay (until);";

    /// Confirms what has the key `$1` (`bytea`, [`Key::as_bytes`]) and the ticket `$2` (`bigint`),
    /// for a transaction of another library. It has to change one row: otherwise the reservation is
    /// over, and the transaction must not commit.
    pub const CONFIRM: &str = "
        UPDATE webhook_replay SET leased_until = NULL
        WHERE key = $1 AND ticket = $2 AND leased_until IS NOT NULL";

    /// A guard in this database, whose table is made if it isn't there. It has one connection, and
    /// makes another when that is lost.
    pub fn connect<T>(config: Config, tls: T) -> Result<Self, GuardError>
    where
        T: MakeTlsConnect<Socket> + Clone + Send + Sync + 'static,
        T::Stream: Send,
        T::TlsConnect: Send,
        <T::TlsConnect as TlsConnect<Socket>>::Future: Send,
    {
        let connect = move || -> Connecting {
            let (config, tls) = (config.clone(), tls.clone());
            Box::pin(async move {
                let (client, connection) = config.connect(tls).await?;
                tokio::spawn(connection);
                Ok(client)
            })
        };
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("webhook-replay")
            .enable_all()
            .build();
        let guard = Self {
            shared: Arc::new(Shared {
                connect: Box::new(connect),
                client: Mutex::new(None),
            }),
            runtime: Some(runtime.map_err(failed)?),
            lease_seconds: LEASE_SECONDS,
        };
        guard.ask(|client| async move { make_table(&client).await })?;
        Ok(guard)
    }

    /// For how long a reservation holds: longer than any handler takes.
    #[must_use]
    pub fn lease_seconds(mut self, seconds: u32) -> Self {
        self.lease_seconds = seconds;
        self
    }

    /// Confirms a reservation of such a guard in a transaction on the same database. Drop the
    /// reservation after that has committed: if it hasn't, the keys are given back.
    pub async fn confirm_in(
        transaction: &impl GenericClient,
        reservation: &Reservation,
    ) -> Result<(), GuardError> {
        for (key, ticket) in reservation.held() {
            confirm(transaction, key, *ticket).await?;
        }
        Ok(())
    }
}

type Connecting = Pin<Box<dyn Future<Output = Result<Client, tokio_postgres::Error>> + Send>>;

/// The connection, and how to have another.
struct Shared {
    connect: Box<dyn Fn() -> Connecting + Send + Sync>,
    client: Mutex<Option<Arc<Client>>>,
}

impl Shared {
    /// The connection, which is made first where there is none.
    async fn client(&self) -> Result<Arc<Client>, tokio_postgres::Error> {
        let mut client = self.client.lock().await;
        if let Some(open) = client.as_ref().filter(|client| !client.is_closed()) {
            return Ok(open.clone());
        }
        let made = Arc::new((self.connect)().await?);
        *client = Some(made.clone());
        Ok(made)
    }

    /// A connection that answers too late may never answer again.
    async fn forget(&self, late: &Arc<Client>) {
        let mut client = self.client.lock().await;
        if client.as_ref().is_some_and(|one| Arc::ptr_eq(one, late)) {
            *client = None;
        }
    }

    async fn run<R, F>(&self, job: impl FnOnce(Arc<Client>) -> F) -> Result<R, GuardError>
    where
        F: Future<Output = Result<R, GuardError>>,
    {
        let client = tokio::time::timeout(PATIENCE, self.client()).await;
        let client = client.map_err(|_| GuardError::Failed("no connection in time".into()))??;
        match tokio::time::timeout(PATIENCE, job(client.clone())).await {
            Ok(answer) => answer,
            Err(_) => {
                self.forget(&client).await;
                Err(GuardError::Failed("no answer in time".into()))
            }
        }
    }
}

impl Postgres {
    fn runtime(&self) -> &Runtime {
        let runtime = self.runtime.as_ref();
        runtime.expect("it is there until the guard is dropped")
    }

    /// Has something done by the guard's thread, and waits for it in this one.
    fn ask<R, F, J>(&self, job: J) -> Result<R, GuardError>
    where
        R: Send + 'static,
        F: Future<Output = Result<R, GuardError>> + Send,
        J: FnOnce(Arc<Client>) -> F + Send + 'static,
    {
        let (told, answer) = sync_channel(1);
        let shared = self.shared.clone();
        self.runtime().spawn(async move {
            let _ = told.send(shared.run(job).await);
        });
        let answer = answer.recv();
        answer.map_err(failed)?
    }
}

impl Guard for Postgres {
    fn reserve(&self, key: &Key, now: i64, until: i64) -> Result<Reserve, GuardError> {
        let leased_until = now.saturating_add(self.lease_seconds.into()).min(until);
        let (key, times) = (*key, [until, leased_until, now]);
        self.ask(move |client| async move { reserve(&client, &key, times).await })
    }

    fn confirm(&self, key: &Key, ticket: Ticket) -> Result<(), GuardError> {
        let key = *key;
        self.ask(move |client| async move { confirm(&*client, &key, ticket).await })
    }

    /// Nobody waits for it: who drops a reservation may be in the midst of async code. Where it
    /// fails, the lease ends the reservation.
    fn release(&self, key: &Key, ticket: Ticket) {
        let (shared, key) = (self.shared.clone(), *key);
        self.runtime().spawn(async move {
            let released = |client: Arc<Client>| async move {
                let key = key.as_bytes().as_slice();
                let values: Values<'_> = &[(&key, Type::BYTEA), (&ticket.number(), Type::INT8)];
                Ok(client.query_typed(RELEASE, values).await?)
            };
            let _ = shared.run(released).await;
        });
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        // It may be dropped in async code, where nothing may be waited for.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// Values with their types: with them a statement is one message, and needs no preparing that a
/// pooler could lose.
type Values<'v> = &'v [(&'v (dyn tokio_postgres::types::ToSql + Sync), Type)];

/// Two processes that begin at once would both make it, and one of them fail.
const LOCK: &str = "SELECT pg_advisory_xact_lock(hashtext('webhook_replay'));";

/// Some of what is old goes with what is new, and no process waits for another's.
///
/// Tickets are drawn by chance: one that is counted by the row would come again with the row.
const RESERVE: &str = "
    WITH old AS (
        SELECT key FROM webhook_replay WHERE until < $4 AND key <> $1
        LIMIT 16 FOR UPDATE SKIP LOCKED
    ), forgotten AS (
        DELETE FROM webhook_replay USING old WHERE webhook_replay.key = old.key
    )
    INSERT INTO webhook_replay AS held (key, until, ticket, leased_until)
    VALUES ($1, $2, floor(random() * 9223372036854775807)::bigint, $3)
    ON CONFLICT (key) DO UPDATE SET
        until = excluded.until, ticket = excluded.ticket, leased_until = excluded.leased_until
    WHERE held.leased_until < $4 OR held.until < $4
    RETURNING ticket";

const IS_CONFIRMED: &str = "SELECT leased_until IS NULL FROM webhook_replay WHERE key = $1";

const RELEASE: &str = "
    DELETE FROM webhook_replay WHERE key = $1 AND ticket = $2 AND leased_until IS NOT NULL";

async fn make_table(client: &Client) -> Result<(), GuardError> {
    let is_there = "SELECT to_regclass('webhook_replay') IS NOT NULL";
    let rows = client.query_typed(is_there, &[]).await?;
    let is_there = rows.iter().any(|row| row.get(0));
    if !is_there {
        let statements = [LOCK, Postgres::SCHEMA].concat();
        client.batch_execute(&statements).await?;
    }
    Ok(())
}

async fn reserve(
    client: &Client,
    key: &Key,
    [until, leased_until, now]: [i64; 3],
) -> Result<Reserve, GuardError> {
    let key = key.as_bytes().as_slice();
    let values: Values<'_> = &[
        (&key, Type::BYTEA),
        (&until, Type::INT8),
        (&leased_until, Type::INT8),
        (&now, Type::INT8),
    ];
    let reserved = client.query_typed(RESERVE, values).await?;
    if let Some(row) = reserved.first() {
        let ticket: i64 = row.get(0);
        return Ok(Reserve::Reserved(Ticket(ticket.unsigned_abs())));
    }
    let rows = client.query_typed(IS_CONFIRMED, &values[..1]).await?;
    // One that has just been given back is free at the sender's next attempt.
    Ok(match rows.first().is_some_and(|row| row.get(0)) {
        true => Reserve::Seen,
        false => Reserve::InProgress,
    })
}

async fn confirm(client: &impl GenericClient, key: &Key, ticket: Ticket) -> Result<(), GuardError> {
    let key = key.as_bytes().as_slice();
    let values: Values<'_> = &[(&key, Type::BYTEA), (&ticket.number(), Type::INT8)];
    match client.execute_typed(Postgres::CONFIRM, values).await? {
        0 => Err(GuardError::Over),
        _ => Ok(()),
    }
}

fn failed(error: impl std::error::Error + Send + Sync + 'static) -> GuardError {
    GuardError::Failed(Box::new(error))
}

impl From<tokio_postgres::Error> for GuardError {
    fn from(error: tokio_postgres::Error) -> Self {
        failed(error)
    }
}
