//! Typeform: the body alone is signed.

use super::place::Place;
use super::{Manners, Provider};
use crate::TOLERANCE_SECONDS;
use crate::freshness::Written;
use crate::scheme::template::{Part, Template};
use crate::scheme::{Encoding, Hash, HmacScheme, Layout, text};

pub(super) static PROVIDER: Provider = Provider {
    name: "typeform",
    scheme: &SCHEME,
    tolerance_seconds: TOLERANCE_SECONDS,
    body_id: Some("event_id"),
    manners: Manners::typed(&[Place::Member(&["event_type"])]),
};

static SCHEME: HmacScheme = HmacScheme {
    signed: Template::known(&[Part::Body]),
    time: Written::Seconds,
    hash: Hash::Sha256,
    encoding: Encoding::Base64,
    header: text("Typeform-Signature"),
    layout: Layout::Whole {
        prefix: text("sha256="),
    },
    id_header: None,
    timestamp_header: None,
};
