//! What is asked to be written of an application, and the rules it must keep. Pure.

use crate::AppError;
use crate::patch::Patch;
use crate::rules::{Judge, Rate};
use model::application::{Application, Metadata};
use model::id::ApplicationKind;
use model::name::Name;
use model::operational::is_told;
use std::num::NonZeroU16;

/// Why a uid is refused that is not for people to give.
const RESERVED: &str = "is kept for the application that operational webhooks belong to";

/// An application as it was asked for, parsed and not yet judged.
#[derive(Debug, Clone, Default)]
pub struct ApplicationInput {
    /// What people call it.
    pub name: String,
    /// Its user's own name for it.
    pub uid: Option<String>,
    /// Attempts per second; wins over [`Self::rate_limit`].
    pub throttle_rate: Option<u16>,
    /// Attempts per second.
    pub rate_limit: Option<u16>,
    /// Notes.
    pub metadata: Metadata,
}

/// What is to be changed of an application, parsed and not yet judged.
#[derive(Debug, Clone, Default)]
pub struct ApplicationPatch {
    /// What people call it.
    pub name: Patch<String>,
    /// Its user's own name for it.
    pub uid: Patch<Option<String>>,
    /// Attempts per second; wins over [`Self::rate_limit`].
    pub throttle_rate: Patch<Option<u16>>,
    /// Attempts per second.
    pub rate_limit: Patch<Option<u16>>,
    /// Notes, all of them.
    pub metadata: Patch<Metadata>,
}

/// What is to be written of an application, and keeps all rules.
#[derive(Debug, Clone)]
pub(crate) struct ApplicationDraft {
    name: Patch<String>,
    pub(crate) uid: Patch<Option<Name>>,
    rate: Patch<Option<NonZeroU16>>,
    metadata: Patch<Metadata>,
}

impl ApplicationInput {
    /// The draft if this keeps all rules; else every rule that it breaks. `within` are the names on
    /// the way to it in the request's body.
    pub(crate) fn judge(self, within: &[&str]) -> Result<ApplicationDraft, AppError> {
        let rate = Rate::whole(self.throttle_rate, self.rate_limit);
        let patch = ApplicationPatch {
            name: Patch::Set(self.name),
            uid: Patch::Set(self.uid),
            throttle_rate: rate.throttle_rate,
            rate_limit: rate.rate_limit,
            metadata: Patch::Set(self.metadata),
        };
        patch.judge(within)
    }
}

impl ApplicationPatch {
    /// The draft if this keeps all rules; else every rule that it breaks.
    pub(crate) fn judge(self, within: &[&str]) -> Result<ApplicationDraft, AppError> {
        let mut judge = Judge::new(within);
        if let Patch::Set(name) = &self.name {
            judge.some_text("name", name);
        }
        let uid = self
            .uid
            .map(|uid| judge.uid::<ApplicationKind>("uid", uid.as_deref()));
        if uid.as_set().is_some_and(|uid| is_told(uid.as_ref())) {
            judge.note("uid", RESERVED);
        }
        let rate = judge.rate(Rate {
            rate_limit: self.rate_limit,
            throttle_rate: self.throttle_rate,
        });
        if let Patch::Set(metadata) = &self.metadata {
            judge.metadata("metadata", metadata);
        }
        judge.finish()?;
        Ok(ApplicationDraft {
            name: self.name,
            uid,
            rate,
            metadata: self.metadata,
        })
    }
}

impl ApplicationDraft {
    /// The application as it will be.
    pub(super) fn applied(&self, before: Application) -> Application {
        let draft = self.clone();
        Application {
            name: draft.name.or(before.name),
            uid: draft.uid.or(before.uid),
            rate_limit: draft.rate.or(before.rate_limit),
            metadata: draft.metadata.or(before.metadata),
            ..before
        }
    }
}
