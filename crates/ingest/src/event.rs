//! What becomes of what came: an event with a type, an id and a payload as every message has them,
//! and by what a replay of it is told.

use crate::Shared;
use app::sources::checks::{Came, ReplayProtection};
use app::sources::{Incoming, OpenSource, ReplayDigest, ReplayEntry};
use aws_lc_rs::digest::{SHA256, digest};
use bytes::Bytes;
use http::HeaderMap;
use http::header::CONTENT_TYPE;
use model::challenge::is_challenge;
use model::entropy::random;
use model::hops::Hops;
use model::message::PayloadForm;
use model::name::{NAME_BYTES_MAX, Name};
use model::source::EventTypeAt;
use serde::de::IgnoredAny;
use std::time::Duration;
use webhook::replay::Key;

/// The longest content type that is kept.
const CONTENT_TYPE_BYTES_MAX: usize = 256;

/// The request that it came with.
#[derive(Clone, Copy)]
pub(crate) struct With<'r> {
    pub(crate) headers: &'r HeaderMap,
    pub(crate) body: &'r [u8],
    pub(crate) hops: Hops,
}

/// An event of what came.
pub(crate) fn incoming(
    gate: &Shared,
    source: &OpenSource,
    request: With<'_>,
    came: Came,
) -> Incoming {
    let replay = replay(gate, source, &came, request.body);
    let is_own = came.payload.is_some();
    let payload = match came.payload {
        Some(payload) => Bytes::from(payload),
        None => Bytes::copy_from_slice(request.body.trim_ascii()),
    };
    let (form, payload) = match is_object(&payload) {
        true => (PayloadForm::Json, payload),
        false if is_own => (raw(None), payload),
        // White space is a part of it.
        false => (
            raw(content_type(request.headers)),
            request.body.to_vec().into(),
        ),
    };
    Incoming {
        event_type: event_type(source, request.headers, came.event_type, &payload),
        event_id: came.id.and_then(|id| name(&id, '_')),
        payload,
        form,
        hops: request.hops,
        replay,
    }
}

fn raw(content_type: Option<String>) -> PayloadForm {
    PayloadForm::Raw { content_type }
}

/// What is said of a payload that is no JSON object.
fn content_type(headers: &HeaderMap) -> Option<String> {
    let said = headers.get(CONTENT_TYPE).and_then(|it| it.to_str().ok());
    let said = said.filter(|said| !said.is_empty() && said.len() <= CONTENT_TYPE_BYTES_MAX);
    let said = said.unwrap_or("application/octet-stream");
    Some(said.to_owned())
}

fn is_object(payload: &[u8]) -> bool {
    payload.first() == Some(&b'{') && serde_json::from_slice::<IgnoredAny>(payload).is_ok()
}

/// Where the source says, else where its provider does; else it is the source's own type.
fn event_type(
    source: &OpenSource,
    headers: &HeaderMap,
    stated: Option<String>,
    payload: &[u8],
) -> Name {
    let stated = match &source.config.event_type {
        None => stated,
        Some(EventTypeAt::Always(name)) => Some(name.clone()),
        Some(EventTypeAt::Header(name)) => {
            let value = headers.get(name).and_then(|value| value.to_str().ok());
            value.map(str::to_owned)
        }
        Some(EventTypeAt::Pointer(pointer)) => {
            let json: Option<serde_json::Value> = serde_json::from_slice(payload).ok();
            let member = json.as_ref().and_then(|json| json.pointer(pointer));
            member.and_then(|member| member.as_str()).map(str::to_owned)
        }
    };
    let stated = stated.and_then(|text| name(&text, '.'));
    // The messages by which endpoints prove themselves are nobody's to send.
    let stated = stated.filter(|stated| !is_challenge(stated));
    stated.unwrap_or_else(|| source.source.source_type.clone())
}

/// A text as a name: what is outside of its alphabet becomes `instead`.
fn name(text: &str, instead: char) -> Option<Name> {
    let is_of_name = |it: char| it.is_ascii_alphanumeric() || matches!(it, '-' | '_' | '.');
    let chars = text.trim().chars().take(NAME_BYTES_MAX);
    let text: String = chars
        .map(|it| if is_of_name(it) { it } else { instead })
        .collect();
    text.parse().ok()
}

/// By what a replay is told. Where nothing tells one, it is by what nothing else has.
fn replay(gate: &Shared, source: &OpenSource, came: &Came, body: &[u8]) -> ReplayEntry {
    let of = source.source.id.to_string();
    let key = match &came.replay_key {
        Some(key) => half(Key::of(&of, key).as_bytes()),
        None => random(&*gate.app.entropy),
    };
    let unsigned_id = came.id.as_deref().filter(|_| !came.is_id_signed);
    let unsigned_id = unsigned_id.map(|id| half(Key::of_unsigned_id(&of, id).as_bytes()));
    // Where the time is signed, each attempt of an honest sender has a key of its own.
    let is_signed_anew = source.checks.replay_protection() == ReplayProtection::Age;
    let content = digest(&SHA256, came.payload.as_deref().unwrap_or(body));
    let remembered = match came.replay_key {
        Some(_) => source.checks.remembered_seconds(),
        None => 0,
    };
    ReplayEntry {
        key,
        unsigned_id,
        second: unsigned_id.filter(|_| is_signed_anew),
        content: half(content.as_ref()),
        until: gate.app.clock.now().plus(Duration::from_secs(remembered)),
    }
}

fn half(digest: &[u8]) -> ReplayDigest {
    let half = digest.first_chunk();
    *half.expect("a SHA-256 is longer")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_becomes_a_name() {
        let long = "a".repeat(300);
        for (text, instead, expected) in [
            ("orders/create", '.', Some("orders.create")),
            ("invoice.paid", '.', Some("invoice.paid")),
            ("<a@b>", '_', Some("_a_b_")),
            ("é", '.', Some(".")),
            ("  ", '.', None),
            ("", '.', None),
            (&long, '.', Some(&long[..256])),
        ] {
            let made = name(text, instead);
            assert_eq!(made.as_ref().map(Name::as_str), expected, "{text}");
        }
    }

    #[test]
    fn only_a_whole_json_object_is_one() {
        for (payload, expected) in [
            ("{}", true),
            (r#"{"a":[1]}"#, true),
            ("[]", false),
            ("{", false),
            ("{} {}", false),
            ("a=b", false),
            ("", false),
        ] {
            assert_eq!(is_object(payload.as_bytes()), expected, "{payload}");
        }
    }
}
