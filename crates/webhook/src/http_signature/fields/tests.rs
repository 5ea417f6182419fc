//! What is read of a structured field, and what is refused.

use super::*;

fn rewritten(field: &str) -> Option<String> {
    let members = parse_lists(field.as_bytes())?;
    let mut out = String::new();
    for (key, list) in members {
        out.push_str(&key);
        out.push('=');
        list.write(&mut out);
        out.push('\n');
    }
    Some(out)
}

#[test]
fn lists_are_written_as_the_standard_writes_them() {
    for (field, expected) in [
        ("a=()", "a=()\n"),
        ("a=( )", "a=()\n"),
        (r#" a=( "x"   "y" ) "#, "a=(\"x\" \"y\")\n"),
        (
            r#"a=("x";b="q";  c);d=1;e=-7"#,
            "a=(\"x\";b=\"q\";c);d=1;e=-7\n",
        ),
        (
            r#"a=("\"\\");t=to/k:en;f=?0;y=?1"#,
            "a=(\"\\\"\\\\\");t=to/k:en;f=?0;y\n",
        ),
        ("a=();b=:AQI=: \t, \t b=()", "a=();b=:AQI=:\nb=()\n"),
        ("*a_-.*=()", "*a_-.*=()\n"),
    ] {
        assert_eq!(rewritten(field).as_deref(), Some(expected), "{field}");
    }
}

#[test]
fn what_can_be_understood_in_two_ways_is_refused() {
    for field in [
        "",
        ",",
        "a",
        "A=()",
        "a=",
        "a=(",
        "a=()x",
        "a=() b=()",
        "a=(),",
        "a=(),,b=()",
        "a=(), a=()",
        "a=();b;b",
        "a=();b;b=2",
        r#"a=("x""y")"#,
        "a=(\"x\"\t\"y\")",
        r#"a=("x)"#,
        r#"a=("\x")"#,
        "a=(\"\u{e9}\")",
        "a=(\"\n\")",
        "a=(x)",
        "a=(1)",
        "a=1",
        "a=();b=007",
        "a=();b=-0",
        "a=();b=--1",
        "a=();b=1.0",
        "a=();b=1234567890123456",
        "a=();b=",
        "a=();b=:AQI:",
        "a=();b=:AQI=",
        "a=();b=:AQJ=:",
        "a=();b=?2",
        "a=();b=@1",
        "a=();B=1",
        "a=() ;b=1",
    ] {
        assert_eq!(rewritten(field), None, "{field:?}");
    }
    assert_eq!(rewritten(&format!("a=({})", "\"x\" ".repeat(3000))), None);
}

#[test]
fn members_that_are_no_bytes_are_told_apart() {
    let members = parse_bytes(br#"a=:AQI=:;p=1, b="x", c;q, d=tok, e=?0, f=1"#).unwrap();
    let found: Vec<_> = members
        .iter()
        .map(|(key, bytes)| (key.as_str(), bytes.as_deref()))
        .collect();
    let others = ["b", "c", "d", "e", "f"].map(|key| (key, None));
    assert_eq!(found[0], ("a", Some(&[1, 2][..])));
    assert_eq!(found[1..], others);
}
