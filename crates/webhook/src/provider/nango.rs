//! Nango: the body alone is signed. Its older header, with a plain hash, is not read.

use super::place::Place;
use super::{Manners, Provider};
use crate::TOLERANCE_SECONDS;
use crate::freshness::Written;
use crate::scheme::template::{Part, Template};
use crate::scheme::{Encoding, Hash, HmacScheme, Layout, text};

pub(super) static PROVIDER: Provider = Provider {
    name: "nango",
    scheme: &SCHEME,
    tolerance_seconds: TOLERANCE_SECONDS,
    body_id: None,
    manners: Manners::typed(&[Place::Member(&["type"])]),
};

static SCHEME: HmacScheme = HmacScheme {
    signed: Template::known(&[Part::Body]),
    time: Written::Seconds,
    hash: Hash::Sha256,
    encoding: Encoding::Hex,
    header: text("X-Nango-Hmac-Sha256"),
    layout: Layout::Whole { prefix: text("") },
    id_header: None,
    timestamp_header: None,
};
