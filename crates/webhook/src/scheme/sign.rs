//! Signs as a scheme says: the headers that its sender would send.

use std::fmt::Write as _;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::key::HmacKey;
use super::template::{Target, Values};
use super::{Encoding, HmacScheme, Layout};

/// What a request of such a scheme is signed with.
#[derive(Clone, Copy)]
pub struct HmacKeys<'k> {
    /// Signs first, and alone where a request carries one signature.
    pub current: &'k HmacKey,
    /// Those that receivers may still verify with: they sign too where
    /// [`HmacScheme::carries_several`].
    pub before: &'k [&'k HmacKey],
}

impl HmacScheme {
    /// The headers to send, with their names as the sender writes them: the id and the time where
    /// they have headers, and the signature last.
    ///
    /// `timestamp` is the attempt's time in seconds since the Unix epoch. An id for which
    /// [`is_valid_id`](crate::is_valid_id) does not hold is refused by verifiers.
    pub fn sign(
        &self,
        keys: HmacKeys<'_>,
        (id, timestamp): (&str, i64),
        body: &[u8],
    ) -> Vec<(&str, String)> {
        self.sign_request(keys, (id, timestamp), (Target::default(), body))
    }

    /// The same, where method and URL may be signed too.
    pub(crate) fn sign_request(
        &self,
        keys: HmacKeys<'_>,
        (id, timestamp): (&str, i64),
        (target, body): (Target<'_>, &[u8]),
    ) -> Vec<(&str, String)> {
        let timestamp = self.time.write(timestamp);
        let values = Values {
            id: id.as_bytes(),
            timestamp: timestamp.as_bytes(),
            target,
            body,
        };
        let digest = |key: &HmacKey| {
            let tag = key.over(self.signed.pieces(values));
            self.encoding.write(tag.as_ref())
        };
        let signature = match &self.layout {
            Layout::Whole { prefix } => format!("{prefix}{}", digest(keys.current)),
            Layout::Pairs {
                separator,
                timestamp: time,
                digest: name,
            } => {
                let all = std::iter::once(&keys.current).chain(keys.before);
                all.fold(format!("{time}={timestamp}"), |mut text, key| {
                    let _ = write!(text, "{separator}{name}={}", digest(key));
                    text
                })
            }
        };
        let mut headers = Vec::with_capacity(3);
        headers.extend(self.id_header().map(|name| (name, id.to_owned())));
        headers.extend(
            self.timestamp_header()
                .map(|name| (name, timestamp.clone())),
        );
        headers.push((self.header(), signature));
        headers
    }
}

impl Encoding {
    pub(crate) fn write(self, digest: &[u8]) -> String {
        match self {
            Self::Base64 => STANDARD.encode(digest),
            Self::Hex => digest.iter().fold(String::new(), |mut text, byte| {
                let _ = write!(text, "{byte:02x}");
                text
            }),
        }
    }
}
