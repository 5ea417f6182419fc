//! What rubbish is made of: texts, JSON, queries and parts of paths that mean nothing, or something
//! elsewhere, or too much.

use http::Uri;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::Value;
use std::collections::BTreeMap;

/// What every operation takes as its body, in the fields that it knows.
const GOOD: [(&str, &str); 9] = [
    ("name", r#""a""#),
    ("description", r#""""#),
    ("url", r#""https://example.com""#),
    ("eventType", r#""order.paid""#),
    ("payload", "{}"),
    ("since", r#""2025-12-31T00:00:00Z""#),
    ("createdBefore", r#""2025-12-31T00:00:00Z""#),
    ("headers", "{}"),
    ("messages", "[]"),
];

/// Fields that some body, or a part of it, has.
const FIELDS: &str = "name uid throttleRate rateLimit metadata url description disabled version
    eventTypes filterTypes channels secret headers deleteHeaders key gracePeriodSeconds archived
    deprecated schemas featureFlag featureFlags groupName eventType eventId payload data tags
    payloadRetentionPeriod payloadRetentionHours deliverAt application transformationsParams
    rawPayload content-type messages since until createdBefore exampleIndex ids event_types channel
    tag before after iterator limit with_content 1 type $ref $id $schema pattern properties items";

/// Parameters that some query has.
const PARAMETERS: &str = "limit iterator order before after status status_code_class
    expanded_statuses with_content with_msg event_types event_types[] event_types[0] channel tag
    endpoint_id since until get_if_exists exclude_apps_with_no_endpoints
    exclude_apps_with_disabled_endpoints include_archived expunge";

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

/// Bytes; JSON; and JSON that would be good, but for some fields.
pub(crate) fn body() -> impl Strategy<Value = Vec<u8>> {
    let shaped = || vec((field(), json()), 1..4).prop_map(body_with);
    let cut = (shaped(), 0..200_usize).prop_map(|(body, length)| {
        let bytes = body.into_bytes();
        bytes[..length.min(bytes.len())].to_vec()
    });
    prop_oneof![
        1 => vec(any::<u8>(), 0..200),
        1 => json().prop_map(String::into_bytes),
        1 => cut,
        7 => shaped().prop_map(String::into_bytes),
    ]
}

/// A body that every operation would take, but for these fields, alone and as one of a batch.
pub(crate) fn body_with(fields: impl IntoIterator<Item = (String, String)>) -> String {
    let good = GOOD.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let mut all: BTreeMap<_, _> = good.into_iter().collect();
    all.extend(fields);
    if all["messages"] == "[]" {
        let message = object(&all);
        all.insert("messages".to_owned(), format!("[{message}]"));
    }
    object(&all)
}

/// The fields that some body has.
pub(crate) fn fields() -> impl Iterator<Item = &'static str> {
    FIELDS.split_whitespace()
}

/// Some parameters, with values or without.
pub(crate) fn query() -> impl Strategy<Value = String> {
    let name = prop_oneof![
        8 => one_of(PARAMETERS),
        1 => text().prop_map(encoded),
        1 => "[!-~]{0,8}",
    ];
    let value = prop_oneof![6 => text().prop_map(encoded), 1 => "[!-~]{0,8}", 1 => one_of(PARTS)];
    let pair = (name, value).prop_map(|(name, value)| format!("{name}={value}"));
    let pairs = vec(pair, 0..5).prop_map(|pairs| pairs.join("&"));
    pairs.prop_filter("it can be sent", |query| can_be_sent(&format!("?{query}")))
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

fn field() -> impl Strategy<Value = String> {
    prop_oneof![9 => one_of(FIELDS), 1 => text()]
}

/// JSON as it is written: some of it can be written only.
fn json() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        one_of(VALUES),
        text().prop_map(|text| Value::String(text).to_string()),
    ];
    leaf.prop_recursive(3, 16, 3, |inner| {
        let members = proptest::collection::btree_map(field(), inner.clone(), 0..4);
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
