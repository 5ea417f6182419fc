//! Slack.

use std::borrow::Cow;

use super::Provider;
use crate::TOLERANCE_SECONDS;
use crate::freshness::Written;
use crate::scheme::template::{Part, Template};
use crate::scheme::{Encoding, Hash, HmacScheme, Layout, text};

pub(super) static PROVIDER: Provider = Provider {
    name: "slack",
    scheme: &SCHEME,
    tolerance_seconds: TOLERANCE_SECONDS,
    body_id: Some("event_id"),
};

pub(crate) static SCHEME: HmacScheme = HmacScheme {
    signed: Template::known(&[
        Part::Text(Cow::Borrowed("v0:")),
        Part::Timestamp,
        Part::Text(Cow::Borrowed(":")),
        Part::Body,
    ]),
    time: Written::Seconds,
    hash: Hash::Sha256,
    encoding: Encoding::Hex,
    header: text("X-Slack-Signature"),
    layout: Layout::Whole {
        prefix: text("v0="),
    },
    id_header: None,
    timestamp_header: Some(text("X-Slack-Request-Timestamp")),
};
