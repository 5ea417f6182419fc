//! What rules take, and that they take nothing else.

use super::*;
use proptest::prelude::*;

fn digest(value: &[u8]) -> [u8; 32] {
    let mut digest = [0; 32];
    for (place, byte) in value.iter().enumerate() {
        digest[place % 32] ^= byte.rotate_left(u32::try_from(place % 8).unwrap_or(0));
    }
    digest
}

fn rule(path: &str, action: Action) -> Rule {
    let path = path.parse().expect("it is a path");
    Rule { path, action }
}

fn path(text: &str) -> Path {
    text.parse().expect("it is a path")
}

fn mask(keep_last: usize) -> Action {
    Action::Mask { keep_last }
}

fn redacted(payload: &str, rules: &[Rule]) -> String {
    let orders = Orders {
        rules: [rules, &[]],
        ..Orders::default()
    };
    by(payload, &orders)
}

fn by(payload: &str, orders: &Orders<'_>) -> String {
    let redacted = redact(payload.as_bytes(), orders, &digest).expect("it is JSON");
    match redacted {
        Some(bytes) => String::from_utf8(bytes).expect("text stays text"),
        None => payload.to_owned(),
    }
}

fn dropped(payload: &str, paths: &[&str]) -> String {
    let rules: Vec<_> = paths.iter().map(|path| rule(path, Action::Drop)).collect();
    redacted(payload, &rules)
}

#[test]
fn dropping_takes_members_and_items_with_their_commas() {
    let payload = r#"{ "b": 1.50, "a": [1, {"x": 2}, 3], "c": "d" }"#;
    for (paths, expected) in [
        (&["/b"][..], r#"{ "a": [1, {"x": 2}, 3], "c": "d" }"#),
        (&["/a"], r#"{ "b": 1.50, "c": "d" }"#),
        (&["/c"], r#"{ "b": 1.50, "a": [1, {"x": 2}, 3] }"#),
        (&["/b", "/a"], r#"{ "c": "d" }"#),
        (&["/a", "/c"], r#"{ "b": 1.50 }"#),
        (&["/b", "/c"], r#"{ "a": [1, {"x": 2}, 3] }"#),
        (&["/a", "/b", "/c"], "{  }"),
        (&["/a/0"], r#"{ "b": 1.50, "a": [{"x": 2}, 3], "c": "d" }"#),
        (&["/a/1"], r#"{ "b": 1.50, "a": [1, 3], "c": "d" }"#),
        (&["/a/1/x"], r#"{ "b": 1.50, "a": [1, {}, 3], "c": "d" }"#),
        (&["$.a[*]"], r#"{ "b": 1.50, "a": [], "c": "d" }"#),
        (&["$..x", "$.b"], r#"{ "a": [1, {}, 3], "c": "d" }"#),
        (&["$..*"], "{  }"),
        (&["/d", "/a/3", "/b/x", "/a/01", "$.a.x"], payload),
    ] {
        assert_eq!(dropped(payload, paths), expected, "{paths:?}");
    }
}

#[test]
fn a_name_is_found_however_it_is_written_and_however_often() {
    let payload = r#"{"e\u006dail":1,"email":2,"x":3,"email":{"email":4}}"#;
    assert_eq!(dropped(payload, &["/email"]), r#"{"x":3}"#);
    assert_eq!(
        dropped(r#"{"a/b":1,"c~d":2,"":3}"#, &["/a~1b", "/c~0d", "/"]),
        "{}"
    );
    assert_eq!(
        dropped(r#"{"0":1,"a":[5,6]}"#, &["/0", "/a/0"]),
        r#"{"a":[6]}"#
    );
}

#[test]
fn descent_finds_what_is_at_any_depth() {
    let payload = r#"{"a":{"ssn":1,"b":[{"ssn":2,"k":3}]},"ssn":{"ssn":4}}"#;
    assert_eq!(dropped(payload, &["$..ssn"]), r#"{"a":{"b":[{"k":3}]}}"#);
    assert_eq!(
        dropped(payload, &["$.a..ssn"]),
        r#"{"a":{"b":[{"k":3}]},"ssn":{"ssn":4}}"#
    );
    let deep = "[".repeat(900) + r#"{"ssn":1,"k":2}"# + &"]".repeat(900);
    let expected = "[".repeat(900) + r#"{"k":2}"# + &"]".repeat(900);
    assert_eq!(dropped(&deep, &["$..ssn"]), expected);
}

#[test]
fn masking_keeps_the_last_characters_of_what_is_longer() {
    for (value, keep_last, expected) in [
        (r#""4242424242424242""#, 4, r#""************4242""#),
        (r#""é\u00e9ö😀""#, 2, r#""**ö😀""#),
        (r#""a\"b""#, 2, r#""*\"b""#),
        (r#""1234""#, 4, r#""****""#),
        (r#""12""#, 4, r#""**""#),
        (r#""secret""#, 0, r#""******""#),
        (r#""""#, 4, r#""""#),
        ("4242424242424242", 4, r#""************4242""#),
        ("-1.50e3", 2, r#""*****e3""#),
        ("true", 3, r#""****""#),
        ("false", 0, r#""****""#),
        ("null", 0, r#""****""#),
        (r#"{"a":"1234"}"#, 8, r#""****""#),
        ("[1, 2]", 4, r#""****""#),
    ] {
        let payload = format!(r#"{{"v":{value},"w":1}}"#);
        let expected = format!(r#"{{"v":{expected},"w":1}}"#);
        assert_eq!(redacted(&payload, &[rule("/v", mask(keep_last))]), expected);
    }
}

#[test]
fn the_same_value_has_the_same_hash_however_it_is_written() {
    let hash = |value: &str| {
        let payload = format!(r#"{{"v":{value}}}"#);
        redacted(&payload, &[rule("/v", Action::Hash)])
    };
    assert_eq!(hash(r#""a@b""#), hash(r#""a\u0040b""#));
    assert_eq!(
        hash(r#"{"a": [1, "x \" y"]}"#),
        hash(r#"{"a":[1,"x \" y"] }"#)
    );
    assert_ne!(hash(r#""x y""#), hash(r#""xy""#));
    assert_ne!(hash(r#"["x y"]"#), hash(r#"["xy"]"#));
    let shown = hash("1");
    let digits = shown
        .strip_prefix(r#"{"v":"hash:"#)
        .and_then(|rest| rest.strip_suffix("\"}"));
    assert_eq!(digits.map(str::len), Some(64));
}

#[test]
fn of_several_rules_for_one_value_the_one_that_shows_least_wins() {
    let rules = |actions: &[Action]| -> Vec<_> {
        actions.iter().map(|action| rule("/v", *action)).collect()
    };
    let payload = r#"{"v":"value","w":1}"#;
    let all = rules(&[mask(2), Action::Drop, Action::Hash]);
    assert_eq!(redacted(payload, &all), r#"{"w":1}"#);
    let hashed = redacted(payload, &rules(&[Action::Hash, mask(2)]));
    assert!(hashed.contains("hash:"), "{hashed}");
    let masked = redacted(payload, &rules(&[mask(4), mask(2)]));
    assert_eq!(masked, r#"{"v":"***ue","w":1}"#);
}

#[test]
fn a_value_that_is_taken_as_a_whole_shows_nothing_of_what_is_in_it() {
    let payload = r#"{"customer":{"name":"Ada","ssn":"123"}}"#;
    let rules = [
        rule("/customer", mask(8)),
        rule("/customer/ssn", Action::Drop),
    ];
    assert_eq!(redacted(payload, &rules), r#"{"customer":"****"}"#);
}

#[test]
fn what_is_marked_is_dropped_unless_it_is_allowed() {
    let payload = r#"{"a":{"email":"x","ssn":"y"},"email":"z"}"#;
    let marked = [path("$..email"), path("/a/ssn")];
    let sent = |allowed: &[Path], rules: &[Rule]| {
        let orders = Orders {
            rules: [&[], rules],
            marked: &marked,
            allowed,
        };
        by(payload, &orders)
    };
    assert_eq!(sent(&[], &[]), r#"{"a":{}}"#);
    assert_eq!(sent(&[path("/a/email")], &[]), r#"{"a":{"email":"x"}}"#);
    assert_eq!(sent(&[path("/a")], &[]), r#"{"a":{"email":"x","ssn":"y"}}"#);
    assert_eq!(sent(&[path("$..*")], &[]), payload);
    let rules = [rule("/email", mask(0))];
    assert_eq!(sent(&[path("/email")], &rules), r#"{"a":{},"email":"*"}"#);
    assert_eq!(sent(&[], &rules), r#"{"a":{}}"#);
}

#[test]
fn what_is_allowed_does_not_undo_rules() {
    let orders = Orders {
        rules: [&[rule("/email", Action::Drop)], &[]],
        marked: &[path("/email")],
        allowed: &[path("/email")],
    };
    assert_eq!(by(r#"{"email":"x"}"#, &orders), "{}");
}

#[test]
fn nothing_is_shown_of_what_is_not_json() {
    let rules = [rule("/a", Action::Drop)];
    let orders = Orders {
        rules: [&rules, &[]],
        ..Orders::default()
    };
    for bad in [&b"<a/>"[..], b"{\"a\":1,}", b"\"\xff\"", b"", b"{} {}"] {
        assert!(redact(bad, &orders, &digest).is_err());
        assert_eq!(redact(bad, &Orders::default(), &digest), Ok(None));
    }
}

#[test]
fn rules_and_paths_are_read_as_they_were_written() {
    let all = [
        rule("/a b/c", Action::Drop),
        rule("$..email", Action::Hash),
        rule("$['x y']", mask(4)),
    ];
    assert_eq!(rules(&rules_text(&all)).as_deref(), Some(&all[..]));
    assert_eq!(rules(&rules_text(&[])).as_deref(), Some(&[][..]));
    for bad in ["drop", "drop a", "mask /a", "mask:x /a", "keep /a"] {
        assert_eq!(rules(bad), None, "{bad}");
    }
    let all = [path("/a"), path("$..b")];
    assert_eq!(paths(&paths_text(&all)).as_deref(), Some(&all[..]));
    assert_eq!(paths("a"), None);
}

/// JSON texts with white space between their tokens, of a few names.
fn json() -> impl Strategy<Value = String> {
    let scalar = prop_oneof![
        Just("null".to_owned()),
        Just("true".to_owned()),
        Just("12345678901234567890.10".to_owned()),
        "\"[a-c \\\\\"]{0,0}SECRET[a-c]{0,4}\"",
    ];
    scalar.prop_recursive(5, 40, 4, |inner| {
        let space = "[ \n]{0,2}";
        let array = (space, prop::collection::vec((inner.clone(), space), 0..4)).prop_map(
            |(space, items)| {
                let items: Vec<_> = items
                    .iter()
                    .map(|(item, space)| format!("{item}{space}"))
                    .collect();
                format!("[{space}{}]", items.join(","))
            },
        );
        let members = prop::collection::vec(("[a-c]", inner, space), 0..4);
        let object = (space, members).prop_map(|(space, members)| {
            let member = |(name, value, space): &(String, String, String)| {
                format!("{space}\"{name}\" :{space}{value}{space}")
            };
            let members: Vec<_> = members.iter().map(member).collect();
            format!("{{{space}{}}}", members.join(","))
        });
        prop_oneof![array, object]
    })
}

fn any_path() -> impl Strategy<Value = String> {
    let step = prop_oneof![
        Just(".a".to_owned()),
        Just(".b".to_owned()),
        Just("[0]".to_owned()),
        Just("[1]".to_owned()),
        Just("[*]".to_owned()),
        Just("..c".to_owned()),
        Just("..[1]".to_owned()),
    ];
    prop::collection::vec(step, 1..4).prop_map(|steps| format!("${}", steps.concat()))
}

fn any_rules() -> impl Strategy<Value = Vec<Rule>> {
    let action = prop_oneof![
        Just(Action::Drop),
        Just(Action::Hash),
        (0..5_usize).prop_map(mask)
    ];
    let one = (any_path(), action).prop_map(|(path, action)| rule(&path, action));
    prop::collection::vec(one, 0..4)
}

proptest! {
    #[test]
    fn what_is_left_is_json_and_was_there_before(payload in json(), rules in any_rules()) {
        let left = redacted(&payload, &rules);
        let orders = Orders { rules: [&[rule("/zzz", Action::Drop)], &[]], ..Orders::default() };
        prop_assert_eq!(redact(left.as_bytes(), &orders, &digest), Ok(None));
        if rules.iter().all(|rule| rule.action == Action::Drop) {
            // What was not taken is there as it was, in its order.
            let mut rest = payload.bytes();
            prop_assert!(left.bytes().all(|byte| rest.any(|other| other == byte)));
        }
    }

    #[test]
    fn a_dropped_name_is_nowhere(payload in json()) {
        let left = dropped(&payload, &["$..c"]);
        prop_assert!(!left.contains("\"c\""));
        prop_assert_eq!(payload.contains("\"c\""), left != payload);
    }

    #[test]
    fn dropping_everything_leaves_no_value(payload in json()) {
        let left = dropped(&payload, &["$.*"]);
        let holds = payload.starts_with(['{', '[']);
        prop_assert!(!holds || !left.contains("SECRET"));
    }

    #[test]
    fn nothing_makes_it_panic(payload in any::<Vec<u8>>(), rules in any_rules()) {
        let orders = Orders { rules: [&rules, &[]], ..Orders::default() };
        let _ = redact(&payload, &orders, &digest);
    }

    #[test]
    fn no_text_makes_a_path_panic(text in "[/$.\\[\\]*'\"a0~\\\\é-]{0,20}") {
        let _ = text.parse::<Path>();
    }
}
