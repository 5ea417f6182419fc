//! Slack. It asks once, signed, for a challenge back.

use std::borrow::Cow;

use super::answer::Accepted;
use super::handshake::{Greeted, reflected};
use super::place::Place;
use super::{Manners, Provider, Request, body};
use crate::TOLERANCE_SECONDS;
use crate::freshness::Written;
use crate::scheme::template::{Part, Template};
use crate::scheme::{Encoding, Hash, HmacScheme, Layout, text};

pub(super) static PROVIDER: Provider = Provider {
    name: "slack",
    scheme: &SCHEME,
    tolerance_seconds: TOLERANCE_SECONDS,
    body_id: Some("event_id"),
    manners: Manners {
        event_type: &[
            Place::Member(&["event", "type"]),
            Place::Member(&["type"]),
            Place::FieldMember("payload", &["type"]),
        ],
        accepted: Accepted::Fixed {
            content_type: None,
            body: "",
        },
        signed_handshake: Some(challenge),
        ..Manners::NONE
    },
};

pub(crate) static SCHEME: HmacScheme = HmacScheme {
    signed: Template::known(&[
        Part::Text(Cow::Borrowed("v0:")),
        Part::Timestamp,
        Part::Text(Cow::Borrowed(":")),
        Part::Body,
    ]),
    time: Written::Seconds,
    hash: Hash::Sha256,
    encoding: Encoding::Hex,
    header: text("X-Slack-Signature"),
    layout: Layout::Whole {
        prefix: text("v0="),
    },
    id_header: None,
    timestamp_header: Some(text("X-Slack-Request-Timestamp")),
};

fn challenge(request: &Request<'_>, _: &dyn Fn(&[u8]) -> Option<String>) -> Option<Greeted> {
    let kind = body::text(request.body, &["type"])?;
    let challenge = || body::text(request.body, &["challenge"]);
    (kind == "url_verification").then(|| reflected(challenge().unwrap_or_default()))
}
