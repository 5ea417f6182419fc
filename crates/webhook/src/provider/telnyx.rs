//! Telnyx: time and body, signed with ed25519.

use super::ed25519::Ed25519;
use super::place::Place;
use super::{Manners, Provider, SecretError};
use crate::TOLERANCE_SECONDS;
use crate::scheme::Encoding;

pub(super) static PROVIDER: Provider = Provider {
    name: "telnyx",
    scheme: &SCHEME,
    tolerance_seconds: TOLERANCE_SECONDS,
    body_id: Some("data.id"),
    manners: Manners::typed(&[Place::Member(&["data", "event_type"])]),
};

static SCHEME: Ed25519 = Ed25519 {
    signature: "telnyx-signature-ed25519",
    timestamp: "telnyx-timestamp",
    encoding: Encoding::Base64,
    between: b"|",
    not_a_key: SecretError::NotABase64Ed25519Key,
};
