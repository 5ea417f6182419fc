//! Recovery: sends again, in the background, what failed for good to an endpoint.

use crate::tasks::{Task, TaskKind};
use crate::{App, AppError, Caller, Tenant, Violation};
use model::Timestamp;
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

impl RecoverInput {
    /// What it comes to now.
    pub(crate) fn at(self, now: Timestamp) -> Result<Reach, AppError> {
        let (since, until) = (self.since, self.until.unwrap_or(now));
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
    /// [`AppError::BadRequest`] if the endpoint is disabled.
    pub async fn recover(
        &self,
        caller: &Caller,
        (tenant, endpoint): (&Tenant, &str),
        input: RecoverInput,
    ) -> Result<Task, AppError> {
        let endpoint = &tenant.endpoint(endpoint)?.endpoint;
        let key = match self.task_request(caller, TaskKind::Recover).await? {
            Ok(key) => key,
            Err(begun) => return Ok(begun),
        };
        let Reach { since, until } = input.at(self.clock.now())?;
        if endpoint.disabled {
            return Err(crate::resend::endpoint_is_disabled());
        }
        let work = Work::Recover {
            endpoint: endpoint.id.key(),
            since,
            until,
        };
        self.begin_task((tenant.key(), work), key).await
    }
}
