//! The protected header: written by a sender, read by a receiver. It is authenticated with the
//! content, and not encrypted.

use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer, Serialize};

/// The longest protected header, in bytes of its JSON.
pub(super) const HEADER_BYTES_MAX: usize = 8 << 10;

/// What [`open`](super::open) takes for a payload.
const CONTENT_TYPE: &str = "application/json";

/// An ephemeral public key.
#[derive(Serialize, Deserialize)]
pub(super) struct EphemeralKey {
    pub(super) kty: String,
    pub(super) crv: String,
    pub(super) x: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) y: Option<String>,
}

/// The header that a sender writes.
#[derive(Serialize)]
pub(super) struct Written<'h> {
    pub(super) alg: &'static str,
    pub(super) enc: &'static str,
    pub(super) kid: &'h str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) epk: Option<&'h EphemeralKey>,
    pub(super) cty: &'h str,
    #[serde(rename = "webhook-id")]
    pub(super) id: &'h str,
    #[serde(rename = "webhook-timestamp")]
    pub(super) timestamp: &'h str,
    #[serde(rename = "webhook-event-type")]
    pub(super) event_type: &'h str,
}

/// The header that a receiver reads. A member that is there twice is refused, others are passed
/// over.
#[derive(Deserialize)]
pub(super) struct Read {
    pub(super) alg: String,
    pub(super) enc: String,
    pub(super) kid: Option<String>,
    pub(super) epk: Option<EphemeralKey>,
    pub(super) apu: Option<String>,
    pub(super) apv: Option<String>,
    cty: Option<String>,
    /// Extensions that must be understood, of which none are.
    #[serde(default, deserialize_with = "is_there")]
    crit: bool,
    /// Compression, with which a short text becomes as long as its sender likes.
    #[serde(default, deserialize_with = "is_there")]
    zip: bool,
    #[serde(rename = "webhook-id")]
    id: Option<String>,
    #[serde(rename = "webhook-timestamp")]
    timestamp: Option<Timestamp>,
    #[serde(rename = "webhook-event-type")]
    event_type: Option<String>,
}

/// Whatever its value, `null` too.
fn is_there<'de, D: Deserializer<'de>>(member: D) -> Result<bool, D::Error> {
    IgnoredAny::deserialize(member)?;
    Ok(true)
}

/// Seconds since the Unix epoch: a text as in the header of that name, or a number.
#[derive(Deserialize)]
#[serde(untagged)]
enum Timestamp {
    Text(String),
    Number(i64),
}

impl Timestamp {
    fn seconds(&self) -> Option<i64> {
        match self {
            Self::Text(text) => crate::freshness::parse_timestamp(text.as_bytes()).ok(),
            Self::Number(seconds) => Some(*seconds),
        }
    }
}

impl Read {
    /// The header's JSON; nothing where it is not that of a JWE.
    pub(super) fn parse(json: &[u8]) -> Option<Self> {
        serde_json::from_slice(json).ok()
    }

    /// Whether it asks for what is never done: compression, or an extension.
    pub(super) fn asks_for_more(&self) -> bool {
        self.crit || self.zip
    }

    pub(super) fn into_public(self) -> Header {
        Header {
            timestamp: self.timestamp.and_then(|timestamp| timestamp.seconds()),
            key_id: self.kid,
            content_type: self.cty,
            id: self.id,
            event_type: self.event_type,
        }
    }
}

/// What a protected header says, once it was found authentic together with the content. It tells
/// what the sender has bound to the content, not who the sender is: anybody can encrypt to a
/// public key.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Header {
    /// `kid`: which key it was encrypted to.
    pub key_id: Option<String>,
    /// `cty`: the content's type.
    pub content_type: Option<String>,
    /// `webhook-id`: the message's id.
    pub id: Option<String>,
    /// `webhook-timestamp`: the attempt's time, in seconds since the Unix epoch.
    pub timestamp: Option<i64>,
    /// `webhook-event-type`: the message's event type.
    pub event_type: Option<String>,
}

impl Header {
    /// Whether `cty` says JSON. The part before the slash may be left out (RFC 7516).
    pub(super) fn is_json(&self) -> bool {
        self.content_type.as_ref().is_some_and(|content_type| {
            [CONTENT_TYPE, "json"]
                .iter()
                .any(|json| content_type.eq_ignore_ascii_case(json))
        })
    }
}
