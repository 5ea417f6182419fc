//! Telnyx: time and body, signed with ed25519.

use aws_lc_rs::signature::{ED25519, ParsedPublicKey};

use super::place::Place;
use super::scheme::{Claim, Covers, Names, Scheme};
use super::{Manners, Provider, Request, SecretError};
use crate::freshness::Written;
use crate::refused::Carried;
use crate::scheme::Encoding;
use crate::scheme::verify::needed;
use crate::{Refused, TOLERANCE_SECONDS};

pub(super) static PROVIDER: Provider = Provider {
    name: "telnyx",
    scheme: &Telnyx,
    tolerance_seconds: TOLERANCE_SECONDS,
    body_id: Some("data.id"),
    manners: Manners::typed(&[Place::Member(&["data", "event_type"])]),
};

const SIGNATURE: &str = "telnyx-signature-ed25519";
const TIMESTAMP: &str = "telnyx-timestamp";
const PUBLIC_KEY_BYTES: usize = 32;

struct Telnyx;

impl Scheme for Telnyx {
    type Key = ParsedPublicKey;
    type Signature = [u8; 64];

    fn names(&self) -> Names {
        Names {
            id: None,
            timestamp: Some(TIMESTAMP),
            signature: Some(SIGNATURE),
        }
    }

    fn covers(&self) -> Covers {
        Covers::BODY_AND_TIME
    }

    fn key(&self, secret: &str) -> Result<ParsedPublicKey, SecretError> {
        let key = Encoding::Base64.read(secret.as_bytes());
        let key = key.filter(|key| key.len() == PUBLIC_KEY_BYTES);
        let key = key.and_then(|key| ParsedPublicKey::new(&ED25519, key).ok());
        key.ok_or(SecretError::NotABase64Ed25519Key)
    }

    fn read<'r>(&self, request: &Request<'r>) -> Result<Claim<'r, [u8; 64]>, Refused> {
        let headers = request.headers.iter().copied();
        let signature = needed(headers.clone(), SIGNATURE, Carried::Signature)?;
        let timestamp = needed(headers, TIMESTAMP, Carried::Timestamp)?;
        let signature = Encoding::Base64.read(signature);
        let signature = signature.and_then(|bytes| bytes.try_into().ok());
        let content = [timestamp, b"|", request.body].concat();
        Ok(Claim {
            time: Some((timestamp.into(), Written::Seconds)),
            ..Claim::over(content, signature.into_iter().collect())
        })
    }

    fn is_signed(&self, key: &ParsedPublicKey, content: &[u8], found: &[[u8; 64]]) -> bool {
        let mut found = found.iter();
        found.any(|signature| key.verify_sig(content, signature).is_ok())
    }
}
