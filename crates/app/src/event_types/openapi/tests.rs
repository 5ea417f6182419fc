//! Documents and the event types that they describe: every part, what is wrong, and rubbish.

use super::*;
use model::Timestamp;
use model::event_type::EventType;
use proptest::prelude::*;
use serde_json::json;

fn with_webhooks(webhooks: Value) -> Value {
    json!({"openapi": "3.1.0", "info": {"title": "t", "version": "1"}, "webhooks": webhooks})
}

fn found(document: &Value) -> Vec<Described> {
    read(document, "spec").expect("it is a document")
}

fn refused(document: &Value) -> Vec<Violation> {
    match read(document, "spec") {
        Err(AppError::Invalid(broken)) => broken,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_webhook_is_an_event_type_with_all_that_is_said_of_it() {
    let document = json!({
        "openapi": "3.1.0",
        "webhooks": {"pet.new": {"$ref": "#/components/pathItems/new"}},
        "components": {
            "pathItems": {"new": {
                "summary": "not this",
                "post": {
                    "operationId": "newPet",
                    "summary": "nor this",
                    "description": "A pet is there.",
                    "deprecated": true,
                    "tags": ["not a name", "pets"],
                    "x-feature-flags": ["beta"],
                    "requestBody": {"$ref": "#/components/requestBodies/pet"},
                },
            }},
            "requestBodies": {"pet": {"content": {
                "application/xml": {"schema": {"type": "string"}},
                "application/json; charset=utf-8": {
                    "schema": {"$ref": "#/components/schemas/Pet"},
                    "examples": {
                        "cat": {"$ref": "#/components/examples/cat"},
                        "web": {"externalValue": "https://example.com/pet.json"},
                    },
                },
            }}},
            "examples": {"cat": {"value": {"name": "Tom"}}},
            "schemas": {"Pet": {"type": "object", "examples": [{"name": "Rex"}]}},
        },
    });
    let expected = Described {
        place: ["webhooks".to_owned(), "pet.new".to_owned()],
        name: "pet.new".parse().unwrap(),
        description: Some("A pet is there.".to_owned()),
        deprecated: true,
        schema: Some(json!({"type": "object", "examples": [{"name": "Tom"}, {"name": "Rex"}]})),
        group_name: Some("pets".to_owned()),
        feature_flags: Some(vec!["beta".to_owned()]),
    };
    assert_eq!(found(&document), [expected]);
}

#[test]
fn what_is_not_said_is_not_made_up() {
    let document = with_webhooks(json!({"a": {"post": {}}, "b": {"get": {"tags": ["1 2"]}}}));
    for described in found(&document) {
        let Described {
            description,
            deprecated,
            schema,
            group_name,
            feature_flags,
            ..
        } = described;
        assert_eq!((description, group_name), (None, None));
        assert_eq!((schema, feature_flags, deprecated), (None, None, false));
    }
}

#[test]
fn a_name_is_the_webhooks_or_else_its_operations() {
    let document = with_webhooks(json!({
        "pet.new": {"post": {"operationId": "other"}},
        "A pet is gone": {"post": {"operationId": "pet.gone"}},
    }));
    let names: Vec<String> = found(&document)
        .iter()
        .map(|one| one.name.to_string())
        .collect();
    assert_eq!(names, ["pet.gone", "pet.new"]);
    let document = with_webhooks(json!({
        "/pet": {"post": {}},
        "no pet": {"post": {"operationId": "no pet"}},
        "pet.new": {"post": {}},
        "pet new": {"post": {"operationId": "pet.new"}},
    }));
    let broken = refused(&document);
    let places: Vec<&str> = broken.iter().map(|one| one.location[3].as_str()).collect();
    assert_eq!(places, ["/pet", "no pet", "pet.new"]);
    assert!(broken[2].message.contains("`pet new`"), "{broken:?}");
}

#[test]
fn older_documents_have_their_webhooks_elsewhere() {
    let document = json!({
        "openapi": "3.0.3",
        "x-webhooks": {
            "pet.new": {"post": {"requestBody": {"content": {"application/json": {"schema": {
                "type": "string", "nullable": true, "example": "x",
            }}}}}},
            "x-note": "not a webhook",
        },
    });
    let schema = json!({"type": ["string", "null"], "examples": ["x"]});
    assert_eq!(found(&document)[0].schema, Some(schema));
    let mut both = document;
    both["webhooks"] = json!({"pet.new": {"post": {"description": "first"}}});
    assert_eq!(found(&both)[0].description.as_deref(), Some("first"));
}

#[test]
fn what_is_no_document_is_refused_and_says_why() {
    let many: Map<String, Value> = (0..=WEBHOOKS_MAX)
        .map(|number| (format!("a{number}"), json!({"post": {}})))
        .collect();
    for (document, why) in [
        (json!([]), "must be an object"),
        (json!({}), "`openapi` must say"),
        (
            json!({"swagger": "2.0", "webhooks": {}}),
            "`openapi` must say",
        ),
        (json!({"openapi": "3.1.0", "paths": {}}), "has no webhooks"),
        (
            json!({"openapi": "3.1.0", "webhooks": []}),
            "must be an object",
        ),
        (with_webhooks(Value::Object(many)), "has 1001 webhooks"),
        (with_webhooks(json!({"a": 1})), "must be an object"),
        (with_webhooks(json!({"a": {}})), "has no operation"),
        (
            with_webhooks(json!({"a": {"post": []}})),
            "must be an object",
        ),
        (
            with_webhooks(json!({"a": {"$ref": "other.yaml"}})),
            "nothing is fetched",
        ),
        (
            with_webhooks(json!({"a": {"post": {"requestBody": {"$ref": "#/b"}}}})),
            "not in the document",
        ),
    ] {
        let broken = refused(&document);
        assert!(broken[0].message.contains(why), "{why}: {broken:?}");
    }
}

#[test]
fn schemas_that_are_too_much_together_are_refused() {
    let large = json!({"const": "x".repeat(900_000)});
    let webhooks: Map<String, Value> = (0..40)
        .map(|number| {
            let schema = json!({"schema": {"$ref": "#/components/schemas/large"}});
            let body = json!({"content": {"application/json": schema}});
            (format!("a{number}"), json!({"post": {"requestBody": body}}))
        })
        .collect();
    let mut document = with_webhooks(Value::Object(webhooks));
    document["components"] = json!({"schemas": {"large": large}});
    assert!(refused(&document)[0].message.contains("import it in parts"));
}

fn event_type(name: &str, schema: Option<Value>) -> EventType {
    EventType {
        name: name.parse().unwrap(),
        description: format!("About {name}"),
        archived: false,
        deprecated: name.len().is_multiple_of(2),
        schemas: schema.map(|schema| json!({ "1": schema }).to_string()),
        sensitive: Vec::new(),
        feature_flags: vec!["beta".parse().unwrap()],
        group_name: Some("pets".parse().unwrap()),
        created_at: Timestamp::MIN,
        updated_at: Timestamp::MIN,
    }
}

#[test]
fn what_is_written_is_read_back_as_it_was() {
    let pet = json!({
        "type": "object",
        "examples": [{"$ref": "#/data"}],
        "properties": {"pet": {"$ref": "#/definitions/Pet"}},
        "definitions": {"Pet": {"properties": {"pet": {"$ref": "#/definitions/Pet"}}}},
    });
    let written = [
        event_type("pet.new", Some(pet.clone())),
        event_type("pet.gone", Some(json!(true))),
        event_type("pet", None),
    ];
    let text = document(&written).unwrap();
    let document = parse(&text).unwrap();
    for described in found(&document) {
        let of_name = |one: &&EventType| one.name == described.name;
        let original = written.iter().find(of_name).expect("it was written");
        assert_eq!(described.description.as_ref(), Some(&original.description));
        assert_eq!(described.deprecated, original.deprecated);
        assert_eq!(described.group_name.as_deref(), Some("pets"));
        assert_eq!(described.feature_flags, Some(vec!["beta".to_owned()]));
        let schemas = described
            .schema
            .map(|schema| json!({ "1": schema }).to_string());
        assert_eq!(schemas, original.schemas);
    }
}

/// Values that look like documents now and then.
fn rubbish() -> impl Strategy<Value = Value> {
    let word = prop::sample::select(vec![
        "openapi",
        "3.1.0",
        "3.0.0",
        "webhooks",
        "x-webhooks",
        "a.b",
        "post",
        "$ref",
        "requestBody",
        "content",
        "application/json",
        "schema",
        "properties",
        "allOf",
        "items",
        "#/webhooks/a.b",
        "#/webhooks/a.b/post",
        "#",
        "#/",
        "https://h/",
        "definitions",
        "example",
        "examples",
        "tags",
        "x-feature-flags",
        "nullable",
        "exclusiveMinimum",
        "minimum",
        "type",
        "",
        "value",
        "#/%2",
        "~",
        "\u{0}",
    ]);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        word.clone().prop_map(Value::from),
        ".{0,20}".prop_map(Value::from),
    ];
    leaf.prop_recursive(8, 200, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::btree_map(word.clone().prop_map(str::to_owned), inner, 0..6)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn no_document_makes_it_panic(
        schema in rubbish(), item in rubbish(), components in rubbish(), older: bool
    ) {
        let version = if older { "3.0.0" } else { "3.1.0" };
        let body = json!({"content": {"application/json": {"schema": schema, "examples": item}}});
        let document = json!({
            "openapi": version,
            "webhooks": {"a.b": {"post": {"requestBody": body}}, "c": item},
            "components": components,
        });
        let _ = read(&document, "spec");
        let _ = read(&item, "spec");
    }

    #[test]
    fn no_text_makes_it_panic(text in "(?s).{0,400}") {
        let _ = parse(&text);
    }

    #[test]
    fn no_yaml_makes_it_panic(
        parts in prop::collection::vec(
            prop::sample::select(vec![
                "a", ": ", "- ", "\n", "  ", "[", "]", "{", "}", ",", "&a ", "*a", "!!str ", "|",
                ">", "\"", "'", "#", "---", "...", "<<: ", "? ", "%YAML", "\t", "!x ", "~", "1e5",
            ]),
            0..60,
        )
    ) {
        let _ = parse(&parts.concat());
    }

    #[test]
    fn every_json_is_the_same_document_as_yaml(value in rubbish()) {
        let text = serde_json::to_string_pretty(&value).unwrap();
        let read = yaml::read(&text);
        prop_assert_eq!(read.map_err(|error| error.to_string()), Ok(value));
    }
}
