//! Square: the notification's URL and the body are signed. Its older header with SHA-1 is not read.

use super::place::Place;
use super::{Manners, Provider};
use crate::TOLERANCE_SECONDS;
use crate::freshness::Written;
use crate::scheme::template::{Part, Template};
use crate::scheme::{Encoding, Hash, HmacScheme, Layout, text};

pub(super) static PROVIDER: Provider = Provider {
    name: "square",
    scheme: &SCHEME,
    tolerance_seconds: TOLERANCE_SECONDS,
    body_id: Some("event_id"),
    manners: Manners::typed(&[Place::Member(&["type"])]),
};

static SCHEME: HmacScheme = HmacScheme {
    signed: Template::known(&[Part::Url, Part::Body]),
    time: Written::Seconds,
    hash: Hash::Sha256,
    encoding: Encoding::Base64,
    header: text("x-square-hmacsha256-signature"),
    layout: Layout::Whole { prefix: text("") },
    id_header: None,
    timestamp_header: None,
};
