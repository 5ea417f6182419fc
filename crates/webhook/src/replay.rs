//! Keeps replays out: remembers, for as long as a request could be genuine again, by what a
//! replay of it would be told.
//!
//! A [`Guard`] remembers in two steps, so that a crash between a request and what is made of it
//! loses nothing and burns nothing: a [`Key`] is reserved, and confirmed once what the request
//! asks for is done. A [`Reservation`] that is dropped gives its keys back, and the sender's next
//! attempt is taken. [`InMemory`] is a guard for one process; with the features `sqlite` and
//! `postgres` there is one in such a database. Who writes to another database writes a key into a
//! table of their own, in the transaction of the message:
//! [`Event::remember`](crate::Event::remember) has all that it takes.
//!
//! Guards are asked synchronously, and so need no async runtime of their caller's: what was
//! reserved is given back when it is dropped, which can't wait for anything. Time is an argument.
//!
//! ```
//! use std::sync::Arc;
//! use webhook::provider::ReplayKey;
//! use webhook::replay::{InMemory, Key, ReserveError, Reservation};
//!
//! let guard = Arc::new(InMemory::new(100_000));
//! let key = Key::of("orders", &ReplayKey::Id("msg_1".into()));
//! let (now, until) = (1_764_000_000, 1_764_000_600);
//!
//! let failed = Reservation::new(guard.clone(), &[key], now, until)?;
//! drop(failed); // the handler failed, so that the sender's next attempt is welcome
//!
//! Reservation::new(guard.clone(), &[key], now + 5, until)?.confirm()?;
//! let again = Reservation::new(guard, &[key], now + 9, until);
//! assert!(matches!(again, Err(ReserveError::Seen { key: 0 })));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod key;
mod memory;
#[cfg(feature = "postgres")]
mod postgres;
#[cfg(all(test, feature = "postgres"))]
mod postgres_tests;
#[cfg(feature = "sqlite")]
mod sqlite;
#[cfg(all(test, feature = "sqlite"))]
mod sqlite_tests;
#[cfg(test)]
mod tests;

pub use key::Key;
pub use memory::InMemory;
#[cfg(feature = "postgres")]
pub use postgres::Postgres;
#[cfg(feature = "sqlite")]
pub use sqlite::Sqlite;

use std::sync::Arc;

/// For how long a reservation in a database holds unless a guard says otherwise, in seconds. A
/// handler that takes longer may be overtaken by the sender's next attempt.
#[cfg(any(feature = "postgres", feature = "sqlite"))]
pub const LEASE_SECONDS: u32 = 300;

/// Remembers keys. Equal keys have one reservation at a time, whoever asks and from wherever.
///
/// One that outlives its process has to let the reservations of a crashed process end before
/// their time: otherwise such a crash burns what was reserved.
pub trait Guard: Send + Sync {
    /// Reserves a key, unless it is reserved or confirmed already; both last until `until`, itself
    /// included. Times are in seconds since the Unix epoch.
    fn reserve(&self, key: &Key, now: i64, until: i64) -> Result<Reserve, GuardError>;

    /// Turns a reservation into what is seen. It fails where the reservation is over.
    fn confirm(&self, key: &Key, ticket: Ticket) -> Result<(), GuardError>;

    /// Gives a reservation back. It does nothing where that is over or confirmed.
    fn release(&self, key: &Key, ticket: Ticket);
}

/// What comes of asking for a key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reserve {
    /// It is whose ticket this is.
    Reserved(Ticket),
    /// It was confirmed: what has it is a replay, or an honest repeat.
    Seen,
    /// Somebody else has it, and is not done.
    InProgress,
}

/// Tells a reservation from a later one of the same key, so that who is late can't end that.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Ticket(pub u64);

#[cfg(any(feature = "postgres", feature = "sqlite"))]
impl Ticket {
    /// The same number as it stands in a table. One that can't be there is no row's.
    fn number(self) -> i64 {
        i64::try_from(self.0).unwrap_or(-1)
    }
}

/// Why a guard can't answer. Nothing may be taken then, or replays would be.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GuardError {
    /// It remembers as much as it may. Forgetting something early would let a replay in.
    #[error("the replay guard remembers {entries_max} keys already, as many as it may")]
    Full {
        /// How many.
        entries_max: usize,
    },
    /// The reservation took longer than its key is remembered.
    #[error("the reservation is over: it was held for longer than its key is remembered")]
    Over,
    /// What it remembers with can't be reached, or fails.
    #[error("the replay guard failed")]
    Failed(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// Why there is no reservation.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReserveError {
    /// One of the keys was confirmed before.
    #[error("this was received before")]
    Seen {
        /// Which of them, from 0.
        key: usize,
    },
    /// One of the keys is reserved.
    #[error("this is being received already")]
    InProgress,
    /// It is not known.
    #[error(transparent)]
    Guard(#[from] GuardError),
}

/// Keys that are reserved, all or none. Dropped without having been confirmed, it gives them back.
#[must_use = "dropped, it gives back what was reserved"]
pub struct Reservation {
    guard: Arc<dyn Guard>,
    held: Vec<(Key, Ticket)>,
}

impl Reservation {
    /// Reserves all of these keys, which must differ, in their order.
    pub fn new(
        guard: Arc<dyn Guard>,
        keys: &[Key],
        now: i64,
        until: i64,
    ) -> Result<Self, ReserveError> {
        let held = Vec::with_capacity(keys.len());
        let mut reservation = Self { guard, held };
        for (place, key) in keys.iter().enumerate() {
            match reservation.guard.reserve(key, now, until)? {
                Reserve::Reserved(ticket) => reservation.held.push((*key, ticket)),
                Reserve::Seen => return Err(ReserveError::Seen { key: place }),
                Reserve::InProgress => return Err(ReserveError::InProgress),
            }
        }
        Ok(reservation)
    }

    /// What is reserved, for a guard that confirms it by other means than [`Guard::confirm`].
    pub fn held(&self) -> &[(Key, Ticket)] {
        &self.held
    }

    /// What was reserved is seen from now on: what the request asked for is done.
    ///
    /// # Errors
    /// Where a key could not be confirmed, what was not is given back.
    pub fn confirm(mut self) -> Result<(), GuardError> {
        // The last is confirmed first: one that is still held goes on being given back on drop.
        while let Some((key, ticket)) = self.held.last() {
            self.guard.confirm(key, *ticket)?;
            self.held.pop();
        }
        Ok(())
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        for (key, ticket) in &self.held {
            self.guard.release(key, *ticket);
        }
    }
}

impl std::fmt::Debug for Reservation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Reservation").field(&self.held).finish()
    }
}
