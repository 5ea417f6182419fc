//! Signatures as Standard Webhooks has them: what the sender of an incoming webhook puts on each
//! request. Every request is signed when it is sent, with an id of its own.

use crate::BenchError;
use aws_lc_rs::hmac::{Context, HMAC_SHA256, Key};
use base64::prelude::{BASE64_STANDARD, Engine as _};
use http::{HeaderMap, HeaderName, HeaderValue};

const ID: HeaderName = HeaderName::from_static("webhook-id");
const TIMESTAMP: HeaderName = HeaderName::from_static("webhook-timestamp");
const SIGNATURE: HeaderName = HeaderName::from_static("webhook-signature");
/// How a shared secret begins.
const PREFIX: &str = "whsec_";

/// Signs with one secret. It does not print.
pub(crate) struct Signer(Key);

impl Signer {
    /// With a shared secret in the form that sources take.
    pub(crate) fn new(secret: &str) -> Result<Self, BenchError> {
        let bytes = BASE64_STANDARD.decode(secret.strip_prefix(PREFIX).unwrap_or(secret));
        let bytes = bytes.map_err(|cause| BenchError::Certificates {
            cause: cause.into(),
        })?;
        Ok(Self(Key::new(HMAC_SHA256, &bytes)))
    }

    /// Puts an id, a time and a signature over both and a body among headers.
    pub(crate) fn sign(&self, headers: &mut HeaderMap, (id, body): (&str, &[u8]), now: i64) {
        let timestamp = now.to_string();
        let mut context = Context::with_key(&self.0);
        for part in [id.as_bytes(), b".", timestamp.as_bytes(), b".", body] {
            context.update(part);
        }
        let signature = BASE64_STANDARD.encode(context.sign());
        let value = |text: &str| HeaderValue::try_from(text).expect("it is plain ASCII");
        headers.insert(ID, value(id));
        headers.insert(TIMESTAMP, value(&timestamp));
        headers.insert(SIGNATURE, value(&format!("v1,{signature}")));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_standards_own_example_is_signed_as_it_is_there() {
        let signer = Signer::new("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let mut headers = HeaderMap::new();
        let (id, body) = ("msg_p5jXN8AQM9LWM0D4loKWxJek", br#"{"test": 2432232314}"#);
        signer.sign(&mut headers, (id, body), 1_614_265_330);
        assert_eq!(headers[ID], id);
        assert_eq!(headers[TIMESTAMP], "1614265330");
        let expected = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
        assert_eq!(headers[SIGNATURE], expected);
        assert!(Signer::new("whsec_!").is_err());
    }
}
