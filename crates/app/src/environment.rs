//! What the whole installation is set to, and everything of it that can be carried to another:
//! settings and event types. And what the operator demands of endpoints, which is not carried.
//!
//! Settings are one row. A node keeps them in memory, and hears of changes as it does of who may
//! come in: within a second (`access`). Two of them change what Postrider does; the others
//! are kept for the pages that consumers see, and those that would switch on what isn't built are
//! refused, so that none says what is not so.
//!
//! Map: [`settings`] (what there is to set) · [`carry`] (export, import) · [`beside`] (what goes
//! with event types) · `policy` (what is demanded) · [`alerts`] (who is told of security events) ·
//! `held` (payloads before they are accepted), `kept` (the schemas in memory).

pub mod alerts;
pub mod beside;
pub mod carry;
mod held;
mod kept;
mod policy;
pub mod settings;

pub use policy::PolicyInput;
pub use settings::{ENFORCE_SCHEMAS, SCAN_PAYLOADS, Scan, Settings};

use crate::change::{ChangeRefused, unexpected, until_current};
use crate::event_types::{REDACTIONS_MAX, RETRY_SCHEDULES_MAX};
use crate::{App, AppError, Caller};
use kept::Kept;
use model::audit::{AuditAction, AuditDraft};
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use store::access::ENVIRONMENT;
use store::change::{Change, ChangeError, Changed, EnvironmentChange, SettingsChange};
use store::idempotency::IdempotencyKey;

/// What a node knows of the settings of the whole installation. Made once for each.
#[derive(Default)]
pub struct Environment {
    enforces_schemas: AtomicBool,
    /// A [`Scan`].
    scan: AtomicU8,
    /// Schemas of event types, ready to be used.
    kept: Kept,
}

impl Environment {
    /// Whether messages must match their event type's schema.
    pub(crate) fn enforces_schemas(&self) -> bool {
        self.enforces_schemas.load(Ordering::Relaxed)
    }

    /// Whether payloads are looked through for what should not be in them.
    pub(crate) fn scan(&self) -> Scan {
        let number = self.scan.load(Ordering::Relaxed);
        let mut all = [Scan::Report, Scan::Refuse].into_iter();
        all.find(|scan| *scan as u8 == number).unwrap_or_default()
    }

    /// Takes what is written now.
    pub(crate) fn take(&self, written: Option<&[u8]>) -> Result<(), AppError> {
        let settings = Settings::read(written)?;
        let enforces = settings.is_on(ENFORCE_SCHEMAS);
        self.enforces_schemas.store(enforces, Ordering::Relaxed);
        self.scan.store(settings.scan() as u8, Ordering::Relaxed);
        Ok(())
    }

    /// What was known of event types is looked at again.
    pub(crate) fn forget_event_types(&self) {
        self.kept.forget();
    }
}

/// How settings are changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// Those that are not named stay as they are.
    Some,
    /// Those that are not named become what they were at first.
    All,
}

impl App {
    /// The settings.
    ///
    /// # Errors
    /// [`AppError::Forbidden`] for all but the organisation.
    pub async fn environment_settings(&self, caller: &Caller) -> Result<Settings, AppError> {
        caller.require_organisation()?;
        Ok(self.settings_now().await?.1)
    }

    /// Changes settings. They hold on this node when this returns, elsewhere within a second.
    ///
    /// # Errors
    /// [`AppError::Forbidden`] for all but the organisation; [`AppError::Invalid`].
    pub async fn set_environment_settings(
        &self,
        caller: &Caller,
        input: serde_json::Map<String, serde_json::Value>,
        extent: Extent,
    ) -> Result<Settings, AppError> {
        caller.require_organisation()?;
        let given = Settings::judge(input, &[])?;
        let set = until_current(|| async {
            let (before, settings) = self.settings_now().await?;
            let asked = match extent {
                Extent::Some => settings.clone().with(&given),
                Extent::All => given.clone(),
            };
            let entry = self
                .entry_at_installation(caller, AuditAction::EnvironmentSettingsUpdated)
                .saying(settings.differing(&asked));
            let change = EnvironmentChange {
                settings: asked.change_from(before),
                ..EnvironmentChange::default()
            };
            self.change_environment(entry, change, None).await?;
            Ok(asked)
        });
        Ok(set.await?)
    }

    /// As they are written, and as what they mean.
    async fn settings_now(&self) -> Result<(Option<Vec<u8>>, Settings), AppError> {
        let written = self.store.setting(ENVIRONMENT).await?;
        let settings = Settings::read(written.as_deref())?;
        Ok((written, settings))
    }

    async fn change_environment(
        &self,
        entry: AuditDraft,
        change: EnvironmentChange,
        key: Option<IdempotencyKey>,
    ) -> Result<(), ChangeRefused> {
        if change.is_empty() && key.is_none() {
            return Ok(());
        }
        let change = Change::PutEnvironment(change);
        match self.change(entry, None, change, key).await {
            Ok(Changed::Environment | Changed::Repeated(_)) => {}
            Ok(other) => return Err(unexpected(&other).into()),
            Err(ChangeError::TooMany) => return Err(too_many_beside().into()),
            Err(error) => return Err(error.into()),
        }
        // It is done. Should the database be away by now, this node hears of it as others do.
        let _ = self.renew_access().await;
        Ok(())
    }
}

impl Settings {
    /// What is to be written, where what is there is something else.
    fn change_from(&self, before: Option<Vec<u8>>) -> Option<SettingsChange> {
        let after = self.written();
        (before.as_ref() != Some(&after)).then_some(SettingsChange { before, after })
    }
}

fn too_many_beside() -> AppError {
    AppError::BadRequest {
        code: "limit_reached",
        detail: format!(
            "with these, more than {REDACTIONS_MAX} event types would have redaction rules, or \
             more than {RETRY_SCHEDULES_MAX} a retry schedule of their own"
        ),
    }
}
