//! What was fetched, for as long as it is good. One fetch serves all who ask while it lasts, also
//! with its failure, and goes on when they go away; a failure is an answer for a while, so that a
//! dead server is not asked by every delivery, and for as long as one asks to be left alone.
//!
//! Bounded: of more than it has room for, those go that nobody asked for the longest. It keeps what
//! it is given, and knows neither HTTP nor what it keeps.

use std::future::Future;
use std::hash::Hash;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use lru::LruCache;
use tokio::sync::watch;
use tokio::time::Instant;

use super::FetchError;

/// How long a failure is the answer to all who ask: less than the first wait of a retry schedule is
/// by default, so that none of its tries is wasted.
pub(crate) const FAILURE_HELD: Duration = Duration::from_secs(3);

/// Why nothing was fetched.
pub(crate) trait Failure: Clone + From<FetchError> {
    /// How long the other side asks not to be asked again.
    fn asks_to_wait(&self) -> Option<Duration>;
}

impl Failure for FetchError {
    fn asks_to_wait(&self) -> Option<Duration> {
        Self::asks_to_wait(self)
    }
}
/// What is told to be outdated is fetched anew, but not more often than this.
pub(crate) const RENEWAL_INTERVAL: Duration = Duration::from_secs(30);

/// What a fetch brings.
pub(crate) struct Fetched<V> {
    pub(crate) value: Arc<V>,
    /// Until when nothing is asked.
    pub(crate) fresh_until: Instant,
    /// Until when it does where nothing newer can be had.
    pub(crate) usable_until: Instant,
}

type Outcome<V, E> = Result<Arc<V>, E>;
type Flight<V, E> = watch::Receiver<Option<Outcome<V, E>>>;

/// What was fetched, by what it was asked for with.
pub(crate) struct Cache<K, V, E>(Arc<Mutex<LruCache<K, Entry<V, E>>>>);

struct Entry<V, E> {
    fetched: Option<Fetched<V>>,
    /// The last failure, and until when it is the answer.
    failure: Option<(E, Instant)>,
    flight: Option<Flight<V, E>>,
    /// When a value was last told to be outdated.
    renewed: Option<Instant>,
}

impl<V, E> Default for Entry<V, E> {
    fn default() -> Self {
        Self {
            fetched: None,
            failure: None,
            flight: None,
            renewed: None,
        }
    }
}

impl<K, V, E> Cache<K, V, E>
where
    K: Clone + Eq + Hash + Send + 'static,
    V: Send + Sync + 'static,
    E: Failure + Send + Sync + 'static,
{
    pub(crate) fn new(entries_max: NonZeroUsize) -> Self {
        Self(Arc::new(Mutex::new(LruCache::new(entries_max))))
    }

    /// The value that is kept, or what `fetch` brings, to all who ask meanwhile.
    pub(crate) async fn ask<F>(&self, key: &K, fetch: impl FnOnce() -> F) -> Outcome<V, E>
    where
        F: Future<Output = Result<Fetched<V>, E>> + Send + 'static,
    {
        let mut flight = match self.known(key, fetch) {
            Ok(known) => return known,
            Err(flight) => flight,
        };
        let landed = flight.wait_for(Option::is_some).await;
        match landed.as_deref() {
            Ok(Some(outcome)) => outcome.clone(),
            _ => Err(FetchError::Abandoned.into()),
        }
    }

    /// Tells that a value won't do any more, or, where it is still `usable`, that there may be a
    /// newer one. Whether it is worth asking again.
    pub(crate) fn outdated(&self, key: &K, value: &Arc<V>, usable: bool) -> bool {
        let now = Instant::now();
        let mut entries = lock(&self.0);
        let Some(entry) = entries.get_mut(key) else {
            return true;
        };
        let Some(fetched) = &mut entry.fetched else {
            return true;
        };
        if !Arc::ptr_eq(&fetched.value, value) {
            return true;
        }
        if entry.renewed.is_some_and(|at| now < at + RENEWAL_INTERVAL) {
            return false;
        }
        entry.renewed = Some(now);
        if usable {
            fetched.fresh_until = now;
        } else {
            entry.fetched = None;
        }
        true
    }

    /// What is known, else what to wait for.
    fn known<F>(&self, key: &K, fetch: impl FnOnce() -> F) -> Result<Outcome<V, E>, Flight<V, E>>
    where
        F: Future<Output = Result<Fetched<V>, E>> + Send + 'static,
    {
        let mut entries = lock(&self.0);
        let entry = entries.get_or_insert_mut(key.clone(), Entry::default);
        if let Some(known) = entry.known(Instant::now()) {
            return Ok(known);
        }
        // One that ended without a word was stopped on its way.
        let flying = |flight: &&Flight<V, E>| flight.has_changed().is_ok();
        if let Some(flight) = entry.flight.as_ref().filter(flying) {
            return Err(flight.clone());
        }
        let flight = self.start(key.clone(), fetch());
        entry.flight = Some(flight.clone());
        Err(flight)
    }

    fn start<F>(&self, key: K, fetch: F) -> Flight<V, E>
    where
        F: Future<Output = Result<Fetched<V>, E>> + Send + 'static,
    {
        let (landing, flight) = watch::channel(None);
        let entries = self.0.clone();
        tokio::spawn(async move {
            let fetched = fetch.await;
            let outcome = lock(&entries)
                .get_or_insert_mut(key, Entry::default)
                .settle(fetched);
            landing.send_replace(Some(outcome));
        });
        flight
    }
}

impl<V, E: Failure> Entry<V, E> {
    /// The answer, where nothing has to be fetched for it.
    fn known(&self, now: Instant) -> Option<Outcome<V, E>> {
        if let Some(fetched) = &self.fetched
            && now < fetched.fresh_until
        {
            return Some(Ok(fetched.value.clone()));
        }
        match &self.failure {
            Some((error, until)) if now < *until => Some(self.in_need(error, now)),
            _ => None,
        }
    }

    fn settle(&mut self, fetched: Result<Fetched<V>, E>) -> Outcome<V, E> {
        let now = Instant::now();
        self.flight = None;
        match fetched {
            Ok(fetched) => {
                let value = fetched.value.clone();
                self.fetched = Some(fetched);
                self.failure = None;
                Ok(value)
            }
            Err(error) => {
                let outcome = self.in_need(&error, now);
                let held = error.asks_to_wait().unwrap_or_default().max(FAILURE_HELD);
                self.failure = Some((error, now + held));
                outcome
            }
        }
    }

    /// What was fetched before, where it still does, else why nothing newer was.
    fn in_need(&self, error: &E, now: Instant) -> Outcome<V, E> {
        match &self.fetched {
            Some(fetched) if now < fetched.usable_until => Ok(fetched.value.clone()),
            _ => Err(error.clone()),
        }
    }
}

fn lock<T>(entries: &Mutex<T>) -> MutexGuard<'_, T> {
    entries.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
