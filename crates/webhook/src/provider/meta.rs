//! Meta: Facebook, Instagram, WhatsApp and the others sign the body as GitHub does. Before they
//! send any, they ask with a token that was agreed upon.

use super::handshake::Open;
use super::place::Place;
use super::{Manners, Provider};
use crate::TOLERANCE_SECONDS;
use crate::freshness::Written;
use crate::scheme::template::{Part, Template};
use crate::scheme::{Encoding, Hash, HmacScheme, Layout, text};

pub(super) static PROVIDER: Provider = Provider {
    name: "meta",
    scheme: &SCHEME,
    tolerance_seconds: TOLERANCE_SECONDS,
    body_id: None,
    manners: Manners {
        event_type: &[Place::Member(&["object"])],
        open_handshake: Some(Open::VerifyToken),
        ..Manners::NONE
    },
};

static SCHEME: HmacScheme = HmacScheme {
    signed: Template::known(&[Part::Body]),
    time: Written::Seconds,
    hash: Hash::Sha256,
    encoding: Encoding::Hex,
    header: text("X-Hub-Signature-256"),
    layout: Layout::Whole {
        prefix: text("sha256="),
    },
    id_header: None,
    timestamp_header: None,
};
