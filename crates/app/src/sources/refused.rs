//! What is kept of a request that a source refused, where its owner wants to look at it: headers
//! and body, bounded, sealed, and without what is secret of them. The URL is not kept: it has the
//! token.
//!
//! A header is left out by its name, and whatever holds a secret of the source by its content: a
//! sender may put it anywhere. What was secret for others, in a body, can't be told.

use super::OpenSource;
use super::checks::Request;
use crate::endpoints::is_sensitive;
use crate::{App, AppError};
use base64::prelude::{BASE64_STANDARD, Engine as _};
use model::Secret;
use model::id::{SourceId, Tail};
use model::protection::Credential;
use model::source::AuthDemanded;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;
use vault::Place;

/// How much of a body is kept.
const BODY_BYTES_MAX: usize = 16 * 1_024;
/// How many header lines are kept, and how many bytes of them.
const HEADERS_MAX: usize = 32;
const HEADER_BYTES_MAX: usize = 8 * 1_024;
/// A header whose name has one of these in it is not kept: it is one that holds a credential, or
/// may as well.
const SECRET_WORDS: [&str; 9] = [
    "auth",
    "cookie",
    "token",
    "secret",
    "passw",
    "api-key",
    "apikey",
    "credential",
    "session",
];

/// What was kept of a request that was refused.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefusedRequest {
    /// Its headers, by name in lower case; the values of several lines with a comma between.
    pub headers: BTreeMap<String, String>,
    /// The beginning of its body; in base64, where that is no text.
    pub body: String,
}

impl App {
    /// A sealed sample of a request that this source refused; `None`: it keeps none.
    pub fn seal_refused(&self, source: &OpenSource, request: &Request<'_>) -> Option<Arc<[u8]>> {
        if !source.config.keeps_refused {
            return None;
        }
        let sample = serde_json::to_vec(&RefusedRequest::of(source, request));
        let sample = sample.expect("texts are JSON");
        let tail = source.source.id.tail();
        Some(
            self.vault
                .seal_for_installation(place(&tail), &sample)
                .into(),
        )
    }

    /// What such a sample holds.
    pub(super) fn open_refused(
        &self,
        source: SourceId,
        sample: &[u8],
    ) -> Result<RefusedRequest, AppError> {
        let tail = source.tail();
        let sample = self.vault.open_for_installation(place(&tail), sample)?;
        serde_json::from_slice(&sample).map_err(AppError::internal)
    }
}

impl RefusedRequest {
    fn of(source: &OpenSource, request: &Request<'_>) -> Self {
        let secrets = secrets(source);
        let mut headers = BTreeMap::<String, String>::new();
        let mut left = HEADER_BYTES_MAX;
        let kept = request.headers.iter().filter(|(name, value)| {
            let name = name.to_ascii_lowercase();
            !is_secret(source, &name) && !holds_any(value, &secrets)
        });
        for (name, value) in kept.take(HEADERS_MAX) {
            let Some(rest) = left.checked_sub(name.len() + value.len()) else {
                break;
            };
            left = rest;
            let value = String::from_utf8_lossy(value);
            headers
                .entry(name.to_ascii_lowercase())
                .and_modify(|values| {
                    values.push_str(", ");
                    values.push_str(&value);
                })
                .or_insert_with(|| value.to_string());
        }
        let body = match holds_any(request.body, &secrets) {
            true => String::new(),
            false => beginning(request.body),
        };
        Self { headers, body }
    }
}

/// Whether a header of this name, which is in lower case, may hold a secret.
fn is_secret(source: &OpenSource, name: &str) -> bool {
    let mut words = SECRET_WORDS.iter();
    is_sensitive(name) || source.checks.is_token(name) || words.any(|word| name.contains(word))
}

/// All that is secret of a source, and would be in a request as it is.
fn secrets(source: &OpenSource) -> Vec<&Secret> {
    let config = &source.config;
    let credential = match &config.auth {
        Some(AuthDemanded::Credential(credential)) => Some(match credential {
            Credential::Basic { password, .. } => password,
            Credential::Bearer { token } => token,
            Credential::ApiKey { value, .. } => value,
            Credential::HttpSignature { key, .. } => key,
        }),
        Some(AuthDemanded::Certificate { .. }) | None => None,
    };
    let secrets = config.secrets.iter().chain(credential);
    let secrets = secrets.chain(config.verify_token.as_ref());
    secrets.chain([&source.token]).collect()
}

fn holds_any(bytes: &[u8], secrets: &[&Secret]) -> bool {
    let mut secrets = secrets.iter().map(|secret| secret.expose());
    secrets.any(|secret| {
        let mut windows = bytes.windows(secret.len().max(1));
        windows.any(|window| window == secret)
    })
}

/// The beginning of a body, as a text.
fn beginning(body: &[u8]) -> String {
    let kept = &body[..body.len().min(BODY_BYTES_MAX)];
    match std::str::from_utf8(kept) {
        Ok(text) => text.to_owned(),
        // It was cut within a character.
        Err(wrong) if wrong.error_len().is_none() && kept.len() < body.len() => {
            String::from_utf8_lossy(&kept[..wrong.valid_up_to()]).into_owned()
        }
        Err(_) => BASE64_STANDARD.encode(kept),
    }
}

fn place(source: &Tail) -> Place<'_> {
    Place {
        table: "security_event",
        row: source,
        column: "sample",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_kept_up_to_its_bound_as_a_text_or_base64() {
        let long = "\u{20ac}".repeat(BODY_BYTES_MAX);
        for (body, expected) in [
            (&b""[..], String::new()),
            (b"{}", "{}".to_owned()),
            (b"\xff\0", "/wA=".to_owned()),
            (b"caf\xc3", "Y2Fmww==".to_owned()),
            (long.as_bytes(), "\u{20ac}".repeat(BODY_BYTES_MAX / 3)),
            (
                &[0xff; 2 * BODY_BYTES_MAX],
                BASE64_STANDARD.encode([0xff; BODY_BYTES_MAX]),
            ),
        ] {
            assert_eq!(beginning(body), expected);
        }
    }

    #[test]
    fn a_secret_is_found_wherever_it_stands() {
        let secrets = ["sesame", "open"].map(|text| Secret::from(text.to_owned()));
        let secrets: Vec<_> = secrets.iter().collect();
        for (text, holds) in [
            ("", false),
            ("sesam", false),
            ("sesame", true),
            (r#"{"a":"sesame","b":1}"#, true),
            ("it is open", true),
        ] {
            assert_eq!(holds_any(text.as_bytes(), &secrets), holds, "{text}");
        }
    }
}
