//! What the master key seals: data keys, small values of the whole installation, and a constant by
//! which a store tells that it was given the right key.

use std::sync::Arc;

use model::Entropy;
use model::entropy::random;
use model::id::{ApplicationId, Tail};
use zeroize::Zeroizing;

use crate::cache::KeyCache;
use crate::envelope::{self, Cipher, KEY_BYTES};
use crate::{
    DataKey, DataKeyId, KeyRing, MasterKey, MasterKeyId, Place, SealedDataKey, VaultError,
};

/// How many opened data keys a vault keeps, besides those that are held elsewhere.
pub const DATA_KEYS_CACHED: usize = 1024;

/// What a check value says once it is opened.
const CHECK: &[u8] = b"postrider";

const CHECK_PURPOSE: &str = "check value";
const DATA_KEY_PURPOSE: &str = "data key";
const INSTALLATION_PURPOSE: &str = "installation";

/// Seals and opens with the master key, and opens data keys.
pub struct Vault {
    master: MasterKeyId,
    cipher: Cipher,
    entropy: Arc<dyn Entropy>,
    cache: KeyCache,
}

/// How often a data key sealed since that was last asked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct KeyUses {
    /// The key's application.
    pub application: ApplicationId,
    /// The key.
    pub key: DataKeyId,
    /// How often.
    pub uses: u64,
}

impl Vault {
    /// A vault of this master key. Nonces and new keys come from `entropy`.
    pub fn new(master: MasterKey, entropy: Arc<dyn Entropy>) -> Self {
        let cache = KeyCache::new(DATA_KEYS_CACHED);
        Self {
            master: master.id(),
            cipher: master.cipher(),
            entropy,
            cache,
        }
    }

    /// The master key's id, which is no secret.
    pub fn master_key_id(&self) -> MasterKeyId {
        self.master
    }

    /// What a new store writes down, for [`Vault::verify_check`] at every later start.
    pub fn check_value(&self) -> Vec<u8> {
        self.seal(&[CHECK_PURPOSE.as_bytes()], CHECK)
    }

    /// Whether `value` is a check value of this master key; [`VaultError::WrongKey`] if it is one
    /// of another.
    pub fn verify_check(&self, value: &[u8]) -> Result<(), VaultError> {
        match &self.open(&[CHECK_PURPOSE.as_bytes()], value)?[..] {
            CHECK => Ok(()),
            _ => Err(VaultError::NotAuthentic),
        }
    }

    /// Seals a small value that belongs to no application. The result is 37 bytes longer.
    pub fn seal_with_master(&self, place: Place<'_>, plaintext: &[u8]) -> Vec<u8> {
        self.seal(&place.within(b"", INSTALLATION_PURPOSE), plaintext)
    }

    /// The plaintext of what [`Vault::seal_with_master`] sealed for this place.
    pub fn open_with_master(&self, place: Place<'_>, sealed: &[u8]) -> Result<Vec<u8>, VaultError> {
        self.open(&place.within(b"", INSTALLATION_PURPOSE), sealed)
    }

    /// A new data key for the application with this tail. It exists once the store has it.
    pub fn new_data_key(&self, application: Tail) -> SealedDataKey {
        let id = DataKeyId(random(&*self.entropy));
        let mut key = Zeroizing::new([0; KEY_BYTES]);
        self.entropy.fill(&mut key[..]);
        self.seal_data_key(application, id, &DataKeyText { key, uses: 0 })
    }

    /// Opens an application's data key, or finds it opened.
    pub fn data_key(
        &self,
        application: ApplicationId,
        sealed: &SealedDataKey,
    ) -> Result<Arc<DataKey>, VaultError> {
        let id = sealed.id()?;
        if let Some(key) = self.cache.get((application, id)) {
            return Ok(key);
        }
        let tail = application.tail();
        let text = self.open_data_key(tail, sealed)?;
        let key = DataKey::new(tail, id, &text.key, self.entropy.clone());
        Ok(self.cache.keep((application, id), key))
    }

    /// An application's data keys together, given in the order in which they were made: the last
    /// one seals, all of them open.
    pub fn key_ring<'a>(
        &self,
        application: ApplicationId,
        sealed: impl IntoIterator<Item = &'a SealedDataKey>,
    ) -> Result<KeyRing, VaultError> {
        let opened = sealed
            .into_iter()
            .map(|sealed| self.data_key(application, sealed));
        KeyRing::new(opened.collect::<Result<_, _>>()?)
    }

    /// What data keys have sealed since this last told of them: those that have by now sealed at
    /// least `uses_min` times. The others go on being counted. Whoever calls it records each count
    /// with [`Vault::add_uses`], or brings it back with [`Vault::put_back`].
    pub fn take_uses(&self, uses_min: u64) -> Vec<KeyUses> {
        let uses = self.cache.take_uses(uses_min).into_iter();
        uses.map(|((application, key), uses)| KeyUses {
            application,
            key,
            uses,
        })
        .collect()
    }

    /// A count that could not be recorded: it will be told of again.
    pub fn put_back(&self, uses: KeyUses) {
        self.cache.put_back((uses.application, uses.key), uses.uses);
    }

    /// The same data key with `uses` more in its sealed count, and that count. Once it reaches
    /// [`DATA_KEY_USES_MAX`](crate::DATA_KEY_USES_MAX), the application needs a new key.
    pub fn add_uses(
        &self,
        application: ApplicationId,
        sealed: &SealedDataKey,
        uses: u64,
    ) -> Result<(SealedDataKey, u64), VaultError> {
        let tail = application.tail();
        let mut text = self.open_data_key(tail, sealed)?;
        text.uses = text.uses.saturating_add(uses);
        Ok((self.seal_data_key(tail, sealed.id()?, &text), text.uses))
    }

    fn seal_data_key(&self, application: Tail, id: DataKeyId, text: &DataKeyText) -> SealedDataKey {
        let parts = [DATA_KEY_PURPOSE.as_bytes(), &application, &id.0];
        SealedDataKey::join(id, &self.seal(&parts, &text.to_bytes()[..]))
    }

    fn open_data_key(
        &self,
        application: Tail,
        sealed: &SealedDataKey,
    ) -> Result<DataKeyText, VaultError> {
        let (id, sealed) = sealed.split()?;
        let parts = [DATA_KEY_PURPOSE.as_bytes(), &application, &id.0];
        let text = Zeroizing::new(self.open(&parts, sealed)?);
        DataKeyText::from_bytes(&text).ok_or(VaultError::NotAuthentic)
    }

    fn seal(&self, parts: &[&[u8]], plaintext: &[u8]) -> Vec<u8> {
        self.cipher.seal(random(&*self.entropy), parts, plaintext)
    }

    fn open(&self, parts: &[&[u8]], sealed: &[u8]) -> Result<Vec<u8>, VaultError> {
        let sealed_by = MasterKeyId(envelope::key_id(sealed)?);
        if sealed_by != self.master {
            return Err(VaultError::WrongKey {
                sealed_by,
                given: self.master,
            });
        }
        self.cipher.open(parts, sealed)
    }
}

/// What is sealed in a [`SealedDataKey`].
struct DataKeyText {
    key: Zeroizing<[u8; KEY_BYTES]>,
    uses: u64,
}

impl DataKeyText {
    fn to_bytes(&self) -> Zeroizing<[u8; KEY_BYTES + 8]> {
        let mut bytes = Zeroizing::new([0; KEY_BYTES + 8]);
        bytes[..KEY_BYTES].copy_from_slice(&self.key[..]);
        bytes[KEY_BYTES..].copy_from_slice(&self.uses.to_be_bytes());
        bytes
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (key, uses) = bytes.split_first_chunk()?;
        let uses = u64::from_be_bytes(uses.try_into().ok()?);
        Some(Self {
            key: Zeroizing::new(*key),
            uses,
        })
    }
}
