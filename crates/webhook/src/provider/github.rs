//! GitHub: the body alone is signed, and the id beside it is not.

use super::place::Place;
use super::{Manners, Provider};
use crate::TOLERANCE_SECONDS;
use crate::freshness::Written;
use crate::scheme::template::{Part, Template};
use crate::scheme::{Encoding, Hash, HmacScheme, Layout, text};

pub(super) static PROVIDER: Provider = Provider {
    name: "github",
    scheme: &SCHEME,
    tolerance_seconds: TOLERANCE_SECONDS,
    body_id: None,
    manners: Manners::typed(&[Place::Header("X-GitHub-Event")]),
};

pub(crate) static SCHEME: HmacScheme = HmacScheme {
    signed: Template::known(&[Part::Body]),
    time: Written::Seconds,
    hash: Hash::Sha256,
    encoding: Encoding::Hex,
    header: text("X-Hub-Signature-256"),
    layout: Layout::Whole {
        prefix: text("sha256="),
    },
    id_header: Some(text("X-GitHub-Delivery")),
    timestamp_header: None,
};
