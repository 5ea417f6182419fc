//! Recovery: sends again, in the background, what failed for good to an endpoint.

use crate::endpoints::{endpoint_is_unproved, may_get_all};
use crate::resend::endpoint_is_disabled;
use crate::tasks::{Task, TaskKind};
use crate::{App, AppError, Caller, Tenant, Violation};
use model::Timestamp;
use model::audit::AuditAction;
use model::id::{EndpointKey, KEY_STEP};
use std::time::Duration;
use store::work::Work;

/// How far back a recovery may reach.
pub const RECOVERY_SPAN: Duration = Duration::from_secs(14 * 86_400);
/// For clients that compute 14 days a little before they ask.
const GRACE: Duration = Duration::from_secs(5 * 60);

/// Which messages to send again: those accepted between the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecoverInput {
    /// At or after; at most 14 days before `until`.
    pub since: Timestamp,
    /// Before; `None`: now.
    pub until: Option<Timestamp>,
}

/// What it comes to.
pub(crate) struct Reach {
    pub(crate) since: Timestamp,
    pub(crate) until: Timestamp,
}

impl Reach {
    /// What the audit log has of it.
    fn told(&self) -> String {
        let (since, until) = (self.since.seconds(), self.until.seconds());
        format!("accepted from {since} to {until}, in Unix seconds")
    }
}

impl RecoverInput {
    /// What it comes to now.
    pub(crate) fn at(self, now: Timestamp) -> Result<Reach, AppError> {
        // What was made a moment ago, in the step of this one, was made before it was asked.
        let so_far = || now.plus(KEY_STEP);
        let (since, until) = (self.since, self.until.unwrap_or_else(so_far));
        let text = if since > until {
            "`since` must not be after `until`."
        } else if until.since(since) > RECOVERY_SPAN + GRACE {
            "`since` must be at most 14 days before `until`."
        } else {
            return Ok(Reach { since, until });
        };
        Err(Violation::body(&["since"], text).into())
    }
}

impl App {
    /// Starts sending again every message that failed for good to an endpoint and never succeeded.
    ///
    /// # Errors
    /// [`AppError::NotFound`]; [`AppError::Invalid`] if it would reach too far back;
    /// [`AppError::BadRequest`] if the endpoint is disabled, or must prove itself first.
    pub async fn recover(
        &self,
        caller: &Caller,
        (tenant, endpoint): (&Tenant, &str),
        input: RecoverInput,
    ) -> Result<Task, AppError> {
        let asked = (caller, TaskKind::Recover, AuditAction::DeliveriesRecovered);
        let work = |endpoint, Reach { since, until }| {
            Ok(Work::Recover {
                endpoint,
                since,
                until,
            })
        };
        self.send_again(asked, (tenant, endpoint), input, work)
            .await
    }

    /// Starts work that sends something to an endpoint again, unless this request did before.
    pub(crate) async fn send_again(
        &self,
        (caller, kind, action): (&Caller, TaskKind, AuditAction),
        (tenant, endpoint): (&Tenant, &str),
        reach: RecoverInput,
        work: impl FnOnce(EndpointKey, Reach) -> Result<Work, AppError>,
    ) -> Result<Task, AppError> {
        caller.require_no_delivery()?;
        let row = tenant.endpoint(endpoint)?;
        let endpoint = &row.endpoint;
        let key = match self.task_request(caller, kind).await? {
            Ok(key) => key,
            Err(begun) => return Ok(begun),
        };
        let reach = reach.at(self.clock.now())?;
        let entry = self
            .entry_at_endpoint(caller, action, endpoint)
            .saying(reach.told());
        let work = work(endpoint.id.key(), reach)?;
        if endpoint.disabled {
            return Err(endpoint_is_disabled());
        }
        if !may_get_all(tenant.policy(), row) {
            return Err(endpoint_is_unproved());
        }
        let task = self.begin_task(entry, (tenant.key(), work), key).await?;
        self.resending_many(caller, tenant, task.id);
        Ok(task)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::id::MessageKey;

    #[test]
    fn what_was_made_a_moment_before_is_reached_unless_an_end_was_named() {
        let now = Timestamp::from_micros(1_764_000_000_000_003);
        let since = now.minus(Duration::from_secs(60));
        let made = MessageKey::first_at(now);
        let reaches = |until: Option<Timestamp>| {
            let reach = RecoverInput { since, until }.at(now).expect("sound");
            MessageKey::first_at(reach.until) > made
        };
        assert!(reaches(None));
        assert!(!reaches(Some(now)));
    }
}
