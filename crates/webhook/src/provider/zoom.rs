//! Zoom. Its documentation names no tolerance. A challenge is signed like any event, and
//! answered with its HMAC.

use std::borrow::Cow;

use super::handshake::{Greeted, is_plain};
use super::place::Place;
use super::{Answer, Manners, Provider, Request, body};
use crate::freshness::Written;
use crate::scheme::template::{Part, Template};
use crate::scheme::{Encoding, Hash, HmacScheme, Layout, text};
use crate::{Refused, TOLERANCE_SECONDS};

pub(super) static PROVIDER: Provider = Provider {
    name: "zoom",
    scheme: &SCHEME,
    tolerance_seconds: TOLERANCE_SECONDS,
    body_id: None,
    manners: Manners {
        event_type: &[Place::Member(&["event"])],
        signed_handshake: Some(validation),
        ..Manners::NONE
    },
};

static SCHEME: HmacScheme = HmacScheme {
    signed: Template::known(&[
        Part::Text(Cow::Borrowed("v0:")),
        Part::Timestamp,
        Part::Text(Cow::Borrowed(":")),
        Part::Body,
    ]),
    time: Written::Seconds,
    hash: Hash::Sha256,
    encoding: Encoding::Hex,
    header: text("x-zm-signature"),
    layout: Layout::Whole {
        prefix: text("v0="),
    },
    id_header: None,
    timestamp_header: Some(text("x-zm-request-timestamp")),
};

fn validation(
    request: &Request<'_>,
    hex_hmac: &dyn Fn(&[u8]) -> Option<String>,
) -> Option<Greeted> {
    if body::text(request.body, &["event"])? != "endpoint.url_validation" {
        return None;
    }
    let token = body::text(request.body, &["payload", "plainToken"]);
    let Some(token) = token.filter(|token| is_plain(token)) else {
        return Some(Err(Refused::MalformedChallenge));
    };
    let encrypted = hex_hmac(token.as_bytes())?;
    let told = serde_json::json!({ "plainToken": token, "encryptedToken": encrypted });
    Some(Ok(Answer::json(told.to_string())))
}
