//! The example of `docs/encryption.md` in Rust, word for word: encrypted payloads.

use std::error::Error;
use webhook::jwe::{self, Opened, PrivateJwk, Signed};
use webhook::{HeaderFamily, TOLERANCE_SECONDS, Verifier, VerifyingKey};

pub fn receive(
    (secret, private_jwk): (&str, &str),
    headers: &[(&str, &[u8])],
    body: &[u8],
    now: i64,
) -> Result<Opened, Box<dyn Error>> {
    let verifier = Verifier {
        keys: &[VerifyingKey::parse(secret)?],
        family: HeaderFamily::Webhook,
        tolerance_seconds: TOLERANCE_SECONDS,
    };
    let verified = verifier.verify(headers.iter().copied(), body, now)?;
    let signed = Signed {
        id: verified.id,
        timestamp: verified.timestamp,
        event_type: None,
    };
    Ok(jwe::open(body, &[PrivateJwk::parse(private_jwk)?], signed)?)
}
