//! Zoom. Its documentation names no tolerance. A challenge is signed like any event.

use std::borrow::Cow;

use super::Provider;
use crate::TOLERANCE_SECONDS;
use crate::freshness::Written;
use crate::scheme::template::{Part, Template};
use crate::scheme::{Encoding, Hash, HmacScheme, Layout, text};

pub(super) static PROVIDER: Provider = Provider {
    name: "zoom",
    scheme: &SCHEME,
    tolerance_seconds: TOLERANCE_SECONDS,
    body_id: None,
};

static SCHEME: HmacScheme = HmacScheme {
    signed: Template::known(&[
        Part::Text(Cow::Borrowed("v0:")),
        Part::Timestamp,
        Part::Text(Cow::Borrowed(":")),
        Part::Body,
    ]),
    time: Written::Seconds,
    hash: Hash::Sha256,
    encoding: Encoding::Hex,
    header: text("x-zm-signature"),
    layout: Layout::Whole {
        prefix: text("v0="),
    },
    id_header: None,
    timestamp_header: Some(text("x-zm-request-timestamp")),
};
