//! What is no application's and the engine must know: what event types have of their own (retry
//! schedules, and what is taken from payloads), and what is demanded of endpoints.

use super::Registry;
use crate::StoreError;
use crate::access::POLICY;
use model::name::Name;
use model::policy::Policy;
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
        let read = async { Ok(self.store.retry_schedules().await?.into_iter().collect()) };
        let all = self.schedules.all(self, read).await?;
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

    /// What is demanded of endpoints.
    ///
    /// # Errors
    /// The store can't be read, and nothing is known; or what it holds is nothing that this version
    /// could obey.
    pub async fn policy(&self) -> Result<Arc<Policy>, StoreError> {
        let read = async {
            let Some(written) = self.store.setting(POLICY).await? else {
                return Ok(Policy::default());
            };
            Policy::from_stored(&written).map_err(|error| StoreError::Corrupt {
                reason: error.to_string(),
            })
        };
        self.policy.all(self, read).await
    }

    /// Forgets it: to be called before a change of it is acknowledged.
    pub fn forget_policy(&self) {
        self.policy.forget();
    }

    /// How often attempts must look again at what was forgotten here: who reads redactions and the
    /// policy, and finds this grown then, reads them again.
    pub fn forgotten(&self) -> u64 {
        self.redactions.forgotten() + self.policy.forgotten()
    }
}
