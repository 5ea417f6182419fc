//! JSON Schemas of event types: each must compile as draft 7. Nothing is fetched: a schema that
//! refers to another document is refused.

use crate::rules::Judge;
use jsonschema::Draft;
use serde_json::{Map, Value};

/// The schemas as they are kept, which holds only if `judge` found no broken rule.
pub(super) fn judge(judge: &mut Judge<'_>, schemas: Map<String, Value>) -> Option<String> {
    for (version, schema) in &schemas {
        if let Err(reason) = compile(schema) {
            judge.note_unreadable("schemas", format!("schemas.{version}: {reason}"));
        }
    }
    Some(Value::Object(schemas).to_string())
}

/// Whether a schema means anything.
fn compile(schema: &Value) -> Result<(), String> {
    if !schema.is_object() && !schema.is_boolean() {
        return Err("a schema is an object, `true` or `false`".to_owned());
    }
    let compiled = jsonschema::options()
        .with_draft(Draft::Draft7)
        .build(schema);
    compiled.map(drop).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn only_what_compiles_as_draft_7_is_a_schema() {
        let cases = [
            (json!(true), true),
            (json!(false), true),
            (json!({}), true),
            (
                json!({"type": "object", "properties": {"a": {"type": "integer"}}}),
                true,
            ),
            (
                json!({"$ref": "#/definitions/a", "definitions": {"a": {"type": "string"}}}),
                true,
            ),
            (
                json!({"$schema": "http://json-schema.org/draft-07/schema#"}),
                true,
            ),
            (json!({"anything": "else", "title": "x"}), true),
            (json!("object"), false),
            (json!(1), false),
            (json!(null), false),
            (json!([]), false),
            (json!({"type": "thing"}), false),
            (json!({"type": 7}), false),
            (json!({"properties": []}), false),
            (json!({"pattern": "("}), false),
            (json!({"minLength": -1}), false),
            (json!({"$ref": "#/definitions/missing"}), false),
            (json!({"$ref": "https://example.com/schema.json"}), false),
            (json!({"$ref": "file:///etc/passwd"}), false),
        ];
        for (schema, fine) in cases {
            assert_eq!(compile(&schema).is_ok(), fine, "{schema}");
        }
    }
}
