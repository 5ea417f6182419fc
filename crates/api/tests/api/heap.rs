//! What rubbish is made of: texts, JSON, queries and parts of paths that mean nothing, or something
//! elsewhere, or too much.

use crate::takes::Takes;
use http::Uri;
use proptest::collection::vec;
use proptest::option::of as some;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::Value;
use std::collections::BTreeMap;

/// Words that mean something somewhere, or nearly.
const WORDS: &str = "null true false 0 -1 2 250 65536 18446744073709551616 1e9 100 500
    2026-01-01T00:00:00Z 2025-12-31T23:00:00.000000001Z 1969-12-31T23:59:59Z 0000-01-01T00:00:00Z
    -009999-01-02T01:59:59Z 9999-12-30T22:00:00.999999999Z 2026-01-01T00:00:00+25:00
    2026-02-30T00:00:00Z ascending descending acme hook order-1 batch order.paid app_ ep_ -msg_ -
    auto_1 object # #/properties/a https://example.com https://127.0.0.1 https://[::1]:0/
    https://xn--a file:/// https://a:99999/ http://json-schema.org/draft-07/schema# (a+)+$ [ x-a
    authorization content-type whsec_ whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw whsk_AAAA whpk_AAAA";

/// Words that are easily overlooked.
const GAPS: [&str; 8] = [
    "", " ", "\0", "a b", "x-a\r\nb", "\u{feff}", "\u{202e}", "\u{ffff}",
];

/// Values of JSON that are no text, or no text that can be told.
const VALUES: &str = r##"null true false 0 -0 -1 1 1.5 65535 65536 604800 4294967296 1e308 1e999
    -1e-999 -9223372036854775808 9223372036854775807 18446744073709551616
    123456789012345678901234567890 "\ud800" "\udc00\ud800" "\u0000" [] {} [[]] {"":0}
    {"1":{"type":"object"}} {"1":{"$ref":"#"}}"##;

/// Parts of paths as they may be written.
const PARTS: &str = ". .. %2e%2e%2f % %z %00 acme%00 %ff %c0%af %ed%a0%80 %2f %25 %F0%9F%98%80 + *
    {app_id} a;b=c a:b@c batch null - app_ ep_ msg_ atmpt_";

/// A body, for whatever operation it will be sent to.
#[derive(Debug, Clone)]
pub(crate) enum Body {
    /// For each the same.
    Bytes(Vec<u8>),
    /// One that the operation would take, but for a field, cut off there if it is to be.
    But(Index, String, Option<usize>),
    /// Another field beside those that it knows.
    Beside(String, String),
}

impl Body {
    /// The body for an operation that takes this.
    pub(crate) fn for_one_that(&self, takes: &Takes) -> Vec<u8> {
        let ways = takes.ways();
        let mut text = match self {
            Self::Bytes(bytes) => return bytes.clone(),
            Self::But(_, value, _) if ways.is_empty() => value.clone(),
            Self::But(way, value, _) => takes.body_with(way.get(&ways), value),
            Self::Beside(name, value) => {
                let name = Value::String(name.clone());
                let body = takes.body().unwrap_or_default().to_string();
                match body.strip_prefix('{') {
                    Some("}") | None => format!("{{{name}:{value}}}"),
                    Some(rest) => format!("{{{name}:{value},{rest}"),
                }
            }
        }
        .into_bytes();
        if let Self::But(.., Some(length)) = self {
            text.truncate(*length);
        }
        text
    }
}

/// Bytes; JSON; and bodies that would be good, but for something.
pub(crate) fn body() -> impl Strategy<Value = Body> {
    let bytes = prop_oneof![
        vec(any::<u8>(), 0..200),
        json().prop_map(String::into_bytes),
    ];
    let but = |cut| {
        let parts = (any::<Index>(), json(), cut);
        parts.prop_map(|(way, value, cut)| Body::But(way, value, cut))
    };
    prop_oneof![
        2 => bytes.prop_map(Body::Bytes),
        1 => but(some(0..200_usize).boxed()),
        6 => but(Just(None).boxed()),
        1 => (text(), json()).prop_map(|(name, value)| Body::Beside(name, value)),
    ]
}

/// A query, for whatever operation it will be sent to.
#[derive(Debug, Clone)]
pub(crate) struct Query(Vec<(Name, String)>);

#[derive(Debug, Clone)]
enum Name {
    /// One of those that the operation knows, as a list's name or not.
    Known(Index, &'static str),
    Any(String),
}

impl Query {
    /// The query for an operation that takes parameters of these names.
    pub(crate) fn with_one_of(&self, names: &[String]) -> String {
        let pair = |(name, value): &(Name, String)| match name {
            Name::Known(_, _) if names.is_empty() => format!("limit={value}"),
            Name::Known(place, list) => format!("{}{list}={value}", place.get(names)),
            Name::Any(name) => format!("{name}={value}"),
        };
        let pairs: Vec<_> = self.0.iter().map(pair).collect();
        pairs.join("&")
    }
}

/// What a request line of `http` has room for, 65,534 bytes, less a path and the longest names.
const QUERY_BYTES_MAX: usize = 60_000;

/// Some parameters with their values.
pub(crate) fn query() -> impl Strategy<Value = Query> {
    let known = (any::<Index>(), select(&["", "", "", "[]", "[0]", "[x"][..]));
    let name = prop_oneof![
        8 => known.prop_map(|(place, list)| Name::Known(place, list)),
        1 => text().prop_map(encoded).prop_map(Name::Any),
        1 => "[!-~]{0,8}".prop_map(Name::Any),
    ];
    let value = prop_oneof![6 => text().prop_map(encoded), 1 => "[!-~]{0,8}", 1 => one_of(PARTS)];
    let value = value.prop_filter("it can be sent", |value| can_be_sent(&format!("?{value}")));
    let name = name.prop_filter("the same", |name| match name {
        Name::Any(name) => can_be_sent(&format!("?{name}")),
        Name::Known(..) => true,
    });
    let queries = vec((name, value), 0..5).prop_map(Query);
    queries.prop_filter("it can be sent", |query| {
        query.with_one_of(&[]).len() <= QUERY_BYTES_MAX
    })
}

/// Values of JSON, as they are written: of each kind, and texts that are easily overlooked.
pub(crate) fn values() -> Vec<String> {
    let huge = ["é", "\0"].map(|text| text.repeat(20_000));
    let texts = GAPS.map(str::to_owned).into_iter().chain(huge);
    let texts = texts.map(|text| Value::String(text).to_string());
    let others = VALUES.split_whitespace().map(str::to_owned);
    others.chain(texts).collect()
}

/// Texts as they are written in a query.
pub(crate) fn encoded_texts() -> Vec<String> {
    let texts = WORDS.split_whitespace().chain(GAPS);
    let odd = PARTS
        .split_whitespace()
        .filter(|part| can_be_sent(&format!("?{part}")));
    let texts = texts.map(|text| percent(text.as_bytes()));
    texts.chain(odd.map(str::to_owned)).collect()
}

/// Odd spellings of a part of a path.
pub(crate) fn parts() -> impl Iterator<Item = &'static str> {
    PARTS.split_whitespace().filter(|part| can_be_sent(part))
}

/// What stands in the place of a name in a path.
pub(crate) fn part() -> impl Strategy<Value = String> {
    let bytes = vec(any::<u8>(), 0..40).prop_map(|bytes| percent(&bytes));
    let part = prop_oneof![
        3 => one_of(PARTS),
        2 => bytes,
        3 => text().prop_map(encoded),
        1 => "[!-~]{0,30}",
        1 => "[^ -~]{1,10}",
    ];
    part.prop_filter("it can be sent", |part| can_be_sent(part))
}

/// One of the words of a text.
fn one_of(words: &'static str) -> impl Strategy<Value = String> {
    let words: Vec<_> = words.split_whitespace().collect();
    select(words).prop_map(str::to_owned)
}

/// Whether a server would take it for the end of an address at all.
fn can_be_sent(end: &str) -> bool {
    let path = "x".repeat(200);
    format!("/{path}{end}").parse::<Uri>().is_ok()
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        8 => one_of(WORDS),
        2 => select(&GAPS[..]).prop_map(str::to_owned),
        2 => "(?s).{0,20}",
        2 => "-?(app|ep|msg|atmpt|org|qtask)_[0-9A-Za-z]{0,30}",
        2 => "(app|ep|msg|atmpt)_[0-9A-Za-z]{27}",
        1 => select(&["x", "é", "\0"][..]).prop_map(|text| text.repeat(9_000)),
    ]
}

/// JSON as it is written: some of it can be written only.
fn json() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        one_of(VALUES),
        text().prop_map(|text| Value::String(text).to_string()),
    ];
    leaf.prop_recursive(3, 16, 3, |inner| {
        let members = proptest::collection::btree_map(text(), inner.clone(), 0..4);
        prop_oneof![
            vec(inner, 0..4).prop_map(|items| format!("[{}]", items.join(","))),
            members.prop_map(|members| object(&members)),
        ]
    })
}

fn object(members: &BTreeMap<String, String>) -> String {
    let members = members.iter().map(|(name, value)| {
        let name = Value::String(name.clone());
        format!("{name}:{value}")
    });
    format!("{{{}}}", members.collect::<Vec<_>>().join(","))
}

fn encoded(text: String) -> String {
    percent(text.as_bytes())
}

fn percent(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("%{byte:02X}")).collect()
}
