//! Applications: made, looked up, changed and deleted by the organisation; an application's own
//! token may look at it.

mod draft;

pub use draft::{ApplicationInput, ApplicationPatch};

use crate::audit::{By, changed, differing};
use crate::change::{ChangeRefused, Saved, unexpected, until_current};
use crate::find::Tenant;
use crate::idempotency::{Request, Success, id_of, made_is_gone};
use crate::page::{ListInput, Order, Page, Part};
use crate::{App, AppError, Caller};
pub(crate) use draft::ApplicationDraft;
use model::Timestamp;
use model::application::Application;
use model::audit::AuditAction;
use model::entropy::random;
use model::id::{ApplicationId, ApplicationKey, ApplicationKind};
use model::security::SubjectKind;
use std::sync::Arc;
use store::change::{Change, ChangeError, Changed};
use store::idempotency::{IdempotencyKey, Made};
use store::query::ApplicationQuery;
use store::rows::{ApplicationRef, RegistryRow};

/// Which applications are asked for.
#[derive(Debug, Clone, Default)]
pub struct ApplicationsInput {
    /// Which part of the list.
    pub list: ListInput,
    /// Leave out those without endpoints.
    pub exclude_without_endpoints: bool,
    /// Leave out those with a disabled endpoint.
    pub exclude_with_disabled_endpoints: bool,
}

impl App {
    /// All applications, the oldest first unless asked otherwise.
    ///
    /// # Errors
    /// [`AppError::Forbidden`] for all but the organisation; [`AppError::Invalid`].
    pub async fn applications(
        &self,
        caller: &Caller,
        input: &ApplicationsInput,
    ) -> Result<Page<Application>, AppError> {
        caller.require_organisation()?;
        let part = Part::<ApplicationKind>::of_all(&input.list, Order::Ascending)?;
        let query = ApplicationQuery {
            window: part.window(),
            with_endpoints: input.exclude_without_endpoints,
            without_disabled_endpoints: input.exclude_with_disabled_endpoints,
        };
        let walk = self.store.applications(&query).await?;
        let page = part.page(walk, |row| row.application.id);
        Ok(page.map(|row| row.application))
    }

    /// Makes an application. With `get_if_exists`, one that has the same uid is given back as it
    /// is.
    ///
    /// # Errors
    /// [`AppError::Forbidden`] for all but the organisation; [`AppError::Invalid`];
    /// [`AppError::Conflict`] for a uid that is taken.
    pub async fn create_application(
        &self,
        caller: &Caller,
        input: ApplicationInput,
        get_if_exists: bool,
    ) -> Result<Saved<Application>, AppError> {
        caller.require_organisation()?;
        let key = match self.request(caller, Success::Created).await? {
            Request::New(key) => key,
            Request::Repeated(made) => return self.application_made(made).await,
        };
        let draft = input.judge(&[])?;
        if !get_if_exists {
            let made = self.insert_application(caller.into(), &draft, key).await;
            return made.map_err(refused);
        }
        let (row, created) = self.find_or_insert(caller.into(), &draft, key).await?;
        let value = row.application.application.clone();
        Ok(Saved { value, created })
    }

    /// Writes an application anew, or makes one where none was found. What a path said has no part
    /// in it: the uid comes from the input alone.
    ///
    /// # Errors
    /// As [`App::create_application`].
    pub async fn put_application(
        &self,
        caller: &Caller,
        found: Option<&Tenant>,
        input: ApplicationInput,
    ) -> Result<Saved<Application>, AppError> {
        caller.require_organisation()?;
        let draft = input.judge(&[])?;
        match found {
            None => {
                let made = self.insert_application(caller.into(), &draft, None).await;
                made.map_err(refused)
            }
            Some(found) => Ok(Saved::changed(
                self.replace_application(caller, found, &draft).await?,
            )),
        }
    }

    /// Changes what the patch names.
    ///
    /// # Errors
    /// As [`App::create_application`]; [`AppError::NotFound`].
    pub async fn patch_application(
        &self,
        caller: &Caller,
        found: &Tenant,
        patch: ApplicationPatch,
    ) -> Result<Application, AppError> {
        caller.require_organisation()?;
        let draft = patch.judge(&[])?;
        self.replace_application(caller, found, &draft).await
    }

    /// Deletes an application with its endpoints: when this returns, no attempt to one of them
    /// starts any more.
    ///
    /// # Errors
    /// [`AppError::Forbidden`] for all but the organisation; [`AppError::NotFound`].
    pub async fn delete_application(
        &self,
        caller: &Caller,
        found: &Tenant,
    ) -> Result<(), AppError> {
        caller.require_organisation()?;
        let entry = self.entry_at_application(caller, AuditAction::ApplicationDeleted, found);
        let change = Change::DeleteApplication(found.key());
        self.change(entry, Some(found.key()), change, None).await?;
        Ok(())
    }

    /// The application of this draft's uid, made if it isn't there: for requests that bring the
    /// application that they need.
    pub(crate) async fn application_with_uid_of(
        &self,
        by: By<'_>,
        draft: &ApplicationDraft,
    ) -> Result<Tenant, AppError> {
        let (row, _) = self.find_or_insert(by, draft, None).await?;
        Tenant::new(self, row).await
    }

    /// The application of this draft's uid, or a new one, and whether it is new.
    async fn find_or_insert(
        &self,
        by: By<'_>,
        draft: &ApplicationDraft,
        key: Option<IdempotencyKey>,
    ) -> Result<(Arc<RegistryRow>, bool), AppError> {
        let uid = draft
            .uid
            .as_set()
            .cloned()
            .flatten()
            .map(ApplicationRef::Uid);
        let find = async || match &uid {
            Some(uid) => self.registry.find(uid).await,
            None => Ok(None),
        };
        if let Some(row) = find().await? {
            return Ok((row, false));
        }
        let id = match self.insert_application(by, draft, key).await {
            Ok(saved) => saved.value.id,
            // Somebody else made it in between.
            Err(ChangeRefused::Store(ChangeError::Taken)) => {
                let row = find().await?.ok_or_else(uid_taken)?;
                return Ok((row, false));
            }
            Err(other) => return Err(other.into()),
        };
        let row = self.registry.find(&ApplicationRef::Id(id)).await?;
        Ok((row.ok_or_else(AppError::not_found)?, true))
    }

    async fn insert_application(
        &self,
        by: By<'_>,
        draft: &ApplicationDraft,
        key: Option<IdempotencyKey>,
    ) -> Result<Saved<Application>, ChangeRefused> {
        let tail = random(&*self.entropy);
        let application = draft.applied(blank(ApplicationId::new(ApplicationKey::MIN, tail)));
        let create = || Change::CreateApplication {
            application: application.clone(),
            data_key: self.vault.new_data_key(tail).into_bytes().into(),
        };
        let entry = self.entry(
            by,
            AuditAction::ApplicationCreated,
            SubjectKind::Application,
        );
        let create = async |key| self.change(entry.clone(), None, create(), key).await;
        let mut changed = create(key.clone()).await;
        // Another master key seals by now, and this node has not heard of it.
        if matches!(changed, Err(ChangeError::Stale)) {
            self.heed_master_keys().await?;
            changed = create(key).await;
        }
        match changed? {
            Changed::Application(row) => Ok(Saved::created(row.application)),
            Changed::Repeated(prior) => Ok(self.application_made(prior.made).await?),
            other => Err(unexpected(&other).into()),
        }
    }

    async fn replace_application(
        &self,
        caller: &Caller,
        found: &Tenant,
        draft: &ApplicationDraft,
    ) -> Result<Application, AppError> {
        let replaced = until_current(|| async {
            let tenant = self.tenant_again(found).await?;
            let row = &tenant.row().application;
            let before = &row.application;
            let application = draft.applied(before.clone());
            let entry = self
                .entry_at_application(caller, AuditAction::ApplicationUpdated, &tenant)
                .saying(changed(differing!(before, application, {
                    "name": name, "uid": uid, "rateLimit": rate_limit, "metadata": metadata,
                })));
            let change = Change::ReplaceApplication {
                application,
                data_keys: row.data_keys.clone(),
                revision: row.revision,
            };
            match self.change(entry, Some(tenant.key()), change, None).await? {
                Changed::Application(row) => Ok(row.application),
                other => Err(unexpected(&other).into()),
            }
        });
        replaced.await.map_err(refused)
    }

    /// What an earlier request with the same idempotency key made, as it is now.
    async fn application_made(&self, made: Made) -> Result<Saved<Application>, AppError> {
        let id = ApplicationRef::Id(id_of(made));
        let row = self.registry.find(&id).await?.ok_or_else(made_is_gone)?;
        Ok(Saved::created(row.application.application.clone()))
    }
}

/// An application that nothing was said of yet.
fn blank(id: ApplicationId) -> Application {
    Application {
        id,
        uid: None,
        name: String::new(),
        rate_limit: None,
        metadata: Default::default(),
        created_at: Timestamp::MIN,
        updated_at: Timestamp::MIN,
    }
}

fn refused(refused: ChangeRefused) -> AppError {
    refused.explain(uid_taken)
}

fn uid_taken() -> AppError {
    AppError::conflict("An application with that id or uid already exists")
}
