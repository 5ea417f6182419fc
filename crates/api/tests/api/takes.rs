//! What each operation takes, read from the API's own document: so what tests send to an operation
//! follows its declaration, and a new field or parameter can't be forgotten.

use crate::operations::Operation;
use proptest::strategy::{Strategy, ValueTree};
use proptest::string::string_regex;
use proptest::test_runner::TestRunner;
use serde_json::{Map, Value, json};
use std::sync::OnceLock;

/// What an operation takes.
pub(crate) struct Takes {
    /// The names of the query's parameters.
    pub(crate) parameters: Vec<String>,
    /// The shape of the body, where there is one.
    shape: Option<Value>,
}

/// The fields on the way to a value in a body. An item of an array is in the field `0`.
pub(crate) type Way = Vec<String>;

fn document() -> &'static Value {
    static DOCUMENT: OnceLock<Value> = OnceLock::new();
    DOCUMENT.get_or_init(api::document)
}

impl Takes {
    /// What this one takes. Nothing is said of those that are in no document.
    pub(crate) fn of(operation: &Operation) -> Self {
        let path = match operation.template.starts_with("/ingest/") {
            true => operation.template.to_owned(),
            false => format!("/api/v1{}", operation.template),
        };
        let said = &document()["paths"][path][operation.method.to_lowercase()];
        let parameters = said["parameters"].as_array().into_iter().flatten();
        let parameters = parameters.filter(|parameter| parameter["in"] == "query");
        let names = parameters.map(|parameter| parameter["name"].as_str().expect("a name"));
        Self {
            parameters: names.map(str::to_owned).collect(),
            shape: said
                .pointer("/requestBody/content/application~1json/schema")
                .cloned(),
        }
    }

    /// A body that keeps the document, with nothing in it but what must be.
    pub(crate) fn body(&self) -> Option<Value> {
        self.shape.as_ref().map(good)
    }

    /// The ways to all values that a body may have.
    pub(crate) fn ways(&self) -> Vec<Way> {
        let mut ways = Vec::new();
        if let Some(shape) = &self.shape {
            push_ways(shape, &mut Vec::new(), &mut ways);
        }
        ways
    }

    /// The ways to those of them that are objects, the body itself among them.
    pub(crate) fn objects(&self) -> Vec<Way> {
        let mut ways = self.ways();
        ways.push(Vec::new());
        ways.retain(|way| at(self.shape.as_ref(), way).is_some_and(|one| kind(one) == "object"));
        ways
    }

    /// A body that keeps the document but for this value, which is written there as it is.
    pub(crate) fn body_with(&self, way: &Way, value: &str) -> String {
        let mut body = self.body().expect("what has a way has a body");
        let mark = json!("<this value>");
        put(
            self.shape.as_ref().expect("the same"),
            &mut body,
            (way, &mark),
        );
        body.to_string().replacen(&mark.to_string(), value, 1)
    }

    /// The number of fields of the object there.
    pub(crate) fn fields(&self, way: &Way) -> usize {
        let shape = at(self.shape.as_ref(), way);
        let fields = shape.and_then(|shape| shape["properties"].as_object());
        fields.map_or(0, Map::len)
    }
}

/// A shape itself: not where it is found, and not that it may be null.
fn plain(shape: &Value) -> &Value {
    if let Some(name) = shape["$ref"].as_str() {
        let place = name.strip_prefix('#').expect("it is in the document");
        return plain(document().pointer(place).expect("it is there"));
    }
    // What has fields of its own has them in every way.
    let ways = ["anyOf", "oneOf"]
        .into_iter()
        .find_map(|any| shape[any].as_array());
    let ways = ways.filter(|_| shape.get("properties").is_none());
    ways.and_then(|any| any.iter().find(|one| one["type"] != "null"))
        .map_or(shape, plain)
}

fn kind(shape: &Value) -> &str {
    match &shape["type"] {
        Value::Array(kinds) => kinds.iter().find_map(|kind| match kind.as_str() {
            Some("null") => None,
            kind => kind,
        }),
        kind => kind.as_str(),
    }
    .unwrap_or_default()
}

fn push_ways(shape: &Value, way: &mut Way, ways: &mut Vec<Way>) {
    let shape = plain(shape);
    let fields = shape["properties"].as_object().into_iter().flatten();
    let item = shape.get("items").map(|item| ("0", item));
    let parts = fields.map(|(name, shape)| (name.as_str(), shape));
    for (name, shape) in parts.chain(item) {
        // Shapes that hold themselves go on for ever.
        if way.len() == 4 {
            return;
        }
        way.push(name.to_owned());
        ways.push(way.clone());
        push_ways(shape, way, ways);
        way.pop();
    }
}

/// The shape of a part of a shape.
fn inside<'s>(shape: &'s Value, name: &str) -> Option<&'s Value> {
    let shape = plain(shape);
    shape["properties"].get(name).or_else(|| shape.get("items"))
}

fn at<'s>(shape: Option<&'s Value>, way: &Way) -> Option<&'s Value> {
    let found = way
        .iter()
        .try_fold(shape?, |shape, name| inside(shape, name));
    found.map(plain)
}

/// Puts a value into a body, with what must be around it.
fn put(shape: &Value, body: &mut Value, (way, value): (&[String], &Value)) {
    let Some((name, rest)) = way.split_first() else {
        *body = value.clone();
        return;
    };
    let part = inside(shape, name).expect("the way was read from the shape");
    let place = match plain(shape).get("items") {
        Some(_) => {
            *body = json!([good(part)]);
            &mut body[0]
        }
        None => {
            let fields = body.as_object_mut().expect("an object");
            fields.entry(name.as_str()).or_insert_with(|| good(part))
        }
    };
    put(part, place, (rest, value));
}

/// A value that keeps a shape.
fn good(shape: &Value) -> Value {
    let shape = plain(shape);
    if let Some(first) = shape["enum"].as_array().and_then(|all| all.first()) {
        return first.clone();
    }
    if let Some(only) = shape.get("const") {
        return only.clone();
    }
    match kind(shape) {
        "object" => good_object(shape),
        "array" => match shape.get("items") {
            Some(item) => json!([good(item)]),
            None => json!([]),
        },
        "integer" | "number" => shape.get("minimum").cloned().unwrap_or(json!(0)),
        "boolean" => json!(false),
        "string" => good_text(shape).into(),
        _ => json!({}),
    }
}

fn good_object(shape: &Value) -> Value {
    // The first way is one of them.
    let way = &shape["oneOf"][0];
    let required = [shape, way].map(|of| of["required"].as_array().into_iter().flatten());
    let fields = required.into_iter().flatten().map(|name| {
        let name = name.as_str().expect("a name");
        let said = &way["properties"][name];
        let decides = said.get("const").or(said.get("enum")).is_some();
        let field = if decides {
            said
        } else {
            &shape["properties"][name]
        };
        (name.to_owned(), good(field))
    });
    Value::Object(fields.collect())
}

fn good_text(shape: &Value) -> String {
    match (shape["format"].as_str(), shape["pattern"].as_str()) {
        (Some("date-time"), _) => "2025-12-31T00:00:00Z".to_owned(),
        (Some("uri"), _) => "https://example.com/".to_owned(),
        // Whether the halves of a key belong together, no pattern says.
        (_, Some(secret)) if secret.contains("whsec_") => {
            "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".to_owned()
        }
        (_, Some(pattern)) => {
            let inside = pattern.trim_start_matches('^').trim_end_matches('$');
            let texts = string_regex(inside).expect("the document's patterns can be read");
            let texts = texts.prop_filter("long enough", |text| !text.is_empty());
            let text = texts.new_tree(&mut TestRunner::deterministic());
            text.expect("there is one").current()
        }
        _ => "a".to_owned(),
    }
}
