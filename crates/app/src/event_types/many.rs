//! Many event types that are written at once.

use super::blank;
use super::draft::{EventTypeDraft, EventTypeInput};
use crate::rules::Judge;
use crate::{App, AppError, Violation};
use model::event_type::EventType;
use model::name::Name;
use std::collections::BTreeMap;
use store::change::Expect;

/// Event types that are to be there, each as a whole.
pub(crate) struct WrittenTypes(BTreeMap<Name, EventTypeDraft>);

impl WrittenTypes {
    /// Those of a body's `eventTypes`, if all keep all rules; else every rule that one breaks.
    pub(crate) fn judge(inputs: Vec<(String, EventTypeInput)>) -> Result<Self, AppError> {
        let mut drafts = BTreeMap::new();
        let mut broken = Vec::new();
        for (index, (name, input)) in inputs.into_iter().enumerate() {
            let place = format!("eventTypes[{index}]");
            let within = [place.as_str()];
            match input.judge_named(&name, Judge::new(&within)) {
                Err(AppError::Invalid(more)) => broken.extend(more),
                Err(other) => return Err(other),
                Ok((name, draft)) => {
                    if drafts.insert(name, draft).is_some() {
                        let text = "there is another one of this name before it";
                        broken.push(Violation::body(&[&place, "name"], text));
                    }
                }
            }
        }
        match broken.is_empty() {
            true => Ok(Self(drafts)),
            false => Err(AppError::Invalid(broken)),
        }
    }
}

impl App {
    /// Those that are not there, or not as they should be, as they are to be written.
    pub(crate) async fn changed_types(
        &self,
        written: &WrittenTypes,
    ) -> Result<Vec<(EventType, Expect)>, AppError> {
        let names: Vec<Name> = written.0.keys().cloned().collect();
        let found = self.store.event_types_named(&names).await?;
        let mut found: BTreeMap<Name, EventType> = found
            .into_iter()
            .map(|event_type| (event_type.name.clone(), event_type))
            .collect();
        let changed = written.0.iter().filter_map(|(name, draft)| {
            let before = found.remove(name);
            let expect = Expect::SavedAt(before.as_ref().map(|before| before.updated_at));
            let after = draft.applied(before.clone().unwrap_or_else(|| blank(name.clone())));
            (before.as_ref() != Some(&after)).then_some((after, expect))
        });
        Ok(changed.collect())
    }
}
