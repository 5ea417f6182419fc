//! Veriff: the body alone is signed. The id in it is a session's, of which there is more than one
//! event, so that none is told by it.

use super::place::Place;
use super::{Manners, Provider};
use crate::TOLERANCE_SECONDS;
use crate::freshness::Written;
use crate::scheme::template::{Part, Template};
use crate::scheme::{Encoding, Hash, HmacScheme, Layout, text};

pub(super) static PROVIDER: Provider = Provider {
    name: "veriff",
    scheme: &SCHEME,
    tolerance_seconds: TOLERANCE_SECONDS,
    body_id: None,
    manners: Manners::typed(&[
        Place::Member(&["action"]),
        Place::Member(&["verification", "status"]),
    ]),
};

static SCHEME: HmacScheme = HmacScheme {
    signed: Template::known(&[Part::Body]),
    time: Written::Seconds,
    hash: Hash::Sha256,
    encoding: Encoding::Hex,
    header: text("X-HMAC-SIGNATURE"),
    layout: Layout::Whole { prefix: text("") },
    id_header: None,
    timestamp_header: None,
};
