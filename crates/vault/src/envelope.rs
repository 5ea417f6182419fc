//! A sealed value's bytes, and the one place that calls AES-256-GCM:
//!
//! `version (1) ‖ key id (8) ‖ nonce (12) ‖ text ‖ tag (16)`
//!
//! In version 1 the text is encrypted. In version 2 it is readable, and the tag still ties it to
//! key and place: an operator who does not want payloads encrypted gets them so. Since both are
//! authenticated, both are accepted wherever a sealed value is: nobody without the key can turn an
//! encrypted value into a readable one or slip in one of their own, and the setting can be changed
//! at any time without making older values unreadable.
//!
//! The additional data are the version and the parts of where the value belongs, each with its
//! length before it, so that no two places look alike.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};

use crate::VaultError;

const ENCRYPTED: u8 = 1;
const READABLE: u8 = 2;

pub(crate) const KEY_BYTES: usize = 32;
pub(crate) const KEY_ID_BYTES: usize = 8;
const NONCE_BYTES: usize = 12;
const TAG_BYTES: usize = 16;
const HEAD_BYTES: usize = 1 + KEY_ID_BYTES + NONCE_BYTES;

/// How much longer a sealed value is than its plaintext.
pub(crate) const OVERHEAD_BYTES: usize = HEAD_BYTES + TAG_BYTES;

/// A key ready for use, with the id that its values carry.
pub(crate) struct Cipher {
    id: [u8; KEY_ID_BYTES],
    key: LessSafeKey,
}

impl Cipher {
    pub(crate) fn new(id: [u8; KEY_ID_BYTES], key: &[u8; KEY_BYTES]) -> Self {
        let key = UnboundKey::new(&AES_256_GCM, key).expect("AES-256 takes any 32 bytes");
        Self {
            id,
            key: LessSafeKey::new(key),
        }
    }

    /// Encrypts `plaintext` for the place that `parts` name. `nonce` must be random.
    pub(crate) fn seal(
        &self,
        nonce: [u8; NONCE_BYTES],
        parts: &[&[u8]],
        plaintext: &[u8],
    ) -> Vec<u8> {
        let mut sealed = self.begin(ENCRYPTED, nonce, plaintext);
        let aad = Aad::from(additional_data(ENCRYPTED, parts));
        let nonce = Nonce::assume_unique_for_key(nonce);
        let tag = self
            .key
            .seal_in_place_separate_tag(nonce, aad, &mut sealed[HEAD_BYTES..]);
        sealed.extend_from_slice(tag.expect("a value is shorter than 64 GiB").as_ref());
        sealed
    }

    /// Leaves `plaintext` readable and ties it to the place that `parts` name. `nonce` must be
    /// random.
    pub(crate) fn seal_readable(
        &self,
        nonce: [u8; NONCE_BYTES],
        parts: &[&[u8]],
        plaintext: &[u8],
    ) -> Vec<u8> {
        let mut sealed = self.begin(READABLE, nonce, plaintext);
        let aad = Aad::from(readable_data(parts, plaintext));
        let nonce = Nonce::assume_unique_for_key(nonce);
        let tag = self.key.seal_in_place_separate_tag(nonce, aad, &mut []);
        sealed.extend_from_slice(tag.expect("a value is shorter than 64 GiB").as_ref());
        sealed
    }

    /// The plaintext of what this key sealed for the place that `parts` name.
    pub(crate) fn open(&self, parts: &[&[u8]], sealed: &[u8]) -> Result<Vec<u8>, VaultError> {
        let Parts {
            version,
            nonce,
            text,
            tag,
            ..
        } = Parts::of(sealed)?;
        let nonce = Nonce::assume_unique_for_key(*nonce);
        if version == READABLE {
            let aad = Aad::from(readable_data(parts, text));
            self.key
                .open_in_place_separate_tag(nonce, aad, tag, &mut [])
                .map_err(|_| VaultError::NotAuthentic)?;
            return Ok(text.to_vec());
        }
        let aad = Aad::from(additional_data(ENCRYPTED, parts));
        let mut plaintext = vec![0; text.len()];
        self.key
            .open_separate_gather(nonce, aad, text, tag, &mut plaintext)
            .map_err(|_| VaultError::NotAuthentic)?;
        Ok(plaintext)
    }

    /// Everything before the tag, in a buffer that has room for it.
    fn begin(&self, version: u8, nonce: [u8; NONCE_BYTES], plaintext: &[u8]) -> Vec<u8> {
        let mut sealed = Vec::with_capacity(OVERHEAD_BYTES + plaintext.len());
        sealed.push(version);
        sealed.extend_from_slice(&self.id);
        sealed.extend_from_slice(&nonce);
        sealed.extend_from_slice(plaintext);
        sealed
    }
}

/// The id of the key that sealed this, as the value itself says.
pub(crate) fn key_id(sealed: &[u8]) -> Result<[u8; KEY_ID_BYTES], VaultError> {
    Parts::of(sealed).map(|parts| *parts.key_id)
}

struct Parts<'a> {
    version: u8,
    key_id: &'a [u8; KEY_ID_BYTES],
    nonce: &'a [u8; NONCE_BYTES],
    text: &'a [u8],
    tag: &'a [u8; TAG_BYTES],
}

impl<'a> Parts<'a> {
    fn of(sealed: &'a [u8]) -> Result<Self, VaultError> {
        let split = || {
            let (version, rest) = sealed.split_first()?;
            let (key_id, rest) = rest.split_first_chunk()?;
            let (nonce, rest) = rest.split_first_chunk()?;
            let (text, tag) = rest.split_last_chunk()?;
            Some(Self {
                version: *version,
                key_id,
                nonce,
                text,
                tag,
            })
        };
        let parts = split().ok_or(VaultError::Truncated(sealed.len()))?;
        match parts.version {
            ENCRYPTED | READABLE => Ok(parts),
            other => Err(VaultError::UnknownVersion(other)),
        }
    }
}

fn additional_data(version: u8, parts: &[&[u8]]) -> Vec<u8> {
    let length: usize = parts.iter().map(|part| size_of::<u64>() + part.len()).sum();
    let mut data = Vec::with_capacity(1 + length);
    data.push(version);
    for part in parts {
        data.extend_from_slice(&(part.len() as u64).to_be_bytes());
        data.extend_from_slice(part);
    }
    data
}

/// A readable text is authenticated, not encrypted: it is one more part of the additional data.
fn readable_data(parts: &[&[u8]], text: &[u8]) -> Vec<u8> {
    let parts: Vec<&[u8]> = parts.iter().copied().chain([text]).collect();
    additional_data(READABLE, &parts)
}
