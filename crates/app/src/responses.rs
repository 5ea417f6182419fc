//! What is done by itself about what detection finds, where the operator has said so: by the use
//! cases that people have, in the name of the rule.

use crate::endpoints::EndpointPatch;
use crate::patch::Patch;
use crate::{App, AppError, Caller};
use model::id::ApplicationKey;
use model::security::{SecurityEvent, SecurityKind, Subject, SubjectKind};

/// How the description of the security event begins that an endpoint was disabled so.
pub(crate) const BY_RULE: &str = "it was disabled by itself, for what the rule ";

impl App {
    /// Disables an endpoint, by its id. That it was is a security event.
    ///
    /// # Errors
    /// [`AppError::NotFound`]; [`AppError::Unavailable`].
    pub async fn pause_endpoint(
        &self,
        rule: &str,
        application: ApplicationKey,
        endpoint: &str,
    ) -> Result<(), AppError> {
        let tenant = self.find_by_key(application).await?;
        let tenant = tenant.ok_or_else(AppError::not_found)?;
        if tenant.endpoint(endpoint)?.endpoint.disabled {
            return Ok(());
        }
        let patch = EndpointPatch {
            disabled: Patch::Set(true),
            ..EndpointPatch::default()
        };
        self.patch_endpoint(&Caller::system(rule), &tenant, endpoint, patch)
            .await?;
        let event = SecurityEvent::new(
            SecurityKind::EndpointDisabled,
            Subject::new(SubjectKind::Endpoint, endpoint),
            self.clock.now(),
            format!("{BY_RULE}{rule} found"),
        );
        self.events.report(event.concerning(application));
        Ok(())
    }

    /// Ends an API key, by its id.
    ///
    /// # Errors
    /// [`AppError::NotFound`]; [`AppError::Unavailable`].
    pub async fn disable_api_key(&self, rule: &str, key: &str) -> Result<(), AppError> {
        let organisation = self.tokens.organisation().to_owned();
        self.expire_api_key(&Caller::system(rule), (&organisation, key), 0)
            .await
    }
}
