//! Signs payloads by an endpoint's scheme, with every secret of its that is valid and fits the
//! scheme. What of a request is signed beyond that is `authenticate`'s.

use crate::ready::Unsound;
use http::{HeaderMap, HeaderName, HeaderValue};
use model::endpoint::SigningSecrets;
use model::protection::Signature;
use model::{Secret, Timestamp};
use webhook::{GenericScheme, HeaderFamily, HmacKey, HmacKeys, HmacScheme, SigningKey};

/// A scheme with its keys, the current one first, each with the time until which it signs.
pub(crate) enum Signing {
    /// Standard Webhooks.
    Standard(Vec<(Timestamp, SigningKey)>),
    /// Another sender's scheme, or one that was described.
    Hmac(Box<HmacScheme>, Vec<(Timestamp, HmacKey)>),
}

/// What is signed of a delivery, and when.
#[derive(Clone, Copy)]
pub(crate) struct Signed<'a> {
    pub(crate) id: &'a str,
    pub(crate) at: Timestamp,
    pub(crate) body: &'a [u8],
}

impl Signing {
    pub(crate) fn new(
        secrets: &SigningSecrets,
        signature: Option<&Signature>,
    ) -> Result<Self, Unsound> {
        match scheme(signature)? {
            None => Ok(Self::Standard(keys(secrets, |text| {
                Ok(SigningKey::parse(text)?)
            })?)),
            Some(scheme) => {
                let keys = keys(secrets, |text| Ok(scheme.key(text)?))?;
                Ok(Self::Hmac(Box::new(scheme), keys))
            }
        }
    }

    /// The headers that it writes, as their sender spells them.
    pub(crate) fn spelled(&self) -> impl Iterator<Item = &str> {
        self.scheme().into_iter().flat_map(HmacScheme::headers)
    }

    /// The scheme, where it isn't the usual one.
    pub(crate) fn scheme(&self) -> Option<&HmacScheme> {
        match self {
            Self::Standard(_) => None,
            Self::Hmac(scheme, _) => Some(scheme),
        }
    }

    /// Puts id, time and signature on a request. The id and the time are beside every signature:
    /// by the one receivers tell repeats apart, and by the other retries.
    pub(crate) fn sign(&self, headers: &mut HeaderMap, signed: Signed<'_>, family: HeaderFamily) {
        let seconds = signed.at.seconds();
        let id = header(signed.id);
        for names in family.names() {
            headers.insert(HeaderName::from_static(names.id), id.clone());
            headers.insert(
                HeaderName::from_static(names.timestamp),
                HeaderValue::from(seconds),
            );
        }
        match self {
            Self::Standard(keys) => {
                let keys = valid(keys, signed.at);
                let signature = webhook::sign(&keys, signed.id, seconds, signed.body);
                let signature = header(&signature);
                for names in family.names() {
                    headers.insert(HeaderName::from_static(names.signature), signature.clone());
                }
            }
            Self::Hmac(scheme, keys) => {
                let keys = valid(keys, signed.at);
                let (current, before) = keys.split_first().expect("the current key never ends");
                let keys = HmacKeys { current, before };
                for (name, value) in scheme.sign(keys, (signed.id, seconds), signed.body) {
                    let name = HeaderName::from_bytes(name.as_bytes());
                    headers.insert(name.expect("a scheme's headers have names"), header(&value));
                }
            }
        }
    }
}

fn valid<K>(keys: &[(Timestamp, K)], at: Timestamp) -> Vec<&K> {
    let valid = keys.iter().filter(|(until, _)| *until > at);
    valid.map(|(_, key)| key).collect()
}

/// The scheme, where it isn't the usual one.
fn scheme(signature: Option<&Signature>) -> Result<Option<HmacScheme>, Unsound> {
    match signature {
        None | Some(Signature::StandardWebhooks) => Ok(None),
        Some(Signature::Of(sender)) => {
            let known = HmacScheme::known(sender.as_str());
            known.ok_or(Unsound::Missing("signature scheme")).map(Some)
        }
        Some(Signature::Generic(described)) => {
            let scheme = HmacScheme::generic(GenericScheme {
                header: &described.header,
                hash: &described.hash,
                encoding: &described.encoding,
                prefix: &described.prefix,
                template: &described.template,
                timestamp_header: described.timestamp_header.as_deref(),
            });
            Ok(Some(scheme?))
        }
    }
}

/// The keys of all secrets. Of those that were replaced, some may be of a kind that the scheme has
/// no use for: they signed by another one.
fn keys<K>(
    secrets: &SigningSecrets,
    parse: impl Fn(&str) -> Result<K, Unsound>,
) -> Result<Vec<(Timestamp, K)>, Unsound> {
    let parse = |secret: &Secret| {
        let text = std::str::from_utf8(secret.expose());
        parse(text.map_err(|_| Unsound::Text("signing secret"))?)
    };
    let mut keys = vec![(Timestamp::MAX, parse(&secrets.current)?)];
    let old = secrets.old.iter();
    keys.extend(old.filter_map(|(until, secret)| Some((*until, parse(secret).ok()?))));
    Ok(keys)
}

fn header(text: &str) -> HeaderValue {
    HeaderValue::try_from(text).expect("ids and signatures are visible ASCII")
}
