//! What a token or a key may do of what its holder may: an API key by its scopes, a token of the
//! portal by its capabilities. Pure. What an operation needs is declared beside its handler, and
//! asked in one place, before the handler.

use crate::{AppError, Caller};
use model::api_key::{Right, Scope};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// What an operation needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Need {
    /// What it is called, such as `v1.endpoint.get-secret`.
    pub operation: &'static str,
    /// The noun that it is about.
    pub noun: &'static str,
    /// What it does with it.
    pub right: Right,
}

/// What is left of what the holder may do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Limits {
    /// All.
    #[default]
    Nothing,
    /// What one of these allows.
    Scopes(Vec<Scope>),
    /// What one of these allows.
    Capabilities(BTreeSet<Capability>),
}

/// What a token of the portal may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Capability {
    /// Look at everything but secrets.
    ViewBase,
    /// See endpoints' signing secrets.
    ViewEndpointSecret,
    /// Replace them.
    ManageEndpointSecret,
    /// Change transformations.
    ManageTransformations,
    /// Send messages again.
    CreateAttempts,
    /// Make, change and delete endpoints.
    ManageEndpoint,
}

/// All of them.
pub const CAPABILITIES: [Capability; 6] = [
    Capability::ViewBase,
    Capability::ViewEndpointSecret,
    Capability::ManageEndpointSecret,
    Capability::ManageTransformations,
    Capability::CreateAttempts,
    Capability::ManageEndpoint,
];

/// Whoever has a token may give it up.
const LOG_OUT: &str = "v1.authentication.logout";

impl Caller {
    /// Passes whoever may do this with what was shown, whoever else may.
    ///
    /// # Errors
    /// [`AppError::Forbidden`].
    pub fn require(&self, need: &Need) -> Result<(), AppError> {
        let limits = self.shown.as_deref().map(|shown| &shown.limits);
        let allowed = match limits {
            None | Some(Limits::Nothing) => true,
            Some(Limits::Scopes(scopes)) => scopes
                .iter()
                .any(|scope| scope.allows(need.noun, need.right)),
            Some(Limits::Capabilities(capabilities)) => {
                need.operation == LOG_OUT
                    || need
                        .capability()
                        .is_some_and(|one| capabilities.contains(&one))
            }
        };
        if allowed {
            Ok(())
        } else {
            Err(AppError::Forbidden)
        }
    }

    /// Passes whoever may itself do all that these scopes allow; `None`: everything.
    pub(crate) fn require_scopes(&self, wanted: Option<&[Scope]>) -> Result<(), AppError> {
        let everything = [Scope {
            noun: None,
            right: None,
        }];
        let wanted = wanted.unwrap_or(&everything);
        let own = match self.shown.as_deref().map(|shown| &shown.limits) {
            None | Some(Limits::Nothing) => return Ok(()),
            Some(Limits::Scopes(own)) => own.as_slice(),
            Some(Limits::Capabilities(_)) => &[],
        };
        let is_covered = |scope: &Scope| own.iter().any(|own| own.covers(scope));
        if wanted.iter().all(is_covered) {
            Ok(())
        } else {
            Err(AppError::Forbidden)
        }
    }
}

impl Need {
    /// The capability that is enough for it; `None`: there is none.
    fn capability(&self) -> Option<Capability> {
        let shows_secret = self.operation.ends_with(".get-secret");
        let secret = self.operation.ends_with("-secret");
        let sends = ["recover", "send-example", "replay-missing", "bulk-replay"]
            .iter()
            .any(|name| self.operation.rsplit('.').next() == Some(name));
        Some(match (self.noun, self.right) {
            _ if shows_secret => Capability::ViewEndpointSecret,
            _ if secret => Capability::ManageEndpointSecret,
            (_, Right::Read) => Capability::ViewBase,
            ("message-attempt", _) => Capability::CreateAttempts,
            ("endpoint", _) if sends => Capability::CreateAttempts,
            ("endpoint", _) if self.operation.contains("transformation") => {
                Capability::ManageTransformations
            }
            ("endpoint", _) => Capability::ManageEndpoint,
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Capability::*;

    #[test]
    fn each_operation_of_the_portal_needs_its_capability() {
        for (operation, noun, right, capability) in [
            ("v1.endpoint.list", "endpoint", Right::Read, Some(ViewBase)),
            (
                "v1.event-type.get",
                "event-type",
                Right::Read,
                Some(ViewBase),
            ),
            (
                "v1.endpoint.get-secret",
                "endpoint",
                Right::Write,
                Some(ViewEndpointSecret),
            ),
            (
                "v1.endpoint.rotate-secret",
                "endpoint",
                Right::Write,
                Some(ManageEndpointSecret),
            ),
            (
                "v1.endpoint.patch-headers",
                "endpoint",
                Right::Write,
                Some(ManageEndpoint),
            ),
            (
                "v1.endpoint.recover",
                "endpoint",
                Right::Write,
                Some(CreateAttempts),
            ),
            (
                "v1.message-attempt.resend",
                "message-attempt",
                Right::Write,
                Some(CreateAttempts),
            ),
            ("v1.message.create", "message", Right::Write, None),
            ("v1.message.search", "message", Right::Read, Some(ViewBase)),
        ] {
            let need = Need {
                operation,
                noun,
                right,
            };
            assert_eq!(need.capability(), capability, "{operation}");
        }
    }
}
