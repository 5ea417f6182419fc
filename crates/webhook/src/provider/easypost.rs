//! EasyPost: the body alone is signed, and says itself which event it is. Of a secret beyond ASCII
//! it takes the letters apart first (NFKD), which isn't done here: such a one verifies nothing.

use super::place::Place;
use super::{Manners, Provider};
use crate::TOLERANCE_SECONDS;
use crate::freshness::Written;
use crate::scheme::template::{Part, Template};
use crate::scheme::{Encoding, Hash, HmacScheme, Layout, text};

pub(super) static PROVIDER: Provider = Provider {
    name: "easypost",
    scheme: &SCHEME,
    tolerance_seconds: TOLERANCE_SECONDS,
    body_id: Some("id"),
    manners: Manners::typed(&[Place::Member(&["description"])]),
};

static SCHEME: HmacScheme = HmacScheme {
    signed: Template::known(&[Part::Body]),
    time: Written::Seconds,
    hash: Hash::Sha256,
    encoding: Encoding::Hex,
    header: text("X-Hmac-Signature"),
    layout: Layout::Whole {
        prefix: text("hmac-sha256-hex="),
    },
    id_header: None,
    timestamp_header: None,
};
