//! What event types have beside what they are, and what is carried with them: redaction rules and
//! retry schedules. What is not named stays as it is: client libraries read an export into shapes
//! that don't have these, and import it without.

use crate::event_types::{
    REDACTIONS_MAX, RETRY_SCHEDULES_MAX, RuleInput, judge_rules, judge_schedule,
};
use crate::{App, AppError};
use model::name::Name;
use model::redaction::{Rule, TypeRedaction};
use model::retry::RetrySchedule;
use std::collections::BTreeMap;
use std::time::Duration;
use store::change::{EnvironmentChange, OwnRedaction, OwnSchedule};

/// What is to be there beside an event type.
#[derive(Debug, Clone, Default)]
pub struct BesideInput {
    /// Its redaction rules; `None`: as they are.
    pub rules: Option<Vec<RuleInput>>,
    /// The waits of its retry schedule; `None`: as it is.
    pub waits: Option<Vec<Duration>>,
}

/// What there is beside all event types that have something.
#[derive(Debug, Clone, Default)]
pub struct Beside {
    /// What is taken from payloads.
    pub redactions: BTreeMap<Name, TypeRedaction>,
    /// Their own schedules.
    pub schedules: BTreeMap<Name, RetrySchedule>,
}

/// What is to be there, all of which can be.
#[derive(Default)]
pub(super) struct WrittenBeside {
    redactions: BTreeMap<Name, Vec<Rule>>,
    schedules: BTreeMap<Name, RetrySchedule>,
}

impl WrittenBeside {
    /// What is beside those of a body's `eventTypes`, if all of it can be; else every rule that is
    /// broken. Names that are none are told elsewhere.
    pub(super) fn judge(inputs: Vec<(String, BesideInput)>) -> Result<Self, AppError> {
        let mut written = Self::default();
        let mut broken = Vec::new();
        for (index, (name, input)) in inputs.into_iter().enumerate() {
            let Ok(name) = name.parse::<Name>() else {
                continue;
            };
            let place = format!("eventTypes[{index}]");
            let mut note = |refused, place: &[&str]| match refused {
                AppError::Invalid(more) => {
                    broken.extend(more.into_iter().map(|one| one.within(place)));
                    Ok(())
                }
                other => Err(other),
            };
            match input.rules.map(judge_rules).transpose() {
                Ok(Some(rules)) => drop(written.redactions.insert(name.clone(), rules)),
                Ok(None) => {}
                Err(refused) => note(refused, &[&place, "redaction"])?,
            }
            match input.waits.map(judge_schedule).transpose() {
                Ok(Some(schedule)) => drop(written.schedules.insert(name, schedule)),
                Ok(None) => {}
                Err(refused) => note(refused, &[&place])?,
            }
        }
        match broken.is_empty() {
            true => Ok(written),
            false => Err(AppError::Invalid(broken)),
        }
    }

    /// The part of it that is not as it should be, as it is to be written.
    pub(super) fn change_from(&self, before: &Beside) -> EnvironmentChange {
        let rules_of = |name: &Name| before.redactions.get(name).map(|own| &own.rules[..]);
        let redactions = self.redactions.iter();
        let redactions = redactions
            .filter(|(name, rules)| rules_of(name).unwrap_or_default() != &rules[..])
            .map(|(name, rules)| OwnRedaction {
                event_type: name.clone(),
                rules: rules.clone(),
                redactions_max: REDACTIONS_MAX,
            });
        let schedules = self.schedules.iter();
        let schedules = schedules
            .filter(|(name, schedule)| before.schedules.get(name) != Some(schedule))
            .map(|(name, schedule)| OwnSchedule {
                event_type: name.clone(),
                schedule: Some(schedule.clone()),
                schedules_max: RETRY_SCHEDULES_MAX,
            });
        EnvironmentChange {
            redactions: redactions.collect(),
            schedules: schedules.collect(),
            ..EnvironmentChange::default()
        }
    }
}

impl App {
    /// What there is beside event types now.
    pub(super) async fn beside_event_types(&self) -> Result<Beside, AppError> {
        Ok(Beside {
            redactions: self.store.redactions().await?.into_iter().collect(),
            schedules: self.store.retry_schedules().await?.into_iter().collect(),
        })
    }
}
