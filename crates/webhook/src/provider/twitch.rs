//! Twitch's EventSub. Nothing stands between id, time and body, so that an id is held to be a word.

use super::Provider;
use crate::freshness::Written;
use crate::scheme::template::{Part, Template};
use crate::scheme::{Encoding, Hash, HmacScheme, Layout, text};

pub(super) static PROVIDER: Provider = Provider {
    name: "twitch",
    scheme: &SCHEME,
    tolerance_seconds: 600,
    body_id: None,
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
