//! The example of `docs/signatures.md` in Rust, word for word: signatures over whole requests.

use std::error::Error;
use webhook::TOLERANCE_SECONDS;
use webhook::http_signature::{KnownKey, Message, Request, TAG, Verifier, WEBHOOK_COMPONENTS};

pub fn verify(
    (key_id, public_key): (&str, &str),
    request: Request<'_>,
    body: &[u8],
    now: i64,
) -> Result<(), Box<dyn Error>> {
    let verifier = Verifier {
        keys: &[KnownKey::parse(key_id, public_key)?],
        required: &WEBHOOK_COMPONENTS,
        tag: Some(TAG),
        tolerance_seconds: TOLERANCE_SECONDS,
    };
    verifier.verify(&Message::Request(request), body, now)?;
    Ok(())
}
