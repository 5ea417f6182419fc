//! What there is little of, in memory as a whole, so that whoever needs one of it seldom asks the
//! store, and whoever needs another never does.
//!
//! It ages as applications do: what was changed on another node holds within [`AGE_MAX`]. While the
//! store can't be read, what was known goes on to hold.

use super::{AGE_MAX, Registry};
use crate::StoreError;
use model::name::Name;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

type ByType<T> = Arc<BTreeMap<Name, T>>;

/// What is known of something that some event types have.
pub(super) struct Whole<T> {
    known: Mutex<Known<T>>,
    /// Whoever misses them reads them under this, so that many who do read them once.
    flight: tokio::sync::Mutex<()>,
}

struct Known<T> {
    by_type: Option<ByType<T>>,
    read_at: Duration,
    /// Grows when they are forgotten: what was read before is not kept then.
    forgotten: u64,
}

impl<T> Default for Whole<T> {
    fn default() -> Self {
        let known = Known {
            by_type: None,
            read_at: Duration::ZERO,
            forgotten: 0,
        };
        Self {
            known: Mutex::new(known),
            flight: tokio::sync::Mutex::default(),
        }
    }
}

impl<T> Whole<T> {
    /// All of them, from memory, or else as `read` finds them.
    pub(super) async fn all(
        &self,
        registry: &Registry,
        read: impl Future<Output = Result<Vec<(Name, T)>, StoreError>>,
    ) -> Result<ByType<T>, StoreError> {
        if let Some(by_type) = self.lock().fresh(registry) {
            return Ok(by_type);
        }
        let _flight = self.flight.lock().await;
        let forgotten = {
            let known = self.lock();
            if let Some(by_type) = known.fresh(registry) {
                return Ok(by_type);
            }
            known.forgotten
        };
        let read_at = registry.clock.monotonic();
        let read = read.await;
        let mut known = self.lock();
        match read {
            Ok(rows) => {
                let by_type = Arc::new(BTreeMap::from_iter(rows));
                if known.forgotten == forgotten {
                    known.by_type = Some(by_type.clone());
                    known.read_at = read_at;
                }
                Ok(by_type)
            }
            Err(error) => known.by_type.clone().ok_or(error),
        }
    }

    pub(super) fn forget(&self) {
        let mut known = self.lock();
        known.forgotten += 1;
        known.by_type = None;
    }

    /// How often they were forgotten.
    pub(super) fn forgotten(&self) -> u64 {
        self.lock().forgotten
    }

    fn lock(&self) -> MutexGuard<'_, Known<T>> {
        self.known
            .lock()
            .expect("nothing panics while it holds this lock")
    }
}

impl<T> Known<T> {
    fn fresh(&self, registry: &Registry) -> Option<ByType<T>> {
        let age = registry.clock.monotonic().saturating_sub(self.read_at);
        let is_old = registry.shared && age > AGE_MAX;
        self.by_type.clone().filter(|_| !is_old)
    }
}
