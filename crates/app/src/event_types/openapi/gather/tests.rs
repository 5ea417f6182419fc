//! Schemas that stand alone: what they refer to comes with them, and circles end.

use super::*;
use crate::schema::Schema;
use serde_json::json;

fn of(document: &Value, schema: Value, dialect: Dialect) -> Value {
    let gathered = gather(document, &schema, dialect).expect("it can stand alone");
    let compiled = Schema::compile(&gathered.0);
    assert!(compiled.is_ok(), "{}: {:?}", gathered.0, compiled.err());
    gathered.0
}

#[test]
fn what_a_schema_refers_to_comes_with_it_once() {
    let document = json!({"components": {"schemas": {
        "Pet": {
            "$id": "https://example.com/pet.json",
            "type": "object",
            "properties": {
                "owner": {"$ref": "#/components/schemas/Owner"},
                "keeper": {"$ref": "#/components/schemas/Owner"},
                "$ref": {"type": "string"},
            },
            "$defs": {"Unused": {"type": "string"}},
        },
        "Owner": {"type": "object", "properties": {"name": {"$ref": "#/components/x/Name"}}},
        "Alias": {"$ref": "#/components/schemas/Pet"},
    }, "x": {"Name": {"type": "string", "default": {"$ref": "data"}}}}});
    let pet = json!({
        "type": "object",
        "properties": {
            "owner": {"$ref": "#/definitions/Owner"},
            "keeper": {"$ref": "#/definitions/Owner"},
            "$ref": {"type": "string"},
        },
        "definitions": {
            "Owner": {"type": "object", "properties": {"name": {"$ref": "#/definitions/Name"}}},
            "Name": {"type": "string", "default": {"$ref": "data"}},
        },
    });
    for name in ["Pet", "Alias"] {
        let schema = json!({"$ref": format!("#/components/schemas/{name}")});
        assert_eq!(of(&document, schema, Dialect::JsonSchema), pet);
    }
    let annotated = json!({"$ref": "#/components/schemas/Pet", "description": "A pet."});
    let gathered = of(&document, annotated, Dialect::JsonSchema);
    assert_eq!(gathered["description"], "A pet.");
    assert_eq!(gathered["type"], "object");
}

#[test]
fn circles_end_in_the_definitions() {
    let document = json!({"components": {"schemas": {
        "Node": {"type": "object", "properties": {
            "next": {"$ref": "#/components/schemas/Node"},
            "all": {"type": "array", "items": {"$ref": "#/components/schemas/Other"}},
        }},
        "Other": {"type": "object", "properties": {"node": {"$ref": "#/components/schemas/Node"}}},
    }}});
    let gathered = of(
        &document,
        json!({"$ref": "#/components/schemas/Node"}),
        Dialect::JsonSchema,
    );
    let next = json!({"$ref": "#/definitions/Node"});
    assert_eq!(gathered["properties"]["next"], next);
    assert_eq!(gathered["definitions"]["Node"]["properties"]["next"], next);
    assert_eq!(gathered["definitions"].as_object().map(Map::len), Some(2));
}

#[test]
fn a_reference_that_leads_nowhere_is_refused() {
    let document = json!({"a": {"$ref": "#/b"}, "b": {"$ref": "#/a"}});
    for (schema, why) in [
        (json!({"$ref": "#/a"}), "on and on"),
        (json!({"$ref": "#/missing"}), "not in the document"),
        (
            json!({"items": {"$ref": "https://example.com/a"}}),
            "nothing is fetched",
        ),
        (
            json!({"allOf": [{"$ref": "pet.yaml"}]}),
            "nothing is fetched",
        ),
    ] {
        let refused = gather(&document, &schema, Dialect::JsonSchema);
        let refused = refused.expect_err("it leads nowhere").to_string();
        assert!(refused.contains(why), "{schema}: {refused}");
    }
}

#[test]
fn what_is_called_the_same_in_several_places_is_told_apart() {
    let document = json!({
        "a": {"x": {"type": "string"}},
        "b": {"x": {"type": "integer"}, "x y": {"type": "null"}, "x_y": {"type": "boolean"}},
    });
    let schema = json!({"properties": {
        "1": {"$ref": "#/a/x"},
        "2": {"$ref": "#/b/x"},
        "3": {"$ref": "#/b/x%20y"},
        "4": {"$ref": "#/b/x_y"},
        "5": {"$ref": "#/a/x"},
    }});
    let gathered = of(&document, schema, Dialect::JsonSchema);
    let expected = json!({
        "x": {"type": "string"},
        "x_2": {"type": "integer"},
        "x_y": {"type": "null"},
        "x_y_2": {"type": "boolean"},
    });
    assert_eq!(gathered["definitions"], expected);
    assert_eq!(gathered["properties"]["5"], gathered["properties"]["1"]);
}

#[test]
fn what_stands_beside_a_reference_holds_too() {
    let document = json!({"a": {"type": "object"}});
    let beside = json!({"not": {"$ref": "#/a", "minProperties": 1, "title": "t"}});
    let gathered = of(&document, beside.clone(), Dialect::JsonSchema);
    let both = json!({"allOf": [{"$ref": "#/definitions/a"}], "minProperties": 1, "title": "t"});
    assert_eq!(gathered["not"], both);
    // Where OpenAPI says so, it does not.
    let gathered = of(&document, beside, Dialect::Older);
    assert_eq!(gathered["not"], json!({"$ref": "#/definitions/a"}));
}

#[test]
fn older_schemas_say_the_same_in_todays_words() {
    let document = json!({});
    for (older, today) in [
        (
            json!({"type": "string", "nullable": true}),
            json!({"type": ["string", "null"]}),
        ),
        (
            json!({"type": "string", "nullable": true, "enum": ["a"]}),
            json!({"type": ["string", "null"], "enum": ["a", null]}),
        ),
        (
            json!({"nullable": true, "minimum": 1}),
            json!({"anyOf": [{"minimum": 1}, {"type": "null"}]}),
        ),
        (
            json!({"type": "string", "nullable": false}),
            json!({"type": "string"}),
        ),
        (
            json!({"minimum": 1, "exclusiveMinimum": true}),
            json!({"exclusiveMinimum": 1}),
        ),
        (
            json!({"maximum": 1, "exclusiveMaximum": false}),
            json!({"maximum": 1}),
        ),
        (json!({"exclusiveMaximum": true}), json!({})),
        (
            json!({"properties": {"nullable": {"type": "boolean", "nullable": true}}}),
            json!({"properties": {"nullable": {"type": ["boolean", "null"]}}}),
        ),
    ] {
        assert_eq!(
            of(&document, older.clone(), Dialect::Older),
            today,
            "{older}"
        );
    }
}

#[test]
fn a_schema_with_all_that_it_refers_to_has_a_largest_size() {
    let long = "x".repeat(SCHEMA_BYTES_MAX / 2);
    let document = json!({"a": {"const": long}, "b": {"const": long, "not": {"$ref": "#/a"}}});
    assert!(gather(&document, &json!({"$ref": "#/a"}), Dialect::JsonSchema).is_ok());
    let refused = gather(&document, &json!({"$ref": "#/b"}), Dialect::JsonSchema);
    assert!(matches!(refused, Err(GatherError::TooLarge)), "{refused:?}");
}
