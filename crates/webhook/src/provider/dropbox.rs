//! Dropbox: the body alone is signed, which says no more than whose files changed, so that it comes
//! again and again; there is no id.

use super::handshake::Open;
use super::{Manners, Provider};
use crate::TOLERANCE_SECONDS;
use crate::freshness::Written;
use crate::scheme::template::{Part, Template};
use crate::scheme::{Encoding, Hash, HmacScheme, Layout, text};

pub(super) static PROVIDER: Provider = Provider {
    name: "dropbox",
    scheme: &SCHEME,
    tolerance_seconds: TOLERANCE_SECONDS,
    body_id: None,
    manners: Manners {
        open_handshake: Some(Open::Challenge),
        ..Manners::NONE
    },
};

static SCHEME: HmacScheme = HmacScheme {
    signed: Template::known(&[Part::Body]),
    time: Written::Seconds,
    hash: Hash::Sha256,
    encoding: Encoding::Hex,
    header: text("X-Dropbox-Signature"),
    layout: Layout::Whole { prefix: text("") },
    id_header: None,
    timestamp_header: None,
};
