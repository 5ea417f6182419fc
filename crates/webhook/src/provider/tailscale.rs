//! Tailscale: time and body, in pairs as Stripe writes them. One request holds several events.

use std::borrow::Cow;

use super::place::Place;
use super::{Manners, Provider};
use crate::TOLERANCE_SECONDS;
use crate::freshness::Written;
use crate::scheme::template::{Part, Template};
use crate::scheme::{Encoding, Hash, HmacScheme, Layout, text};

pub(super) static PROVIDER: Provider = Provider {
    name: "tailscale",
    scheme: &SCHEME,
    tolerance_seconds: TOLERANCE_SECONDS,
    body_id: None,
    manners: Manners::typed(&[Place::Member(&["type"])]),
};

static SCHEME: HmacScheme = HmacScheme {
    signed: Template::known(&[Part::Timestamp, Part::Text(Cow::Borrowed(".")), Part::Body]),
    time: Written::Seconds,
    hash: Hash::Sha256,
    encoding: Encoding::Hex,
    header: text("Tailscale-Webhook-Signature"),
    layout: Layout::Pairs {
        separator: ',',
        timestamp: "t",
        digest: "v1",
    },
    id_header: None,
    timestamp_header: None,
};
