//! An [`HmacScheme`] as a provider's: most of them are nothing else.

use std::borrow::Cow;

use super::scheme::{Claim, Covers, Names, Scheme};
use super::{Outgoing, Request, SecretError, SignError};
use crate::scheme::Encoding;
use crate::scheme::template::Target;
use crate::scheme::verify::is_equal;
use crate::{HmacKey, HmacKeys, HmacScheme, Refused};

impl Scheme for HmacScheme {
    type Key = HmacKey;
    type Signature = Vec<u8>;

    fn names(&self) -> Names {
        Names {
            id: known(self.id_header.as_ref()),
            timestamp: known(self.timestamp_header.as_ref()),
            signature: known(Some(&self.header)),
        }
    }

    fn covers(&self) -> Covers {
        Covers {
            time: self.signs_time(),
            url: self.signed.has_url(),
            ..Covers::BODY
        }
    }

    fn key(&self, secret: &str) -> Result<HmacKey, SecretError> {
        Ok(self.key(secret)?)
    }

    fn read<'r>(&self, request: &Request<'r>) -> Result<Claim<'r, Vec<u8>>, Refused> {
        let said = self.read(request.headers.iter().copied())?;
        let target = Target {
            method: request.method,
            url: request.url,
        };
        let values = said.values(target, request.body);
        let content = self.signed.pieces(values).collect::<Vec<_>>().concat();
        let id = said.id.map(|id| Cow::Borrowed(id.as_bytes()));
        let time = said.timestamp.map(Cow::Borrowed);
        Ok(Claim {
            id: id.map(|id| (id, self.signed.has_id())),
            time: time.map(|text| (text, self.time)),
            ..Claim::over(content, said.digests)
        })
    }

    fn is_signed(&self, key: &HmacKey, content: &[u8], found: &[Vec<u8>]) -> bool {
        is_hmac(key, content, found)
    }

    fn hex_hmac(&self, key: &HmacKey, text: &[u8]) -> Option<String> {
        let tag = key.over(std::iter::once(text));
        Some(Encoding::Hex.write(tag.as_ref()))
    }

    fn sign(
        &self,
        secrets: &[&str],
        request: &Outgoing<'_>,
    ) -> Result<Vec<(String, String)>, SignError> {
        let keys: Result<Vec<_>, _> = secrets
            .iter()
            .map(|secret| Scheme::key(self, secret))
            .collect();
        let keys = keys?;
        let (current, before) = keys.split_first().ok_or(SignError::NoSecret)?;
        let before: Vec<_> = before.iter().collect();
        let keys = HmacKeys {
            current,
            before: &before,
        };
        let target = Target {
            method: request.method,
            url: request.url,
        };
        let when = (request.id, request.timestamp);
        let headers = self.sign_request(keys, when, (target, request.body));
        let headers = headers.into_iter();
        Ok(headers
            .map(|(name, value)| (name.to_owned(), value))
            .collect())
    }
}

/// Whether one of the digests is the HMAC over the content.
pub(super) fn is_hmac(key: &HmacKey, content: &[u8], found: &[Vec<u8>]) -> bool {
    let expected = key.over(std::iter::once(content));
    found.iter().any(|digest| is_equal(digest, &expected))
}

/// A name that is part of the program, as those of all providers are.
fn known(name: Option<&Cow<'static, str>>) -> Option<&'static str> {
    match name? {
        Cow::Borrowed(name) => Some(name),
        Cow::Owned(_) => None,
    }
}
