//! The OpenAPI document (3.1): what the operations say of themselves, put together. Nothing of it
//! is written by hand but what no type says: what a request may be refused with, who may call.

use crate::Shared;
use crate::bounds;
use crate::describe::{Describer, Signature};
use crate::links::links;
use crate::operation::{Access, MethodName, Operation, Shown};
use crate::problem::{BrokenRules, Refusal};
use crate::query::Parameter;
use axum::Router;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use serde_json::{Map, Value, json};
use std::sync::{Arc, OnceLock};

/// Where the document is.
const PATH: &str = "/api/v1/openapi.json";

/// The statuses that a request with a token or a body may be refused with, whatever it asks for.
const REFUSALS: [(u16, &str); 12] = [
    (400, "Not readable, or senseless as things stand"),
    (401, "No token, or none that is good"),
    (403, "The token is not for this operation"),
    (
        404,
        "There is no such thing, or none that the caller may see",
    ),
    (409, "It collides with what is there"),
    (413, "The body is too large"),
    (422, "Rules are broken: which, and where"),
    (
        429,
        "Too much at once; `retry-after` says when to come again",
    ),
    (500, "Something of the server's failed"),
    (501, "Not built"),
    (503, "Nothing can be stored at the moment"),
    (508, "It is a delivery that came round too often"),
];

/// The route of the document, which is made when somebody asks for it first.
pub(crate) fn routes(operations: Vec<Operation>) -> Router<Shared> {
    let made: Arc<OnceLock<Bytes>> = Arc::default();
    let operations = Arc::new(operations);
    let answer = move || {
        let (made, operations) = (made.clone(), operations.clone());
        async move {
            let text = made.get_or_init(|| document(&operations).to_string().into());
            json_answer(text.clone())
        }
    };
    Router::new().route(PATH, get(answer))
}

fn json_answer(text: Bytes) -> Response {
    ([(CONTENT_TYPE, "application/json")], text).into_response()
}

/// The document.
pub(crate) fn document(operations: &[Operation]) -> Value {
    let mut describer = Describer::new();
    let mut paths = Map::new();
    let shown = |operation: &&Operation| operation.built && operation.shown != Shown::No;
    let shown: Vec<Operation> = operations.iter().filter(shown).copied().collect();
    for operation in &shown {
        let signature = describer.of(operation.describe);
        let item = paths
            .entry(operation.path)
            .or_insert_with(|| Value::Object(Map::new()));
        let links = links(operation, &shown);
        item[word(operation.method)] = entry(operation, signature, links);
    }
    let refusals = refusals(&mut describer);
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Postrider",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Carries webhooks: applications register endpoints, and every message \
                that is sent to an application is delivered to those of its endpoints that want it.",
        },
        "paths": paths,
        "components": {
            "schemas": describer.into_schemas(),
            "responses": refusals,
            "securitySchemes": { "token": { "type": "http", "scheme": "bearer" } },
        },
    })
}

fn word(method: MethodName) -> &'static str {
    match method {
        MethodName::Get => "get",
        MethodName::Post => "post",
        MethodName::Put => "put",
        MethodName::Patch => "patch",
        MethodName::Delete => "delete",
    }
}

fn entry(operation: &Operation, signature: Signature, links: Map<String, Value>) -> Value {
    let mut entry = json!({
        "operationId": operation.id,
        "summary": operation.summary,
        "description": who(operation.access),
        "tags": [tag(operation.id)],
        "parameters": parameters(operation, &signature),
        "responses": answers(operation, &signature, links),
        "security": match operation.access {
            Access::Public => json!([]),
            _ => json!([{ "token": [] }]),
        },
    });
    if let Some(body) = signature.body {
        entry["requestBody"] = json!({
            "required": true,
            "content": { "application/json": { "schema": body } },
        });
    }
    if operation.shown == Shown::Deprecated {
        entry["deprecated"] = true.into();
    }
    entry
}

fn who(access: Access) -> &'static str {
    match access {
        Access::Public => "Needs no token.",
        Access::Anybody => "For every token.",
        Access::Application => "For the organisation's token and the application's own.",
        Access::Organisation => "For the organisation's token.",
    }
}

/// The noun in an operation's name.
pub(crate) fn tag(id: &str) -> &str {
    id.split('.').nth(1).unwrap_or(id)
}

fn parameters(operation: &Operation, signature: &Signature) -> Vec<Value> {
    let mut parameters: Vec<Value> = open_parts(operation.path)
        .map(|name| {
            json!({
                "in": "path", "name": name, "required": true,
                "schema": bounds::word(),
            })
        })
        .collect();
    parameters.extend(signature.query.iter().map(|parameter| {
        let Parameter {
            name,
            schema,
            required,
        } = parameter;
        json!({ "in": "query", "name": name, "schema": schema, "required": required })
    }));
    if operation.method == MethodName::Post && operation.access != Access::Public {
        let (schema, description) = match signature.keyed {
            true => (
                json!({ "type": "string", "pattern": r"^[\t -~]*$" }),
                "What is asked with the same key again is done once.",
            ),
            // Clients send it with every POST: every value is taken.
            false => (json!({ "type": "string" }), "Means nothing here."),
        };
        parameters.push(json!({
            "in": "header", "name": "idempotency-key", "schema": schema,
            "description": description,
        }));
    }
    parameters
}

/// The names in a path's braces.
pub(crate) fn open_parts(path: &str) -> impl Iterator<Item = &str> {
    path.split('/')
        .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
}

fn answers(
    operation: &Operation,
    signature: &Signature,
    links: Map<String, Value>,
) -> Map<String, Value> {
    let mut answers = Map::new();
    for (status, schema) in &signature.answers {
        let mut answer = json!({ "description": phrase(*status) });
        if let Some(schema) = schema {
            answer["content"] = json!({ "application/json": { "schema": schema } });
        }
        if !links.is_empty() {
            answer["links"] = links.clone().into();
        }
        answers.insert(status.to_string(), answer);
    }
    let takes_something = signature.body.is_some() || !signature.query.is_empty();
    if operation.access != Access::Public || takes_something {
        for (status, _) in REFUSALS {
            let reference = json!({ "$ref": format!("#/components/responses/{status}") });
            answers.insert(status.to_string(), reference);
        }
    }
    answers
}

fn phrase(status: u16) -> &'static str {
    match status {
        200 => "As it is",
        201 => "Made",
        202 => "Accepted: it is durable, and will be done",
        204 => "Done",
        404 => "It isn't there",
        _ => "Something does not work",
    }
}

fn refusals(describer: &mut Describer) -> Map<String, Value> {
    let response = |(status, description): &(u16, &str)| {
        let schema = match status {
            422 => describer.shape::<BrokenRules<'_>>(),
            500 => json!({ "type": "object" }),
            _ => describer.shape::<Refusal>(),
        };
        let answer = json!({
            "description": description,
            "content": { "application/json": { "schema": schema } },
        });
        (status.to_string(), answer)
    };
    REFUSALS.iter().map(response).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_open_parts_of_a_path_are_named() {
        let parts: Vec<&str> = open_parts("/api/v1/app/{app_id}/msg/{msg_id}").collect();
        assert_eq!(parts, ["app_id", "msg_id"]);
        assert_eq!(open_parts("/api/v1/app").count(), 0);
    }
}
