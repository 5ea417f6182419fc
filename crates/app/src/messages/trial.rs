//! Trying an endpoint with a message of one's own: sent to it alone, and its first attempt awaited.

use super::draft::Bounds;
use super::{MessageInput, MessageView};
use crate::accept::Draft;
use crate::attempts::AttemptView;
use crate::find::Tenant;
use crate::idempotency::{Request, Success, id_of};
use crate::resend::endpoint_is_disabled;
use crate::{App, AppError, Caller};
use model::id::{EndpointKey, Key, MessageId};
use std::time::Duration;
use store::query::{AttemptQuery, AttemptScope, MessageFilter, Window};

/// Between two looks for the attempt.
const LOOK_EVERY: Duration = Duration::from_millis(50);

impl App {
    /// Sends a message to an endpoint alone, whatever that wants to hear, and waits for the first
    /// attempt.
    ///
    /// # Errors
    /// [`AppError::Forbidden`] for all but the organisation; as for a message that is sent to all;
    /// [`AppError::NotFound`] for an endpoint that isn't there; [`AppError::BadRequest`] if it is
    /// disabled, or if no attempt has ended in time: then one is made later.
    pub async fn test_attempt(
        &self,
        caller: &Caller,
        (tenant, endpoint): (&Tenant, &str),
        message: MessageInput,
    ) -> Result<AttemptView, AppError> {
        caller.require_organisation()?;
        let endpoint = &tenant.endpoint(endpoint)?.endpoint;
        let key = endpoint.id.key();
        let id = match self.request(caller, Success::Created).await? {
            Request::Repeated(made) => id_of(made),
            Request::New(idempotency) => {
                let draft = message.judge(Bounds::new(&self.settings, caller, self.clock.now()))?;
                if endpoint.disabled {
                    return Err(endpoint_is_disabled());
                }
                let mut draft = Draft {
                    idempotency,
                    ..draft
                };
                self.check_payload(&mut draft).await?;
                let MessageView { message, .. } = self.send_to(tenant, key, draft).await?.made;
                message.id
            }
        };
        self.first_attempt(caller, tenant, (id, key)).await
    }

    async fn first_attempt(
        &self,
        caller: &Caller,
        tenant: &Tenant,
        (message, endpoint): (MessageId, EndpointKey),
    ) -> Result<AttemptView, AppError> {
        let query = AttemptQuery {
            application: tenant.key(),
            scope: AttemptScope::Message(message.key(), Some(endpoint)),
            window: Window {
                above: Key::MIN,
                below: Key::MAX,
                ascending: true,
                limit: 1,
            },
            result: None,
            status_codes: None,
            filter: MessageFilter::default(),
            with_excerpt: false,
            with_message: false,
            with_payload: false,
        };
        let mut waited = Duration::ZERO;
        while waited <= self.settings.attempt_wait {
            if let Some(row) = self.store.attempts(&query).await?.rows.pop() {
                let application = tenant.application().id.to_string();
                let path = (application.as_str(), &*message.to_string());
                let id = row.attempt.id.to_string();
                return self.attempt(caller, path, &id).await;
            }
            tokio::time::sleep(LOOK_EVERY).await;
            waited += LOOK_EVERY;
        }
        Err(not_yet(message))
    }
}

fn not_yet(message: MessageId) -> AppError {
    AppError::BadRequest {
        code: "no_attempt_yet",
        detail: format!(
            "The message was accepted as {message}, and no attempt has ended yet: look at its \
             attempts later."
        ),
    }
}
