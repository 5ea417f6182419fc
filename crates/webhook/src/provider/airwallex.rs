//! Airwallex: time, in milliseconds, and body.

use super::place::Place;
use super::{Manners, Provider};
use crate::TOLERANCE_SECONDS;
use crate::freshness::Written;
use crate::scheme::template::{Part, Template};
use crate::scheme::{Encoding, Hash, HmacScheme, Layout, text};

pub(super) static PROVIDER: Provider = Provider {
    name: "airwallex",
    scheme: &SCHEME,
    tolerance_seconds: TOLERANCE_SECONDS,
    body_id: Some("id"),
    manners: Manners::typed(&[Place::Member(&["name"])]),
};

static SCHEME: HmacScheme = HmacScheme {
    signed: Template::known(&[Part::Timestamp, Part::Body]),
    time: Written::Milliseconds,
    hash: Hash::Sha256,
    encoding: Encoding::Hex,
    header: text("x-signature"),
    layout: Layout::Whole { prefix: text("") },
    id_header: None,
    timestamp_header: Some(text("x-timestamp")),
};
