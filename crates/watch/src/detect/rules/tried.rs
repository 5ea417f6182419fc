//! What was tried and did not fit: tokens at the API, signatures and credentials at sources. It
//! doesn't ask whether that was an attack: a service with an old token looks the same.

use crate::detect::Observation;
use model::security::{SecurityEvent, SecurityKind};
use std::net::IpAddr;

/// Whether something was, and where it came from.
pub(super) fn tried(observation: &Observation) -> Option<(&SecurityEvent, IpAddr)> {
    let Observation::Event(event) = observation else {
        return None;
    };
    let tried = [
        SecurityKind::AuthenticationFailed,
        SecurityKind::RevokedKeyUsed,
        SecurityKind::IngestSignatureInvalid,
        SecurityKind::IngestCredentialsInvalid,
        SecurityKind::IngestDecryptionFailed,
    ];
    let address = event.remote_address?;
    tried.contains(&event.kind).then_some((event, address))
}
