//! Intercom: the body alone is signed, with HMAC-SHA1, which is still sound as an HMAC.

use super::place::Place;
use super::{Manners, Provider};
use crate::TOLERANCE_SECONDS;
use crate::freshness::Written;
use crate::scheme::template::{Part, Template};
use crate::scheme::{Encoding, Hash, HmacScheme, Layout, text};

pub(super) static PROVIDER: Provider = Provider {
    name: "intercom",
    scheme: &SCHEME,
    tolerance_seconds: TOLERANCE_SECONDS,
    body_id: Some("id"),
    manners: Manners::typed(&[Place::Member(&["topic"])]),
};

static SCHEME: HmacScheme = HmacScheme {
    signed: Template::known(&[Part::Body]),
    time: Written::Seconds,
    hash: Hash::Sha1,
    encoding: Encoding::Hex,
    header: text("X-Hub-Signature"),
    layout: Layout::Whole {
        prefix: text("sha1="),
    },
    id_header: None,
    timestamp_header: None,
};
