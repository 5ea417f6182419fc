//! Verifies as a scheme says, strictly: what two readers could read in two ways is refused.
//!
//! It does not remember what it has seen. Where the signature covers no time and no id, a replay is
//! as genuine as the first request was.

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use subtle::ConstantTimeEq;

use super::key::HmacKey;
use super::template::{Target, Values};
use super::{Encoding, HmacScheme, Layout};
use crate::freshness::check_age;
use crate::refused::Carried;
use crate::{Refused, SIGNATURES_MAX, is_valid_id};

/// How requests of one source are verified.
#[derive(Clone, Copy)]
pub struct HmacVerifier<'k> {
    /// How they are signed.
    pub scheme: &'k HmacScheme,
    /// Any of these may have signed, made by that scheme. Empty means that nothing is accepted.
    pub keys: &'k [HmacKey],
    /// How far the signed time may lie from now, in seconds, either way, both ends included. It
    /// says nothing where the scheme signs no time.
    pub tolerance_seconds: u32,
}

/// What a genuine request says of itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct HmacVerified<'h> {
    /// The message's id, where the scheme has a header for it. Whether the signature covers it is
    /// the scheme's business: GitHub's and Shopify's do not.
    pub id: Option<&'h str>,
    /// When it was signed, in seconds since the Unix epoch, where that is signed.
    pub timestamp: Option<i64>,
    /// Which of the verifier's keys matched, so that a rotation can be watched to its end.
    pub key: usize,
}

impl HmacVerifier<'_> {
    /// Verifies a request by its headers and the bytes of its body as they were received.
    ///
    /// Headers may come in any order and case, with others among them. `now` is in seconds since
    /// the Unix epoch. The age is judged last, so that [`Refused::TooOld`] tells of a message that
    /// was once genuine.
    pub fn verify<'h, H>(
        &self,
        headers: H,
        body: &[u8],
        now: i64,
    ) -> Result<HmacVerified<'h>, Refused>
    where
        H: IntoIterator<Item = (&'h str, &'h [u8])> + Clone,
    {
        if self.keys.is_empty() {
            return Err(Refused::NoKey);
        }
        let said = self.scheme.read(headers)?;
        let time = self.scheme.time;
        let timestamp = said.timestamp.map(|text| time.read(text)).transpose()?;
        let values = said.values(Target::default(), body);
        let key = self.matching_key(values, &said.digests)?;
        if let Some(timestamp) = timestamp {
            check_age(timestamp, now, self.tolerance_seconds)?;
        }
        Ok(HmacVerified {
            id: said.id,
            timestamp,
            key,
        })
    }

    /// The place of the first key with which one of the signatures was made.
    fn matching_key(&self, values: Values<'_>, found: &[Vec<u8>]) -> Result<usize, Refused> {
        if found.is_empty() {
            return Err(Refused::NoUsableSignature);
        }
        let matches = |key: &HmacKey| {
            let expected = key.over(self.scheme.signed.pieces(values));
            found.iter().any(|digest| is_equal(digest, &expected))
        };
        let mut keys = self.keys.iter();
        keys.position(matches).ok_or(Refused::WrongSignature)
    }
}

/// What a request says of itself, genuine or not, to show to people who look for what is wrong.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HmacContent<'h> {
    /// The message's id, where the scheme has a header for it.
    pub id: Option<&'h str>,
    /// The signed time as it is written, where one is signed.
    pub timestamp: Option<&'h [u8]>,
    /// What has to be signed.
    pub bytes: Vec<u8>,
}

/// What a request's headers say.
pub(crate) struct Said<'h> {
    pub(crate) id: Option<&'h str>,
    /// Only where it is signed.
    pub(crate) timestamp: Option<&'h [u8]>,
    /// Those that are well-formed.
    pub(crate) digests: Vec<Vec<u8>>,
}

impl Said<'_> {
    pub(crate) fn values<'a>(&'a self, target: Target<'a>, body: &'a [u8]) -> Values<'a> {
        Values {
            id: self.id.unwrap_or_default().as_bytes(),
            timestamp: self.timestamp.unwrap_or_default(),
            target,
            body,
        }
    }
}

/// What a signature's header holds.
struct Found<'h> {
    timestamp: Option<&'h [u8]>,
    /// Those that are well-formed.
    digests: Vec<Vec<u8>>,
}

impl HmacScheme {
    /// What would have to be signed for a request to be genuine.
    pub fn content<'h, H>(&self, headers: H, body: &[u8]) -> Result<HmacContent<'h>, Refused>
    where
        H: IntoIterator<Item = (&'h str, &'h [u8])> + Clone,
    {
        let said = self.read(headers)?;
        let pieces = self.signed.pieces(said.values(Target::default(), body));
        let bytes = pieces.collect::<Vec<_>>().concat();
        Ok(HmacContent {
            id: said.id,
            timestamp: said.timestamp,
            bytes,
        })
    }

    pub(crate) fn read<'h, H>(&self, headers: H) -> Result<Said<'h>, Refused>
    where
        H: IntoIterator<Item = (&'h str, &'h [u8])> + Clone,
    {
        let signature = single(headers.clone(), &self.header, Carried::Signature)?;
        let found = self.read_signature(signature.ok_or(Refused::Missing(Carried::Signature))?)?;
        let id = match self.id_header() {
            Some(name) => read_id(single(headers.clone(), name, Carried::Id)?)?,
            None => None,
        };
        if self.signed.has_id() && id.is_none() {
            return Err(Refused::Missing(Carried::Id));
        }
        // Where nothing tells the id's end, it must not reach into what stands behind it.
        if !self.signed.separates_id() && !id.is_none_or(is_word) {
            return Err(Refused::MalformedId);
        }
        let timestamp = match self.timestamp_header() {
            Some(name) => single(headers, name, Carried::Timestamp)?,
            None => found.timestamp,
        };
        if self.signs_time() && timestamp.is_none() {
            return Err(Refused::Missing(Carried::Timestamp));
        }
        Ok(Said {
            id,
            timestamp: timestamp.filter(|_| self.signs_time()),
            digests: found.digests,
        })
    }

    fn read_signature<'h>(&self, header: &'h [u8]) -> Result<Found<'h>, Refused> {
        match &self.layout {
            Layout::Whole { prefix } => {
                let digest = header.strip_prefix(prefix.as_bytes());
                let digest = digest.and_then(|text| self.encoding.read(text));
                Ok(Found {
                    timestamp: None,
                    digests: digest.into_iter().collect(),
                })
            }
            Layout::Pairs {
                separator,
                timestamp,
                digest,
            } => self.read_pairs(header, *separator, [timestamp, digest]),
        }
    }

    /// Pairs of other names are passed over: a sender may add what this verifier does not know.
    fn read_pairs<'h>(
        &self,
        header: &'h [u8],
        separator: char,
        [timestamp, digest]: [&str; 2],
    ) -> Result<Found<'h>, Refused> {
        let pairs = || header.split(|&byte| char::from(byte) == separator);
        // The time is a pair too.
        if pairs().nth(SIGNATURES_MAX + 1).is_some() {
            return Err(Refused::TooManySignatures);
        }
        let named = |pair: &'h [u8], name: &str| -> Option<&'h [u8]> {
            pair.strip_prefix(name.as_bytes())?.strip_prefix(b"=")
        };
        let mut times = pairs().filter_map(|pair| named(pair, timestamp));
        let found = times.next();
        if times.next().is_some() {
            return Err(Refused::Duplicate(Carried::Timestamp));
        }
        let digests = pairs().filter_map(|pair| self.encoding.read(named(pair, digest)?));
        Ok(Found {
            timestamp: found,
            digests: digests.collect(),
        })
    }
}

impl Encoding {
    /// The bytes of a digest; one of another length than the hash's matches none.
    pub(crate) fn read(self, text: &[u8]) -> Option<Vec<u8>> {
        let bytes = match self {
            Self::Base64 => STANDARD.decode(text).ok()?,
            Self::Hex => {
                let (pairs, rest) = text.as_chunks::<2>();
                let byte = |[high, low]: &[u8; 2]| Some(nibble(*high)? << 4 | nibble(*low)?);
                let bytes: Option<Vec<u8>> = pairs.iter().map(byte).collect();
                bytes.filter(|_| rest.is_empty())?
            }
        };
        (!bytes.is_empty()).then_some(bytes)
    }
}

fn nibble(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

pub(crate) fn is_equal(digest: &[u8], expected: &hmac::Tag) -> bool {
    bool::from(digest.ct_eq(expected.as_ref()))
}

/// The value of the header of this name, which may be there once.
pub(crate) fn single<'h>(
    headers: impl IntoIterator<Item = (&'h str, &'h [u8])>,
    name: &str,
    what: Carried,
) -> Result<Option<&'h [u8]>, Refused> {
    let headers = headers.into_iter();
    let mut values = headers.filter(|(other, _)| other.eq_ignore_ascii_case(name));
    let found = values.next();
    match values.next() {
        Some(_) => Err(Refused::Duplicate(what)),
        None => Ok(found.map(|(_, value)| value)),
    }
}

/// The same, where it must be there.
pub(crate) fn needed<'h>(
    headers: impl IntoIterator<Item = (&'h str, &'h [u8])>,
    name: &str,
    what: Carried,
) -> Result<&'h [u8], Refused> {
    single(headers, name, what)?.ok_or(Refused::Missing(what))
}

/// What an id is made of where it is followed by something else at once.
fn is_word(id: &str) -> bool {
    let is_of_a_word = |byte: u8| byte.is_ascii_alphanumeric() || b"-_=".contains(&byte);
    id.bytes().all(is_of_a_word)
}

fn read_id(value: Option<&[u8]>) -> Result<Option<&str>, Refused> {
    let read = value.map(|value| {
        let text = str::from_utf8(value).ok();
        let id = text.filter(|text| is_valid_id(text));
        id.ok_or(Refused::MalformedId)
    });
    read.transpose()
}
