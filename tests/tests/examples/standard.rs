//! The example of `docs/signatures.md` in Rust, word for word: Standard Webhooks.

use std::collections::HashSet;
use std::error::Error;
use webhook::{HeaderFamily, TOLERANCE_SECONDS, Verifier, VerifyingKey};

/// The ids that were taken: a table, rather, written together with what the payload changes.
#[derive(Default)]
pub struct Taken(HashSet<String>);

impl Taken {
    /// Whether it is genuine, and not a repeat.
    pub fn receive(
        &mut self,
        secret: &str,
        headers: &[(&str, &[u8])],
        body: &[u8],
        now: i64,
    ) -> Result<bool, Box<dyn Error>> {
        let verifier = Verifier {
            keys: &[VerifyingKey::parse(secret)?],
            family: HeaderFamily::Webhook,
            tolerance_seconds: TOLERANCE_SECONDS,
        };
        let verified = verifier.verify(headers.iter().copied(), body, now)?;
        Ok(self.0.insert(verified.id.to_owned()))
    }
}
