//! SendGrid's event webhook: time and body, signed with ECDSA on P-256. Its documentation names no
//! tolerance. Such a signature can be rewritten into another that is as good, so that a replay must
//! not be told by it.

use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1, ParsedPublicKey};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::place::Place;
use super::scheme::{Claim, Covers, Names, Scheme};
use super::{Manners, Provider, Request, SecretError};
use crate::freshness::Written;
use crate::refused::Carried;
use crate::scheme::Encoding;
use crate::scheme::verify::needed;
use crate::{Refused, TOLERANCE_SECONDS};

pub(super) static PROVIDER: Provider = Provider {
    name: "sendgrid",
    scheme: &SendGrid,
    tolerance_seconds: TOLERANCE_SECONDS,
    body_id: None,
    manners: Manners::typed(&[Place::Member(&["event"])]),
};

const SIGNATURE: &str = "X-Twilio-Email-Event-Webhook-Signature";
const TIMESTAMP: &str = "X-Twilio-Email-Event-Webhook-Timestamp";
/// How a public key begins that says what it is for; the library takes bare points, too.
const DER_SEQUENCE: u8 = 0x30;

struct SendGrid;

impl Scheme for SendGrid {
    type Key = ParsedPublicKey;
    type Signature = Vec<u8>;

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
        let der = STANDARD.decode(secret).ok();
        let der = der.filter(|der| der.first() == Some(&DER_SEQUENCE));
        let key = der.and_then(|der| ParsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, der).ok());
        key.ok_or(SecretError::NotAP256Key)
    }

    fn read<'r>(&self, request: &Request<'r>) -> Result<Claim<'r, Vec<u8>>, Refused> {
        let headers = request.headers.iter().copied();
        let signature = needed(headers.clone(), SIGNATURE, Carried::Signature)?;
        let timestamp = needed(headers, TIMESTAMP, Carried::Timestamp)?;
        let signature = Encoding::Base64.read(signature);
        let content = [timestamp, request.body].concat();
        Ok(Claim {
            time: Some((timestamp.into(), Written::Seconds)),
            ..Claim::over(content, signature.into_iter().collect())
        })
    }

    fn is_signed(&self, key: &ParsedPublicKey, content: &[u8], found: &[Vec<u8>]) -> bool {
        let mut found = found.iter();
        found.any(|signature| key.verify_sig(content, signature).is_ok())
    }
}
