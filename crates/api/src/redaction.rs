//! The shapes of redaction rules, the same for event types and endpoints.

use app::event_types::RuleInput;
use model::redaction::{Action, KEEP_LAST_MAX, PATH_CHARS_MAX, PATH_PATTERN, RULES_MAX, Rule};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::borrow::Cow;

/// One rule: where, and what is done there.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct RuleInOut {
    path: String,
    action: Word,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    keep_last: Option<u16>,
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
enum Word {
    Drop,
    Mask,
    Hash,
}

impl JsonSchema for RuleInOut {
    fn schema_name() -> Cow<'static, str> {
        "RedactionRule".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let rule = |actions: Value, keep_last: Value| {
            json!({
                "type": "object",
                "properties": {
                    "path": path(), "action": { "type": "string", "enum": actions },
                    "keepLast": keep_last,
                },
                "required": ["path", "action"],
                "additionalProperties": false,
            })
        };
        let count = json!({ "type": ["integer", "null"], "minimum": 0, "maximum": KEEP_LAST_MAX });
        let whole = rule(json!(["drop", "hash"]), json!({ "type": "null" }));
        json_schema!({ "oneOf": [whole, rule(json!(["mask"]), count)] })
    }
}

/// What a path may be.
fn path() -> Value {
    json!({ "type": "string", "pattern": PATH_PATTERN, "maxLength": PATH_CHARS_MAX })
}

/// At least `LEAST` rules, and not too many.
pub(crate) enum Rules<const LEAST: usize> {}

impl<const LEAST: usize> JsonSchema for Rules<LEAST> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        format!("RedactionRules{LEAST}").into()
    }

    fn json_schema(schemas: &mut SchemaGenerator) -> Schema {
        let rule = schemas.subschema_for::<RuleInOut>();
        json_schema!({
            "type": "array", "items": rule, "minItems": LEAST, "maxItems": RULES_MAX,
        })
    }
}

/// A list of paths.
pub(crate) enum Paths {}

impl JsonSchema for Paths {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Paths".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "array", "items": path(), "maxItems": RULES_MAX })
    }
}

impl From<RuleInOut> for RuleInput {
    fn from(rule: RuleInOut) -> Self {
        Self {
            path: rule.path,
            action: match rule.action {
                Word::Drop => Action::Drop,
                Word::Hash => Action::Hash,
                Word::Mask => Action::Mask { keep_last: 0 },
            },
            keep_last: rule.keep_last.map(usize::from),
        }
    }
}

impl From<&Rule> for RuleInOut {
    fn from(rule: &Rule) -> Self {
        let (action, keep_last) = match rule.action {
            Action::Drop => (Word::Drop, None),
            Action::Hash => (Word::Hash, None),
            Action::Mask { keep_last } => (Word::Mask, u16::try_from(keep_last).ok()),
        };
        Self {
            path: rule.path.as_str().to_owned(),
            action,
            keep_last,
        }
    }
}
