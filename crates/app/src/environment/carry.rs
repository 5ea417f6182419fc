//! Carrying what is set, and the event types, from one installation to another.
//!
//! An import is one commit: all of it is there then, or nothing. What is there already and is as it
//! should be is not written again, so that to import twice changes nothing.

use super::Settings;
use super::beside::{Beside, BesideInput, WrittenBeside};
use crate::change::until_current;
use crate::event_types::{ALL_BYTES_MAX, AllTypes, EventTypeInput, WrittenTypes};
use crate::idempotency::{Request, Success};
use crate::{App, AppError, Caller, Violation};
use model::Timestamp;
use model::audit::AuditAction;
use model::event_type::EventType;
use serde_json::{Map, Value};
use store::change::EnvironmentChange;

/// The most event types that one import writes.
pub const TYPES_MAX: usize = 1_000;

/// Everything that can be carried to another installation.
#[derive(Debug, Clone)]
pub struct Exported {
    /// When.
    pub created_at: Timestamp,
    /// By name, archived ones too.
    pub event_types: Vec<EventType>,
    /// What they have besides.
    pub beside: Beside,
    /// All settings.
    pub settings: Settings,
}

/// What is to be there; what is not named stays as it is.
#[derive(Debug, Clone, Default)]
pub struct ImportInput {
    /// Event types with their names: each is made, or written anew.
    pub event_types: Vec<(String, EventTypeInput)>,
    /// What each of them is to have besides, in the same order.
    pub beside: Vec<BesideInput>,
    /// Settings.
    pub settings: Map<String, Value>,
    /// How many connectors are to be there.
    pub connectors: usize,
}

impl App {
    /// Everything that can be carried to another installation.
    ///
    /// # Errors
    /// [`AppError::Forbidden`] for all but the organisation; [`AppError::BadRequest`] if there is
    /// more than can be told at once.
    pub async fn export_environment(&self, caller: &Caller) -> Result<Exported, AppError> {
        caller.require_organisation()?;
        let created_at = self.clock.now();
        let event_types = self.all_event_types(AllTypes::Archived).await?;
        let exported = Exported {
            created_at,
            event_types: event_types.ok_or_else(too_much)?,
            beside: self.beside_event_types().await?,
            settings: self.settings_now().await?.1,
        };
        let entry = self
            .entry_at_installation(caller, AuditAction::EnvironmentExported)
            .saying(format!("{} event types", exported.event_types.len()));
        self.note(entry).await?;
        Ok(exported)
    }

    /// Writes event types and settings, all of them in one commit.
    ///
    /// # Errors
    /// [`AppError::Forbidden`] for all but the organisation; [`AppError::Invalid`] with every
    /// broken rule; [`AppError::Conflict`] if the request's idempotency key was used with another
    /// body.
    pub async fn import_environment(
        &self,
        caller: &Caller,
        input: ImportInput,
    ) -> Result<(), AppError> {
        caller.require_organisation()?;
        let key = match self.request(caller, Success::Done).await? {
            Request::New(key) => key,
            Request::Repeated(_) => return Ok(()),
        };
        let (types, beside, given) = input.judge_apart().await?;
        let imported = until_current(|| async {
            let (before, settings) = self.settings_now().await?;
            let asked = settings.clone().with(&given);
            let change = EnvironmentChange {
                event_types: self.changed_types(&types).await?,
                // What nobody ever set, and nobody sets now, needs no row.
                settings: asked
                    .change_from(before)
                    .filter(|_| given != Settings::default()),
                ..beside.change_from(&self.beside_event_types().await?)
            };
            let entry = self
                .entry_at_installation(caller, AuditAction::EnvironmentImported)
                .saying(told(&change, &settings.differing(&asked)));
            self.change_environment(entry, change, key.clone()).await
        });
        Ok(imported.await?)
    }
}

impl ImportInput {
    /// [`Self::judge`], while others go on: to compile many schemas takes seconds.
    async fn judge_apart(self) -> Result<Written, AppError> {
        let judged = tokio::task::spawn_blocking(|| self.judge()).await;
        judged.unwrap_or_else(|failed| Err(AppError::internal(failed)))
    }

    fn judge(self) -> Result<Written, AppError> {
        if self.connectors > 0 {
            let text = "must be empty: connectors are not built";
            return Err(Violation::body(&["connectors"], text).into());
        }
        if self.event_types.len() > TYPES_MAX {
            let text = format!("must hold at most {TYPES_MAX}: import more in parts");
            return Err(Violation::body(&["eventTypes"], text).into());
        }
        let names = self.event_types.iter().map(|(name, _)| name.clone());
        let beside = WrittenBeside::judge(names.zip(self.beside).collect());
        let settings = Settings::judge(self.settings, &["settings"]);
        let types = WrittenTypes::judge(self.event_types);
        let ((types, beside), settings) = both(both(types, beside), settings)?;
        Ok((types, beside, settings))
    }
}

/// What the audit log has of an import.
fn told(change: &EnvironmentChange, settings: &str) -> String {
    let counted = [
        (change.event_types.len(), "event types"),
        (change.redactions.len(), "redaction rules"),
        (change.schedules.len(), "retry schedules"),
    ];
    let counted = counted.into_iter().filter(|(count, _)| *count > 0);
    let counted = counted.map(|(count, of)| format!("{count} {of}"));
    let settings = Some(settings.to_owned()).filter(|_| change.settings.is_some());
    counted.chain(settings).collect::<Vec<_>>().join(", ")
}

/// Event types, what is beside them, and settings, all of which can be.
type Written = (WrittenTypes, WrittenBeside, Settings);

/// Both, or what is wrong with either.
fn both<T, U>(one: Result<T, AppError>, other: Result<U, AppError>) -> Result<(T, U), AppError> {
    match (one, other) {
        (Ok(one), Ok(other)) => Ok((one, other)),
        (Err(AppError::Invalid(mut broken)), Err(AppError::Invalid(more))) => {
            broken.extend(more);
            Err(AppError::Invalid(broken))
        }
        (Err(error), _) | (_, Err(error)) => Err(error),
    }
}

fn too_much() -> AppError {
    AppError::BadRequest {
        code: "limit_reached",
        detail: format!(
            "The event types have more than {ALL_BYTES_MAX} bytes: list them instead, with \
             with_content=true and include_archived=true"
        ),
    }
}
