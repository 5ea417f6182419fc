//! Security events as they are kept: the organisation looks at them. Who keeps them is `watch`.

use crate::page::{ListInput, Page, Part};
use crate::{App, AppError, Caller};
use model::application::Application;
use model::id::{SecurityEventId, SecurityEventKind};
use model::name::Name;
use model::security::{SecurityKind, Severity, Subject};
use store::query::Window;
use store::security::SecurityQuery;

pub use store::security::SecurityRow as KeptEvent;

/// Which security events are asked for.
#[derive(Debug, Clone, Default)]
pub struct SecurityEventsInput {
    /// Which part of the list; times are those at which they were first kept.
    pub list: ListInput,
    /// Of this kind.
    pub kind: Option<SecurityKind>,
    /// That are so bad.
    pub severity: Option<Severity>,
    /// That concern this application, by id or uid.
    pub application: Option<Name>,
    /// That happened to this, or by it.
    pub subject: Option<Subject>,
}

impl App {
    /// Security events, the newest first.
    ///
    /// # Errors
    /// [`AppError::Forbidden`] for all but the organisation; [`AppError::NotFound`] for an
    /// application that is not there; [`AppError::Invalid`] for a list that can't be.
    pub async fn security_events(
        &self,
        caller: &Caller,
        input: &SecurityEventsInput,
    ) -> Result<Page<KeptEvent>, AppError> {
        caller.require_organisation()?;
        let part = Part::<SecurityEventKind>::of_recent(&input.list, self.clock.now())?;
        let application = match &input.application {
            Some(path) => Some(self.application(caller, path.as_str()).await?.key()),
            None => None,
        };
        let query = SecurityQuery {
            window: part.window(),
            application,
            subject: input.subject.clone(),
            kind: input.kind,
            severity: input.severity,
            with_samples: false,
        };
        let walk = self.store.security_events(&query).await?;
        Ok(part.page(walk, |row| row.id))
    }

    /// One security event, with the application that it concerns, if that is still there.
    ///
    /// # Errors
    /// [`AppError::Forbidden`] for all but the organisation; [`AppError::NotFound`].
    pub async fn security_event(
        &self,
        caller: &Caller,
        id: &str,
    ) -> Result<(KeptEvent, Option<Application>), AppError> {
        caller.require_organisation()?;
        let id: SecurityEventId = id.parse().map_err(|_| AppError::not_found())?;
        let query = SecurityQuery {
            window: Window::of_one(id.key()),
            application: None,
            subject: None,
            kind: None,
            severity: None,
            with_samples: false,
        };
        let walk = self.store.security_events(&query).await?;
        let found = walk.rows.into_iter().find(|row| row.id == id);
        let found = found.ok_or_else(AppError::not_found)?;
        let application = match found.event.application {
            Some(key) => self.find_by_key(key).await?,
            None => None,
        };
        let application = application.map(|tenant| tenant.application().clone());
        Ok((found, application))
    }
}
