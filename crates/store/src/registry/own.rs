//! What event types have of their own and the engine must know: retry schedules, and what is taken
//! from payloads.

use super::Registry;
use crate::StoreError;
use model::name::Name;
use model::redaction::TypeRedaction;
use model::retry::RetrySchedule;
use std::sync::Arc;

impl Registry {
    /// The retry schedule that an event type has of its own, if it has one.
    ///
    /// # Errors
    /// The store can't be read, and nothing is known.
    pub async fn retry_schedule(
        &self,
        event_type: &Name,
    ) -> Result<Option<RetrySchedule>, StoreError> {
        let all = self
            .schedules
            .all(self, self.store.retry_schedules())
            .await?;
        Ok(all.get(event_type).cloned())
    }

    /// Forgets them: to be called before a change of one is acknowledged.
    pub fn forget_schedules(&self) {
        self.schedules.forget();
    }

    /// What an event type takes from its messages' payloads, if it takes anything.
    ///
    /// # Errors
    /// The store can't be read, and nothing is known.
    pub async fn redaction(
        &self,
        event_type: &Name,
    ) -> Result<Option<Arc<TypeRedaction>>, StoreError> {
        let read = async {
            let rows = self.store.redactions().await?;
            Ok(rows
                .into_iter()
                .map(|(name, own)| (name, Arc::new(own)))
                .collect())
        };
        let all = self.redactions.all(self, read).await?;
        Ok(all.get(event_type).cloned())
    }

    /// Forgets them: to be called before a change of one is acknowledged.
    pub fn forget_redactions(&self) {
        self.redactions.forget();
    }

    /// How often they were forgotten: who reads one, and finds this grown then, reads it again.
    pub fn redactions_forgotten(&self) -> u64 {
        self.redactions.forgotten()
    }
}
