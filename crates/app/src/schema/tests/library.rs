//! Held against the library `jsonschema`, which has the meaning of draft 7 from its test suite.

use super::*;
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use proptest::sample::select;

const NAMES: [&str; 4] = ["a", "b", "ab", "é"];

/// Values that meet each other often.
fn value() -> impl Strategy<Value = Value> {
    let leaf = select(vec![
        json!(null),
        json!(true),
        json!(false),
        json!(0),
        json!(1),
        json!(1.0),
        json!(-1.5),
        json!(6),
        json!(1e100),
        json!(18446744073709551615_u64),
        json!(""),
        json!("a"),
        json!("ab"),
        json!("é€😀"),
    ]);
    leaf.prop_recursive(3, 12, 4, |inner| {
        let members = btree_map(select(&NAMES[..]), inner.clone(), 0..4);
        prop_oneof![
            vec(inner, 0..4).prop_map(Value::Array),
            members.prop_map(|members| {
                let members = members.into_iter();
                Value::Object(
                    members
                        .map(|(name, value)| (name.to_owned(), value))
                        .collect(),
                )
            }),
        ]
    })
}

/// A schema of a few words.
fn schema() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(json!(true)),
        Just(json!(false)),
        vec(simple(), 0..3).prop_map(merged),
        select(vec!["#/definitions/x", "#/definitions/y", "#"])
            .prop_map(|to| json!({ "$ref": to })),
    ];
    leaf.prop_recursive(3, 16, 3, |inner| {
        vec(prop_oneof![simple(), nested(inner)], 1..4).prop_map(merged)
    })
}

/// One word that holds no schema.
fn simple() -> impl Strategy<Value = Value> {
    let kinds = [
        "null", "boolean", "integer", "number", "string", "array", "object",
    ];
    let number = || select(vec![json!(0), json!(1), json!(1.5), json!(-1), json!(6.0)]);
    let count = || select(vec![json!(0), json!(1), json!(2), json!(3.0)]);
    let word = |name: &'static str| move |value: Value| json!({ name: value });
    let bounds = ["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"];
    let counts = [
        "minLength",
        "maxLength",
        "minItems",
        "maxItems",
        "minProperties",
        "maxProperties",
    ];
    let some_kinds = proptest::sample::subsequence(kinds.to_vec(), 1..4);
    prop_oneof![
        select(kinds.to_vec()).prop_map(|kind| json!({ "type": kind })),
        some_kinds.prop_map(|kinds| json!({ "type": kinds })),
        (select(bounds.to_vec()), number()).prop_map(|(name, value)| json!({ name: value })),
        (select(counts.to_vec()), count()).prop_map(|(name, value)| json!({ name: value })),
        // Not 1.5: there the library goes by floats, and is wrong for large numbers.
        select(vec![json!(0.5), json!(1), json!(3)]).prop_map(word("multipleOf")),
        select(vec![
            "a", "^a", "b$", "^\\w+$", "^.$", "\\d", "[^a]", "^\\S*$"
        ])
        .prop_map(|pattern| json!({ "pattern": pattern })),
        value().prop_map(word("const")),
        vec(value(), 1..4).prop_map(|values| json!({ "enum": values })),
        any::<bool>().prop_map(|unique| json!({ "uniqueItems": unique })),
        proptest::sample::subsequence(NAMES.to_vec(), 0..3)
            .prop_map(|names| json!({ "required": names })),
        (select(&NAMES[..]), select(&NAMES[..]))
            .prop_map(|(name, needs)| json!({ "dependencies": { name: [needs] } })),
    ]
}

/// One word that holds schemas.
fn nested(inner: impl Strategy<Value = Value> + Clone + 'static) -> impl Strategy<Value = Value> {
    let one = [
        "items",
        "additionalItems",
        "contains",
        "additionalProperties",
        "propertyNames",
        "not",
        "if",
        "then",
        "else",
    ];
    let list = ["items", "allOf", "anyOf", "oneOf"];
    let map = ["properties", "dependencies"];
    let named = || btree_map(select(&NAMES[..]), inner.clone(), 0..3);
    let matching = btree_map(select(vec!["a", "^b", "é", "."]), inner.clone(), 0..3);
    prop_oneof![
        (select(one.to_vec()), inner.clone()).prop_map(|(name, schema)| json!({ name: schema })),
        (select(list.to_vec()), vec(inner.clone(), 1..3))
            .prop_map(|(name, schemas)| json!({ name: schemas })),
        (select(map.to_vec()), named()).prop_map(|(name, schemas)| json!({ name: schemas })),
        matching.prop_map(|schemas| json!({ "patternProperties": schemas })),
    ]
}

fn merged(words: Vec<Value>) -> Value {
    let members = words.into_iter().filter_map(|word| match word {
        Value::Object(members) => Some(members),
        _ => None,
    });
    Value::Object(members.flatten().collect())
}

fn library(schema: &Value) -> Option<jsonschema::Validator> {
    let options = jsonschema::options().with_draft(jsonschema::Draft::Draft7);
    options.should_validate_formats(false).build(schema).ok()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn payloads_match_the_schemas_that_they_match_elsewhere(
        root in schema(),
        definitions in (schema(), schema()),
        payloads in vec(value(), 1..8),
    ) {
        let Value::Object(mut members) = root else {
            return Ok(());
        };
        let (x, y) = definitions;
        members.insert("definitions".to_owned(), json!({ "x": x, "y": y }));
        let whole = Value::Object(members);
        let known = library(&whole).expect("it is a schema");
        let ours = match Schema::compile(&whole) {
            Ok(ours) => ours,
            Err(error) if error.to_string().contains("never end") => return Ok(()),
            Err(error) => panic!("{whole}: {error}"),
        };
        for payload in payloads {
            let outcome = ours.check(&payload, steps_for(1_000));
            prop_assume!(outcome != Outcome::TooMuch);
            prop_assert_eq!(
                outcome == Outcome::Matches, known.is_valid(&payload), "{} {}", whole, payload
            );
        }
    }

    #[test]
    fn no_schema_and_no_payload_cause_a_panic(
        words in btree_map("[a-zA-Z$]{2,20}|type|items|properties|\\$ref|enum|not|if", value(), 0..6),
        payload in value(),
    ) {
        let schema = Value::Object(words.into_iter().collect());
        if let Ok(schema) = Schema::compile(&schema) {
            schema.check(&payload, steps_for(1_000));
        }
    }

    #[test]
    fn what_is_no_schema_elsewhere_is_none_here(
        name in select(vec![
            "type", "items", "additionalItems", "properties", "required", "enum", "pattern",
            "minLength", "maxProperties", "minimum", "multipleOf", "uniqueItems", "allOf", "not",
            "if", "then", "dependencies", "patternProperties", "propertyNames", "contains",
            "definitions", "title", "examples", "format", "additionalProperties",
        ]),
        value in value(),
    ) {
        let schema = json!({ name: value });
        let ours = Schema::compile(&schema);
        prop_assert_eq!(ours.is_ok(), library(&schema).is_some(), "{} {:?}", schema, ours);
    }
}

#[test]
fn large_schemas_are_as_good_as_small_ones() {
    let one = |number: usize| (format!("p{number}"), json!({ "type": "integer" }));
    let properties: serde_json::Map<_, _> = (0..1_000).map(one).collect();
    let schema = json!({ "properties": properties });
    assert_eq!(told(&schema, &json!({ "p999": "a" })).len(), 1);
}
