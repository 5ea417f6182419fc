//! What is asked to be written of an event type, and the rules it must keep. Pure.

use super::schemas::{self, Schemas};
use crate::AppError;
use crate::messages::RESERVED;
use crate::patch::Patch;
use crate::rules::Judge;
use model::challenge::is_challenge;
use model::event_type::EventType;
use model::name::Name;
use serde_json::{Map, Value};

/// An event type as it was asked for, parsed and not yet judged; its name stands elsewhere.
#[derive(Debug, Clone, Default)]
pub struct EventTypeInput {
    /// What it tells people.
    pub description: String,
    /// No longer offered.
    pub archived: bool,
    /// Not for new use.
    pub deprecated: bool,
    /// JSON Schemas by version.
    pub schemas: Option<Map<String, Value>>,
    /// The flag without which applications don't see it.
    pub feature_flag: Option<String>,
    /// Several such flags, each of which is enough; wins over [`Self::feature_flag`].
    pub feature_flags: Option<Vec<String>>,
    /// The group that it is listed under.
    pub group_name: Option<String>,
}

/// What is to be changed of an event type, parsed and not yet judged.
#[derive(Debug, Clone, Default)]
pub struct EventTypePatch {
    /// What it tells people.
    pub description: Patch<String>,
    /// No longer offered.
    pub archived: Patch<bool>,
    /// Not for new use.
    pub deprecated: Patch<bool>,
    /// JSON Schemas by version, all of them.
    pub schemas: Patch<Option<Map<String, Value>>>,
    /// The flag without which applications don't see it.
    pub feature_flag: Patch<Option<String>>,
    /// Several such flags; wins over [`Self::feature_flag`].
    pub feature_flags: Patch<Option<Vec<String>>>,
    /// The group that it is listed under.
    pub group_name: Patch<Option<String>>,
}

impl From<EventTypeInput> for EventTypePatch {
    fn from(input: EventTypeInput) -> Self {
        Self {
            description: Patch::Set(input.description),
            archived: Patch::Set(input.archived),
            deprecated: Patch::Set(input.deprecated),
            schemas: Patch::Set(input.schemas),
            feature_flag: Patch::Set(input.feature_flag),
            feature_flags: match input.feature_flags {
                None => Patch::Keep,
                several => Patch::Set(several),
            },
            group_name: Patch::Set(input.group_name),
        }
    }
}

/// What is to be written of an event type, and keeps all rules.
#[derive(Debug, Clone, Default)]
pub(super) struct EventTypeDraft {
    description: Patch<String>,
    archived: Patch<bool>,
    deprecated: Patch<bool>,
    schemas: Patch<Option<Schemas>>,
    feature_flags: Patch<Vec<Name>>,
    group_name: Patch<Option<Name>>,
}

impl EventTypeInput {
    /// The draft if this keeps all rules; else every rule that it breaks.
    pub(super) fn judge(self) -> Result<EventTypeDraft, AppError> {
        EventTypePatch::from(self).judge()
    }

    /// The same with a name that comes in the body, too.
    pub(super) fn judge_named(
        self,
        name: &str,
        mut judge: Judge<'_>,
    ) -> Result<(Name, EventTypeDraft), AppError> {
        let name = judge.name("name", name);
        if name.as_ref().is_some_and(is_challenge) {
            judge.note("name", RESERVED);
        }
        let draft = EventTypePatch::from(self).draft(&mut judge);
        judge.finish()?;
        Ok((
            name.expect("a name that was refused is a broken rule"),
            draft,
        ))
    }
}

impl EventTypePatch {
    /// The draft if this keeps all rules; else every rule that it breaks.
    pub(super) fn judge(self) -> Result<EventTypeDraft, AppError> {
        let mut judge = Judge::new(&[]);
        let draft = self.draft(&mut judge);
        judge.finish()?;
        Ok(draft)
    }

    /// The draft, which holds only if `judge` finds no broken rule.
    pub(super) fn draft(self, judge: &mut Judge<'_>) -> EventTypeDraft {
        if let Patch::Set(description) = &self.description {
            judge.text("description", description);
        }
        let flags = match (self.feature_flags, self.feature_flag) {
            (Patch::Keep, flag) => flag.map(|flag| ("featureFlag", flag.into_iter().collect())),
            (several, one) => {
                if let Patch::Set(Some(flag)) = &one {
                    judge.name("featureFlag", flag);
                }
                several.map(|flags| ("featureFlags", flags.unwrap_or_default()))
            }
        };
        let feature_flags = flags.map(|(field, flags): (_, Vec<String>)| {
            let mut names: Vec<Name> = Vec::with_capacity(flags.len());
            for flag in &flags {
                names.extend(judge.name(field, flag).filter(|flag| !names.contains(flag)));
            }
            names
        });
        let group_name = self
            .group_name
            .map(|group| judge.name("groupName", &group?));
        EventTypeDraft {
            description: self.description,
            archived: self.archived,
            deprecated: self.deprecated,
            schemas: self.schemas.map(|schemas| schemas::judge(judge, schemas?)),
            feature_flags,
            group_name,
        }
    }
}

impl EventTypeDraft {
    /// Only archives it.
    pub(super) fn archiving() -> Self {
        Self {
            archived: Patch::Set(true),
            ..Self::default()
        }
    }

    /// The event type as it will be.
    pub(super) fn applied(&self, before: EventType) -> EventType {
        let draft = self.clone();
        let (schemas, sensitive) = match draft.schemas {
            Patch::Keep => (before.schemas, before.sensitive),
            Patch::Set(None) => (None, Vec::new()),
            Patch::Set(Some(schemas)) => (Some(schemas.text), schemas.sensitive),
        };
        EventType {
            description: draft.description.or(before.description),
            archived: draft.archived.or(before.archived),
            deprecated: draft.deprecated.or(before.deprecated),
            schemas,
            sensitive,
            feature_flags: draft.feature_flags.or(before.feature_flags),
            group_name: draft.group_name.or(before.group_name),
            ..before
        }
    }
}
