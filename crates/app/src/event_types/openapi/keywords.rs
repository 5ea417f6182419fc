//! Where JSON Schemas hold other schemas. All else is data, and a `$ref` in it is none.

use serde_json::Value;

/// What a keyword's value holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Holds {
    /// One schema.
    Schema,
    /// Several, in a list.
    List,
    /// Several, each under a name.
    Named,
    /// None.
    Data,
}

/// What the value of this keyword holds.
pub(super) fn holds(keyword: &str, value: &Value) -> Holds {
    match (keyword, value) {
        ("allOf" | "anyOf" | "oneOf" | "prefixItems" | "items", Value::Array(_)) => Holds::List,
        (
            "additionalItems"
            | "additionalProperties"
            | "contains"
            | "contentSchema"
            | "else"
            | "if"
            | "items"
            | "not"
            | "propertyNames"
            | "then"
            | "unevaluatedItems"
            | "unevaluatedProperties",
            Value::Object(_),
        ) => Holds::Schema,
        (
            "$defs" | "definitions" | "dependencies" | "dependentSchemas" | "patternProperties"
            | "properties",
            Value::Object(_),
        ) => Holds::Named,
        _ => Holds::Data,
    }
}

/// Whether a keyword only tells people something, and nothing is held against it.
pub(super) fn is_annotation(keyword: &str) -> bool {
    keyword.starts_with("x-")
        || matches!(
            keyword,
            "$comment"
                | "default"
                | "deprecated"
                | "description"
                | "example"
                | "examples"
                | "externalDocs"
                | "readOnly"
                | "summary"
                | "title"
                | "writeOnly"
        )
}
