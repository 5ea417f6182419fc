//! Twilio: the URL and the fields of a form, sorted, are signed with HMAC-SHA1; of a body that is
//! no form, the URL alone, which then carries a digest of the body. Nothing stands between a
//! field's name and its value, as Twilio documents it, so that one signature is good for some other
//! forms.

use aws_lc_rs::digest::{SHA256, digest};

use super::answer::Accepted;
use super::hmac::is_hmac;
use super::place::Place;
use super::scheme::{Claim, Covers, Names, Scheme};
use super::{Manners, Outgoing, Provider, Request, SecretError, SignError, form};
use crate::refused::Carried;
use crate::scheme::verify::{needed, single};
use crate::scheme::{Encoding, Hash};
use crate::{HmacKey, Refused, TOLERANCE_SECONDS};

pub(super) static PROVIDER: Provider = Provider {
    name: "twilio",
    scheme: &Twilio,
    tolerance_seconds: TOLERANCE_SECONDS,
    body_id: None,
    manners: Manners {
        event_type: &[
            Place::Field("EventType"),
            Place::Field("RecordingStatus"),
            Place::Field("MessageStatus"),
            Place::Field("SmsStatus"),
            Place::Field("CallStatus"),
            Place::Member(&["type"]),
        ],
        accepted: Accepted::Fixed {
            content_type: Some("text/xml"),
            body: "<Response/>",
        },
        ..Manners::NONE
    },
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
    let query = form::query(url);
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
fn sorted(body: &[u8]) -> Vec<u8> {
    let mut fields: Vec<_> = form::fields(body).collect();
    fields.sort();
    fields.dedup();
    let fields = fields.into_iter();
    fields
        .flat_map(|(name, value)| [name, value])
        .flatten()
        .collect()
}
