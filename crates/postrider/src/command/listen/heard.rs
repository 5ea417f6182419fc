//! What a server says that was listened to, and whether that is genuine.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use std::collections::BTreeMap;
use webhook::{HeaderFamily, TOLERANCE_SECONDS, Verifier, VerifyingKey};

/// An answer.
#[derive(Deserialize)]
pub(super) struct Heard {
    pub(super) data: Vec<Letter>,
    pub(super) iterator: String,
}

/// A message as an endpoint would get it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Letter {
    pub(super) id: String,
    pub(super) event_type: String,
    pub(super) headers: BTreeMap<String, String>,
    body: String,
    encoding: Encoding,
}

#[derive(Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
enum Encoding {
    Text,
    Base64,
}

impl Letter {
    /// The body, byte for byte.
    pub(super) fn bytes(&self) -> Result<Vec<u8>, String> {
        match self.encoding {
            Encoding::Text => Ok(self.body.clone().into_bytes()),
            Encoding::Base64 => STANDARD
                .decode(&self.body)
                .map_err(|_| "its body is said to be base64, and is not".to_owned()),
        }
    }

    /// Whether it is signed with this key, and says of itself what the server says of it.
    pub(super) fn verify(&self, key: &VerifyingKey, body: &[u8], now: i64) -> Result<(), String> {
        let verifier = Verifier {
            keys: std::slice::from_ref(key),
            family: HeaderFamily::Both,
            tolerance_seconds: TOLERANCE_SECONDS,
        };
        let headers = self.headers.iter();
        let headers = headers.map(|(name, value)| (name.as_str(), value.as_bytes()));
        let verified = verifier.verify(headers, body, now);
        let verified = verified.map_err(|refused| refused.to_string())?;
        match verified.id == self.id {
            true => Ok(()),
            false => Err("another message's id was signed".to_owned()),
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use webhook::SigningKey;

    const NOW: i64 = 1_800_000_000;

    /// A message with this body, signed with this key.
    pub(in super::super) fn letter(key: &SigningKey, body: &str) -> Letter {
        let id = "msg_1";
        let signature = webhook::sign(&[key], id, NOW, body.as_bytes());
        let headers = [
            ("webhook-id", id.to_owned()),
            ("webhook-timestamp", NOW.to_string()),
            ("webhook-signature", signature),
            ("content-type", "application/json".to_owned()),
        ];
        Letter {
            id: id.to_owned(),
            event_type: "order.paid".to_owned(),
            headers: headers.map(|(name, value)| (name.to_owned(), value)).into(),
            body: body.to_owned(),
            encoding: Encoding::Text,
        }
    }

    #[test]
    fn only_what_was_signed_with_the_secret_is_genuine() {
        let (key, other) = (
            SigningKey::generate_hmac(&[1; 24]),
            SigningKey::generate_hmac(&[2; 24]),
        );
        let verifying = |key: &SigningKey| VerifyingKey::parse(key.receiver_text().expose());
        let (own, other) = (verifying(&key).unwrap(), verifying(&other).unwrap());
        let mut letter = letter(&key, "{}");
        assert_eq!(letter.verify(&own, b"{}", NOW), Ok(()));
        for refused in [
            letter.verify(&other, b"{}", NOW),
            letter.verify(&own, b"{ }", NOW),
            letter.verify(&own, b"{}", NOW + 3_600),
        ] {
            assert!(refused.is_err());
        }
        letter.id = "msg_2".to_owned();
        assert!(letter.verify(&own, b"{}", NOW).is_err());
    }

    #[test]
    fn a_body_is_read_as_it_is_written() {
        let read = |body: &str, encoding| {
            let letter = Letter {
                encoding,
                ..letter(&SigningKey::generate_hmac(&[1; 24]), body)
            };
            letter.bytes()
        };
        assert_eq!(read("/w==", Encoding::Text).unwrap(), b"/w==");
        assert_eq!(read("/w==", Encoding::Base64).unwrap(), [0xff]);
        assert!(read("/w", Encoding::Base64).is_err());
    }
}
