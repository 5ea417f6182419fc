//! The example of `docs/verification.md` in Rust, word for word: a receiver that says that it wants
//! what it gets.

use serde::Deserialize;
use std::error::Error;
use webhook::{HeaderFamily, TOLERANCE_SECONDS, Verifier, VerifyingKey};

#[derive(Deserialize)]
struct Challenge {
    r#type: String,
    challenge: String,
}

pub struct Request<'r> {
    pub method: &'r str,
    pub headers: &'r [(&'r str, &'r [u8])],
    pub body: &'r [u8],
}

#[derive(Debug, PartialEq, Eq)]
pub enum Answer {
    /// 200, with `WebHook-Allowed-Origin` and `WebHook-Allowed-Rate`.
    Allow { origin: String, per_minute: u32 },
    /// 200, with this body.
    GiveBack(String),
    /// A delivery, which is genuine: 204.
    Taken,
    /// 403.
    NotOurs,
}

/// `origin` is the host of the sender: "hooks.example.com".
pub fn receive(
    keys: &[VerifyingKey],
    origin: &str,
    request: &Request<'_>,
    now: i64,
) -> Result<Answer, Box<dyn Error>> {
    let mut headers = request.headers.iter().copied();
    if request.method == "OPTIONS" {
        let is_ours = |(name, value): (&str, &[u8])| {
            name.eq_ignore_ascii_case("webhook-request-origin") && value == origin.as_bytes()
        };
        return Ok(match headers.any(is_ours) {
            true => Answer::Allow {
                origin: origin.to_owned(),
                per_minute: 120,
            },
            false => Answer::NotOurs,
        });
    }
    let verifier = Verifier {
        keys,
        family: HeaderFamily::Webhook,
        tolerance_seconds: TOLERANCE_SECONDS,
    };
    verifier.verify(headers, request.body, now)?;
    match serde_json::from_slice::<Challenge>(request.body) {
        Ok(asked) if asked.r#type == "endpoint.challenge" => Ok(Answer::GiveBack(asked.challenge)),
        _ => Ok(Answer::Taken),
    }
}
