//! What a token or a key may do of what its holder may: an API key by its scopes, a token of the
//! portal by its capabilities. Pure. What an operation needs is declared beside its handler, and
//! asked in one place, before the handler: no rule goes by what an operation is called.

use crate::{AppError, Caller};
use model::api_key::{Needed, Right, Scope};
use model::role::Role;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// What an operation needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Need {
    /// The noun that it is about.
    pub noun: &'static str,
    /// What it does with it.
    pub right: Right,
    /// Which tokens of the portal it is for.
    pub portal: ForPortal,
    /// The least role that may do it.
    pub role: Role,
}

/// Which tokens of the portal an operation is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ForPortal {
    /// All.
    All,
    /// Those with this capability.
    With(Capability),
    /// None.
    None,
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

impl Caller {
    /// Passes whoever may do this with what was shown, whoever else may.
    ///
    /// # Errors
    /// [`AppError::Forbidden`].
    pub fn require(&self, need: &Need) -> Result<(), AppError> {
        let limits = self.shown.as_deref().map(|shown| &shown.limits);
        let allowed = match limits {
            None | Some(Limits::Nothing) => true,
            Some(Limits::Scopes(scopes)) => {
                let needed = Needed {
                    noun: need.noun,
                    right: need.right,
                    role: need.role,
                };
                scopes.iter().any(|scope| scope.allows(needed))
            }
            Some(Limits::Capabilities(capabilities)) => match need.portal {
                ForPortal::All => true,
                ForPortal::With(capability) => capabilities.contains(&capability),
                ForPortal::None => false,
            },
        };
        if allowed {
            Ok(())
        } else {
            Err(AppError::Forbidden)
        }
    }

    /// The role that it is limited to, where that says all that it may.
    pub(crate) fn role(&self) -> Option<Role> {
        match self.shown.as_deref().map(|shown| &shown.limits) {
            Some(Limits::Scopes(scopes)) => match scopes.as_slice() {
                [Scope::Role(role)] => Some(*role),
                _ => None,
            },
            _ => None,
        }
    }

    /// Passes whoever may itself do all that these scopes allow; `None`: everything.
    pub(crate) fn require_scopes(&self, wanted: Option<&[Scope]>) -> Result<(), AppError> {
        let wanted = wanted.unwrap_or(&[Scope::ALL]);
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
