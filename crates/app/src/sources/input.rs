//! What is asked to be written of a source beside its configuration, and the rules it must keep.

use super::config::ConfigInput;
use crate::AppError;
use crate::patch::Patch;
use crate::rules::Judge;
use model::application::Metadata;
use model::id::SourceKind;
use model::name::Name;
use model::source::{SOURCE_UID_BYTES_MAX, Source};
use std::ops::RangeInclusive;

/// How many characters a name may have.
pub const NAME_LENGTH: RangeInclusive<usize> = 2..=256;

/// A source as it was asked for, parsed and not yet judged.
#[derive(Clone, Default)]
pub struct SourceInput {
    /// What people call it.
    pub name: String,
    /// Its user's own name for it.
    pub uid: Option<String>,
    /// Whose requests arrive there.
    pub source_type: String,
    /// How they are verified, and what is made of them.
    pub config: ConfigInput,
    /// Notes.
    pub metadata: Metadata,
}

/// What is to be changed of a source, parsed and not yet judged.
#[derive(Debug, Clone, Default)]
pub struct SourcePatch {
    /// What people call it.
    pub name: Patch<String>,
    /// Its user's own name for it.
    pub uid: Patch<Option<String>>,
    /// Notes, all of them.
    pub metadata: Patch<Metadata>,
}

/// What is to be written of a source, and keeps all rules.
#[derive(Debug, Clone)]
pub(super) struct SourceDraft {
    name: Patch<String>,
    uid: Patch<Option<Name>>,
    metadata: Patch<Metadata>,
}

impl SourcePatch {
    /// The draft if this keeps all rules; else every rule that it breaks.
    pub(super) fn judge(self) -> Result<SourceDraft, AppError> {
        let mut judge = Judge::new(&[]);
        if let Patch::Set(name) = &self.name {
            if !NAME_LENGTH.contains(&name.chars().count()) {
                let (least, most) = (NAME_LENGTH.start(), NAME_LENGTH.end());
                judge.note("name", format!("must have {least} to {most} characters"));
            }
            judge.text("name", name);
        }
        let uid = self.uid.map(|uid| judge_uid(&mut judge, uid.as_deref()));
        if let Patch::Set(metadata) = &self.metadata {
            judge.metadata("metadata", metadata);
        }
        judge.finish()?;
        Ok(SourceDraft {
            name: self.name,
            uid,
            metadata: self.metadata,
        })
    }
}

fn judge_uid(judge: &mut Judge<'_>, text: Option<&str>) -> Option<Name> {
    let uid = judge.uid::<SourceKind>("uid", text)?;
    if uid.as_str().len() > SOURCE_UID_BYTES_MAX || uid.as_str().contains('.') {
        let text = format!(
            "must be at most {SOURCE_UID_BYTES_MAX} of a-z, A-Z, 0-9, `_` and `-`, without a `.`"
        );
        judge.note("uid", text);
    }
    Some(uid)
}

impl SourceDraft {
    /// The source as it will be.
    pub(super) fn applied(&self, before: Source) -> Source {
        let draft = self.clone();
        Source {
            name: draft.name.or(before.name),
            uid: draft.uid.or(before.uid),
            metadata: draft.metadata.or(before.metadata),
            ..before
        }
    }
}
