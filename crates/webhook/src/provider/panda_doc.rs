//! PandaDoc: the body alone is signed, and the signature is a parameter of the URL. One request
//! holds several events.

use super::hmac::is_hmac;
use super::place::Place;
use super::scheme::{Claim, Covers, Names, Scheme};
use super::{Manners, Provider, Request, SecretError, form};
use crate::refused::Carried;
use crate::scheme::{Encoding, Hash};
use crate::{HmacKey, Refused, TOLERANCE_SECONDS};

pub(super) static PROVIDER: Provider = Provider {
    name: "panda-doc",
    scheme: &PandaDoc,
    tolerance_seconds: TOLERANCE_SECONDS,
    body_id: None,
    manners: Manners::typed(&[Place::Member(&["event"])]),
};

const PARAMETER: &[u8] = b"signature";

struct PandaDoc;

impl Scheme for PandaDoc {
    type Key = HmacKey;
    type Signature = Vec<u8>;

    fn names(&self) -> Names {
        Names::default()
    }

    fn covers(&self) -> Covers {
        Covers::BODY
    }

    fn key(&self, secret: &str) -> Result<HmacKey, SecretError> {
        Ok(Hash::Sha256.key(secret)?)
    }

    fn read<'r>(&self, request: &Request<'r>) -> Result<Claim<'r, Vec<u8>>, Refused> {
        let query = form::query(request.url).as_bytes();
        let mut found = form::fields(query).filter(|(name, _)| name == PARAMETER);
        let (_, signature) = found.next().ok_or(Refused::Missing(Carried::Signature))?;
        if found.next().is_some() {
            return Err(Refused::Duplicate(Carried::Signature));
        }
        let signature = Encoding::Hex.read(&signature);
        Ok(Claim::over(
            request.body.to_vec(),
            signature.into_iter().collect(),
        ))
    }

    fn is_signed(&self, key: &HmacKey, content: &[u8], found: &[Vec<u8>]) -> bool {
        is_hmac(key, content, found)
    }
}
