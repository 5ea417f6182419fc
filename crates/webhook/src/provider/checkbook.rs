//! Checkbook: the body and a nonce behind it, which stands with the signature in one header. The id
//! in the body is a check's, of which there is more than one event. The nonce is no id either: with
//! nothing between them, digits could be taken from it and given to the body.

use super::hmac::is_hmac;
use super::place::Place;
use super::scheme::{Claim, Covers, Names, Scheme};
use super::{Manners, Provider, Request, SecretError};
use crate::refused::Carried;
use crate::scheme::verify::needed;
use crate::scheme::{Encoding, Hash};
use crate::{HmacKey, Refused, TOLERANCE_SECONDS};

pub(super) static PROVIDER: Provider = Provider {
    name: "checkbook",
    scheme: &Checkbook,
    tolerance_seconds: TOLERANCE_SECONDS,
    body_id: None,
    manners: Manners::typed(&[Place::Member(&["type"])]),
};

const SIGNATURE: &str = "Signature";

struct Checkbook;

impl Scheme for Checkbook {
    type Key = HmacKey;
    type Signature = Vec<u8>;

    fn names(&self) -> Names {
        Names {
            id: None,
            timestamp: None,
            signature: Some(SIGNATURE),
        }
    }

    fn covers(&self) -> Covers {
        Covers::BODY
    }

    fn key(&self, secret: &str) -> Result<HmacKey, SecretError> {
        Ok(Hash::Sha256.key(secret)?)
    }

    fn read<'r>(&self, request: &Request<'r>) -> Result<Claim<'r, Vec<u8>>, Refused> {
        let headers = request.headers.iter().copied();
        let header = needed(headers, SIGNATURE, Carried::Signature)?;
        let nonce = only(header, b"nonce=")?;
        let signature = Encoding::Hex.read(only(header, b"signature=")?);
        let is_nonce = !nonce.is_empty() && nonce.iter().all(u8::is_ascii_digit);
        let signature = signature.filter(|_| is_nonce);
        let content = [request.body, nonce].concat();
        Ok(Claim::over(content, signature.into_iter().collect()))
    }

    fn is_signed(&self, key: &HmacKey, content: &[u8], found: &[Vec<u8>]) -> bool {
        is_hmac(key, content, found)
    }
}

/// What stands behind this name, which may be there once.
fn only<'h>(header: &'h [u8], name: &[u8]) -> Result<&'h [u8], Refused> {
    let pairs = header.split(|byte| *byte == b',');
    let mut values = pairs.filter_map(|pair| pair.trim_ascii().strip_prefix(name));
    let value = values.next().ok_or(Refused::NoUsableSignature)?;
    match values.next() {
        None => Ok(value),
        Some(_) => Err(Refused::Duplicate(Carried::Signature)),
    }
}
