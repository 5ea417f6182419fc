//! The known senders as which an endpoint's deliveries can be signed. Their schemes stand with
//! those of all providers, in `provider`.

use super::HmacScheme;
use crate::provider::{github, shopify, slack, stripe};

impl HmacScheme {
    /// The names of those senders.
    pub const KNOWN: [&'static str; 4] = ["github", "stripe", "shopify", "slack"];

    /// The scheme of the known sender of this name: one of [`HmacScheme::KNOWN`].
    pub fn known(name: &str) -> Option<Self> {
        match name {
            "github" => Some(github::SCHEME.clone()),
            "stripe" => Some(stripe::SCHEME.clone()),
            "shopify" => Some(shopify::SCHEME.clone()),
            "slack" => Some(slack::SCHEME.clone()),
            _ => None,
        }
    }
}
