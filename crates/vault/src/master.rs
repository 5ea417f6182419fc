//! The installation's key that comes from outside the store. Its id tells keys apart and may be
//! shown; the key is never shown but to be written to the operator's key file.

use std::fmt;

use aws_lc_rs::digest::{Context, SHA256};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use model::{Entropy, Secret};
use zeroize::Zeroizing;

use crate::envelope::{Cipher, KEY_BYTES};

/// Keeps the id's hash apart from every other hash of the same bytes.
const ID_DOMAIN: &[u8] = b"postrider: id of a master key\0";

/// 256 bits that seal every application's data key.
#[derive(Clone)]
pub struct MasterKey(Zeroizing<[u8; KEY_BYTES]>);

/// Why a text is no master key. The text itself is not repeated.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum MasterKeyError {
    /// The text isn't base64.
    #[error("a master key is written as standard base64 with padding")]
    NotBase64,
    /// The base64 holds another number of bytes.
    #[error("a master key is base64 of 32 bytes, not of {0}")]
    WrongLength(usize),
}

impl MasterKey {
    /// Reads standard base64 of 32 bytes; white space around it, such as a file's last newline, is
    /// passed over.
    pub fn parse(text: &str) -> Result<Self, MasterKeyError> {
        let decoded = STANDARD
            .decode(text.trim_ascii())
            .map_err(|_| MasterKeyError::NotBase64)?;
        let decoded = Zeroizing::new(decoded);
        let key = <[u8; KEY_BYTES]>::try_from(&decoded[..])
            .map_err(|_| MasterKeyError::WrongLength(decoded.len()))?;
        Ok(Self(Zeroizing::new(key)))
    }

    /// A new key.
    pub fn generate(entropy: &dyn Entropy) -> Self {
        let mut key = Zeroizing::new([0; KEY_BYTES]);
        entropy.fill(&mut key[..]);
        Self(key)
    }

    /// What [`MasterKey::parse`] reads back, as ASCII.
    pub fn to_text(&self) -> Secret {
        Secret::from(STANDARD.encode(&self.0[..]))
    }

    /// The key's id. It is derived from the key and tells nothing of it.
    pub fn id(&self) -> MasterKeyId {
        let mut hash = Context::new(&SHA256);
        hash.update(ID_DOMAIN);
        hash.update(&self.0[..]);
        let first = hash.finish().as_ref().first_chunk().copied();
        MasterKeyId(first.expect("SHA-256 gives 32 bytes"))
    }

    pub(crate) fn cipher(&self) -> Cipher {
        Cipher::new(self.id().0, &self.0)
    }
}

/// Tells master keys apart: 64 bits, shown as 16 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct MasterKeyId(pub(crate) [u8; 8]);

impl MasterKeyId {
    /// Of its bytes.
    pub fn from_bytes(bytes: [u8; 8]) -> Self {
        Self(bytes)
    }

    /// Its bytes, as they stand in what the key sealed.
    pub fn to_bytes(self) -> [u8; 8] {
        self.0
    }
}

impl fmt::Display for MasterKeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", u64::from_be_bytes(self.0))
    }
}
