//! Twilio: the URL and the fields of a form, sorted, are signed with HMAC-SHA1; of a body that is
//! no form, the URL alone, which then carries a digest of the body. Nothing stands between a
//! field's name and its value, as Twilio documents it, so that one signature is good for some other
//! forms.

use aws_lc_rs::digest::{SHA256, digest};

use super::hmac::is_hmac;
use super::scheme::{Claim, Covers, Names, Scheme};
use super::{Outgoing, Provider, Request, SecretError, SignError};
use crate::refused::Carried;
use crate::scheme::verify::{needed, single};
use crate::scheme::{Encoding, Hash};
use crate::{HmacKey, Refused, TOLERANCE_SECONDS};

pub(super) static PROVIDER: Provider = Provider {
    name: "twilio",
    scheme: &Twilio,
    tolerance_seconds: TOLERANCE_SECONDS,
    body_id: None,
};

const SIGNATURE: &str = "X-Twilio-Signature";
const ID: &str = "I-Twilio-Idempotency-Token";
/// The parameter of the URL with the digest of a body that is no form.
const BODY_DIGEST: &str = "bodySHA256";

struct Twilio;

impl Scheme for Twilio {
    type Key = HmacKey;
    type Signature = Vec<u8>;

    fn names(&self) -> Names {
        Names {
            id: Some(ID),
            timestamp: None,
            signature: Some(SIGNATURE),
        }
    }

    fn covers(&self) -> Covers {
        Covers {
            url: true,
            ..Covers::BODY
        }
    }

    fn key(&self, secret: &str) -> Result<HmacKey, SecretError> {
        Ok(Hash::Sha1.key(secret)?)
    }

    fn read<'r>(&self, request: &Request<'r>) -> Result<Claim<'r, Vec<u8>>, Refused> {
        let headers = request.headers.iter().copied();
        let signature = needed(headers.clone(), SIGNATURE, Carried::Signature)?;
        let id = single(headers, ID, Carried::Id)?;
        let content = content(request.url, request.body)?;
        let signature = Encoding::Base64.read(signature);
        Ok(Claim {
            id: id.map(|id| (id.into(), false)),
            ..Claim::over(content, signature.into_iter().collect())
        })
    }

    fn is_signed(&self, key: &HmacKey, content: &[u8], found: &[Vec<u8>]) -> bool {
        is_hmac(key, content, found)
    }

    fn sign(
        &self,
        secrets: &[&str],
        request: &Outgoing<'_>,
    ) -> Result<Vec<(String, String)>, SignError> {
        let key = self.key(secrets.first().ok_or(SignError::NoSecret)?)?;
        let content = content(request.url, request.body).map_err(|_| SignError::NoBodyDigest)?;
        let tag = key.over(std::iter::once(&content[..]));
        Ok(vec![
            (ID.to_owned(), request.id.to_owned()),
            (SIGNATURE.to_owned(), Encoding::Base64.write(tag.as_ref())),
        ])
    }
}

/// What is signed: the digest in the URL decides what the body is, since nobody can change it
/// there.
fn content(url: &str, body: &[u8]) -> Result<Vec<u8>, Refused> {
    let query = url.split_once('?').map_or("", |(_, query)| query);
    let query = query.split('#').next().unwrap_or_default();
    let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    let mut digests = pairs.filter(|(name, _)| *name == BODY_DIGEST);
    let Some((_, expected)) = digests.next() else {
        return Ok([url.as_bytes(), &sorted(body)].concat());
    };
    let expected = Encoding::Hex.read(expected.as_bytes());
    let is_bodys = expected.is_some_and(|bytes| bytes == digest(&SHA256, body).as_ref());
    match is_bodys && digests.next().is_none() {
        true => Ok(url.as_bytes().to_vec()),
        false => Err(Refused::WrongUrlDigest(BODY_DIGEST)),
    }
}

/// The fields of a form with their values, in the order of their names. One that is there twice
/// with the same value counts once.
fn sorted(form: &[u8]) -> Vec<u8> {
    let pairs = form.split(|byte| *byte == b'&');
    let pairs = pairs.filter(|pair| !pair.is_empty());
    let mut fields: Vec<_> = pairs
        .map(|pair| {
            let end = pair.iter().position(|byte| *byte == b'=');
            let (name, value) = pair.split_at(end.unwrap_or(pair.len()));
            (decoded(name), decoded(value.get(1..).unwrap_or_default()))
        })
        .collect();
    fields.sort();
    fields.dedup();
    let fields = fields.into_iter();
    fields
        .flat_map(|(name, value)| [name, value])
        .flatten()
        .collect()
}

/// A name or a value of a form, its escapes undone; what is no escape stays.
fn decoded(text: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((first, behind)) = rest.split_first() {
        let escaped = behind.get(..2).filter(|_| *first == b'%');
        let escaped = escaped.and_then(|digits| Encoding::Hex.read(digits));
        match (escaped, *first) {
            (Some(byte), _) => {
                bytes.extend(byte);
                rest = &behind[2..];
                continue;
            }
            (None, b'+') => bytes.push(b' '),
            (None, other) => bytes.push(other),
        }
        rest = behind;
    }
    bytes
}
