//! Port's actions: time and body.

use std::borrow::Cow;

use super::place::Place;
use super::{Manners, Provider};
use crate::TOLERANCE_SECONDS;
use crate::freshness::Written;
use crate::scheme::template::{Part, Template};
use crate::scheme::{Encoding, Hash, HmacScheme, Layout, text};

pub(super) static PROVIDER: Provider = Provider {
    name: "port-io",
    scheme: &SCHEME,
    tolerance_seconds: TOLERANCE_SECONDS,
    body_id: None,
    manners: Manners::typed(&[Place::Member(&["action"])]),
};

static SCHEME: HmacScheme = HmacScheme {
    signed: Template::known(&[Part::Timestamp, Part::Text(Cow::Borrowed(".")), Part::Body]),
    time: Written::Seconds,
    hash: Hash::Sha256,
    encoding: Encoding::Base64,
    header: text("x-port-signature"),
    layout: Layout::Whole {
        prefix: text("v1,"),
    },
    id_header: None,
    timestamp_header: Some(text("x-port-timestamp")),
};
