//! The key of one application's values, as it is stored and as it is used.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use aws_lc_rs::{hkdf, hmac};
use model::Entropy;
use model::entropy::random;
use model::id::Tail;

use crate::envelope::{self, Cipher, KEY_BYTES, KEY_ID_BYTES};
use crate::{MasterKeyId, Place, VaultError};

/// After so many seals an application gets a new data key; the old one goes on opening. Nonces are
/// random: the standard ends at 2^32 (NIST SP 800-38D, 8.3), and half of that leaves room for uses
/// that were not written down when a process ended.
pub const DATA_KEY_USES_MAX: u64 = 1 << 31;

/// Separates what data keys seal from what the master key seals.
const PURPOSE: &str = "value";

/// What the key of pseudonyms is derived for, so that it is no other key.
const PSEUDONYMS: &[u8] = b"postrider pseudonyms 1";
/// The same of tickets.
const TICKETS: &[u8] = b"postrider tickets 1";

/// Tells an application's data keys apart: 64 random bits, shown as 16 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct DataKeyId(pub(crate) [u8; KEY_ID_BYTES]);

impl fmt::Display for DataKeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", u64::from_be_bytes(self.0))
    }
}

/// A data key as the store holds it: its id, then the key and the number of its recorded uses,
/// sealed by a master key. Opaque bytes to everybody else.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SealedDataKey(Vec<u8>);

impl SealedDataKey {
    /// Takes over what was stored. Whether it is a data key shows when it is opened.
    pub fn from_bytes(bytes: impl Into<Vec<u8>>) -> Self {
        Self(bytes.into())
    }

    /// What to store.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// What to store.
    pub fn into_bytes(self) -> Vec<u8> {
        self.0
    }

    /// The key's id, as the bytes themselves say.
    pub fn id(&self) -> Result<DataKeyId, VaultError> {
        self.split().map(|(id, _)| id)
    }

    /// The id of the master key that sealed it, as the bytes themselves say.
    pub fn sealed_by(&self) -> Result<MasterKeyId, VaultError> {
        let (_, sealed) = self.split()?;
        Ok(MasterKeyId(envelope::key_id(sealed)?))
    }

    pub(crate) fn join(id: DataKeyId, sealed: &[u8]) -> Self {
        Self([&id.0, sealed].concat())
    }

    pub(crate) fn split(&self) -> Result<(DataKeyId, &[u8]), VaultError> {
        let split = self.0.split_first_chunk();
        let (id, sealed) = split.ok_or(VaultError::Truncated(self.0.len()))?;
        Ok((DataKeyId(*id), sealed))
    }
}

/// A data key in use. It counts what it seals.
pub struct DataKey {
    application: Tail,
    id: DataKeyId,
    cipher: Cipher,
    pseudonyms: hmac::Key,
    tickets: hmac::Key,
    entropy: Arc<dyn Entropy>,
    uses: AtomicU64,
}

impl DataKey {
    pub(crate) fn new(
        application: Tail,
        id: DataKeyId,
        key: &[u8; KEY_BYTES],
        entropy: Arc<dyn Entropy>,
    ) -> Self {
        let cipher = Cipher::new(id.0, key);
        Self {
            application,
            id,
            cipher,
            pseudonyms: derived(key, PSEUDONYMS),
            tickets: derived(key, TICKETS),
            entropy,
            uses: AtomicU64::new(0),
        }
    }

    /// The key's id.
    pub fn id(&self) -> DataKeyId {
        self.id
    }

    /// Encrypts a value for its place. The result is 37 bytes longer.
    pub fn seal(&self, place: Place<'_>, plaintext: &[u8]) -> Vec<u8> {
        let nonce = self.use_once();
        self.cipher
            .seal(nonce, &place.within(&self.application, PURPOSE), plaintext)
    }

    /// Ties a value to its place without encrypting it, for operators who turned encryption off:
    /// whoever reads the store reads the value, but can neither change nor move it unnoticed.
    pub fn seal_readable(&self, place: Place<'_>, plaintext: &[u8]) -> Vec<u8> {
        let nonce = self.use_once();
        self.cipher
            .seal_readable(nonce, &place.within(&self.application, PURPOSE), plaintext)
    }

    /// The plaintext of what this key sealed for this place, encrypted or readable.
    pub fn open(&self, place: Place<'_>, sealed: &[u8]) -> Result<Vec<u8>, VaultError> {
        let sealed_by = DataKeyId(envelope::key_id(sealed)?);
        if sealed_by != self.id {
            return Err(VaultError::UnknownDataKey(sealed_by));
        }
        self.cipher
            .open(&place.within(&self.application, PURPOSE), sealed)
    }

    /// A keyed hash of a value: the same for the same value, and without the key neither found from
    /// one that is guessed nor linked to that of another application.
    pub fn pseudonym(&self, value: &[u8]) -> [u8; 32] {
        let tag = hmac::sign(&self.pseudonyms, value);
        let bytes = tag.as_ref().try_into();
        bytes.expect("HMAC-SHA256 gives 32 bytes")
    }

    /// What a ticket with these contents ends with.
    pub(crate) fn ticket_tag(&self, contents: &[u8]) -> hmac::Tag {
        hmac::sign(&self.tickets, contents)
    }

    /// Whether a ticket's end is by this key, in a time that tells nothing of what would be right.
    pub(crate) fn is_ticket_tag(&self, contents: &[u8], tag: &[u8]) -> bool {
        hmac::verify(&self.tickets, contents, tag).is_ok()
    }

    /// How many values were sealed since this was last called, or since the key was opened.
    pub(crate) fn take_uses(&self) -> u64 {
        self.uses.swap(0, Ordering::Relaxed)
    }

    fn use_once(&self) -> [u8; 12] {
        self.uses.fetch_add(1, Ordering::Relaxed);
        random(&*self.entropy)
    }
}

fn derived(key: &[u8; KEY_BYTES], purpose: &[u8]) -> hmac::Key {
    let extracted = hkdf::Salt::new(hkdf::HKDF_SHA256, &[]).extract(key);
    let purpose = [purpose];
    let expanded = extracted.expand(&purpose, hmac::HMAC_SHA256);
    hmac::Key::from(expanded.expect("a hash's length can be had"))
}
