//! DocuSign Connect: the body alone is signed, once with each key that is active, in a header of
//! its own.

use super::hmac::is_hmac;
use super::place::Place;
use super::scheme::{Claim, Covers, Names, Scheme};
use super::{Manners, Outgoing, Provider, Request, SecretError, SignError};
use crate::refused::Carried;
use crate::scheme::{Encoding, Hash};
use crate::{HmacKey, Refused, SIGNATURES_MAX, TOLERANCE_SECONDS};

pub(super) static PROVIDER: Provider = Provider {
    name: "docusign",
    scheme: &Docusign,
    tolerance_seconds: TOLERANCE_SECONDS,
    body_id: None,
    manners: Manners::typed(&[Place::Member(&["event"])]),
};

/// The header of the first key; those of the others end in 2, 3 and so on.
const FIRST: &str = "X-DocuSign-Signature-1";
const PREFIX: &[u8] = b"x-docusign-signature-";

struct Docusign;

impl Scheme for Docusign {
    type Key = HmacKey;
    type Signature = Vec<u8>;

    fn names(&self) -> Names {
        Names {
            id: None,
            timestamp: None,
            signature: Some(FIRST),
        }
    }

    fn covers(&self) -> Covers {
        Covers::BODY
    }

    fn key(&self, secret: &str) -> Result<HmacKey, SecretError> {
        Ok(Hash::Sha256.key(secret)?)
    }

    fn read<'r>(&self, request: &Request<'r>) -> Result<Claim<'r, Vec<u8>>, Refused> {
        let mut found: Vec<(&[u8], &[u8])> = Vec::new();
        for (name, value) in request.headers {
            let name = name.as_bytes();
            let Some((prefix, number)) = name.split_at_checked(PREFIX.len()) else {
                continue;
            };
            if !prefix.eq_ignore_ascii_case(PREFIX) || !is_number(number) {
                continue;
            }
            if found.iter().any(|(other, _)| *other == number) {
                return Err(Refused::Duplicate(Carried::Signature));
            }
            if found.len() == SIGNATURES_MAX {
                return Err(Refused::TooManySignatures);
            }
            found.push((number, value));
        }
        if found.is_empty() {
            return Err(Refused::Missing(Carried::Signature));
        }
        let digests = found
            .iter()
            .filter_map(|(_, value)| Encoding::Base64.read(value));
        Ok(Claim::over(request.body.to_vec(), digests.collect()))
    }

    fn is_signed(&self, key: &HmacKey, content: &[u8], found: &[Vec<u8>]) -> bool {
        is_hmac(key, content, found)
    }

    fn sign(
        &self,
        secrets: &[&str],
        request: &Outgoing<'_>,
    ) -> Result<Vec<(String, String)>, SignError> {
        let signed = (1..).zip(secrets).map(|(number, secret)| {
            let tag = self.key(secret)?.over(std::iter::once(request.body));
            let name = format!("X-DocuSign-Signature-{number}");
            Ok((name, Encoding::Base64.write(tag.as_ref())))
        });
        signed.collect()
    }
}

/// Whether this is 1, 2 and so on, in the one way to write it.
fn is_number(text: &[u8]) -> bool {
    matches!(text, [b'1'..=b'9', rest @ ..] if rest.iter().all(u8::is_ascii_digit))
}
