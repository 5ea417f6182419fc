//! Why a text is no secret of a provider's. No text of these errors repeats it.

use crate::{KeyError, TextSecretError};

/// Why a secret can't be one of this provider's.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SecretError {
    /// It is a text, and not a good one.
    #[error(transparent)]
    Text(#[from] TextSecretError),
    /// It is a key as Standard Webhooks writes it, and not well written.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// It is such a key, of a kind that the provider doesn't use.
    #[error("this scheme takes `{0}…`")]
    OtherKind(&'static str),
    /// Adyen's.
    #[error("the HMAC key has to be written in hexadecimal digits, two for each byte")]
    NotHex,
    /// Discord's.
    #[error("the public key has to be 64 hexadecimal digits, as the application's page shows it")]
    NotAnEd25519Key,
    /// Telnyx's.
    #[error("the public key has to be base64 of 32 bytes, as the portal's page of keys shows it")]
    NotABase64Ed25519Key,
    /// SendGrid's.
    #[error(
        "the verification key has to be base64 of a public key on P-256, as the settings of the \
         event webhook show it"
    )]
    NotAP256Key,
}
