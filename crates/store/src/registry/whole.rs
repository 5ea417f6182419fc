//! What there is little of, in memory as a whole, so that whoever needs one of it seldom asks the
//! store, and whoever needs another never does.
//!
//! It ages as applications do: what was changed on another node holds within [`AGE_MAX`]. While the
//! store can't be read, what was known goes on to hold.

use super::{AGE_MAX, Registry};
use crate::StoreError;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

/// What is known of something.
pub(super) struct Whole<T> {
    known: Mutex<Known<T>>,
    /// Whoever misses it reads it under this, so that many who do read it once.
    flight: tokio::sync::Mutex<()>,
}

struct Known<T> {
    all: Option<Arc<T>>,
    read_at: Duration,
    /// Grows when it is forgotten: what was read before is not kept then.
    forgotten: u64,
}

impl<T> Default for Whole<T> {
    fn default() -> Self {
        let known = Known {
            all: None,
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
    /// All of it, from memory, or else as `read` finds it.
    pub(super) async fn all(
        &self,
        registry: &Registry,
        read: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<Arc<T>, StoreError> {
        if let Some(all) = self.lock().fresh(registry) {
            return Ok(all);
        }
        let _flight = self.flight.lock().await;
        let forgotten = {
            let known = self.lock();
            if let Some(all) = known.fresh(registry) {
                return Ok(all);
            }
            known.forgotten
        };
        let read_at = registry.clock.monotonic();
        let read = read.await;
        let mut known = self.lock();
        match read {
            Ok(all) => {
                let all = Arc::new(all);
                if known.forgotten == forgotten {
                    known.all = Some(all.clone());
                    known.read_at = read_at;
                }
                Ok(all)
            }
            Err(error) => known.all.clone().ok_or(error),
        }
    }

    pub(super) fn forget(&self) {
        let mut known = self.lock();
        known.forgotten += 1;
        known.all = None;
    }

    /// How often it was forgotten.
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
    fn fresh(&self, registry: &Registry) -> Option<Arc<T>> {
        let age = registry.clock.monotonic().saturating_sub(self.read_at);
        let is_old = registry.shared && age > AGE_MAX;
        self.all.clone().filter(|_| !is_old)
    }
}
