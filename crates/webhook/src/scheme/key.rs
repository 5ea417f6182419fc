//! A shared secret as these schemes have it: the bytes of a text, as it is shown to people, also
//! where it looks like base64. It is wiped when dropped, and does not print.

use aws_lc_rs::hmac;

use super::{Hash, HmacScheme};

/// The longest secret of these schemes, in bytes.
pub const TEXT_SECRET_BYTES_MAX: usize = 1_024;

/// How texts begin that are keys of another kind.
const OTHER_KINDS: [&str; 2] = ["whsk_", "whpk_"];

/// Why a text is no secret of such a scheme. The texts of these errors never repeat it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum TextSecretError {
    /// An empty one: everybody has it.
    #[error("the secret is empty")]
    Empty,
    /// Longer than [`TEXT_SECRET_BYTES_MAX`](crate::TEXT_SECRET_BYTES_MAX).
    #[error("the secret may be {TEXT_SECRET_BYTES_MAX} bytes long at the most")]
    TooLong,
    /// A line break or something else that nobody types on purpose.
    #[error("the secret holds control characters, such as a line break")]
    ControlCharacters,
    /// Half of an ed25519 key: its other half is no secret, or signs for somebody else.
    #[error("`whsk_…` and `whpk_…` are ed25519 keys: this scheme has a shared secret, any text")]
    AnotherKind,
}

/// Whether a text can be such a secret.
pub(crate) fn check_text(secret: &str) -> Result<(), TextSecretError> {
    if secret.is_empty() {
        return Err(TextSecretError::Empty);
    }
    if secret.len() > TEXT_SECRET_BYTES_MAX {
        return Err(TextSecretError::TooLong);
    }
    if secret.chars().any(char::is_control) {
        return Err(TextSecretError::ControlCharacters);
    }
    if OTHER_KINDS.iter().any(|prefix| secret.starts_with(prefix)) {
        return Err(TextSecretError::AnotherKind);
    }
    Ok(())
}

/// A key that signs and verifies for the scheme that made it.
pub struct HmacKey(Box<hmac::Key>);

impl HmacScheme {
    /// The key of a secret's text, all of whose bytes count: `whsec_` before it belongs to it.
    pub fn key(&self, secret: &str) -> Result<HmacKey, TextSecretError> {
        self.hash.key(secret)
    }
}

impl Hash {
    /// That of a secret's text.
    pub(crate) fn key(self, secret: &str) -> Result<HmacKey, TextSecretError> {
        check_text(secret)?;
        Ok(self.key_of_bytes(secret.as_bytes()))
    }

    /// That of a secret that is bytes.
    pub(crate) fn key_of_bytes(self, secret: &[u8]) -> HmacKey {
        let algorithm = match self {
            Hash::Sha1 => hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
            Hash::Sha256 => hmac::HMAC_SHA256,
            Hash::Sha512 => hmac::HMAC_SHA512,
        };
        HmacKey(Box::new(hmac::Key::new(algorithm, secret)))
    }
}

impl HmacKey {
    /// The HMAC over pieces that belong together, starting from the key's precomputed state.
    pub(crate) fn over<'a>(&self, pieces: impl Iterator<Item = &'a [u8]>) -> hmac::Tag {
        let mut context = hmac::Context::with_key(&self.0);
        for piece in pieces {
            context.update(piece);
        }
        context.sign()
    }
}
