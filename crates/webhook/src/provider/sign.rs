//! What a request is signed with, and why it can't be.

use super::SecretError;

/// A request to be sent.
#[derive(Clone, Copy, Debug)]
pub struct Outgoing<'a> {
    /// Such as `POST`.
    pub method: &'a str,
    /// The whole URL, with its query.
    pub url: &'a str,
    /// The message's id, for which [`is_valid_id`](crate::is_valid_id) holds.
    pub id: &'a str,
    /// The attempt's time, in seconds since the Unix epoch.
    pub timestamp: i64,
    /// The body.
    pub body: &'a [u8],
}

/// Why a request can't be signed as a provider signs.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SignError {
    /// There is nothing to sign with.
    #[error("no secret is given to sign with")]
    NoSecret,
    /// A secret is none of the provider's.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// Twilio's, of a body that is no form: its digest is not in the URL.
    #[error("the URL's `bodySHA256` has to be the SHA-256 of the body, in hexadecimal digits")]
    NoBodyDigest,
    /// The receiver's key can't sign, or the signature stands in the body.
    #[error(
        "this scheme can be verified only: what its receivers have signs nothing, or its \
         signature stands in the body and not in a header"
    )]
    OnlyVerified,
}
