//! Whose endpoints they are: an application's that is there, or the operator's, whose application
//! is made with the first. That is judged before: one that is refused leaves no application behind.

use crate::find::Tenant;
use crate::{App, AppError, Caller};
use store::rows::EndpointRow;

/// Whose endpoints they are, for a caller who may act on them.
#[derive(Debug, Clone)]
pub enum EndpointsOf {
    /// An application's.
    Application(Tenant),
    /// The operator's, before there is one: their application is made with the first.
    OperatorsToBe,
}

impl EndpointsOf {
    /// The application, if it is there.
    pub fn application(self) -> Option<Tenant> {
        match self {
            Self::Application(tenant) => Some(tenant),
            Self::OperatorsToBe => None,
        }
    }

    pub(super) fn tenant(&self) -> Option<&Tenant> {
        match self {
            Self::Application(tenant) => Some(tenant),
            Self::OperatorsToBe => None,
        }
    }

    /// One of them, by id or uid, and its application.
    pub(super) fn find_endpoint(&self, path: &str) -> Option<(&Tenant, &EndpointRow)> {
        let tenant = self.tenant()?;
        Some((tenant, tenant.find_endpoint(path)?))
    }

    /// Whether they are the operator's, there or to be.
    pub fn is_operators(&self) -> bool {
        self.tenant().is_none_or(Tenant::is_operators)
    }

    pub(super) fn require(&self, caller: &Caller) -> Result<(), AppError> {
        match self {
            Self::Application(tenant) => caller.require_application(tenant.application()),
            Self::OperatorsToBe => caller.require_organisation(),
        }
    }
}

impl App {
    /// The application, made if it isn't there.
    pub(super) async fn made_for(
        &self,
        caller: &Caller,
        of: &EndpointsOf,
    ) -> Result<Tenant, AppError> {
        match of {
            EndpointsOf::Application(tenant) => Ok(tenant.clone()),
            EndpointsOf::OperatorsToBe => self.make_operators(caller).await,
        }
    }
}
