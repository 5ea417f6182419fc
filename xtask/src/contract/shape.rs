//! What a schema says of a value, whichever version of OpenAPI it is written in.

use super::document::Document;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// See the file's head.
#[derive(Default)]
pub(super) struct Shape<'d> {
    /// Which kinds of values it may be; none: any.
    pub(super) kinds: BTreeSet<&'d str>,
    /// Whether it may be null.
    pub(super) nullable: bool,
    /// The only values that it may have.
    pub(super) values: Option<BTreeSet<String>>,
    /// Its fields.
    pub(super) fields: BTreeMap<&'d str, &'d Value>,
    /// Those that must be there.
    pub(super) required: BTreeSet<&'d str>,
    /// What a list holds.
    pub(super) items: Option<&'d Value>,
}

impl<'d> Shape<'d> {
    pub(super) fn of(document: &'d Document, schema: &'d Value) -> Self {
        let mut shape = Self::default();
        shape.add(document, schema);
        shape
    }

    fn add(&mut self, document: &'d Document, schema: &'d Value) {
        let schema = document.resolve(schema);
        match &schema["type"] {
            Value::String(kind) => self.add_kind(kind),
            Value::Array(kinds) => {
                for kind in kinds.iter().filter_map(Value::as_str) {
                    self.add_kind(kind);
                }
            }
            _ => {}
        }
        self.nullable |= schema["nullable"] == true;
        if let Some(values) = schema["enum"].as_array() {
            let known = self.values.get_or_insert_default();
            known.extend(
                values
                    .iter()
                    .filter(|one| !one.is_null())
                    .map(Value::to_string),
            );
        }
        if let Some(value) = schema.get("const") {
            self.values
                .get_or_insert_default()
                .insert(value.to_string());
        }
        let fields = schema["properties"].as_object().into_iter().flatten();
        self.fields
            .extend(fields.map(|(name, field)| (name.as_str(), field)));
        let required = schema["required"].as_array().into_iter().flatten();
        self.required.extend(required.filter_map(Value::as_str));
        self.items = self.items.or_else(|| schema.get("items"));
        // Ways of one shape, which say no more than what goes with what.
        let has_fields = schema.get("properties").is_some();
        for several in ["allOf", "anyOf", "oneOf"] {
            if has_fields && several != "allOf" {
                continue;
            }
            for part in schema[several].as_array().into_iter().flatten() {
                self.add(document, part);
            }
        }
    }

    fn add_kind(&mut self, kind: &'d str) {
        match kind {
            "null" => self.nullable = true,
            kind => {
                self.kinds.insert(kind);
            }
        }
    }
}
