//! The example of `docs/signatures.md` in Rust, word for word: a scheme of its own.

use std::error::Error;
use webhook::{GenericScheme, HmacScheme, HmacVerifier, TOLERANCE_SECONDS};

pub fn verify(
    secret: &str,
    headers: &[(&str, &[u8])],
    body: &[u8],
    now: i64,
) -> Result<(), Box<dyn Error>> {
    let scheme = HmacScheme::generic(GenericScheme {
        header: "X-Acme-Signature",
        hash: "sha256",
        encoding: "hex",
        prefix: "sha256=",
        template: "{timestamp}.{body}",
        timestamp_header: Some("X-Acme-Time"),
    })?;
    let verifier = HmacVerifier {
        scheme: &scheme, // or HmacScheme::known("github")
        keys: &[scheme.key(secret)?],
        tolerance_seconds: TOLERANCE_SECONDS,
    };
    verifier.verify(headers.iter().copied(), body, now)?;
    Ok(())
}
