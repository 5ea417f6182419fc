//! Redaction rules as forms have them: as the API writes and takes them, in JSON. Whether they can
//! be obeyed is the use cases' to say.

use crate::problem::Answer;
use crate::tenant::place::wrong;
use app::event_types::RuleInput;
use model::redaction::{Action, Rule};
use serde::Deserialize;
use serde_json::{Value, json};

/// What belongs into the field.
pub(crate) const HINT: &str = "JSON, such as [{\"path\": \"/card/number\", \"action\": \"mask\", \
                               \"keepLast\": 4}]; actions are mask, hash and drop.";

/// Rules as the API writes them.
pub(crate) fn written(rules: &[Rule]) -> String {
    let rule = |rule: &Rule| {
        let path = rule.path.as_str();
        match rule.action {
            Action::Drop => json!({ "path": path, "action": "drop" }),
            Action::Hash => json!({ "path": path, "action": "hash" }),
            Action::Mask { keep_last } => {
                json!({ "path": path, "action": "mask", "keepLast": keep_last })
            }
        }
    };
    let rules: Value = rules.iter().map(rule).collect();
    format!("{rules:#}")
}

/// A rule as the API takes it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct TypedRule {
    path: String,
    action: Word,
    keep_last: Option<usize>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
enum Word {
    Drop,
    Mask,
    Hash,
}

/// Rules that were typed; none where nothing was.
pub(crate) fn read(text: &str) -> Answer<Vec<RuleInput>> {
    if text.is_empty() {
        return Ok(Vec::new());
    }
    let typed: Vec<TypedRule> = serde_json::from_str(text)
        .map_err(|error| wrong("rules", format!("must be a list of rules as JSON: {error}")))?;
    let rules = typed.into_iter().map(|rule| RuleInput {
        path: rule.path,
        action: match rule.action {
            Word::Drop => Action::Drop,
            Word::Hash => Action::Hash,
            Word::Mask => Action::Mask { keep_last: 0 },
        },
        keep_last: rule.keep_last,
    });
    Ok(rules.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_read_as_they_are_shown() {
        let shown = written(&[
            Rule {
                path: "/a".parse().expect("a path"),
                action: Action::Mask { keep_last: 4 },
            },
            Rule {
                path: "$.b".parse().expect("a path"),
                action: Action::Drop,
            },
        ]);
        let known = read(&shown).expect("they are rules");
        assert_eq!(known.len(), 2);
        assert_eq!(
            (known[0].path.as_str(), known[0].keep_last),
            ("/a", Some(4))
        );
        assert_eq!(
            (known[1].path.as_str(), known[1].action),
            ("$.b", Action::Drop)
        );
        assert!(read("").expect("nothing is no rule").is_empty());
        let refused = read("[{}]").expect_err("it is no rule");
        assert_eq!(refused.violations()[0].0, "rules");
    }
}
