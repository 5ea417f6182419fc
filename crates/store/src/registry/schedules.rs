//! Event types' own retry schedules in memory, all of them, so that whoever decides about a failed
//! attempt seldom asks the store, and whoever decides about another never does.
//!
//! They age as applications do: what was changed on another node holds within [`AGE_MAX`]. While
//! the store can't be read, what was known goes on to hold.

use super::{AGE_MAX, Registry};
use crate::StoreError;
use model::name::Name;
use model::retry::RetrySchedule;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

type ByType = Arc<BTreeMap<Name, RetrySchedule>>;

/// What is known of them.
#[derive(Default)]
pub(super) struct Schedules {
    known: Mutex<Known>,
    /// Whoever misses them reads them under this, so that many who do read them once.
    flight: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct Known {
    by_type: Option<ByType>,
    read_at: Duration,
    /// Grows when they are forgotten: what was read before is not kept then.
    forgotten: u64,
}

impl Registry {
    /// The retry schedule that an event type has of its own, if it has one.
    ///
    /// # Errors
    /// The store can't be read, and nothing is known.
    pub async fn retry_schedule(
        &self,
        event_type: &Name,
    ) -> Result<Option<RetrySchedule>, StoreError> {
        Ok(self.all_schedules().await?.get(event_type).cloned())
    }

    /// Forgets them: to be called before a change of one is acknowledged.
    pub fn forget_schedules(&self) {
        let mut known = self.schedules.lock();
        known.forgotten += 1;
        known.by_type = None;
    }

    async fn all_schedules(&self) -> Result<ByType, StoreError> {
        if let Some(by_type) = self.fresh(&self.schedules.lock()) {
            return Ok(by_type);
        }
        let _flight = self.schedules.flight.lock().await;
        let forgotten = {
            let known = self.schedules.lock();
            if let Some(by_type) = self.fresh(&known) {
                return Ok(by_type);
            }
            known.forgotten
        };
        let read_at = self.clock.monotonic();
        let read = self.store.retry_schedules().await;
        let mut known = self.schedules.lock();
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

    fn fresh(&self, known: &Known) -> Option<ByType> {
        let age = self.clock.monotonic().saturating_sub(known.read_at);
        let is_old = self.shared && age > AGE_MAX;
        known.by_type.clone().filter(|_| !is_old)
    }
}

impl Schedules {
    fn lock(&self) -> MutexGuard<'_, Known> {
        self.known
            .lock()
            .expect("nothing panics while it holds this lock")
    }
}
