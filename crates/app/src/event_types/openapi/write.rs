//! An OpenAPI document of event types: what reading gives back as they were.

use super::gather::weight;
use super::keywords::{Holds, holds};
use super::references::reference;
use crate::event_types::newest;
use model::event_type::EventType;
use model::name::Name;
use serde_json::{Map, Value, json};

/// The most bytes of a document.
const DOCUMENT_BYTES_MAX: usize = 8 << 20;
/// What JSON Schemas of event types are held to be.
const DRAFT: &str = "http://json-schema.org/draft-07/schema#";
/// The event types are more than one document can hold.
#[derive(Debug, thiserror::Error)]
#[error("The event types' schemas are together more than {DOCUMENT_BYTES_MAX} bytes.")]
pub(in crate::event_types) struct DocumentTooLarge;

/// The document of these event types, as JSON text. Of several versions of a schema it has the
/// newest, which is the one that holds.
pub(in crate::event_types) fn document(
    event_types: &[EventType],
) -> Result<String, DocumentTooLarge> {
    let (mut webhooks, mut schemas) = (Map::new(), Map::new());
    let mut bytes = 0;
    for event_type in event_types {
        let schema = schema_of(event_type);
        let path = format!("#/components/schemas/{}", event_type.name);
        let operation = operation(event_type, schema.as_ref().map(|_| path.as_str()));
        bytes += event_type.description.len() + schema.as_ref().map_or(0, weight);
        if bytes > DOCUMENT_BYTES_MAX {
            return Err(DocumentTooLarge);
        }
        webhooks.insert(event_type.name.to_string(), json!({ "post": operation }));
        if let Some(mut schema) = schema {
            move_references(&mut schema, &path);
            schemas.insert(event_type.name.to_string(), schema);
        }
    }
    let document = json!({
        "openapi": "3.1.0",
        "info": {"title": "Event types", "version": "1"},
        "jsonSchemaDialect": DRAFT,
        "webhooks": webhooks,
        "components": {"schemas": schemas},
    });
    let document = document.to_string();
    match document.len() <= DOCUMENT_BYTES_MAX {
        true => Ok(document),
        false => Err(DocumentTooLarge),
    }
}

/// The version of its schemas that holds.
fn schema_of(event_type: &EventType) -> Option<Value> {
    let mut schemas: Map<String, Value> =
        serde_json::from_str(event_type.schemas.as_ref()?).ok()?;
    let newest = newest(schemas.keys())?.clone();
    schemas.remove(&newest)
}

fn operation(event_type: &EventType, schema: Option<&str>) -> Value {
    let mut operation = json!({
        "operationId": event_type.name.as_str(),
        "description": event_type.description,
        "deprecated": event_type.deprecated,
        "responses": {"2XX": {"description": "It was received."}},
    });
    if let Some(schema) = schema {
        let schema = json!({ "$ref": schema });
        operation["requestBody"] =
            json!({"required": true, "content": {"application/json": {"schema": schema}}});
    }
    if let Some(group) = &event_type.group_name {
        operation["tags"] = json!([group.as_str()]);
        operation["x-group-name"] = json!(group.as_str());
    }
    if !event_type.feature_flags.is_empty() {
        let flags: Vec<&str> = event_type.feature_flags.iter().map(Name::as_str).collect();
        operation["x-feature-flags"] = json!(flags);
    }
    operation
}

/// References to parts of the schema lead to where these parts stand in the document.
fn move_references(schema: &mut Value, path: &str) {
    let moved = reference(schema)
        .and_then(|reference| reference.strip_prefix('#'))
        .filter(|fragment| fragment.is_empty() || fragment.starts_with('/'))
        .map(|fragment| Value::String(format!("{path}{fragment}")));
    let Value::Object(map) = schema else {
        return;
    };
    if let (Some(reference), Some(moved)) = (map.get_mut("$ref"), moved) {
        *reference = moved;
    }
    for (keyword, value) in map {
        match (holds(keyword, value), value) {
            (Holds::Schema, schema) => move_references(schema, path),
            (Holds::List, Value::Array(schemas)) => {
                schemas
                    .iter_mut()
                    .for_each(|schema| move_references(schema, path));
            }
            (Holds::Named, Value::Object(schemas)) => {
                schemas
                    .values_mut()
                    .for_each(|schema| move_references(schema, path));
            }
            _ => {}
        }
    }
}
