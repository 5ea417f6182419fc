//! An OpenAPI document: its operations, and what its references lead to.

use anyhow::Context as _;
use serde_json::Value;

const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];

/// See the file's head.
pub(super) struct Document(Value);

impl Document {
    pub(super) fn parse(text: &[u8]) -> anyhow::Result<Self> {
        serde_json::from_slice(text)
            .map(Self)
            .context("an OpenAPI document is JSON")
    }

    /// Every operation, under its method and path.
    pub(super) fn operations(&self) -> impl Iterator<Item = (String, &Value)> {
        let paths = self.0["paths"].as_object().into_iter().flatten();
        paths.flat_map(|(path, item)| {
            METHODS.iter().filter_map(move |method| {
                let operation = item.get(method)?;
                Some((format!("{} {path}", method.to_uppercase()), operation))
            })
        })
    }

    /// The one of this method and path.
    pub(super) fn operation(&self, label: &str) -> Option<&Value> {
        let found = self.operations().find(|(other, _)| other == label);
        found.map(|(_, operation)| operation)
    }

    /// What is meant, where there is a reference.
    pub(super) fn resolve<'d>(&'d self, mut value: &'d Value) -> &'d Value {
        while let Some(reference) = value.get("$ref").and_then(Value::as_str) {
            let Some(found) = reference
                .strip_prefix('#')
                .and_then(|pointer| self.0.pointer(pointer))
            else {
                return &Value::Null;
            };
            value = found;
        }
        value
    }
}
