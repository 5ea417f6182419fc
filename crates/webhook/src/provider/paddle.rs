//! Paddle. Its libraries tolerate five seconds.

use std::borrow::Cow;

use super::place::Place;
use super::{Manners, Provider};
use crate::freshness::Written;
use crate::scheme::template::{Part, Template};
use crate::scheme::{Encoding, Hash, HmacScheme, Layout, text};

pub(super) static PROVIDER: Provider = Provider {
    name: "paddle",
    scheme: &SCHEME,
    tolerance_seconds: 5,
    body_id: Some("event_id"),
    manners: Manners::typed(&[Place::Member(&["event_type"])]),
};

static SCHEME: HmacScheme = HmacScheme {
    signed: Template::known(&[Part::Timestamp, Part::Text(Cow::Borrowed(":")), Part::Body]),
    time: Written::Seconds,
    hash: Hash::Sha256,
    encoding: Encoding::Hex,
    header: text("Paddle-Signature"),
    layout: Layout::Pairs {
        separator: ';',
        timestamp: "ts",
        digest: "h1",
    },
    id_header: None,
    timestamp_header: None,
};
