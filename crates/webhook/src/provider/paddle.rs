//! Paddle. Its libraries tolerate five seconds.

use std::borrow::Cow;

use super::Provider;
use crate::freshness::Written;
use crate::scheme::template::{Part, Template};
use crate::scheme::{Encoding, Hash, HmacScheme, Layout, text};

pub(super) static PROVIDER: Provider = Provider {
    name: "paddle",
    scheme: &SCHEME,
    tolerance_seconds: 5,
    body_id: Some("event_id"),
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
