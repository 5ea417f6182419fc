//! Recovery: sends again, in the background, what failed for good to an endpoint.

use crate::change::{carried_through, unexpected};
use crate::idempotency::{Request, Success, id_of};
use crate::{App, AppError, Caller, Tenant, Violation};
use model::Timestamp;
use model::entropy::random;
use model::id::TaskId;
use std::time::Duration;
use store::change::{Change, ChangeRequest, Changed};
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

/// A recovery that was started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Recovery {
    /// Its id.
    pub id: TaskId,
    /// When it last moved on.
    pub updated_at: Timestamp,
}

impl App {
    /// Starts sending again every message that failed for good to an endpoint and never succeeded.
    /// It goes on after a restart.
    ///
    /// # Errors
    /// [`AppError::NotFound`]; [`AppError::Invalid`] if it would reach too far back;
    /// [`AppError::BadRequest`] if the endpoint is disabled.
    pub async fn recover(
        &self,
        caller: &Caller,
        (tenant, endpoint): (&Tenant, &str),
        input: RecoverInput,
    ) -> Result<Recovery, AppError> {
        let endpoint = &tenant.endpoint(endpoint)?.endpoint;
        let idempotency = match self.request(caller, Success::Accepted).await? {
            Request::New(key) => key,
            Request::Repeated(made) => return self.recovery_again(id_of(made)).await,
        };
        let until = input.until.unwrap_or_else(|| self.clock.now());
        check_reach(input.since, until)?;
        if endpoint.disabled {
            return Err(crate::resend::endpoint_is_disabled());
        }
        let change = Change::StartWork {
            tail: random(&*self.entropy),
            application: tenant.application().id.key(),
            work: Work::Recover {
                endpoint: endpoint.id.key(),
                since: input.since,
                until,
            },
        };
        let app = self.clone();
        carried_through(async move {
            app.start(ChangeRequest {
                change,
                idempotency,
            })
            .await
        })
        .await
    }

    async fn start(&self, request: ChangeRequest) -> Result<Recovery, AppError> {
        match self.store.change(request).await? {
            Changed::Work(id, updated_at) => {
                self.lanes.work();
                Ok(Recovery { id, updated_at })
            }
            Changed::Repeated(prior) => self.recovery_again(id_of(prior.made)).await,
            other => Err(unexpected(&other)),
        }
    }

    /// What the same request was answered before, as it stands now.
    async fn recovery_again(&self, id: TaskId) -> Result<Recovery, AppError> {
        let row = self.store.work_row(id).await?;
        let updated_at = row.map_or_else(|| id.key().time(), |row| row.updated_at);
        Ok(Recovery { id, updated_at })
    }
}

fn check_reach(since: Timestamp, until: Timestamp) -> Result<(), AppError> {
    let text = if since > until {
        "`since` must not be after `until`."
    } else if until.since(since) > RECOVERY_SPAN + GRACE {
        "`since` must be at most 14 days before `until`."
    } else {
        return Ok(());
    };
    Err(Violation::body(&["since"], text).into())
}
