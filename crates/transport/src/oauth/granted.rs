//! What a token server answers: judged strictly where it becomes part of requests, and mildly where
//! servers are known to differ.

use std::sync::Arc;
use std::time::Duration;

use http::HeaderValue;
use serde::Deserialize;
use serde_json::Value;
use tokio::time::Instant;

use super::AccessToken;
use crate::fetch::Fetched;

/// The longest token. Receivers refuse longer headers.
const TOKEN_BYTES_MAX: usize = 16 << 10;

/// How long a token is good for where the server doesn't say.
const LIFETIME_DEFAULT: Duration = Duration::from_secs(300);
const LIFETIME_MIN: Duration = Duration::from_secs(30);
const LIFETIME_MAX: Duration = Duration::from_secs(86_400);

/// How long before a token expires another is asked for.
const RENEWED_BEFORE_MAX: Duration = Duration::from_secs(60);
/// How long before it expires it isn't used any more, so that it doesn't expire on its way.
const UNUSED_BEFORE: Duration = Duration::from_secs(5);

/// What is wrong with an answer that should hold a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoToken {
    /// Not the JSON of a token.
    #[error("its answer is no JSON object with a text `access_token`")]
    NotJson,
    /// Of a kind that is not sent as a bearer token is.
    #[error("its `token_type` is not `Bearer`")]
    NotBearer,
    /// Not what a header can hold.
    #[error("its token is empty, longer than {TOKEN_BYTES_MAX} bytes, or not visible ASCII")]
    Malformed,
}

/// A token, and how long it is good for.
pub(super) struct Granted {
    token: AccessToken,
    lifetime: Duration,
}

#[derive(Deserialize)]
struct Text {
    access_token: String,
    token_type: Option<String>,
    expires_in: Option<Value>,
}

/// Reads an answer.
pub(super) fn read(body: &[u8]) -> Result<Granted, NoToken> {
    // serde_json's own text may quote what it met.
    let text: Text = serde_json::from_slice(body).map_err(|_| NoToken::NotJson)?;
    let is_bearer = |kind: &String| kind.eq_ignore_ascii_case("bearer");
    if !text.token_type.as_ref().is_none_or(is_bearer) {
        return Err(NoToken::NotBearer);
    }
    let token = text.access_token;
    let fits = (1..=TOKEN_BYTES_MAX).contains(&token.len());
    if !fits || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(NoToken::Malformed);
    }
    let value = HeaderValue::try_from(format!("Bearer {token}"));
    let mut value = value.map_err(|_| NoToken::Malformed)?;
    value.set_sensitive(true);
    Ok(Granted {
        token: AccessToken(value),
        lifetime: lifetime(text.expires_in.as_ref()),
    })
}

impl Granted {
    /// The token, with a lifetime that began at `asked`.
    pub(super) fn from(self, asked: Instant) -> Fetched<AccessToken> {
        let renewed_before = RENEWED_BEFORE_MAX.min(self.lifetime / 5);
        Fetched {
            value: Arc::new(self.token),
            fresh_until: asked + self.lifetime - renewed_before,
            usable_until: asked + self.lifetime - UNUSED_BEFORE,
        }
    }
}

/// Seconds, as a number or, as some servers have it, as text.
fn lifetime(expires_in: Option<&Value>) -> Duration {
    let seconds = match expires_in {
        Some(Value::Number(number)) => number.as_f64(),
        Some(Value::String(text)) => text.trim().parse().ok(),
        _ => None,
    };
    let Some(seconds) = seconds.filter(|seconds: &f64| !seconds.is_nan()) else {
        return LIFETIME_DEFAULT;
    };
    let (min, max) = (LIFETIME_MIN.as_secs_f64(), LIFETIME_MAX.as_secs_f64());
    Duration::from_secs_f64(seconds.clamp(min, max))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lifetimes_are_clamped_and_guessed_where_none_is_given() {
        for (given, seconds) in [
            ("3600", 3_600),
            ("\"3600\"", 3_600),
            ("59.5e1", 595),
            ("0", 30),
            ("-1", 30),
            ("-1e300", 30),
            ("1e300", 86_400),
            ("\"inf\"", 86_400),
            ("\"NaN\"", 300),
            ("\"soon\"", 300),
            ("null", 300),
            ("true", 300),
            ("[1]", 300),
        ] {
            let body = format!(r#"{{"access_token":"t","expires_in":{given}}}"#);
            let granted = read(body.as_bytes()).map_err(|error| error.to_string());
            let lifetime = granted.map(|granted| granted.lifetime);
            assert_eq!(lifetime, Ok(Duration::from_secs(seconds)), "{given}");
        }
    }

    #[test]
    fn what_is_no_bearer_token_is_refused() {
        let long = format!(
            r#"{{"access_token":"{}"}}"#,
            "t".repeat(TOKEN_BYTES_MAX + 1)
        );
        for (body, expected) in [
            ("", NoToken::NotJson),
            ("<html><body>Sign in</body></html>", NoToken::NotJson),
            ("[]", NoToken::NotJson),
            ("{}", NoToken::NotJson),
            (r#"{"access_token":7}"#, NoToken::NotJson),
            (
                r#"{"access_token":"a","access_token":"b"}"#,
                NoToken::NotJson,
            ),
            (
                r#"{"access_token":"t","token_type":"mac"}"#,
                NoToken::NotBearer,
            ),
            (
                r#"{"access_token":"t","token_type":""}"#,
                NoToken::NotBearer,
            ),
            (r#"{"access_token":""}"#, NoToken::Malformed),
            (r#"{"access_token":"t\r\nx-evil: 1"}"#, NoToken::Malformed),
            (r#"{"access_token":"t\u0000"}"#, NoToken::Malformed),
            (r#"{"access_token":"a b"}"#, NoToken::Malformed),
            (r#"{"access_token":"é"}"#, NoToken::Malformed),
            (&long, NoToken::Malformed),
        ] {
            assert_eq!(read(body.as_bytes()).err(), Some(expected), "{body:.60}");
        }
    }

    #[test]
    fn token_becomes_a_header_that_does_not_print() {
        for kind in [r#""token_type":"BEARER","#, ""] {
            let body = format!(r#"{{{kind}"access_token":"a.b-c_d~e+f/g=|"}}"#);
            let granted = read(body.as_bytes()).map_err(|error| error.to_string());
            let value = granted.expect("a token").token.authorization();
            assert_eq!(value, "Bearer a.b-c_d~e+f/g=|");
            assert_eq!(format!("{value:?}"), "Sensitive");
        }
    }
}
