//! The schemes of known senders. Each is what its provider's documentation says, and is held
//! against the vectors in `conformance/providers.json`.

use std::borrow::Cow;

use super::template::{Part, Template};
use super::{Encoding, Hash, HmacScheme, Layout};

const BODY: Template = Template::known(&[Part::Body]);
const TIME_AND_BODY: Template =
    Template::known(&[Part::Timestamp, Part::Text(Cow::Borrowed(".")), Part::Body]);
const VERSION_TIME_AND_BODY: Template = Template::known(&[
    Part::Text(Cow::Borrowed("v0:")),
    Part::Timestamp,
    Part::Text(Cow::Borrowed(":")),
    Part::Body,
]);

/// GitHub's: the body alone, so that only the id tells a replay.
const GITHUB: HmacScheme = HmacScheme {
    signed: BODY,
    hash: Hash::Sha256,
    encoding: Encoding::Hex,
    header: Cow::Borrowed("X-Hub-Signature-256"),
    layout: Layout::Whole {
        prefix: Cow::Borrowed("sha256="),
    },
    id_header: Some(Cow::Borrowed("X-GitHub-Delivery")),
    timestamp_header: None,
};

/// Stripe's. Pairs of other versions than `v1` are passed over: `v0` is for its tests.
const STRIPE: HmacScheme = HmacScheme {
    signed: TIME_AND_BODY,
    hash: Hash::Sha256,
    encoding: Encoding::Hex,
    header: Cow::Borrowed("Stripe-Signature"),
    layout: Layout::Pairs {
        timestamp: "t",
        digest: "v1",
    },
    id_header: None,
    timestamp_header: None,
};

/// Shopify's: the body alone, so that only the id tells a replay.
const SHOPIFY: HmacScheme = HmacScheme {
    signed: BODY,
    hash: Hash::Sha256,
    encoding: Encoding::Base64,
    header: Cow::Borrowed("X-Shopify-Hmac-Sha256"),
    layout: Layout::Whole {
        prefix: Cow::Borrowed(""),
    },
    id_header: Some(Cow::Borrowed("X-Shopify-Webhook-Id")),
    timestamp_header: None,
};

/// Slack's.
const SLACK: HmacScheme = HmacScheme {
    signed: VERSION_TIME_AND_BODY,
    hash: Hash::Sha256,
    encoding: Encoding::Hex,
    header: Cow::Borrowed("X-Slack-Signature"),
    layout: Layout::Whole {
        prefix: Cow::Borrowed("v0="),
    },
    id_header: None,
    timestamp_header: Some(Cow::Borrowed("X-Slack-Request-Timestamp")),
};

impl HmacScheme {
    /// The names of the known senders whose schemes are described here.
    pub const KNOWN: [&'static str; 4] = ["github", "stripe", "shopify", "slack"];

    /// The scheme of the known sender of this name: one of [`HmacScheme::KNOWN`].
    pub fn known(name: &str) -> Option<Self> {
        match name {
            "github" => Some(GITHUB),
            "stripe" => Some(STRIPE),
            "shopify" => Some(SHOPIFY),
            "slack" => Some(SLACK),
            _ => None,
        }
    }
}
