//! JSON Schemas of event types, by version: each must compile. Which one holds: the newest, also
//! for what is sensitive.

use crate::rules::Judge;
use crate::schema::{MARK, Schema, clipped, marked};
use model::redaction::Path;
use serde_json::{Map, Value};

/// The longest that all schemas of an event type may be together, in bytes of compact JSON.
pub const SCHEMAS_BYTES_MAX: usize = 2 * 1024 * 1024;
/// The most that the programs of all their patterns may be, in bytes: about a second to compile.
const PROGRAMS_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Of how many schemas that do not compile it is told.
const BROKEN_MAX: usize = 20;

/// Schemas as they are kept.
#[derive(Debug, Clone)]
pub(super) struct Schemas {
    pub(super) text: String,
    /// What the newest marks as sensitive.
    pub(super) sensitive: Vec<Path>,
}

/// The schemas as they are kept, which holds only if `judge` found no broken rule.
pub(super) fn judge(judge: &mut Judge<'_>, schemas: Map<String, Value>) -> Option<Schemas> {
    let schemas = Value::Object(schemas);
    let text = schemas.to_string();
    if let Err(reason) = check_bytes(&text) {
        judge.note_unreadable("schemas", reason);
        return None;
    }
    let (mut broken, mut programs_bytes) = (0, 0);
    for (version, schema) in schemas.as_object().into_iter().flatten() {
        let compiled = Schema::compile(schema).map(|schema| schema.programs_bytes());
        match compiled {
            Ok(bytes) => programs_bytes += bytes,
            Err(error) => {
                let version = clipped(version);
                judge.note_unreadable("schemas", format!("schemas.{version}: {error}"));
                broken += 1;
            }
        }
        if programs_bytes > PROGRAMS_BYTES_MAX {
            let text = "have patterns that grow too large together: make their repetitions \
                 smaller, or take old versions away";
            judge.note_unreadable("schemas", text);
        }
        if programs_bytes > PROGRAMS_BYTES_MAX || broken == BROKEN_MAX {
            return None;
        }
    }
    let sensitive = match text.contains(MARK) {
        true => sensitive(judge, schemas.as_object()?),
        false => Vec::new(),
    };
    Some(Schemas { text, sensitive })
}

fn sensitive(judge: &mut Judge<'_>, schemas: &Map<String, Value>) -> Vec<Path> {
    let newest = newest(schemas.keys()).and_then(|version| Some((version, schemas.get(version)?)));
    let Some((version, schema)) = newest else {
        return Vec::new();
    };
    marked(schema).unwrap_or_else(|error| {
        let version = clipped(version);
        judge.note_unreadable("schemas", format!("schemas.{version}: {error}"));
        Vec::new()
    })
}

/// What is wrong with the length of all schemas together, as they are kept.
pub(super) fn check_bytes(text: &str) -> Result<(), String> {
    let bytes = text.len();
    match bytes <= SCHEMAS_BYTES_MAX {
        true => Ok(()),
        false => Err(format!(
            "must have at most {SCHEMAS_BYTES_MAX} bytes in all, not {bytes}"
        )),
    }
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
