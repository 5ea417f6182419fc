//! How an operation differs from the contract's: in words that stay the same from run to run, since
//! the list of what differs on purpose has them.

use super::document::Document;
use super::shape::Shape;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// How deep shapes are followed into each other: deeper than any of the contract goes.
const DEPTH_MAX: usize = 8;

/// A part of a document.
type Part<'d> = (&'d Document, &'d Value);

/// Who gives a value to whom: what may be left out of it differs.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    /// A parameter: nothing is null in a path or a query.
    Named,
    In,
    Out,
}

/// Every difference of ours from theirs.
pub(super) fn operations(theirs: Part<'_>, ours: Part<'_>) -> Vec<String> {
    let mut found = Vec::new();
    parameters(theirs, ours, &mut found);
    bodies(theirs, ours, &mut found);
    answers(theirs, ours, &mut found);
    found
}

fn parameters((theirs, wanted): Part<'_>, (ours, made): Part<'_>, found: &mut Vec<String>) {
    let wanted = named(theirs, wanted);
    let made = named(ours, made);
    for (name, parameter) in &wanted {
        let Some(other) = made.get(name) else {
            found.push(format!("{name} is missing"));
            continue;
        };
        if (parameter["required"] == true) != (other["required"] == true) {
            found.push(format!("{name} is required on one side only"));
        }
        let part = ((theirs, &parameter["schema"]), (ours, &other["schema"]));
        shapes(name, Way::Named, part, (0, found));
    }
    let more = made.keys().filter(|name| !wanted.contains_key(*name));
    found.extend(more.map(|name| format!("{name} is more")));
}

/// Parameters under where they are and their names.
fn named<'d>(document: &'d Document, operation: &'d Value) -> BTreeMap<String, &'d Value> {
    let parameters = operation["parameters"].as_array().into_iter().flatten();
    parameters
        .map(|parameter| {
            let parameter = document.resolve(parameter);
            let text = |name: &str| parameter[name].as_str().unwrap_or_default();
            (format!("{} {}", text("in"), text("name")), parameter)
        })
        .collect()
}

fn bodies((theirs, wanted): Part<'_>, (ours, made): Part<'_>, found: &mut Vec<String>) {
    let (wanted, made) = (&wanted["requestBody"], &made["requestBody"]);
    match (schema(theirs, wanted), schema(ours, made)) {
        (Some(wanted), Some(made)) => {
            shapes(
                "body",
                Way::In,
                ((theirs, wanted), (ours, made)),
                (0, found),
            );
        }
        (None, None) => {}
        (Some(_), None) => found.push("body is missing".to_owned()),
        (None, Some(_)) => found.push("body is more".to_owned()),
    }
}

fn answers((theirs, wanted): Part<'_>, (ours, made): Part<'_>, found: &mut Vec<String>) {
    let (wanted, made) = (&wanted["responses"], &made["responses"]);
    let statuses = |answers: &Value| -> BTreeSet<String> {
        let all = answers.as_object().into_iter().flatten();
        all.map(|(status, _)| status.clone()).collect()
    };
    let (known, given) = (statuses(wanted), statuses(made));
    found.extend(
        known
            .difference(&given)
            .map(|status| format!("never answers {status}")),
    );
    found.extend(
        given
            .difference(&known)
            .map(|status| format!("answers {status} too")),
    );
    for status in known
        .intersection(&given)
        .filter(|status| status.starts_with('2'))
    {
        let wanted = schema(theirs, theirs.resolve(&wanted[status]));
        let made = schema(ours, ours.resolve(&made[status]));
        let at = format!("{status} body");
        match (wanted, made) {
            (Some(wanted), Some(made)) => {
                shapes(&at, Way::Out, ((theirs, wanted), (ours, made)), (0, found));
            }
            (Some(_), None) => found.push(format!("{at} is missing")),
            (None, Some(_)) => found.push(format!("{at} is more")),
            (None, None) => {}
        }
    }
}

/// The schema of a body of JSON.
fn schema<'d>(document: &'d Document, body: &'d Value) -> Option<&'d Value> {
    document
        .resolve(body)
        .pointer("/content/application~1json/schema")
}

fn shapes(
    at: &str,
    way: Way,
    (theirs, ours): (Part<'_>, Part<'_>),
    (depth, found): (usize, &mut Vec<String>),
) {
    if depth == DEPTH_MAX {
        return;
    }
    let wanted = Shape::of(theirs.0, theirs.1);
    let made = Shape::of(ours.0, ours.1);
    if !wanted.kinds.is_empty() && !made.kinds.is_empty() && wanted.kinds != made.kinds {
        found.push(format!(
            "{at} is {}, not {}",
            list(&made.kinds),
            list(&wanted.kinds)
        ));
    }
    if wanted.values != made.values {
        let text =
            |values: &Option<BTreeSet<String>>| values.as_ref().map_or("anything".into(), list);
        found.push(format!(
            "{at} is {}, not {}",
            text(&made.values),
            text(&wanted.values)
        ));
    }
    // What clients may send as null must be taken; what they get as null, they must know.
    let (sender, receiver) = match way {
        Way::Named | Way::In => (&wanted, &made),
        Way::Out => (&made, &wanted),
    };
    if way != Way::Named && sender.nullable && !receiver.nullable {
        found.push(format!("{at} may be null on one side only"));
    }
    // What must be sent has to be sent anyway; more that is always sent hurts nobody.
    for field in receiver.required.difference(&sender.required) {
        found.push(format!("{at}.{field} is required on one side only"));
    }
    for (name, field) in &wanted.fields {
        match made.fields.get(name) {
            Some(other) => {
                let part = ((theirs.0, *field), (ours.0, *other));
                shapes(&format!("{at}.{name}"), way, part, (depth + 1, found));
            }
            None => found.push(format!("{at}.{name} is missing")),
        }
    }
    let more = made
        .fields
        .keys()
        .filter(|name| !wanted.fields.contains_key(*name));
    found.extend(more.map(|name| format!("{at}.{name} is more")));
    if let (Some(wanted), Some(made)) = (wanted.items, made.items) {
        let part = ((theirs.0, wanted), (ours.0, made));
        shapes(&format!("{at}[]"), way, part, (depth + 1, found));
    }
}

fn list<T: AsRef<str>>(words: &BTreeSet<T>) -> String {
    let words: Vec<&str> = words.iter().map(AsRef::as_ref).collect();
    match words[..] {
        [] => "anything".to_owned(),
        _ => words.join(", "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn differences(theirs: Value, ours: Value) -> Vec<String> {
        let document = |operation: Value| {
            let text = json!({ "paths": { "/a": { "get": operation } } }).to_string();
            Document::parse(text.as_bytes()).unwrap()
        };
        let (theirs, ours) = (document(theirs), document(ours));
        let wanted = theirs.operation("GET /a").unwrap();
        let made = ours.operation("GET /a").unwrap();
        operations((&theirs, wanted), (&ours, made))
    }

    fn answer(schema: Value) -> Value {
        json!({ "responses": { "200": { "content": { "application/json": { "schema": schema } } } } })
    }

    #[test]
    fn what_differs_is_told_in_one_sentence_each() {
        let theirs = json!({ "type": "object", "required": ["a"], "properties": {
            "a": { "type": "string" }, "b": { "type": "integer", "enum": [0, 1] },
            "c": { "type": "array", "items": { "type": "string", "nullable": true } },
        } });
        let ours = json!({ "type": "object", "properties": {
            "a": { "type": ["string", "null"] }, "b": { "type": "integer", "enum": [0, 1, 2] },
            "c": { "type": "array", "items": { "type": "integer" } }, "d": {},
        } });
        assert_eq!(
            differences(answer(theirs.clone()), answer(ours)),
            [
                "200 body.a is required on one side only",
                "200 body.a may be null on one side only",
                "200 body.b is 0, 1, 2, not 0, 1",
                "200 body.c[] is integer, not string",
                "200 body.d is more",
            ]
        );
        assert_eq!(differences(answer(theirs.clone()), answer(theirs)), [""; 0]);
    }

    #[test]
    fn statuses_and_parameters_are_compared() {
        let theirs = json!({
            "parameters": [{ "in": "query", "name": "x", "schema": { "type": "string" } }],
            "responses": { "200": {}, "404": {} },
        });
        let ours = json!({
            "parameters": [{ "in": "query", "name": "y", "schema": { "type": "string" } }],
            "responses": { "200": {}, "409": {} },
        });
        assert_eq!(
            differences(theirs, ours),
            [
                "query x is missing",
                "query y is more",
                "never answers 404",
                "answers 409 too",
            ]
        );
    }
}
