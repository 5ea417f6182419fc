//! Twitch's EventSub. Nothing stands between id, time and body, so that an id is held to be a word.
//! It asks for a challenge back for each subscription; the header that says so is not signed, but
//! the body with the challenge is.

use super::handshake::{Greeted, reflected};
use super::place::Place;
use super::{Manners, Provider, Request, body};
use crate::freshness::Written;
use crate::refused::Carried;
use crate::scheme::template::{Part, Template};
use crate::scheme::verify::single;
use crate::scheme::{Encoding, Hash, HmacScheme, Layout, text};

pub(super) static PROVIDER: Provider = Provider {
    name: "twitch",
    scheme: &SCHEME,
    tolerance_seconds: 600,
    body_id: None,
    manners: Manners {
        event_type: &[Place::Member(&["subscription", "type"])],
        signed_handshake: Some(challenge),
        ..Manners::NONE
    },
};

static SCHEME: HmacScheme = HmacScheme {
    signed: Template::known(&[Part::Id, Part::Timestamp, Part::Body]),
    time: Written::Date,
    hash: Hash::Sha256,
    encoding: Encoding::Hex,
    header: text("Twitch-Eventsub-Message-Signature"),
    layout: Layout::Whole {
        prefix: text("sha256="),
    },
    id_header: Some(text("Twitch-Eventsub-Message-Id")),
    timestamp_header: Some(text("Twitch-Eventsub-Message-Timestamp")),
};

const MESSAGE_TYPE: &str = "Twitch-Eventsub-Message-Type";

fn challenge(request: &Request<'_>, _: &dyn Fn(&[u8]) -> Option<String>) -> Option<Greeted> {
    let kind = single(request.headers.iter().copied(), MESSAGE_TYPE, Carried::Id).ok()??;
    let challenge = || body::text(request.body, &["challenge"]);
    (kind == b"webhook_callback_verification").then(|| reflected(challenge().unwrap_or_default()))
}
