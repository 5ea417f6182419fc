//! Time and body, signed with ed25519, as several providers have it: each with headers of its own,
//! in its own encoding. Standard Webhooks signs an id besides, and is not this.

use aws_lc_rs::signature::{ED25519, ParsedPublicKey};

use super::scheme::{Claim, Covers, Names, Scheme};
use super::{Request, SecretError};
use crate::Refused;
use crate::freshness::Written;
use crate::refused::Carried;
use crate::scheme::Encoding;
use crate::scheme::verify::needed;

const PUBLIC_KEY_BYTES: usize = 32;

pub(super) struct Ed25519 {
    /// The header of the signature.
    pub(super) signature: &'static str,
    /// The header of the time, in seconds.
    pub(super) timestamp: &'static str,
    /// Of the signature, and of the public key that receivers have.
    pub(super) encoding: Encoding,
    /// What stands between time and body.
    pub(super) between: &'static [u8],
    /// What is said of another text in the place of that key.
    pub(super) not_a_key: SecretError,
}

impl Scheme for Ed25519 {
    type Key = ParsedPublicKey;
    type Signature = [u8; 64];

    fn names(&self) -> Names {
        Names {
            id: None,
            timestamp: Some(self.timestamp),
            signature: Some(self.signature),
        }
    }

    fn covers(&self) -> Covers {
        Covers::BODY_AND_TIME
    }

    fn key(&self, secret: &str) -> Result<ParsedPublicKey, SecretError> {
        let key = self.encoding.read(secret.as_bytes());
        let key = key.filter(|key| key.len() == PUBLIC_KEY_BYTES);
        let key = key.and_then(|key| ParsedPublicKey::new(&ED25519, key).ok());
        key.ok_or(self.not_a_key)
    }

    fn read<'r>(&self, request: &Request<'r>) -> Result<Claim<'r, [u8; 64]>, Refused> {
        let headers = request.headers.iter().copied();
        let signature = needed(headers.clone(), self.signature, Carried::Signature)?;
        let timestamp = needed(headers, self.timestamp, Carried::Timestamp)?;
        let signature = self.encoding.read(signature);
        let signature = signature.and_then(|bytes| bytes.try_into().ok());
        let content = [timestamp, self.between, request.body].concat();
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
