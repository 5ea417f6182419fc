//! An event type's own retry schedule: when failed deliveries of its messages are tried again,
//! rather than by the installation's schedule. It holds for what is decided from now on, also about
//! deliveries that are open already: on this node at once, elsewhere within a second.

use crate::change::unexpected;
use crate::{App, AppError, Caller, Violation};
use model::audit::AuditAction;
use model::name::Name;
use model::retry::RetrySchedule;
use std::time::Duration;
use store::change::{Change, ChangeError, Changed, OwnSchedule};

/// The most event types that may have a retry schedule of their own: all of them are in memory.
pub const RETRY_SCHEDULES_MAX: usize = 1_000;

impl App {
    /// The retry schedule that an event type has of its own, if it has one.
    ///
    /// # Errors
    /// [`AppError::Forbidden`] for all but the organisation; [`AppError::NotFound`].
    pub async fn retry_schedule(
        &self,
        caller: &Caller,
        event_type: &str,
    ) -> Result<Option<RetrySchedule>, AppError> {
        let found = self.event_type_to_change(caller, event_type).await?;
        let mut schedules = self.store.retry_schedules().await?.into_iter();
        let own = schedules.find(|(name, _)| *name == found.name);
        Ok(own.map(|(_, schedule)| schedule))
    }

    /// Gives an event type a retry schedule of its own, of these waits between attempts, or takes
    /// it away. No waits: one attempt is all.
    ///
    /// # Errors
    /// As [`App::retry_schedule`]; [`AppError::Invalid`]; [`AppError::BadRequest`] when as many
    /// event types as may have one already.
    pub async fn set_retry_schedule(
        &self,
        caller: &Caller,
        event_type: &str,
        waits: Option<Vec<Duration>>,
    ) -> Result<Option<RetrySchedule>, AppError> {
        caller.require_organisation()?;
        let name: Name = event_type.parse().map_err(|_| AppError::not_found())?;
        let schedule = waits.map(judge).transpose()?;
        let action = match schedule {
            Some(_) => AuditAction::EventTypeRetryScheduleSet,
            None => AuditAction::EventTypeRetryScheduleDeleted,
        };
        let entry = self.entry_at_event_type(caller, action, &name);
        let change = Change::PutRetrySchedule(OwnSchedule {
            event_type: name,
            schedule: schedule.clone(),
            schedules_max: RETRY_SCHEDULES_MAX,
        });
        match self.change(entry, None, change, None).await {
            Ok(Changed::RetrySchedule) => Ok(schedule),
            Ok(other) => Err(unexpected(&other)),
            Err(ChangeError::TooMany) => Err(too_many()),
            Err(error) => Err(error.into()),
        }
    }
}

/// The schedule of a body's `retrySchedule`, if it can be kept.
pub(crate) fn judge(waits: Vec<Duration>) -> Result<RetrySchedule, AppError> {
    RetrySchedule::new(waits)
        .map_err(|error| Violation::body(&["retrySchedule"], error.to_string()).into())
}

fn too_many() -> AppError {
    AppError::BadRequest {
        code: "limit_reached",
        detail: format!(
            "{RETRY_SCHEDULES_MAX} event types have a retry schedule of their own already, which \
             is the most: take one away with `null`"
        ),
    }
}
