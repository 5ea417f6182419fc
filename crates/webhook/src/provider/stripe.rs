//! Stripe. Pairs of other versions than `v1` are passed over: `v0` is for its tests. The secret's
//! whole text is the key, `whsec_` too.

use std::borrow::Cow;

use super::place::Place;
use super::{Manners, Provider};
use crate::TOLERANCE_SECONDS;
use crate::freshness::Written;
use crate::scheme::template::{Part, Template};
use crate::scheme::{Encoding, Hash, HmacScheme, Layout, text};

pub(super) static PROVIDER: Provider = Provider {
    name: "stripe",
    scheme: &SCHEME,
    tolerance_seconds: TOLERANCE_SECONDS,
    body_id: Some("id"),
    manners: Manners::typed(&[Place::Member(&["type"])]),
};

pub(crate) static SCHEME: HmacScheme = HmacScheme {
    signed: Template::known(&[Part::Timestamp, Part::Text(Cow::Borrowed(".")), Part::Body]),
    time: Written::Seconds,
    hash: Hash::Sha256,
    encoding: Encoding::Hex,
    header: text("Stripe-Signature"),
    layout: Layout::Pairs {
        separator: ',',
        timestamp: "t",
        digest: "v1",
    },
    id_header: None,
    timestamp_header: None,
};
