//! Verifies a received request, strictly: what two readers could read in two ways is refused.
//!
//! It does not remember what it has seen: keeping replays out is the caller's, who needs
//! [`Verified::id`] for it and must keep ids for longer than twice the tolerance.

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use subtle::ConstantTimeEq;

use super::content::Content;
use super::headers::{HeaderFamily, HeaderNames};
use super::id::is_valid_id;
use super::key::{VerifyingAlgorithm, VerifyingKey};
use crate::freshness::{check_age, parse_timestamp};
use crate::{Refused, received};

/// The most entries that a signature header may have, so that a long header does not buy much
/// work. A sender that keeps ten old keys while it rotates sends eleven.
pub const SIGNATURES_MAX: usize = 32;

/// How requests of one source are verified.
#[derive(Clone, Copy)]
pub struct Verifier<'k> {
    /// Any of these may have signed. Empty means that nothing is accepted.
    pub keys: &'k [VerifyingKey],
    /// Which headers are read.
    pub family: HeaderFamily,
    /// How far the signed time may lie from now, in seconds, either way, both ends included.
    pub tolerance_seconds: u32,
}

/// What a genuine request says of itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Verified<'h> {
    /// The message's id, the same on every attempt: what replays and repeats are told by.
    pub id: &'h str,
    /// When the attempt was signed, in seconds since the Unix epoch.
    pub timestamp: i64,
    /// Which of the verifier's keys matched, so that a rotation can be watched to its end.
    pub key: usize,
}

impl Verifier<'_> {
    /// Verifies a request by its headers and the bytes of its body as they were received.
    ///
    /// Headers may come in any order and case, with others among them. `now` is in seconds since
    /// the Unix epoch. The age is judged last, so that [`Refused::TooOld`] tells of a message that
    /// was once genuine.
    pub fn verify<'h, H>(&self, headers: H, body: &[u8], now: i64) -> Result<Verified<'h>, Refused>
    where
        H: IntoIterator<Item = (&'h str, &'h [u8])> + Clone,
    {
        if self.keys.is_empty() {
            return Err(Refused::NoKey);
        }
        let SecurityHeaders {
            id,
            timestamp,
            signature,
        } = read(self.family, headers)?;
        let content = Content {
            id,
            timestamp,
            body,
        };
        let id = str::from_utf8(id).ok().filter(|id| is_valid_id(id));
        let id = id.ok_or(Refused::MalformedId)?;
        let timestamp = parse_timestamp(timestamp)?;
        let key = self.matching_key(content, &parse_signatures(signature)?)?;
        check_age(timestamp, now, self.tolerance_seconds)?;
        Ok(Verified { id, timestamp, key })
    }

    /// The place of the first key with which one of the signatures was made.
    fn matching_key(&self, content: Content<'_>, found: &[Signature]) -> Result<usize, Refused> {
        let can_check = |key: &VerifyingKey| found.iter().any(|signature| signature.fits(key));
        if !self.keys.iter().any(can_check) {
            return Err(Refused::NoUsableSignature);
        }
        let mut keys = self.keys.iter();
        let has_signed = |key: &VerifyingKey| key.has_signed(&content.pieces(), found);
        keys.position(has_signed).ok_or(Refused::WrongSignature)
    }
}

impl VerifyingKey {
    /// Whether one of the signatures is this key's, over pieces that belong together.
    pub(crate) fn has_signed(&self, pieces: &[&[u8]], found: &[Signature]) -> bool {
        match &self.0 {
            VerifyingAlgorithm::Hmac(key) => {
                let mut context = hmac::Context::with_key(key);
                for piece in pieces {
                    context.update(piece);
                }
                let expected = context.sign();
                found.iter().any(|signature| signature.is_hmac(&expected))
            }
            VerifyingAlgorithm::Ed25519(key) => {
                let content = pieces.concat();
                found.iter().any(|signature| match signature {
                    Signature::Ed25519(bytes) => key.verify_sig(&content, bytes).is_ok(),
                    Signature::Hmac(_) => false,
                })
            }
        }
    }
}

/// One family's three values, each there exactly once.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct SecurityHeaders<'h> {
    pub(crate) id: &'h [u8],
    pub(crate) timestamp: &'h [u8],
    pub(crate) signature: &'h [u8],
}

/// The values of the one family that is there; of both, if they say the same.
pub(crate) fn read<'h, H>(family: HeaderFamily, headers: H) -> Result<SecurityHeaders<'h>, Refused>
where
    H: IntoIterator<Item = (&'h str, &'h [u8])> + Clone,
{
    let mut read = None;
    for names in family.names() {
        let HeaderNames {
            id,
            timestamp,
            signature,
        } = *names;
        let values = received::pick(headers.clone(), [id, timestamp, signature])?;
        if values == [None; 3] {
            continue;
        }
        let these = SecurityHeaders {
            signature: values[2].ok_or(Refused::MissingHeader(signature))?,
            id: values[0].ok_or(Refused::MissingHeader(id))?,
            timestamp: values[1].ok_or(Refused::MissingHeader(timestamp))?,
        };
        if read.is_some_and(|others| others != these) {
            return Err(Refused::ContradictoryHeaders);
        }
        read = Some(these);
    }
    read.ok_or(Refused::MissingHeader(family.names()[0].signature))
}

/// An entry of a known version whose base64 holds as many bytes as a signature of it has. The
/// version alone says which algorithm it is of, and only a key of that algorithm looks at it.
#[derive(PartialEq, Eq, Debug)]
pub(crate) enum Signature {
    Hmac([u8; 32]),
    Ed25519([u8; 64]),
}

impl Signature {
    fn parse(entry: &[u8]) -> Option<Self> {
        if let Some(encoded) = entry.strip_prefix(b"v1,") {
            decode_exactly(encoded).map(Self::Hmac)
        } else if let Some(encoded) = entry.strip_prefix(b"v1a,") {
            decode_exactly(encoded).map(Self::Ed25519)
        } else {
            None
        }
    }

    pub(crate) fn fits(&self, key: &VerifyingKey) -> bool {
        matches!(
            (self, &key.0),
            (Self::Hmac(_), VerifyingAlgorithm::Hmac(_))
                | (Self::Ed25519(_), VerifyingAlgorithm::Ed25519(_))
        )
    }

    fn is_hmac(&self, expected: &hmac::Tag) -> bool {
        match self {
            Self::Hmac(bytes) => bool::from(bytes[..].ct_eq(expected.as_ref())),
            Self::Ed25519(_) => false,
        }
    }
}

/// The entries that might be checked. Those of unknown versions and broken ones are passed over:
/// a sender may add a version that this verifier does not know.
pub(crate) fn parse_signatures(header: &[u8]) -> Result<Vec<Signature>, Refused> {
    let entries = || header.split(|&byte| byte == b' ');
    if entries().nth(SIGNATURES_MAX).is_some() {
        return Err(Refused::TooManySignatures);
    }
    Ok(entries().filter_map(Signature::parse).collect())
}

fn decode_exactly<const N: usize>(encoded: &[u8]) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    let length = STANDARD.decode_slice(encoded, &mut bytes).ok()?;
    (length == N).then_some(bytes)
}

#[cfg(test)]
mod tests;
