//! Schemas against payloads: as the library for it has it, at a cost that has a limit.

mod costs;
mod library;

use super::check::{Broken, VIOLATIONS_MAX};
use super::*;
use serde_json::{Value, json};

fn compiled(schema: &Value) -> Schema {
    Schema::compile(schema).unwrap_or_else(|error| panic!("{schema}: {error}"))
}

fn outcome(schema: &Value, payload: &Value) -> Outcome {
    let bytes = payload.to_string().len();
    compiled(schema).check(payload, steps_for(bytes))
}

/// What is told, as `place: message`.
fn told(schema: &Value, payload: &Value) -> Vec<String> {
    match outcome(schema, payload) {
        Outcome::Matches => Vec::new(),
        Outcome::Broken(broken) => {
            let told = |Broken { path, message }| format!("{}: {message}", path.join("/"));
            broken.into_iter().map(told).collect()
        }
        Outcome::TooMuch => panic!("{schema}: too many steps"),
    }
}

#[test]
fn each_violation_is_told_with_its_place_and_what_would_be_right() {
    let schema = json!({
        "type": "object",
        "required": ["id", "total"],
        "additionalProperties": false,
        "properties": {
            "id": { "type": "string", "pattern": "^ord_", "minLength": 5 },
            "total": { "type": ["integer", "null"], "minimum": 0, "multipleOf": 5 },
            "state": { "enum": ["paid", "sent"] },
            "kind": { "const": "order" },
            "lines": {
                "type": "array", "minItems": 1, "uniqueItems": true,
                "items": { "properties": { "sku": { "type": "string" } }, "required": ["sku"] },
                "contains": { "properties": { "sku": { "const": "a" } } },
            },
            "note": { "anyOf": [{ "type": "string" }, { "type": "null" }] },
            "to": { "oneOf": [{ "minProperties": 1 }, { "maxProperties": 9 }] },
            "map": { "propertyNames": { "pattern": "^x" }, "not": { "required": ["xa"] } },
            "card": { "dependencies": { "number": ["expiry"] } },
        },
    });
    let fine = json!({ "id": "ord_1", "total": null, "lines": [{ "sku": "a" }], "state": "paid" });
    assert_eq!(told(&schema, &fine), [""; 0]);
    for (payload, expected) in broken_orders() {
        assert_eq!(told(&schema, &payload), expected, "{payload}");
    }
}

/// Payloads, and what is told of them.
fn broken_orders() -> Vec<(Value, Vec<&'static str>)> {
    vec![
        (json!([]), vec![": must be of type object, not array"]),
        (json!({}), vec!["id: is missing", "total: is missing"]),
        (
            json!({ "id": "x", "total": -7 }),
            vec![
                "id: must have at least 5 characters",
                "id: must match the pattern `^ord_`",
                "total: must be at least 0",
                "total: must be a multiple of 5",
            ],
        ),
        (
            json!({ "id": "ord_1", "total": 1.5 }),
            vec![
                "total: must be of type null or integer, not number",
                "total: must be a multiple of 5",
            ],
        ),
        (
            json!({ "id": "ord_1", "total": 5, "state": "lost", "kind": 1, "more": 2 }),
            vec![
                "kind: must be \"order\"",
                "more: is not allowed here",
                "state: must be one of \"paid\", \"sent\"",
            ],
        ),
        (
            json!({ "id": "ord_1", "total": 5, "lines": [{ "sku": 1 }, { "sku": 1.0 }, {}] }),
            vec![
                "lines: must not hold the same item twice",
                "lines/0/sku: must be of type string, not integer",
                "lines/1/sku: must be of type string, not integer",
                "lines/2/sku: is missing",
            ],
        ),
        (
            json!({ "id": "ord_1", "total": 5, "lines": [], "note": 1, "to": { "a": 1 } }),
            vec![
                "lines: must have at least 1 item",
                "lines: must hold an item that matches the schema's `contains`",
                "note: must match one of the schema's `anyOf`",
                "to: must match exactly one of the schema's `oneOf`, and matches more than one",
            ],
        ),
        (
            json!({ "id": "ord_1", "total": 5, "map": { "a": 1, "xa": 1 }, "card": { "number": 1 } }),
            vec![
                "card/expiry: is missing, which is needed where there is `number`",
                "map/a: has a name that the schema's `propertyNames` do not allow",
                "map: must not match the schema's `not`",
            ],
        ),
    ]
}

#[test]
fn what_is_told_of_a_schema_says_where_and_what_would_be_right() {
    let deep = (0..=DEPTH_MAX).fold(json!({}), |inner, _| json!({ "not": inner }));
    for (schema, expected) in [
        (
            json!(1),
            "`#` must be a schema: an object, `true` or `false`",
        ),
        (
            json!({ "minLength": "1" }),
            "`#/minLength` must be a number",
        ),
        (
            json!({ "properties": { "a/b": { "maxItems": 1.5 } } }),
            "`#/properties/a~1b/maxItems` must be a whole number from 0 on",
        ),
        (
            json!({ "multipleOf": 0 }),
            "`#/multipleOf` must be more than 0",
        ),
        (
            json!({ "anyOf": [] }),
            "`#/anyOf` must hold at least one schema",
        ),
        (
            json!({ "definitions": { "a": 7 } }),
            "`#/definitions/a` must be a schema",
        ),
        (
            json!({ "pattern": "(?=a)" }),
            "`#/pattern` is not a regular expression that is matched",
        ),
        (
            json!({ "pattern": "(a)\\1" }),
            "`#/pattern` is not a regular expression that is matched",
        ),
        (
            json!({ "pattern": "((a{100}){100}){100}" }),
            "make its repetitions smaller",
        ),
        (
            json!({ "$ref": "#/definitions/a" }),
            "refers to \"#/definitions/a\", which is not there",
        ),
        (
            json!({ "$ref": "https://example.com/a" }),
            "nothing is fetched",
        ),
        (
            json!({ "$ref": "file:///etc/passwd" }),
            "nothing is fetched",
        ),
        (json!({ "$ref": "other.json#/a" }), "nothing is fetched"),
        (json!({ "$ref": 1 }), "`#/$ref` must be a text"),
        (
            json!({ "anyOf": [true, { "definitions": { "a": { "items": [1] } } }] }),
            "`#/anyOf/1/definitions/a/items/0` must be a schema",
        ),
        (json!({ "$ref": "#" }), "it would never end"),
        (
            json!({ "allOf": [{ "not": { "$ref": "#" } }] }),
            "it would never end",
        ),
        (deep, "nests deeper than 64 levels"),
    ] {
        let error = Schema::compile(&schema)
            .expect_err("it is no schema")
            .to_string();
        assert!(error.contains(expected), "{schema}: {error}");
    }
}

#[test]
fn nothing_long_of_a_schema_is_repeated() {
    let long = "é".repeat(10_000);
    for schema in [
        json!({ "properties": { &long: { "type": 7 } } }),
        json!({ "$ref": format!("#/definitions/{long}") }),
        json!({ "$ref": &long }),
    ] {
        let error = Schema::compile(&schema).expect_err("it is no schema");
        assert!(error.to_string().len() < 1_000, "{error}");
    }
}

#[test]
fn references_name_places_within_the_schema_alone() {
    let number = json!({ "type": "number" });
    for schema in [
        json!({ "$ref": "#/definitions/a~1b%20c", "definitions": { "a/b c": number } }),
        json!({ "$ref": "#a", "definitions": { "x": { "$id": "#a", "type": "number" } } }),
        json!({
            "$id": "https://example.com/s#", "allOf": [{ "$ref": "https://example.com/s#/x" }],
            "x": number,
        }),
        json!({
            "$ref": "item#/y",
            "definitions": { "i": { "$id": "item", "y": { "$ref": "#/z" }, "z": number } },
        }),
        json!({ "anyOf": [{ "$ref": "#/anyOf/1" }, number] }),
        json!({ "$ref": "#/a", "type": "string", "a": { "$ref": "#/b" }, "b": number }),
    ] {
        assert_eq!(outcome(&schema, &json!(1)), Outcome::Matches, "{schema}");
        assert!(!told(&schema, &json!("1")).is_empty(), "{schema}");
    }
}

#[test]
fn a_schema_may_refer_to_itself_on_the_way_down() {
    let tree = json!({
        "type": "object", "required": ["name"],
        "properties": { "children": { "type": "array", "items": { "$ref": "#" } } },
    });
    let payload = json!({ "name": 1, "children": [{ "name": 2, "children": [{}] }] });
    let expected = ["children/0/children/0/name: is missing"];
    assert_eq!(told(&tree, &payload), expected);
}

#[test]
fn no_more_violations_are_told_than_may_be_and_no_long_names() {
    let schema = json!({ "additionalProperties": false });
    let member = |number: usize| (format!("{number}{}", "é".repeat(500)), json!(1));
    let payload: Value = (0..100)
        .map(member)
        .collect::<serde_json::Map<_, _>>()
        .into();
    let told = told(&schema, &payload);
    assert_eq!(told.len(), VIOLATIONS_MAX);
    assert!(told.iter().all(|told| told.len() < 300), "{told:?}");
}
