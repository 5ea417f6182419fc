//! A guard in a SQLite database, the receiver's own: what it remembers outlives the process, and
//! can be confirmed in the very transaction in which an event's work is written down.
//!
//! A reservation has a lease besides: what a process that crashed had reserved is welcome again
//! once that is over. Every call is a statement or two on a local file, and blocks for as long.

use std::sync::{Mutex, MutexGuard, PoisonError};

use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};

use super::{Guard, GuardError, Key, LEASE_SECONDS, Reservation, Reserve, Ticket};

/// `leased_until` is nothing once a key is confirmed.
const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS webhook_replay (
        key BLOB PRIMARY KEY,
        until INTEGER NOT NULL,
        ticket INTEGER NOT NULL,
        leased_until INTEGER
    ) WITHOUT ROWID;
    CREATE INDEX IF NOT EXISTS webhook_replay_until ON webhook_replay (until);";

const FORGET: &str = "DELETE FROM webhook_replay WHERE until < ?1";

/// Tickets are drawn by chance: one that is counted by the row would come again with the row.
const RESERVE: &str = "
    INSERT INTO webhook_replay (key, until, ticket, leased_until)
    VALUES (?1, ?2, random() & 9223372036854775807, ?3)
    ON CONFLICT (key) DO UPDATE SET
        until = excluded.until, ticket = excluded.ticket, leased_until = excluded.leased_until
    WHERE webhook_replay.leased_until < ?4
    RETURNING ticket";

const IS_CONFIRMED: &str = "SELECT leased_until IS NULL FROM webhook_replay WHERE key = ?1";

const CONFIRM: &str = "
    UPDATE webhook_replay SET leased_until = NULL
    WHERE key = ?1 AND ticket = ?2 AND leased_until IS NOT NULL";

const RELEASE: &str = "
    DELETE FROM webhook_replay WHERE key = ?1 AND ticket = ?2 AND leased_until IS NOT NULL";

/// Remembers in the table `webhook_replay`, which any number of processes may share.
///
/// ```
/// use std::sync::Arc;
/// use rusqlite::Connection;
/// use webhook::provider::ReplayKey;
/// use webhook::replay::{Key, Reservation, Sqlite};
///
/// # let folder = std::env::temp_dir().join(format!("replay-{}", std::process::id()));
/// # std::fs::create_dir_all(&folder)?;
/// # let path = folder.join("shop.db");
/// let guard = Arc::new(Sqlite::new(Connection::open(&path)?)?);
/// let mut orders = Connection::open(&path)?; // the same file
/// orders.execute("CREATE TABLE paid (id INTEGER)", [])?;
///
/// let key = Key::of("orders", &ReplayKey::Id("msg_1".into()));
/// let (now, until) = (1_764_000_000, 1_764_000_600);
/// let reservation = Reservation::new(guard, &[key], now, until)?;
/// let transaction = orders.transaction()?;
/// transaction.execute("INSERT INTO paid VALUES (7)", [])?;
/// Sqlite::confirm_in(&transaction, &reservation)?;
/// transaction.commit()?; // both, or neither
/// drop(reservation); // gives back what is not confirmed: nothing
/// # std::fs::remove_dir_all(folder)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Sqlite {
    connection: Mutex<Connection>,
    lease_seconds: u32,
}

impl Sqlite {
    /// A guard in this database, whose table is made if it isn't there.
    pub fn new(connection: Connection) -> Result<Self, GuardError> {
        connection.execute_batch(SCHEMA)?;
        Ok(Self {
            connection: Mutex::new(connection),
            lease_seconds: LEASE_SECONDS,
        })
    }

    /// For how long a reservation holds: longer than any handler takes.
    #[must_use]
    pub fn lease_seconds(mut self, seconds: u32) -> Self {
        self.lease_seconds = seconds;
        self
    }

    /// Confirms a reservation of such a guard in a transaction on the same database. Drop the
    /// reservation after that has committed: if it hasn't, the keys are given back.
    pub fn confirm_in(
        transaction: &Transaction<'_>,
        reservation: &Reservation,
    ) -> Result<(), GuardError> {
        let mut held = reservation.held().iter();
        held.try_for_each(|(key, ticket)| confirm(transaction, key, *ticket))
    }

    fn lock(&self) -> MutexGuard<'_, Connection> {
        // A transaction that a panic leaves behind is rolled back when it is dropped.
        let connection = self.connection.lock();
        connection.unwrap_or_else(PoisonError::into_inner)
    }
}

impl Guard for Sqlite {
    fn reserve(&self, key: &Key, now: i64, until: i64) -> Result<Reserve, GuardError> {
        let mut connection = self.lock();
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        transaction.prepare_cached(FORGET)?.execute([now])?;
        let leased_until = now.saturating_add(self.lease_seconds.into()).min(until);
        let reserved = transaction
            .prepare_cached(RESERVE)?
            .query_row(params![key.as_bytes(), until, leased_until, now], |row| {
                row.get::<_, i64>(0)
            })
            .optional()?;
        let answer = match reserved {
            Some(ticket) => Reserve::Reserved(Ticket(ticket.unsigned_abs())),
            None => {
                let mut statement = transaction.prepare_cached(IS_CONFIRMED)?;
                match statement.query_row([key.as_bytes()], |row| row.get(0))? {
                    true => Reserve::Seen,
                    false => Reserve::InProgress,
                }
            }
        };
        transaction.commit()?;
        Ok(answer)
    }

    fn confirm(&self, key: &Key, ticket: Ticket) -> Result<(), GuardError> {
        confirm(&self.lock(), key, ticket)
    }

    fn release(&self, key: &Key, ticket: Ticket) {
        let connection = self.lock();
        // Who drops a reservation can't be told that this failed. The lease ends it then.
        let _ = connection
            .prepare_cached(RELEASE)
            .and_then(|mut statement| statement.execute(params![key.as_bytes(), ticket.number()]));
    }
}

fn confirm(connection: &Connection, key: &Key, ticket: Ticket) -> Result<(), GuardError> {
    let mut statement = connection.prepare_cached(CONFIRM)?;
    match statement.execute(params![key.as_bytes(), ticket.number()])? {
        0 => Err(GuardError::Over),
        _ => Ok(()),
    }
}

impl From<rusqlite::Error> for GuardError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Failed(Box::new(error))
    }
}
