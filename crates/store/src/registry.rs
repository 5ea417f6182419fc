//! Applications and their endpoints in memory, so that accepting and sending a message query
//! nothing: a bounded cache in front of [`Store::registry`].
//!
//! Staleness: what changes on this node is forgotten before the change is acknowledged. What
//! changed on another node is caught by the accept's check of the revision; for the start of an
//! attempt, entries older than [`AGE_MAX`] are read again.

use crate::rows::{ApplicationRef, EndpointRow, RegistryRow};
use crate::{Store, StoreError};
use lru::LruCache;
use model::Clock;
use model::id::{ApplicationKey, EndpointKey};
use model::name::Name;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

/// How old an entry may be when it is used: changes made on other nodes hold within this.
pub const AGE_MAX: Duration = Duration::from_secs(1);

/// The cache.
pub struct Registry {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    shared: bool,
    entries: Mutex<Entries>,
}

struct Entries {
    by_key: LruCache<ApplicationKey, Entry>,
    by_uid: LruCache<Name, ApplicationKey>,
    /// Grows whenever something is forgotten: what was read before is not kept then.
    generation: u64,
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
            generation: 0,
        };
        Self {
            store,
            clock,
            shared: config.shared,
            entries: Mutex::new(entries),
        }
    }

    /// An application with its live endpoints; `None` if there is none.
    pub async fn find(
        &self,
        application: &ApplicationRef,
    ) -> Result<Option<Arc<RegistryRow>>, StoreError> {
        let generation = {
            let mut entries = self.lock();
            if let Some(row) = self.cached(&mut entries, application) {
                return Ok(Some(row));
            }
            entries.generation
        };
        let read_at = self.clock.monotonic();
        let Some(row) = self.store.registry(application).await?.map(Arc::new) else {
            return Ok(None);
        };
        let mut entries = self.lock();
        if entries.generation == generation {
            let key = row.application.application.id.key();
            if let Some(uid) = row.application.application.uid.clone() {
                entries.by_uid.put(uid, key);
            }
            entries.by_key.put(
                key,
                Entry {
                    row: row.clone(),
                    read_at,
                },
            );
        }
        Ok(Some(row))
    }

    /// Forgets what it holds of an application: to be called before a change is acknowledged, and
    /// when an accept was refused for a stale revision.
    pub fn forget(&self, application: ApplicationKey) {
        let mut entries = self.lock();
        entries.generation += 1;
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
