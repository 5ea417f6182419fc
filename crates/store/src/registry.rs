//! Applications and their endpoints in memory, so that accepting and sending a message query
//! nothing: a bounded cache in front of [`Store::registry`]. Beside them, what is no application's
//! (`own`), each of it kept as a whole (`whole`).
//!
//! Staleness: what changes on this node is forgotten before the change is acknowledged. What
//! changed on another node is caught by the accept's check of the revision; for the start of an
//! attempt, entries older than [`AGE_MAX`] are read again.

mod own;
mod whole;

use crate::rows::{ApplicationRef, EndpointRow, RegistryRow};
use crate::{Store, StoreError};
use lru::LruCache;
use model::Clock;
use model::id::{ApplicationKey, EndpointKey};
use model::name::Name;
use model::policy::Policy;
use model::redaction::TypeRedaction;
use model::retry::RetrySchedule;
use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use whole::Whole;

/// How many reads may be under way: those of one application wait for each other.
const FLIGHTS: usize = 64;

/// How old an entry may be when it is used: changes made on other nodes hold within this.
pub const AGE_MAX: Duration = Duration::from_secs(1);

/// The cache.
pub struct Registry {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    shared: bool,
    entries: Mutex<Entries>,
    schedules: Whole<BTreeMap<Name, RetrySchedule>>,
    redactions: Whole<BTreeMap<Name, Arc<TypeRedaction>>>,
    policy: Whole<Policy>,
    /// Whoever misses an entry reads it under one of these, so that many who miss the same one read
    /// it once.
    flights: [tokio::sync::Mutex<()>; FLIGHTS],
}

struct Entries {
    by_key: LruCache<ApplicationKey, Entry>,
    by_uid: LruCache<Name, ApplicationKey>,
    /// Grows whenever an application with this [`flight`] is forgotten: what was read of it before
    /// is not kept then.
    forgotten: [u64; FLIGHTS],
}

struct Entry {
    row: Arc<RegistryRow>,
    read_at: Duration,
}

/// How big the registry may grow, and whether other nodes change what it holds.
#[derive(Debug, Clone, Copy)]
pub struct RegistryConfig {
    /// The most applications in memory.
    pub applications_max: NonZeroUsize,
    /// Whether other nodes share the store, so that entries age.
    pub shared: bool,
}

impl Registry {
    /// An empty cache in front of `store`.
    pub fn new(store: Arc<dyn Store>, clock: Arc<dyn Clock>, config: RegistryConfig) -> Self {
        let entries = Entries {
            by_key: LruCache::new(config.applications_max),
            by_uid: LruCache::new(config.applications_max),
            forgotten: [0; FLIGHTS],
        };
        Self {
            store,
            clock,
            shared: config.shared,
            entries: Mutex::new(entries),
            schedules: Whole::default(),
            redactions: Whole::default(),
            policy: Whole::default(),
            flights: std::array::from_fn(|_| tokio::sync::Mutex::default()),
        }
    }

    /// An application with its live endpoints; `None` if there is none.
    pub async fn find(
        &self,
        application: &ApplicationRef,
    ) -> Result<Option<Arc<RegistryRow>>, StoreError> {
        if let Some(row) = self.cached(&mut self.lock(), application) {
            return Ok(Some(row));
        }
        // In a box, since it is seldom needed, and all that await it would be as large.
        Box::pin(self.read(application)).await
    }

    async fn read(
        &self,
        application: &ApplicationRef,
    ) -> Result<Option<Arc<RegistryRow>>, StoreError> {
        let _flight = self.flights[flight(application)].lock().await;
        let forgotten = {
            let mut entries = self.lock();
            if let Some(row) = self.cached(&mut entries, application) {
                return Ok(Some(row));
            }
            entries.forgotten
        };
        let read_at = self.clock.monotonic();
        let Some(row) = self.store.registry(application).await?.map(Arc::new) else {
            return Ok(None);
        };
        let key = row.application.application.id.key();
        let mut entries = self.lock();
        let place = flight(&ApplicationRef::Key(key));
        if entries.forgotten[place] == forgotten[place] {
            if let Some(uid) = row.application.application.uid.clone() {
                entries.by_uid.put(uid, key);
            }
            let row = row.clone();
            entries.by_key.put(key, Entry { row, read_at });
        }
        Ok(Some(row))
    }

    /// Forgets what it holds of an application: to be called before a change is acknowledged, and
    /// when an accept was refused for a stale revision.
    pub fn forget(&self, application: ApplicationKey) {
        let mut entries = self.lock();
        entries.forgotten[flight(&ApplicationRef::Key(application))] += 1;
        entries.by_key.pop(&application);
    }

    fn cached(
        &self,
        entries: &mut Entries,
        application: &ApplicationRef,
    ) -> Option<Arc<RegistryRow>> {
        let key = match application {
            ApplicationRef::Id(id) => id.key(),
            ApplicationRef::Key(key) => *key,
            ApplicationRef::Uid(uid) => *entries.by_uid.get(uid)?,
        };
        let entry = entries.by_key.get(&key)?;
        let age = self.clock.monotonic().saturating_sub(entry.read_at);
        if self.shared && age > AGE_MAX {
            return None;
        }
        let found = &entry.row.application.application;
        let right = match application {
            ApplicationRef::Id(id) => found.id == *id,
            ApplicationRef::Key(_) => true,
            ApplicationRef::Uid(uid) => found.uid.as_ref() == Some(uid),
        };
        right.then(|| entry.row.clone())
    }

    fn lock(&self) -> MutexGuard<'_, Entries> {
        self.entries
            .lock()
            .expect("nothing panics while it holds this lock")
    }
}

/// Where reads of this application wait for each other. One that is named in several ways may be
/// read once for each.
fn flight(application: &ApplicationRef) -> usize {
    // Keys made apart in time all end in the same bits: the ones that count are mixed first.
    let mixed = |number: u64| number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
    let spread = |number: u64| (mixed(number) % FLIGHTS as u64) as usize;
    match application {
        ApplicationRef::Id(id) => spread(id.key().integer() as u64),
        ApplicationRef::Key(key) => spread(key.integer() as u64),
        ApplicationRef::Uid(uid) => spread(uid.as_str().bytes().map(u64::from).sum()),
    }
}

impl RegistryRow {
    /// One of the endpoints.
    pub fn endpoint(&self, key: EndpointKey) -> Option<&EndpointRow> {
        let place = self
            .endpoints
            .binary_search_by_key(&key, |row| row.endpoint.id.key())
            .ok()?;
        self.endpoints.get(place)
    }
}

#[cfg(test)]
mod tests;
