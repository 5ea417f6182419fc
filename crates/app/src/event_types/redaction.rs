//! An event type's redaction rules: what is taken from the payloads of its messages before any
//! endpoint gets them. They hold for every attempt from now on, also of messages that were accepted
//! before: on this node at once, elsewhere within a second.

use crate::change::unexpected;
use crate::{App, AppError, Caller, Violation};
use model::audit::AuditAction;
use model::name::Name;
use model::redaction::{Action, KEEP_LAST_MAX, Path, RULES_MAX, Rule};
use store::change::{Change, ChangeError, Changed, OwnRedaction};

/// The most event types that may take something from payloads: all of them are in memory.
pub const REDACTIONS_MAX: usize = 1_000;

/// A redaction rule as it was asked for, parsed and not yet judged.
#[derive(Debug, Clone)]
pub struct RuleInput {
    /// Where: a JSON Pointer or a JSONPath.
    pub path: String,
    /// What.
    pub action: Action,
    /// How many characters a mask keeps; none, if nothing is said.
    pub keep_last: Option<usize>,
}

impl RuleInput {
    /// The action; else what is wrong with what it keeps.
    fn judged(&self) -> Result<Action, String> {
        match (self.action, self.keep_last) {
            (action, None) => Ok(action),
            (Action::Mask { .. }, Some(keep_last)) if keep_last <= KEEP_LAST_MAX => {
                Ok(Action::Mask { keep_last })
            }
            (Action::Mask { .. }, Some(_)) => Err(format!("must be at most {KEEP_LAST_MAX}")),
            (Action::Drop | Action::Hash, Some(_)) => {
                Err("goes with `mask` alone: nothing else keeps a part".to_owned())
            }
        }
    }
}

impl App {
    /// The redaction rules of an event type.
    ///
    /// # Errors
    /// [`AppError::Forbidden`] for all but the organisation; [`AppError::NotFound`] if there is no
    /// such event type, or it has none.
    pub async fn event_type_redaction(
        &self,
        caller: &Caller,
        event_type: &str,
    ) -> Result<Vec<Rule>, AppError> {
        let found = self.event_type_to_change(caller, event_type).await?;
        let mut all = self.store.redactions().await?.into_iter();
        let own = all.find(|(name, _)| *name == found.name);
        let rules = own.map(|(_, own)| own.rules);
        rules
            .filter(|rules| !rules.is_empty())
            .ok_or_else(AppError::not_found)
    }

    /// Writes the redaction rules of an event type anew.
    ///
    /// # Errors
    /// [`AppError::Forbidden`] for all but the organisation; [`AppError::NotFound`];
    /// [`AppError::Invalid`]; [`AppError::BadRequest`] when as many event types as may take
    /// something from payloads already.
    pub async fn set_event_type_redaction(
        &self,
        caller: &Caller,
        event_type: &str,
        rules: Vec<RuleInput>,
    ) -> Result<(), AppError> {
        let event_type = self.event_type_to_change(caller, event_type).await?.name;
        if rules.is_empty() {
            let text = "must hold at least one: `DELETE` takes them away";
            return Err(Violation::body(&["rules"], text).into());
        }
        let rules = judge_rules(rules)?;
        self.put_redaction(caller, event_type, rules).await
    }

    /// Takes the redaction rules of an event type away. What its schema marks stays marked.
    ///
    /// # Errors
    /// [`AppError::Forbidden`] for all but the organisation; [`AppError::NotFound`].
    pub async fn delete_event_type_redaction(
        &self,
        caller: &Caller,
        event_type: &str,
    ) -> Result<(), AppError> {
        let event_type = self.event_type_to_change(caller, event_type).await?.name;
        self.put_redaction(caller, event_type, Vec::new()).await
    }

    async fn put_redaction(
        &self,
        caller: &Caller,
        event_type: Name,
        rules: Vec<Rule>,
    ) -> Result<(), AppError> {
        let entry = match rules.len() {
            0 => {
                let action = AuditAction::EventTypeRedactionDeleted;
                self.entry_at_event_type(caller, action, &event_type)
            }
            count => self
                .entry_at_event_type(caller, AuditAction::EventTypeRedactionSet, &event_type)
                .saying(format!("{count} rules")),
        };
        let change = Change::PutRedaction(OwnRedaction {
            event_type,
            rules,
            redactions_max: REDACTIONS_MAX,
        });
        match self.change(entry, None, change, None).await {
            Ok(Changed::Redaction) => Ok(()),
            Ok(other) => Err(unexpected(&other)),
            Err(ChangeError::TooMany) => Err(too_many()),
            Err(error) => Err(error.into()),
        }
    }
}

/// The rules of a body's `rules`, if all can be obeyed; else what is wrong with each.
pub(crate) fn judge_rules(inputs: Vec<RuleInput>) -> Result<Vec<Rule>, AppError> {
    check_count("rules", inputs.len())?;
    let mut broken = Vec::new();
    let mut rules = Vec::with_capacity(inputs.len());
    for (index, input) in inputs.iter().enumerate() {
        let place = format!("rules[{index}]");
        let mut note = |field, text| broken.push(Violation::body(&[&place, field], text));
        match (input.path.parse::<Path>(), input.judged()) {
            (Ok(path), Ok(action)) => rules.push(Rule { path, action }),
            (path, action) => {
                path.err()
                    .into_iter()
                    .for_each(|error| note("path", error.to_string()));
                action
                    .err()
                    .into_iter()
                    .for_each(|text| note("keepLast", text));
            }
        }
    }
    match broken.is_empty() {
        true => Ok(rules),
        false => Err(AppError::Invalid(broken)),
    }
}

/// The paths of a list in a body, if all can be followed; else what is wrong with each.
pub(crate) fn judge_paths(field: &str, texts: &[String]) -> Result<Vec<Path>, AppError> {
    check_count(field, texts.len())?;
    let mut broken = Vec::new();
    let mut paths = Vec::with_capacity(texts.len());
    for (index, text) in texts.iter().enumerate() {
        match text.parse::<Path>() {
            Ok(path) => paths.push(path),
            Err(error) => {
                let place = format!("{field}[{index}]");
                broken.push(Violation::body(&[&place], error.to_string()));
            }
        }
    }
    match broken.is_empty() {
        true => Ok(paths),
        false => Err(AppError::Invalid(broken)),
    }
}

fn check_count(field: &str, count: usize) -> Result<(), AppError> {
    if count <= RULES_MAX {
        return Ok(());
    }
    let text = format!("must hold at most {RULES_MAX}");
    Err(Violation::body(&[field], text).into())
}

fn too_many() -> AppError {
    AppError::BadRequest {
        code: "limit_reached",
        detail: format!(
            "{REDACTIONS_MAX} event types have redaction rules, or schemas that mark something as \
             sensitive, already, which is the most: take some away"
        ),
    }
}
