//! JSON Schemas of event types, by version: each must compile. Which one holds: the newest.

use crate::rules::Judge;
use crate::schema::Schema;
use serde_json::{Map, Value};

/// The longest that all schemas of an event type may be together, in bytes of compact JSON.
pub const SCHEMAS_BYTES_MAX: usize = 2 * 1024 * 1024;

/// The schemas as they are kept, which holds only if `judge` found no broken rule.
pub(super) fn judge(judge: &mut Judge<'_>, schemas: Map<String, Value>) -> Option<String> {
    let text = Value::Object(schemas.clone()).to_string();
    if text.len() > SCHEMAS_BYTES_MAX {
        let bytes = text.len();
        let text = format!("must have at most {SCHEMAS_BYTES_MAX} bytes in all, not {bytes}");
        judge.note_unreadable("schemas", text);
        return None;
    }
    for (version, schema) in &schemas {
        if let Err(error) = Schema::compile(schema) {
            judge.note_unreadable("schemas", format!("schemas.{version}: {error}"));
        }
    }
    Some(text)
}

/// The newest of some versions: the one with the highest number, or, where none is a number, the
/// last one as text.
pub(crate) fn newest<'v>(versions: impl Iterator<Item = &'v String>) -> Option<&'v String> {
    let number = |version: &str| version.parse::<u64>().ok();
    versions.max_by_key(|version| (number(version), *version))
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
            assert_eq!(Schema::compile(&schema).is_ok(), fine, "{schema}");
        }
    }

    #[test]
    fn the_newest_version_is_the_highest_number() {
        for (versions, expected) in [
            (vec!["1"], "1"),
            (vec!["1", "2"], "2"),
            (vec!["10", "9"], "10"),
            (vec!["draft", "1"], "1"),
            (vec!["a", "b"], "b"),
        ] {
            let versions: Vec<_> = versions.into_iter().map(str::to_owned).collect();
            let found = newest(versions.iter());
            assert_eq!(found.map(String::as_str), Some(expected), "{versions:?}");
        }
        assert_eq!(newest([].iter()), None);
    }
}
