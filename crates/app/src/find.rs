//! Finding what a path names: an application or an endpoint, by its id or by its user's own name
//! for it. Finding an application is also the permission check: who may not see it is told that it
//! isn't there.

use crate::error::AppError;
use crate::{App, Caller};
use model::application::Application;
use model::id::{ApplicationKey, EndpointKey, Id, Kind};
use model::name::Name;
use model::policy::Policy;
use std::sync::Arc;
use store::rows::{ApplicationRef, EndpointRef, EndpointRow, RegistryRow};

/// An application that the caller may act on, with its endpoints as they were when it was found.
///
/// Only [`App::application`] makes one, so that whoever holds it has passed the permission check.
#[derive(Debug, Clone)]
pub struct Tenant {
    row: Arc<RegistryRow>,
    policy: Arc<Policy>,
}

impl Tenant {
    /// For a caller who has been checked.
    pub(crate) async fn new(app: &App, row: Arc<RegistryRow>) -> Result<Self, AppError> {
        let policy = app.registry.policy().await?;
        Ok(Self { row, policy })
    }

    /// The application.
    pub fn application(&self) -> &Application {
        &self.row.application.application
    }

    /// Its key.
    pub(crate) fn key(&self) -> ApplicationKey {
        self.application().id.key()
    }

    /// What the registry holds of it.
    pub(crate) fn row(&self) -> &Arc<RegistryRow> {
        &self.row
    }

    /// What the operator demands of its endpoints.
    pub(crate) fn policy(&self) -> &Policy {
        &self.policy
    }

    /// One of its live endpoints, by id or uid.
    pub(crate) fn endpoint(&self, path: &str) -> Result<&EndpointRow, AppError> {
        self.find_endpoint(path).ok_or_else(AppError::not_found)
    }

    /// The same, where it may be missing.
    pub(crate) fn find_endpoint(&self, path: &str) -> Option<&EndpointRow> {
        match endpoint_ref(path)? {
            EndpointRef::Id(id) => {
                let found = self.row.endpoint(id.key())?;
                (found.endpoint.id == id).then_some(found)
            }
            EndpointRef::Uid(uid) => {
                let is_it = |row: &&EndpointRow| row.endpoint.uid.as_ref() == Some(&uid);
                self.row.endpoints.iter().find(is_it)
            }
        }
    }

    /// One of its live endpoints, by key.
    pub(crate) fn endpoint_by_key(&self, key: EndpointKey) -> Result<&EndpointRow, AppError> {
        self.row.endpoint(key).ok_or_else(AppError::not_found)
    }
}

impl App {
    /// The application that `path` names by id or uid, for a caller who may act on it.
    ///
    /// # Errors
    /// [`AppError::NotFound`] if there is none, or none that this caller may see.
    pub async fn application(&self, caller: &Caller, path: &str) -> Result<Tenant, AppError> {
        let found = self.find_application(caller, path).await?;
        found.ok_or_else(AppError::not_found)
    }

    /// The same, for the organisation's eyes only: others are refused before anything is looked up.
    ///
    /// # Errors
    /// [`AppError::Forbidden`] for an application's token, else as [`App::application`].
    pub async fn application_for_organisation(
        &self,
        caller: &Caller,
        path: &str,
    ) -> Result<Tenant, AppError> {
        caller.require_organisation()?;
        self.application(caller, path).await
    }

    /// The same, where it may be missing.
    ///
    /// # Errors
    /// [`AppError::NotFound`] if it is there, and this caller may not see it.
    pub async fn find_application(
        &self,
        caller: &Caller,
        path: &str,
    ) -> Result<Option<Tenant>, AppError> {
        let Some(application) = application_ref(path) else {
            return Ok(None);
        };
        let Some(row) = self.registry.find(&application).await? else {
            return Ok(None);
        };
        caller.require_application(&row.application.application)?;
        Ok(Some(Tenant::new(self, row).await?))
    }

    /// An application that was found before, as it is now.
    pub(crate) async fn tenant_again(&self, tenant: &Tenant) -> Result<Tenant, AppError> {
        let found = self.find_by_key(tenant.key()).await?;
        found.ok_or_else(AppError::not_found)
    }

    /// An application by its key, for use cases that have checked permission themselves.
    pub(crate) async fn find_by_key(
        &self,
        key: ApplicationKey,
    ) -> Result<Option<Tenant>, AppError> {
        match self.registry.find(&ApplicationRef::Key(key)).await? {
            Some(row) => Ok(Some(Tenant::new(self, row).await?)),
            None => Ok(None),
        }
    }
}

/// How a path names an application; `None` for a text that can't name one.
pub(crate) fn application_ref(path: &str) -> Option<ApplicationRef> {
    named(path).map(|named| match named {
        Named::Id(id) => ApplicationRef::Id(id),
        Named::Uid(uid) => ApplicationRef::Uid(uid),
    })
}

/// How a path names an endpoint; `None` for a text that can't name one.
pub(crate) fn endpoint_ref(path: &str) -> Option<EndpointRef> {
    named(path).map(|named| match named {
        Named::Id(id) => EndpointRef::Id(id),
        Named::Uid(uid) => EndpointRef::Uid(uid),
    })
}

/// An id, or a name of the user's own.
pub(crate) enum Named<K> {
    /// A public id.
    Id(Id<K>),
    /// A uid, or a message's event id.
    Uid(Name),
}

/// What a text names. A uid never begins with its own kind's prefix, so that there is no doubt.
pub(crate) fn named<K: Kind>(text: &str) -> Option<Named<K>> {
    if text.starts_with(K::PREFIX) {
        return text.parse().ok().map(Named::Id);
    }
    text.parse().ok().map(Named::Uid)
}
