//! YAML as the JSON that it stands for: one document, of the core schema of YAML 1.2. A library
//! takes the text apart; here is what bounds it. Aliases repeat what they stand for, so that a
//! short text can stand for any amount: what comes of it is counted, and ends at a limit.

use super::gather::weight;
use saphyr_parser::{Event, Marker, Parser, ScalarStyle, Tag};
use serde_json::{Map, Number, Value};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// The deepest that a document may nest; as deep as is read of JSON, about.
const DEPTH_MAX: usize = 100;
/// The most bytes that come of a document, with what aliases repeat.
const BYTES_MAX: usize = 64 << 20;
/// About how many bytes of memory a value needs beside its text.
const VALUE_BYTES: usize = 64;

/// Why a text is no document.
#[derive(Debug, thiserror::Error)]
#[error("line {line}, column {column}: {what}")]
pub(super) struct YamlError {
    line: usize,
    column: usize,
    what: Cow<'static, str>,
}

/// Reads the only document of a text.
pub(super) fn read(text: &str) -> Result<Value, YamlError> {
    let mut building = Building::default();
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|error| {
            let what = error.info().to_owned();
            at(error.marker(), what)
        })?;
        let taken = building.take(event);
        taken.map_err(|what| at(&span.start, what))?;
    }
    Ok(building.whole.unwrap_or(Value::Null))
}

fn at(marker: &Marker, what: impl Into<Cow<'static, str>>) -> YamlError {
    YamlError {
        line: marker.line(),
        column: marker.col() + 1,
        what: what.into(),
    }
}

/// A document while it is read.
#[derive(Default)]
struct Building {
    /// What has begun and not ended, the outermost first.
    open: Vec<(Open, usize)>,
    /// What aliases may stand for, and how deep each nests.
    anchors: BTreeMap<usize, (Value, usize)>,
    documents: usize,
    bytes: usize,
    whole: Option<Value>,
}

/// Something that has begun.
enum Open {
    List(Vec<Value>),
    Map {
        map: Map<String, Value>,
        /// The key whose value comes next.
        key: Option<Key>,
        /// What `<<` brings where the map has nothing of its own.
        merged: Vec<Value>,
    },
}

/// A key of a map.
enum Key {
    Named(String),
    /// `<<`, as older documents have it: the map also has what its value has.
    Merge,
}

const NO_KEY: &str = "a key is a text: this is none";
const TOO_DEEP: &str = "this nests more than 100 deep, with what aliases stand for";

type Taken = Result<(), &'static str>;

impl Building {
    fn take(&mut self, event: Event<'_>) -> Taken {
        match event {
            Event::DocumentStart(_) => {
                self.documents += 1;
                match self.documents {
                    1 => Ok(()),
                    _ => Err("another document begins here: give one"),
                }
            }
            Event::SequenceStart(anchor, _) => self.begin(Open::List(Vec::new()), anchor),
            Event::MappingStart(anchor, _) => {
                let map = Open::Map {
                    map: Map::new(),
                    key: None,
                    merged: Vec::new(),
                };
                self.begin(map, anchor)
            }
            Event::SequenceEnd | Event::MappingEnd => self.end(),
            Event::Scalar(text, style, anchor, tag) => self.scalar(text, style, anchor, tag),
            Event::Alias(anchor) => {
                let Some((value, depth)) = self.anchors.get(&anchor) else {
                    return Err("this alias stands for something that has not ended");
                };
                if self.open.len() + depth > DEPTH_MAX {
                    return Err(TOO_DEEP);
                }
                let value = value.clone();
                self.spend_copy(&value)?;
                self.put(value)
            }
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => Ok(()),
        }
    }

    fn begin(&mut self, open: Open, anchor: usize) -> Taken {
        self.spend(VALUE_BYTES)?;
        if self.open.len() == DEPTH_MAX {
            return Err(TOO_DEEP);
        }
        if let Some((Open::Map { key: None, .. }, _)) = self.open.last() {
            return Err(NO_KEY);
        }
        self.open.push((open, anchor));
        Ok(())
    }

    fn end(&mut self) -> Taken {
        let Some((open, anchor)) = self.open.pop() else {
            return Err("nothing has begun that could end here");
        };
        let value = match open {
            Open::List(items) => Value::Array(items),
            Open::Map { map, merged, .. } => Value::Object(merge(map, merged)?),
        };
        self.anchor(anchor, &value)?;
        self.put(value)
    }

    fn scalar(
        &mut self,
        text: Cow<'_, str>,
        style: ScalarStyle,
        anchor: usize,
        tag: Option<Cow<'_, Tag>>,
    ) -> Taken {
        self.spend(VALUE_BYTES + text.len())?;
        let is_plain = style == ScalarStyle::Plain;
        if let Some((Open::Map { key, .. }, _)) = self.open.last_mut()
            && key.is_none()
        {
            // A key is a text in JSON, whatever else it could be, such as the number of a status.
            *key = Some(match is_plain && text == "<<" {
                true => Key::Merge,
                false => Key::Named(text.clone().into_owned()),
            });
            return self.anchor(anchor, &Value::String(text.into_owned()));
        }
        let is_text = |tag: &Tag| tag.is_yaml_core_schema() && tag.suffix == "str";
        let value = match is_plain && !tag.as_deref().is_some_and(is_text) {
            true => plain(text)?,
            false => Value::String(text.into_owned()),
        };
        self.anchor(anchor, &value)?;
        self.put(value)
    }

    /// Remembers what an alias may stand for.
    fn anchor(&mut self, anchor: usize, value: &Value) -> Taken {
        if anchor > 0 {
            self.spend_copy(value)?;
            self.anchors.insert(anchor, (value.clone(), depth(value)));
        }
        Ok(())
    }

    /// Puts a value where it belongs.
    fn put(&mut self, value: Value) -> Taken {
        match self.open.last_mut() {
            None => self.whole = Some(value),
            Some((Open::List(items), _)) => items.push(value),
            Some((Open::Map { map, key, merged }, _)) => match key.take() {
                None => return Err(NO_KEY),
                Some(Key::Merge) => merged.push(value),
                Some(Key::Named(key)) => {
                    if map.insert(key, value).is_some() {
                        return Err("its key was there before");
                    }
                }
            },
        }
        Ok(())
    }

    fn spend_copy(&mut self, value: &Value) -> Taken {
        self.spend(weight(value) * (VALUE_BYTES / 8))
    }

    fn spend(&mut self, bytes: usize) -> Taken {
        self.bytes += bytes;
        match self.bytes <= BYTES_MAX {
            true => Ok(()),
            false => Err(
                "up to here, more than 64 MiB come of it: make it smaller, or repeat less by aliases",
            ),
        }
    }
}

/// How many lists and maps are within each other.
fn depth(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
        Value::Object(map) => 1 + map.values().map(depth).max().unwrap_or(0),
        _ => 0,
    }
}

/// A map with what others bring that it does not have itself; the first of them wins.
fn merge(
    mut map: Map<String, Value>,
    merged: Vec<Value>,
) -> Result<Map<String, Value>, &'static str> {
    for brought in merged {
        let all = match brought {
            Value::Array(all) => all,
            one => vec![one],
        };
        for one in all {
            let Value::Object(one) = one else {
                return Err("`<<` brings maps: this is none");
            };
            for (key, value) in one {
                map.entry(key).or_insert(value);
            }
        }
    }
    Ok(map)
}

/// What a text without quotes stands for.
fn plain(text: Cow<'_, str>) -> Result<Value, &'static str> {
    Ok(match &*text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "true" | "True" | "TRUE" => Value::Bool(true),
        "false" | "False" | "FALSE" => Value::Bool(false),
        ".nan" | ".NaN" | ".NAN" | ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF"
        | "-.inf" | "-.Inf" | "-.INF" => {
            return Err("JSON has no such number");
        }
        text if is_number(text) => match number(text) {
            Some(number) => Value::Number(number),
            None => return Err("this number is too large"),
        },
        _ => Value::String(text.into_owned()),
    })
}

/// Whether the core schema takes a text for a number.
fn is_number(text: &str) -> bool {
    let all = |digits: &str, fits: fn(char) -> bool| !digits.is_empty() && digits.chars().all(fits);
    if let Some(digits) = text.strip_prefix("0x") {
        return all(digits, |c| c.is_ascii_hexdigit());
    }
    if let Some(digits) = text.strip_prefix("0o") {
        return all(digits, |c| c.is_digit(8));
    }
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        None => (unsigned, "0"),
        Some((mantissa, exponent)) => (
            mantissa,
            exponent.strip_prefix(['+', '-']).unwrap_or(exponent),
        ),
    };
    let (whole, part) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = [whole, part].concat();
    all(&digits, |c| c.is_ascii_digit()) && all(exponent, |c| c.is_ascii_digit())
}

/// The number that such a text is, if it fits.
fn number(text: &str) -> Option<Number> {
    let radix = [("0x", 16), ("0o", 8)];
    for (prefix, radix) in radix {
        if let Some(digits) = text.strip_prefix(prefix) {
            return u64::from_str_radix(digits, radix).ok().map(Number::from);
        }
    }
    let plain = text.strip_prefix('+').unwrap_or(text);
    let whole = plain.parse::<u64>().ok().map(Number::from);
    let whole = whole.or_else(|| plain.parse::<i64>().ok().map(Number::from));
    whole.or_else(|| Number::from_f64(plain.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn refused(text: &str) -> String {
        read(text).expect_err("it is refused").to_string()
    }

    #[test]
    fn yaml_stands_for_the_json_that_it_means() {
        let text = r#"
# A comment.
openapi: "3.1.0"
numbers: [1, -2, +3, 0x1f, 0o17, 1.5, 1e3, -.5, 18446744073709551615]
texts: [1_000, 2026-01-02, 1.2.3, yes, on, "1", '~', !!str 5, "", 0x, .]
others: [~, null, true, False]
nothing:
responses:
  200: {description: fine}
  "404": { description: "gone" }
folded: >-
  one
  two
literal: |
  one
  two
"#;
        let expected = json!({
            "openapi": "3.1.0",
            "numbers": [1, -2, 3, 31, 15, 1.5, 1000.0, -0.5, 18_446_744_073_709_551_615_u64],
            "texts": ["1_000", "2026-01-02", "1.2.3", "yes", "on", "1", "~", "5", "", "0x", "."],
            "others": [null, null, true, false],
            "nothing": null,
            "responses": {"200": {"description": "fine"}, "404": {"description": "gone"}},
            "folded": "one two",
            "literal": "one\ntwo\n",
        });
        assert_eq!(read(text).unwrap(), expected);
        assert_eq!(read("").unwrap(), Value::Null);
        assert_eq!(read("just a text").unwrap(), json!("just a text"));
    }

    #[test]
    fn aliases_and_merges_repeat_what_they_stand_for() {
        let text = "
base: &base {a: 1, b: 2}
again: *base
merged: {<<: *base, b: 3}
several: {b: 4, <<: [{c: 5}, *base]}
";
        let expected = json!({
            "base": {"a": 1, "b": 2},
            "again": {"a": 1, "b": 2},
            "merged": {"a": 1, "b": 3},
            "several": {"a": 1, "b": 4, "c": 5},
        });
        assert_eq!(read(text).unwrap(), expected);
    }

    #[test]
    fn aliases_that_repeat_too_much_end_at_a_limit() {
        let mut text = String::from(
            "a0: &a0 [x, x, x, x, x, x, x, x, x, x]
",
        );
        for level in 1..10 {
            let below = format!("*a{}, ", level - 1).repeat(10);
            text.push_str(&format!(
                "a{level}: &a{level} [{below}]
"
            ));
        }
        assert!(refused(&text).contains("64 MiB"), "{}", refused(&text));
        let long = "x".repeat(1 << 20);
        let text = format!(
            "a: &a {long}
b: [{}]
",
            "*a, ".repeat(1_000)
        );
        assert!(refused(&text).contains("64 MiB"));
    }

    #[test]
    fn what_is_no_document_is_refused_where_it_goes_wrong() {
        for (text, why) in [
            ("a: [", "did not find"),
            ("a: b: c", "line 1, column 5"),
            (
                "a: 1
---
b: 2",
                "line 2, column 1: another document",
            ),
            (
                "a: 1
a: 2",
                "line 2, column 4: its key was there before",
            ),
            ("a: &a [*a]", "has not ended"),
            ("[a]: b", "a key is a text"),
            ("{a: b}: c", "a key is a text"),
            (
                "a: &a 1
*a : b",
                "a key is a text",
            ),
            ("a: .nan", "no such number"),
            ("a: 1e999", "too large"),
            ("a: {<<: 1}", "brings maps"),
            ("a: *b", "unknown anchor"),
        ] {
            let refused = refused(text);
            assert!(refused.contains(why), "{text}: {refused}");
        }
        let deep = refused(&"[".repeat(100_000));
        assert!(
            deep.contains("recursion limit") || deep.contains("100 deep"),
            "{deep}"
        );
        let deep = format!("{}{}", "[".repeat(101), "]".repeat(101));
        assert!(refused(&deep).contains("100 deep"));
        let fits = format!("{}{}", "[".repeat(100), "]".repeat(100));
        assert!(read(&fits).is_ok());
    }

    #[test]
    fn aliases_nest_no_deeper_than_what_they_stand_for_could() {
        let nested = |depth: usize, inner: &str| {
            let (begin, end) = ("[".repeat(depth), "]".repeat(depth));
            format!("{begin}{inner}{end}")
        };
        let twice = |depth| format!("a: &a {}\nb: {}\n", nested(40, ""), nested(depth, "*a"));
        assert!(read(&twice(59)).is_ok());
        assert!(refused(&twice(60)).contains("100 deep"));
        // Few bytes, and deeper than any stack could follow.
        let mut text = format!("a0: &a0 {}\n", nested(90, ""));
        for level in 1..100 {
            let inner = nested(90, &format!("*a{}", level - 1));
            text.push_str(&format!("a{level}: &a{level} {inner}\n"));
        }
        assert!(refused(&text).contains("100 deep"));
    }
}
