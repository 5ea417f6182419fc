//! The example of `docs/thin-events.md` in Rust, word for word: the payload of a thin event.

use serde::Deserialize;
use std::error::Error;
use webhook::{HeaderFamily, TOLERANCE_SECONDS, Verifier, VerifyingKey};

#[derive(Deserialize)]
struct Event {
    id: String,
    url: String,
}

/// A header's name, and its value.
pub type Header = (String, Vec<u8>);

/// Whom events come from, and where it has payloads: "https://hooks.example.com/api/v1/payload/".
pub struct Sender<'s> {
    pub keys: &'s [VerifyingKey],
    pub payloads: &'s str,
}

impl Sender<'_> {
    /// The payload, by whatever client `get` is: it gives an answer's headers and body.
    pub async fn receive(
        &self,
        headers: &[(&str, &[u8])],
        body: &[u8],
        now: i64,
        get: impl AsyncFn(&str) -> Result<(Vec<Header>, Vec<u8>), Box<dyn Error>>,
    ) -> Result<Vec<u8>, Box<dyn Error>> {
        let verifier = Verifier {
            keys: self.keys,
            family: HeaderFamily::Webhook,
            tolerance_seconds: TOLERANCE_SECONDS,
        };
        verifier.verify(headers.iter().copied(), body, now)?;
        let event: Event = serde_json::from_slice(body)?;
        if !event.url.starts_with(self.payloads) {
            return Err("the payload is somewhere else".into());
        }
        let (fetched, payload) = get(&event.url).await?;
        let fetched = fetched.iter();
        let fetched = fetched.map(|(name, value)| (name.as_str(), value.as_slice()));
        if verifier.verify(fetched, &payload, now)?.id != event.id {
            return Err("the payload is another message's".into());
        }
        Ok(payload)
    }
}
