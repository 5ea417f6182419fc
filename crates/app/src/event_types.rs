//! Event types: made, changed and archived by the organisation; applications see those that are
//! for all, or for a feature flag that their token carries.

mod all;
mod draft;
mod export;
mod import;
mod many;
mod openapi;
mod redaction;
mod retry_schedule;
mod schemas;

pub(crate) use all::{ALL_BYTES_MAX, AllTypes};
pub use draft::{EventTypeInput, EventTypePatch};
pub use import::{ImportInput, Imported};
pub(crate) use many::WrittenTypes;
pub use openapi::WEBHOOKS_MAX;
pub use redaction::{REDACTIONS_MAX, RuleInput};
pub(crate) use redaction::{judge_paths, judge_rules};
pub use retry_schedule::RETRY_SCHEDULES_MAX;
pub(crate) use retry_schedule::judge as judge_schedule;
pub use schemas::SCHEMAS_BYTES_MAX;
pub(crate) use schemas::newest;

use crate::audit::{changed, differing};
use crate::caller::Who;
use crate::change::{ChangeRefused, Saved, unexpected, until_current};
use crate::idempotency::{Request, Success, made_is_gone};
use crate::page::{Direction, Found, ListInput, Order, Page, limit};
use crate::rules::Judge;
use crate::{App, AppError, Caller, Violation};
use draft::EventTypeDraft;
use model::Timestamp;
use model::audit::{AuditAction, AuditDraft};
use model::event_type::EventType;
use model::name::Name;
use store::change::{Change, Changed, Expect};
use store::idempotency::IdempotencyKey;
use store::query::EventTypeQuery;

/// Which event types are asked for.
#[derive(Debug, Clone, Default)]
pub struct EventTypesInput {
    /// Which part of the list; an order is not obeyed.
    pub list: ListInput,
    /// Archived ones too.
    pub include_archived: bool,
    /// With their schemas.
    pub with_schemas: bool,
}

impl App {
    /// The event types that the caller sees, by name.
    ///
    /// # Errors
    /// [`AppError::Invalid`].
    pub async fn event_types(
        &self,
        caller: &Caller,
        input: &EventTypesInput,
    ) -> Result<Page<EventType>, AppError> {
        let limit = limit(&input.list)?;
        let (backwards, beyond) = input.list.start_by_name()?;
        let direction = Direction::new(Order::Ascending, backwards);
        let query = EventTypeQuery {
            beyond,
            ascending: direction.ascending,
            limit: limit.max(1),
            archived: input.include_archived,
            with_schemas: input.with_schemas,
            visible_to: flags(caller).map(<[Name]>::to_vec),
        };
        let walk = self.store.event_types(&query).await?;
        let found = Found::new(walk, |row| row.name.clone(), |name| name.to_string());
        Ok(found.page(direction, limit, |row| row.name.to_string()))
    }

    /// One event type, also an archived one.
    ///
    /// # Errors
    /// [`AppError::NotFound`] if there is none, or none that the caller sees.
    pub async fn event_type(&self, caller: &Caller, name: &str) -> Result<EventType, AppError> {
        let found = self
            .find_event_type(name)
            .await?
            .ok_or_else(AppError::not_found)?;
        let is_visible = |flags: &[Name]| {
            found.feature_flags.is_empty()
                || found.feature_flags.iter().any(|flag| flags.contains(flag))
        };
        match flags(caller).is_none_or(is_visible) {
            true => Ok(found),
            false => Err(AppError::not_found()),
        }
    }

    /// The event type of this name, if there is one: for a handler that must know before it reads
    /// the body.
    ///
    /// # Errors
    /// [`AppError::Forbidden`] for all but the organisation; [`AppError::NotFound`].
    pub async fn event_type_to_change(
        &self,
        caller: &Caller,
        name: &str,
    ) -> Result<EventType, AppError> {
        caller.require_organisation()?;
        self.find_event_type(name)
            .await?
            .ok_or_else(AppError::not_found)
    }

    /// Makes an event type; an archived one of the same name comes back as what the input says.
    ///
    /// # Errors
    /// [`AppError::Forbidden`] for all but the organisation; [`AppError::Invalid`];
    /// [`AppError::Conflict`] if there is one that is not archived.
    pub async fn create_event_type(
        &self,
        caller: &Caller,
        name: &str,
        input: EventTypeInput,
    ) -> Result<EventType, AppError> {
        caller.require_organisation()?;
        let key = match self.request(caller, Success::Created).await? {
            Request::New(key) => key,
            Request::Repeated(_) => return self.event_type_made(name).await,
        };
        let (name, draft) = input.judge_named(name, Judge::new(&[]))?;
        let event_type = draft.applied(blank(name));
        let expect = Expect::NoneLive;
        let entry =
            self.entry_at_event_type(caller, AuditAction::EventTypeCreated, &event_type.name);
        let put = self.put_event_type_row(entry, event_type, expect, key);
        put.await.map_err(|refused| {
            refused.explain(|| AppError::Conflict {
                code: "event_type_exists",
                detail: "An event_type with this name already exists".to_owned(),
            })
        })
    }

    /// Writes an event type anew, or makes it.
    ///
    /// # Errors
    /// [`AppError::Forbidden`] for all but the organisation; [`AppError::Invalid`].
    pub async fn put_event_type(
        &self,
        caller: &Caller,
        name: &str,
        input: EventTypeInput,
    ) -> Result<Saved<EventType>, AppError> {
        caller.require_organisation()?;
        let draft = input.judge()?;
        let name: Name = name.parse().map_err(|error| {
            Violation::path(&["event_type_name", "__all__"], format!("{error}"))
        })?;
        let put = until_current(|| async {
            let before = self.find_event_type(name.as_str()).await?;
            let expect = Expect::SavedAt(before.as_ref().map(|before| before.updated_at));
            let created = before.is_none();
            let entry = match created {
                true => self.entry_at_event_type(caller, AuditAction::EventTypeCreated, &name),
                false => self.entry_at_event_type(caller, AuditAction::EventTypeUpdated, &name),
            };
            let before = before.unwrap_or_else(|| blank(name.clone()));
            let event_type = draft.applied(before.clone());
            let entry = entry.saying(match created {
                true => String::new(),
                false => told(&before, &event_type),
            });
            let value = self.put_event_type_row(entry, event_type, expect, None);
            let value = value.await?;
            Ok(Saved { value, created })
        });
        Ok(put.await?)
    }

    /// Changes what the patch names, also of an archived one.
    ///
    /// # Errors
    /// [`AppError::Forbidden`] for all but the organisation; [`AppError::Invalid`];
    /// [`AppError::NotFound`].
    pub async fn patch_event_type(
        &self,
        caller: &Caller,
        name: &str,
        patch: EventTypePatch,
    ) -> Result<EventType, AppError> {
        caller.require_organisation()?;
        let draft = patch.judge()?;
        self.redraft_event_type((caller, AuditAction::EventTypeUpdated), name, &draft)
            .await
    }

    /// Archives an event type, or removes it for good.
    ///
    /// # Errors
    /// [`AppError::Forbidden`] for all but the organisation; [`AppError::NotFound`].
    pub async fn delete_event_type(
        &self,
        caller: &Caller,
        name: &str,
        expunge: bool,
    ) -> Result<(), AppError> {
        caller.require_organisation()?;
        if expunge {
            let name = name.parse().map_err(|_| AppError::not_found())?;
            let entry = self.entry_at_event_type(caller, AuditAction::EventTypeExpunged, &name);
            let change = Change::ExpungeEventType(name);
            self.change(entry, None, change, None).await?;
        } else {
            let by = (caller, AuditAction::EventTypeArchived);
            self.redraft_event_type(by, name, &EventTypeDraft::archiving())
                .await?;
        }
        Ok(())
    }

    async fn find_event_type(&self, name: &str) -> Result<Option<EventType>, AppError> {
        let Ok(name) = name.parse() else {
            return Ok(None);
        };
        Ok(self.store.event_types_named(&[name]).await?.pop())
    }

    async fn redraft_event_type(
        &self,
        (caller, action): (&Caller, AuditAction),
        name: &str,
        draft: &EventTypeDraft,
    ) -> Result<EventType, AppError> {
        let put = until_current(|| async {
            let found = self.find_event_type(name).await?;
            let before = found.ok_or_else(AppError::not_found)?;
            let expect = Expect::SavedAt(Some(before.updated_at));
            let after = draft.applied(before.clone());
            let entry = self
                .entry_at_event_type(caller, action, &after.name)
                .saying(told(&before, &after));
            self.put_event_type_row(entry, after, expect, None).await
        });
        Ok(put.await?)
    }

    async fn put_event_type_row(
        &self,
        entry: AuditDraft,
        event_type: EventType,
        expect: Expect,
        key: Option<IdempotencyKey>,
    ) -> Result<EventType, ChangeRefused> {
        let name = event_type.name.clone();
        let change = Change::PutEventType { event_type, expect };
        match self.change(entry, None, change, key).await? {
            Changed::EventType(event_type) => Ok(event_type),
            Changed::Repeated(_) => Ok(self.event_type_made(name.as_str()).await?),
            other => Err(unexpected(&other).into()),
        }
    }

    /// What an earlier request with the same idempotency key made, as it is now.
    async fn event_type_made(&self, name: &str) -> Result<EventType, AppError> {
        self.find_event_type(name).await?.ok_or_else(made_is_gone)
    }
}

/// What the audit log has of a change.
fn told(before: &EventType, after: &EventType) -> String {
    changed(differing!(before, after, {
        "description": description, "archived": archived, "deprecated": deprecated,
        "schemas": schemas, "featureFlags": feature_flags, "groupName": group_name,
    }))
}

/// The feature flags that limit what a caller sees; `None`: sees all.
fn flags(caller: &Caller) -> Option<&[Name]> {
    match &caller.who {
        Who::Organisation => None,
        Who::Application { feature_flags, .. } => Some(feature_flags),
    }
}

/// An event type that nothing was said of yet.
fn blank(name: Name) -> EventType {
    EventType {
        name,
        description: String::new(),
        archived: false,
        deprecated: false,
        schemas: None,
        sensitive: Vec::new(),
        feature_flags: Vec::new(),
        group_name: None,
        created_at: Timestamp::MIN,
        updated_at: Timestamp::MIN,
    }
}
