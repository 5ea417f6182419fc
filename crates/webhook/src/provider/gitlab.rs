//! GitLab, in both of its ways: a token that stands in a header as it is, and since it has signing
//! tokens, Standard Webhooks with them.

use super::place::Place;
use super::standard::{StandardWebhooks, Takes};
use super::token::Token;
use super::{Manners, Provider};
use crate::{HeaderFamily, TOLERANCE_SECONDS};

pub(super) static WITH_TOKEN: Provider = Provider {
    name: "gitlab",
    scheme: &Token {
        header: "X-Gitlab-Token",
        id_header: Some("Idempotency-Key"),
    },
    tolerance_seconds: TOLERANCE_SECONDS,
    body_id: None,
    manners: Manners::typed(&[Place::Header("X-Gitlab-Event")]),
};

pub(super) static SIGNING: Provider = Provider {
    name: "gitlab-signing",
    scheme: &StandardWebhooks {
        family: HeaderFamily::Webhook,
        takes: Takes::Hmac,
    },
    ..WITH_TOKEN
};
