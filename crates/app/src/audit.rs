//! The audit log: who did what. The entry that every change brings which somebody asked for, and
//! every read of a secret; and how they are looked at. Keeping entries is the store's; chaining
//! them, so that none can be missing, is `watch`'s.
//!
//! A change and its entry are one commit, so that neither is there without the other; a secret is
//! answered behind the commit of its entry. What the process does by itself, and nobody can be
//! named for, has none: `Unaudited` says what that is, and why. Accepting messages has none either:
//! they are kept, and say themselves when they came.
//!
//! An entry says which fields were changed, never what they are now.

use crate::caller::{OpenedBy, Shown, ShownAs};
use crate::change::unexpected;
use crate::find::Tenant;
use crate::page::{ListInput, Page, Part};
use crate::{App, AppError, Caller};
use model::Timestamp;
use model::audit::{Actor, ActorKind, AuditAction, AuditDraft, AuditSubject};
use model::endpoint::Endpoint;
use model::id::{ApplicationId, ApplicationKey, AuditId, AuditKind};
use model::name::Name;
use model::security::{Subject, SubjectKind};
use std::net::IpAddr;
use store::audit::AuditQuery;
use store::change::{Change, Changed};
use store::query::Window;

pub use store::audit::{AuditRow as Audited, SignedCheckpoint, hex};

/// Which entries are asked for.
#[derive(Debug, Clone, Default)]
pub struct AuditInput {
    /// Which part of the list; times are those of the entries.
    pub list: ListInput,
    /// Of what was done.
    pub action: Option<AuditAction>,
    /// Of what was done by whom: an organisation, an application, an endpoint as a receiver, or a
    /// rule.
    pub actor: Option<String>,
    /// That concern this application, by id or uid; a deleted one by its id.
    pub application: Option<Name>,
}

/// Who does something.
#[derive(Clone, Copy)]
pub(crate) enum By<'a> {
    /// Whoever asks.
    Caller(&'a Caller),
    /// Postrider itself, by a rule of this name.
    Rule(&'static str),
}

impl<'a> From<&'a Caller> for By<'a> {
    fn from(caller: &'a Caller) -> Self {
        Self::Caller(caller)
    }
}

/// What the process changes by itself, and the audit log has nothing of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unaudited {
    /// How often keys were used: it counts what others did, who have entries of their own.
    Uses,
    /// Which master keys this node has, which is no more than what its operator gave it.
    MasterKeysTold,
    /// Data keys sealed by another master key: that this one gave way is an entry, and what they
    /// seal is the same as before.
    SealedAnew,
}

impl App {
    /// The entries of the audit log, the newest first.
    ///
    /// # Errors
    /// [`AppError::Forbidden`] for all but the organisation; [`AppError::NotFound`] for an
    /// application that is not there; [`AppError::Invalid`] for a list that can't be.
    pub async fn audit(
        &self,
        caller: &Caller,
        input: &AuditInput,
    ) -> Result<Page<Audited>, AppError> {
        caller.require_organisation()?;
        let part = Part::<AuditKind>::of_recent(&input.list, self.clock.now())?;
        let application = match &input.application {
            Some(path) => Some(self.audited_application(caller, path).await?),
            None => None,
        };
        let query = AuditQuery {
            window: part.window(),
            application,
            actions: input.action.into_iter().collect(),
            actor: input.actor.clone(),
            subject: None,
        };
        let walk = self.store.audit(&query).await?;
        Ok(part.page(walk, |row| row.entry.id))
    }

    /// One entry.
    ///
    /// # Errors
    /// [`AppError::Forbidden`] for all but the organisation; [`AppError::NotFound`].
    pub async fn audit_entry(&self, caller: &Caller, id: &str) -> Result<Audited, AppError> {
        caller.require_organisation()?;
        let id: AuditId = id.parse().map_err(|_| AppError::not_found())?;
        let query = AuditQuery {
            window: Window::of_one(id.key()),
            application: None,
            actions: Vec::new(),
            actor: None,
            subject: None,
        };
        let walk = self.store.audit(&query).await?;
        let found = walk.rows.into_iter().find(|row| row.entry.id == id);
        found.ok_or_else(AppError::not_found)
    }

    /// Since when the oldest entry waits that no checkpoint seals; `None`: all are sealed.
    ///
    /// # Errors
    /// [`AppError::Forbidden`] for all but the organisation.
    pub async fn audit_waits_since(&self, caller: &Caller) -> Result<Option<Timestamp>, AppError> {
        caller.require_organisation()?;
        let waiting = self.store.audit_unsealed(1).await?;
        Ok(waiting.first().map(|kept| kept.id.key().time()))
    }

    /// The head of the log's chain, as it was last signed: whoever keeps it elsewhere can tell
    /// later that the log was cut or rolled back.
    ///
    /// # Errors
    /// [`AppError::Forbidden`] for all but the organisation; [`AppError::NotFound`] while there is
    /// none.
    pub async fn audit_checkpoint(&self, caller: &Caller) -> Result<SignedCheckpoint, AppError> {
        const NONE_YET: AppError =
            AppError::NotFound("nothing of the audit log is signed yet: ask again in a moment");
        caller.require_organisation()?;
        let checkpoint = self.store.audit_ends().await?.checkpoint.ok_or(NONE_YET)?;
        Ok(SignedCheckpoint {
            checkpoint,
            public_key: self.audit_public_key().await?.ok_or(NONE_YET)?,
        })
    }

    /// An application by id or uid; by its id also one that is gone: what was done to it is not.
    async fn audited_application(
        &self,
        caller: &Caller,
        path: &Name,
    ) -> Result<ApplicationKey, AppError> {
        match path.as_str().parse::<ApplicationId>() {
            Ok(id) => Ok(id.key()),
            Err(_) => Ok(self.application(caller, path.as_str()).await?.key()),
        }
    }

    /// An entry of what is about to be done.
    pub(crate) fn entry<'a>(
        &self,
        by: impl Into<By<'a>>,
        action: AuditAction,
        subject: impl Into<AuditSubject>,
    ) -> AuditDraft {
        let actor = match by.into() {
            By::Caller(caller) => self.actor(caller),
            By::Rule(rule) => Actor::system(rule),
        };
        AuditDraft::new(self.clock.now(), actor, action, subject)
    }

    /// The same, of one of an application's endpoints.
    pub(crate) fn entry_at_endpoint<'a>(
        &self,
        by: impl Into<By<'a>>,
        action: AuditAction,
        endpoint: &Endpoint,
    ) -> AuditDraft {
        self.entry(by, action, Subject::endpoint(endpoint.id))
            .concerning(endpoint.application)
    }

    /// The same, of an application.
    pub(crate) fn entry_at_application<'a>(
        &self,
        by: impl Into<By<'a>>,
        action: AuditAction,
        tenant: &Tenant,
    ) -> AuditDraft {
        let subject = Subject::new(SubjectKind::Application, tenant.application().id);
        self.entry(by, action, subject).concerning(tenant.key())
    }

    /// The same, of an event type.
    pub(crate) fn entry_at_event_type<'a>(
        &self,
        by: impl Into<By<'a>>,
        action: AuditAction,
        name: &Name,
    ) -> AuditDraft {
        self.entry(by, action, Subject::new(SubjectKind::EventType, name))
    }

    /// The same, of the whole installation.
    pub(crate) fn entry_at_installation<'a>(
        &self,
        by: impl Into<By<'a>>,
        action: AuditAction,
    ) -> AuditDraft {
        let subject = Subject::new(SubjectKind::Organisation, self.tokens.organisation());
        self.entry(by, action, subject)
    }

    /// Puts an entry of what changes nothing into the audit log: when this returns, it is on disk.
    ///
    /// # Errors
    /// [`AppError::Unavailable`]: what it is of must not be done then.
    pub(crate) async fn note(&self, entry: AuditDraft) -> Result<(), AppError> {
        match self.change(entry, None, Change::Note, None).await? {
            Changed::Kept => Ok(()),
            other => Err(unexpected(&other)),
        }
    }

    /// Who a caller is. Whoever has an API key speaks for the organisation.
    fn actor(&self, caller: &Caller) -> Actor {
        let (kind, subject, credential) = match caller.shown.as_deref() {
            None => match caller.rule() {
                Some(rule) => return Actor::system(rule),
                None => (ActorKind::Command, caller.subject.clone(), None),
            },
            Some(Shown { by, id, .. }) => {
                let (kind, subject) = match by {
                    ShownAs::Token => (ActorKind::Token, caller.subject.clone()),
                    ShownAs::ApiKey(_) | ShownAs::Session(OpenedBy::ApiKey(_)) => {
                        (ActorKind::ApiKey, self.tokens.organisation().to_owned())
                    }
                    ShownAs::Session(OpenedBy::Token(_)) => {
                        (ActorKind::Token, caller.subject.clone())
                    }
                    ShownAs::Session(OpenedBy::Person(name)) => (ActorKind::Person, name.clone()),
                };
                (kind, subject, Some(id.clone()))
            }
        };
        Actor {
            kind,
            subject,
            credential,
            remote_address: caller.remote_address,
        }
    }
}

/// The receiver behind an endpoint, by what a delivery told it.
pub(crate) fn receiver(endpoint: &Endpoint, remote_address: Option<IpAddr>) -> Actor {
    Actor {
        kind: ActorKind::Receiver,
        subject: endpoint.id.to_string(),
        credential: None,
        remote_address,
    }
}

/// The names of those fields that are said to have changed, for an entry.
pub(crate) fn changed<'a>(fields: impl IntoIterator<Item = (&'a str, bool)>) -> String {
    let changed = fields.into_iter().filter(|(_, changed)| *changed);
    let names: Vec<&str> = changed.map(|(name, _)| name).collect();
    names.join(", ")
}

/// Whether an entry names this field as one that has changed.
pub(crate) fn is_changed(detail: &str, field: &str) -> bool {
    let names = detail.split_once(';').map_or(detail, |(names, _)| names);
    names.split(", ").any(|name| name == field)
}

/// Whether fields differ, by the names that the API has for them.
macro_rules! differing {
    ($before:expr, $after:expr, { $($name:literal: $field:ident),+ $(,)? }) => {
        [$(($name, $before.$field != $after.$field)),+]
    };
}
pub(crate) use differing;
