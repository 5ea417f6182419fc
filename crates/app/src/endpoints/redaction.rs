//! What is taken from the payloads that an endpoint gets, and what it may have of them although a
//! schema marks it as sensitive. Its owner may ask for less; for more, the organisation alone.

use crate::event_types::{RuleInput, judge_paths, judge_rules};
use crate::find::Tenant;
use crate::{App, AppError, Caller};
use model::audit::AuditAction;
use model::redaction::{EndpointRedaction, Path};

/// What is to be taken, parsed and not yet judged.
#[derive(Debug, Clone)]
pub struct RedactionInput {
    /// The rules.
    pub rules: Vec<RuleInput>,
    /// What the endpoint may have although it is marked.
    pub allow_sensitive: Vec<String>,
}

impl App {
    /// What is taken from the payloads that an endpoint gets.
    ///
    /// # Errors
    /// [`AppError::NotFound`], also if nothing is set.
    pub fn endpoint_redaction(
        &self,
        tenant: &Tenant,
        path: &str,
    ) -> Result<EndpointRedaction, AppError> {
        let redaction = self.protection(tenant, path)?.redaction;
        redaction.ok_or_else(AppError::not_found)
    }

    /// Writes it anew.
    ///
    /// # Errors
    /// [`AppError::NotFound`]; [`AppError::Invalid`]; [`AppError::Forbidden`] if anybody but the
    /// organisation allows the endpoint more than it is allowed already.
    pub async fn put_endpoint_redaction(
        &self,
        caller: &Caller,
        tenant: &Tenant,
        path: &str,
        input: RedactionInput,
    ) -> Result<(), AppError> {
        let redaction = EndpointRedaction {
            rules: judge_rules(input.rules)?,
            allowed: judge_paths("allowSensitive", &input.allow_sensitive)?,
        };
        let by = (caller, AuditAction::EndpointRedactionSet);
        let put = self.protect(by, (tenant, path), |protection| {
            let before = protection.redaction.take();
            let before = before.map_or_else(Vec::new, |before| before.allowed);
            let is_new = |path: &Path| !before.contains(path);
            if redaction.allowed.iter().any(is_new) {
                caller.require_organisation()?;
            }
            protection.redaction = Some(redaction.clone());
            Ok(())
        });
        put.await.map(drop)
    }
}
