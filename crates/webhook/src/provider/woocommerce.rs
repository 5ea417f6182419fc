//! WooCommerce: the body alone is signed, and the id beside it is not.

use super::place::Place;
use super::{Manners, Provider};
use crate::TOLERANCE_SECONDS;
use crate::freshness::Written;
use crate::scheme::template::{Part, Template};
use crate::scheme::{Encoding, Hash, HmacScheme, Layout, text};

pub(super) static PROVIDER: Provider = Provider {
    name: "woocommerce",
    scheme: &SCHEME,
    tolerance_seconds: TOLERANCE_SECONDS,
    body_id: None,
    manners: Manners::typed(&[Place::Header("X-WC-Webhook-Topic")]),
};

static SCHEME: HmacScheme = HmacScheme {
    signed: Template::known(&[Part::Body]),
    time: Written::Seconds,
    hash: Hash::Sha256,
    encoding: Encoding::Base64,
    header: text("X-WC-Webhook-Signature"),
    layout: Layout::Whole { prefix: text("") },
    id_header: Some(text("X-WC-Webhook-Delivery-ID")),
    timestamp_header: None,
};
