//! Segment's webhook destination: the body alone is signed, with HMAC-SHA1.

use super::place::Place;
use super::{Manners, Provider};
use crate::TOLERANCE_SECONDS;
use crate::freshness::Written;
use crate::scheme::template::{Part, Template};
use crate::scheme::{Encoding, Hash, HmacScheme, Layout, text};

pub(super) static PROVIDER: Provider = Provider {
    name: "segment",
    scheme: &SCHEME,
    tolerance_seconds: TOLERANCE_SECONDS,
    body_id: Some("messageId"),
    manners: Manners::typed(&[Place::Member(&["type"])]),
};

static SCHEME: HmacScheme = HmacScheme {
    signed: Template::known(&[Part::Body]),
    time: Written::Seconds,
    hash: Hash::Sha1,
    encoding: Encoding::Hex,
    header: text("X-Signature"),
    layout: Layout::Whole { prefix: text("") },
    id_header: None,
    timestamp_header: None,
};
