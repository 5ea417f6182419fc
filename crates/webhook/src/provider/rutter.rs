//! Rutter: the body alone is signed.

use super::place::Place;
use super::{Manners, Provider};
use crate::TOLERANCE_SECONDS;
use crate::freshness::Written;
use crate::scheme::template::{Part, Template};
use crate::scheme::{Encoding, Hash, HmacScheme, Layout, text};

pub(super) static PROVIDER: Provider = Provider {
    name: "rutter",
    scheme: &SCHEME,
    tolerance_seconds: TOLERANCE_SECONDS,
    body_id: None,
    manners: Manners::typed(&[Place::Member(&["type"])]),
};

static SCHEME: HmacScheme = HmacScheme {
    signed: Template::known(&[Part::Body]),
    time: Written::Seconds,
    hash: Hash::Sha256,
    encoding: Encoding::Base64,
    header: text("X-Rutter-Signature"),
    layout: Layout::Whole {
        prefix: text("sha256="),
    },
    id_header: None,
    timestamp_header: None,
};
