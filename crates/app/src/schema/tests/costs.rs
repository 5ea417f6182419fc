//! What schemas and payloads may cost, at their worst. Each of these ends at once, or the tests
//! don't end.

use super::*;

fn many(count: usize, schema: impl Fn(usize) -> Value) -> serde_json::Map<String, Value> {
    (0..count)
        .map(|at| (format!("d{at}"), schema(at)))
        .collect()
}

/// A value in so many lists.
fn nested(depth: usize) -> Value {
    (0..depth).fold(json!(0), |inner, _| json!([inner]))
}

#[test]
fn branches_that_double_with_each_schema_are_given_up() {
    for words in ["anyOf", "oneOf", "allOf"] {
        let next = |at: usize| {
            let next = json!({ "$ref": format!("#/definitions/d{}", at + 1) });
            json!({ words: [next, next] })
        };
        let mut definitions = many(30, next);
        let last = json!({ "type": "string", "pattern": "a" });
        definitions.insert("d30".to_owned(), last);
        let schema = json!({ "$ref": "#/definitions/d0", "definitions": definitions });
        let payload = match words {
            "allOf" => json!("a"),
            _ => json!(1),
        };
        assert_eq!(outcome(&schema, &payload), Outcome::TooMuch, "{words}");
    }
}

#[test]
fn branches_that_double_with_each_level_of_the_payload_are_given_up() {
    let schema = json!({ "anyOf": [
        { "type": "array", "items": { "$ref": "#" } },
        { "items": { "$ref": "#" }, "type": "array" },
    ]});
    assert_eq!(outcome(&schema, &nested(100)), Outcome::TooMuch);
    assert!(!told(&schema, &nested(3)).is_empty());
}

#[test]
fn what_goes_deep_in_both_is_given_up_before_the_stack_ends() {
    let next = |at: usize| json!({ "allOf": [{ "$ref": format!("#/definitions/d{}", at + 1) }] });
    let mut definitions = many(IN_PLACE_MAX - 1, next);
    let last = format!("d{}", IN_PLACE_MAX - 1);
    definitions.insert(last, json!({ "items": { "$ref": "#/definitions/d0" } }));
    let schema = json!({ "$ref": "#/definitions/d0", "definitions": definitions });
    assert_eq!(outcome(&schema, &nested(120)), Outcome::TooMuch);
    assert_eq!(outcome(&schema, &nested(3)), Outcome::Matches);
}

#[test]
fn chains_of_schemas_that_apply_to_one_value_have_a_limit() {
    let chain = |length: usize| {
        let next = |at: usize| json!({ "not": { "$ref": format!("#/definitions/d{}", at + 1) } });
        let mut definitions = many(length, next);
        definitions.insert(format!("d{length}"), json!({ "type": "string" }));
        json!({ "$ref": "#/definitions/d0", "definitions": definitions })
    };
    compiled(&chain(IN_PLACE_MAX - 1));
    for length in [IN_PLACE_MAX + 1, 5_000] {
        let error = Schema::compile(&chain(length)).expect_err("it is too long");
        assert!(error.to_string().contains("shorter"), "{error}");
    }
}

#[test]
fn a_megabyte_of_wrong_items_is_told_of_in_a_few_violations() {
    let payload: Value = vec![0; 500_000].into();
    let wrong = json!({ "items": { "type": "string", "minLength": 1 } });
    assert_eq!(told(&wrong, &payload).len(), VIOLATIONS_MAX);
    let right = json!({ "type": "array", "items": { "type": "integer", "minimum": 0 } });
    assert_eq!(outcome(&right, &payload), Outcome::Matches);
    assert_eq!(told(&json!({ "uniqueItems": true }), &payload).len(), 1);
}

#[test]
fn what_is_gone_through_for_every_item_is_paid_for() {
    // It matches all of them: no violation ends it.
    let payload: Value = vec![json!({ "a": 1 }); 50_000].into();
    let numbers = (0..5_000).map(|number| json!([number]));
    let choices: Vec<Value> = numbers.chain([json!({ "a": 1 })]).collect();
    let names: Vec<_> = (0..5_000).map(|number| format!("n{number}")).collect();
    let patterns = (0..100).map(|number| (format!("p{number}"), json!(true)));
    let patterns: serde_json::Map<_, _> = patterns.collect();
    for items in [
        json!({ "enum": choices }),
        json!({ "not": { "required": names } }),
        json!({ "patternProperties": patterns }),
    ] {
        let schema = json!({ "items": items });
        let outcome = outcome(&schema, &payload);
        assert!(
            outcome == Outcome::TooMuch,
            "{}",
            schema["items"].to_string().len()
        );
    }
}

#[test]
fn patterns_that_other_engines_never_end_with_are_matched() {
    let text = format!("{}!", "a".repeat(100_000));
    for pattern in [
        "^(a+)+$",
        "^(a|a)*$",
        "(x+x+)+y",
        "^(([a-z])+.)+[A-Z]([a-z])+$",
    ] {
        let schema = json!({ "pattern": pattern });
        assert_eq!(told(&schema, &json!(text)).len(), 1, "{pattern}");
    }
}

#[test]
fn a_pattern_costs_what_its_program_costs_at_its_worst() {
    let of_repeated = |count: usize| json!({ "pattern": format!("[ab]*a[ab]{{{count}}}c") });
    // All of the program is under way at each of these.
    let mixed: String = (0_u64..100_000)
        .map(|at| match at.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 63 {
            0 => 'a',
            _ => 'b',
        })
        .collect();
    let slow = outcome(&of_repeated(1_500), &json!(mixed));
    assert_eq!(slow, Outcome::TooMuch);
    assert_eq!(told(&of_repeated(2), &json!(mixed)).len(), 1);
}

#[test]
fn counts_of_one_kind_of_character_cost_no_more_than_short_patterns() {
    let text = "é".repeat(900);
    for pattern in ["^.{1,1000}$", r"^\p{L}{1,1000}$", "^[^a-z]{900}$"] {
        let schema = json!({ "items": { "pattern": pattern } });
        let payload = json!(vec![text.as_str(); 100]);
        assert_eq!(outcome(&schema, &payload), Outcome::Matches, "{pattern}");
        assert_eq!(told(&schema, &json!([format!("{text}a\n")])).len(), 1);
    }
}

#[test]
fn names_are_held_once_however_many_schemas_are_within_them() {
    let many = json!({ "properties": many(15_000, |_| json!({})) });
    let schema = json!({ "properties": { "x".repeat(800_000): many } });
    compiled(&schema);
}

#[test]
fn a_schema_has_no_more_in_it_than_may_be() {
    let properties = |count| json!({ "properties": many(count, |_| json!({})) });
    compiled(&properties(NODES_MAX - 1));
    let patterns = |count| json!({ "properties": many(count, |_| json!({ "pattern": "a" })) });
    compiled(&patterns(PATTERNS_MAX));
    for (schema, expected) in [
        (properties(NODES_MAX), "more than 20000 schemas"),
        (patterns(PATTERNS_MAX + 1), "more than 200 patterns"),
        (
            json!({ "pattern": "a".repeat(PATTERN_BYTES_MAX + 1) }),
            "more than 2000 bytes",
        ),
        (
            json!({ "properties": large_patterns(PROGRAMS_BYTES_MAX) }),
            "grow too large together",
        ),
        (
            json!({ "enum": vec![json!({ "a": 0 }); 100_000] }),
            "bytes of memory",
        ),
        (
            json!({ "title": "a".repeat(SCHEMA_BYTES_MAX) }),
            "at most 1048576",
        ),
    ] {
        let error = Schema::compile(&schema)
            .expect_err("it is too much")
            .to_string();
        assert!(error.contains(expected), "{error}");
    }
}

/// Schemas whose patterns' programs are more than so many bytes together.
fn large_patterns(bytes: usize) -> serde_json::Map<String, Value> {
    let one = |at| format!("({at}?b?){{400}}c");
    let program = pattern::Pattern::new(&one(0)).expect("it is not too large");
    many(
        bytes / program.program + 1,
        |at| json!({ "pattern": one(at) }),
    )
}
