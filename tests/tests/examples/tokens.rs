//! The example of `docs/authentication.md` in Rust, word for word: a receiver that gives access
//! tokens itself.

use super::credentials::has_password;
use aws_lc_rs::rand;
use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine as _};
use http::HeaderMap;
use std::collections::HashMap;
use std::time::{Duration, Instant};

/// The tokens that were given, each with the time until which it is good.
#[derive(Default)]
pub struct Tokens(HashMap<String, Instant>);

impl Tokens {
    /// For `/token`, as `{"access_token": …, "token_type": "Bearer", "expires_in": 3600}`; without
    /// one, 401 and `{"error": "invalid_client"}`.
    pub fn give(&mut self, headers: &HeaderMap, now: Instant) -> Option<String> {
        if !has_password(headers, "postrider", "open-sesame") {
            return None;
        }
        let mut bytes = [0; 32];
        rand::fill(&mut bytes).ok()?;
        let token = BASE64_URL_SAFE_NO_PAD.encode(bytes);
        self.0
            .insert(token.clone(), now + Duration::from_secs(3_600));
        Some(token)
    }

    /// Whether a delivery may come in.
    pub fn admit(&self, headers: &HeaderMap, now: Instant) -> bool {
        let credentials = headers
            .get("authorization")
            .and_then(|value| value.to_str().ok());
        let token = credentials.and_then(|text| text.strip_prefix("Bearer "));
        token
            .and_then(|token| self.0.get(token))
            .is_some_and(|until| *until > now)
    }
}
