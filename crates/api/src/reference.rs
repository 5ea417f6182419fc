//! The reference page for people at `/docs`: the OpenAPI document, put to be read. It is made of
//! that document alone, runs no script, and loads nothing but its own style sheet.

use crate::Shared;
use crate::door::Page;
use crate::operation::Operation;
use axum::Router;
use axum::response::Redirect;
use axum::routing::get;
use maud::{DOCTYPE, Markup, html};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

const STYLE: &str = include_str!("reference.css");

/// The routes of the page, which is made when somebody asks for it first.
pub(crate) fn routes(operations: Vec<Operation>) -> Router<Shared> {
    let made: Arc<OnceLock<String>> = Arc::default();
    let operations = Arc::new(operations);
    let answer = move || {
        let (made, operations) = (made.clone(), operations.clone());
        async move {
            let text = made.get_or_init(|| page(&crate::openapi::document(&operations)).into());
            Page::html(text.clone())
        }
    };
    Router::new()
        .route("/", get(|| async { Redirect::temporary("/docs") }))
        .route("/docs", get(answer))
        .route("/docs/style.css", get(|| async { Page::style(STYLE) }))
}

/// An operation in the document: its method, its path, and what is said of it.
type Entry<'d> = (&'d str, &'d str, &'d Value);

fn page(document: &Value) -> Markup {
    let tags = by_tag(document);
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width";
                title { "Postrider's API" }
                link rel="stylesheet" href="/docs/style.css";
            }
            body {
                nav {
                    h1 { "Postrider's API" }
                    p { a href="/api/v1/openapi.json" { "OpenAPI document" } }
                    ul {
                        @for tag in tags.keys() { li { a href={ "#" (tag) } { (tag) } } }
                        li { a href="#refusals" { "refusals" } }
                        li { a href="#shapes" { "shapes" } }
                    }
                }
                main {
                    p { (text(&document["info"]["description"])) }
                    @for (tag, entries) in &tags {
                        h2 id=(tag) { (tag) }
                        @for entry in entries { (operation(*entry)) }
                    }
                    h2 id="refusals" { "refusals" }
                    p { "What any request with a token or a body may be refused with." }
                    ul class="answers" {
                        @for (status, answer) in members(&document["components"]["responses"]) {
                            (one_answer(status, answer))
                        }
                    }
                    h2 id="shapes" { "shapes" }
                    @for (name, schema) in members(&document["components"]["schemas"]) {
                        section id={ "shape-" (name) } {
                            h3 { (name) }
                            p { (text(&schema["description"])) }
                            (fields(schema))
                        }
                    }
                }
            }
        }
    }
}

fn by_tag(document: &Value) -> BTreeMap<&str, Vec<Entry<'_>>> {
    let mut tags: BTreeMap<&str, Vec<Entry<'_>>> = BTreeMap::new();
    for (path, item) in members(&document["paths"]) {
        for (method, entry) in members(item) {
            let tag = text(&entry["tags"][0]);
            tags.entry(tag).or_default().push((method, path, entry));
        }
    }
    tags
}

fn operation((method, path, entry): Entry<'_>) -> Markup {
    let id = text(&entry["operationId"]);
    html! {
        section id=(id) {
            h3 {
                code class=(method) { (method.to_uppercase()) }
                " " code { (path) }
                @if entry["deprecated"] == true { " " em { "deprecated" } }
            }
            p { (text(&entry["summary"])) ". " small { (text(&entry["description"])) } }
            table {
                @for parameter in entry["parameters"].as_array().into_iter().flatten() {
                    tr {
                        td { code { (text(&parameter["name"])) } }
                        td { (text(&parameter["in"])) }
                        td { (kind(&parameter["schema"])) }
                        td { @if parameter["required"] == true { "required" } }
                    }
                }
                @let body = &entry["requestBody"];
                @if !body.is_null() {
                    tr { td { "body" } td {} td { (kind(schema(body))) } td { "required" } }
                }
            }
            ul class="answers" {
                @for (status, answer) in members(&entry["responses"]) {
                    @if answer["$ref"].is_null() { (one_answer(status, answer)) }
                }
            }
        }
    }
}

fn one_answer(status: &str, answer: &Value) -> Markup {
    html! {
        li {
            strong { (status) } " " (text(&answer["description"]))
            @if !schema(answer).is_null() { ": " (kind(schema(answer))) }
        }
    }
}

fn fields(schema: &Value) -> Markup {
    let required: Vec<&str> = match schema["required"].as_array() {
        Some(names) => names.iter().filter_map(Value::as_str).collect(),
        None => Vec::new(),
    };
    html! {
        table {
            @for (name, field) in members(&schema["properties"]) {
                tr {
                    td { code { (name) } }
                    td { (kind(field)) }
                    td { @if required.contains(&name) { "required" } }
                    td { (text(&field["description"])) }
                }
            }
        }
        @if schema["properties"].is_null() { p { (kind(schema)) } }
    }
}

/// What a value may be, in a few words.
fn kind(schema: &Value) -> Markup {
    if let Some(name) = schema["$ref"].as_str().and_then(|to| to.rsplit('/').next()) {
        return html! { a href={ "#shape-" (name) } { (name) } };
    }
    if let Some(words) = schema["enum"].as_array() {
        let words: Vec<String> = words.iter().map(Value::to_string).collect();
        return html! { (words.join(", ")) };
    }
    for several in ["anyOf", "oneOf"] {
        if let Some(parts) = schema[several].as_array() {
            return html! {
                @for (index, part) in parts.iter().enumerate() {
                    @if index > 0 { " or " }
                    (kind(part))
                }
            };
        }
    }
    match &schema["type"] {
        Value::String(name) => one_kind(name, schema),
        Value::Array(names) => html! {
            @for (index, name) in names.iter().map(text).enumerate() {
                @if index > 0 { " or " }
                (one_kind(name, schema))
            }
        },
        _ => html! { "any JSON" },
    }
}

fn one_kind(name: &str, schema: &Value) -> Markup {
    match name {
        "array" => html! { "list of " (kind(&schema["items"])) },
        "null" => html! { "null" },
        name => html! { (name) (format(schema)) },
    }
}

fn format(schema: &Value) -> Markup {
    html! { @if let Some(format) = schema["format"].as_str() { " (" (format) ")" } }
}

fn schema(body: &Value) -> &Value {
    &body["content"]["application/json"]["schema"]
}

fn members(object: &Value) -> impl Iterator<Item = (&str, &Value)> {
    let all = object.as_object().into_iter().flatten();
    all.map(|(name, value)| (name.as_str(), value))
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
