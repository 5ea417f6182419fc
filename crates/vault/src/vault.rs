//! What master keys seal: data keys, those of applications and one of the installation's own, which
//! seals small values that belong to no application. So a new master key has nothing else to seal
//! anew.
//!
//! While one master key gives way to another, a vault has both: one of them seals, each opens what
//! it once sealed. Which of them seals is said from outside, since it is the same for all nodes.

use std::sync::{Arc, RwLock, RwLockReadGuard};

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

const DATA_KEY_PURPOSE: &str = "data key";

/// Whose the installation's own data key is: no application's, since those are random.
const INSTALLATION: Tail = [0; 12];

/// Opens data keys, and seals and opens with the installation's own.
pub struct Vault {
    masters: RwLock<Masters>,
    installation: DataKey,
    entropy: Arc<dyn Entropy>,
    cache: KeyCache,
}

/// The master keys that a vault was given, by their ids.
struct Masters {
    current: MasterKeyId,
    ciphers: Vec<(MasterKeyId, Cipher)>,
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
    /// The vault of a new installation that nothing is kept of. Nonces and new keys come from
    /// `entropy`.
    pub fn new(master: MasterKey, entropy: Arc<dyn Entropy>) -> Self {
        let installation = Self::new_installation_key(&master, &*entropy);
        let vault = Self::open([master], &installation, entropy);
        vault.expect("the key was just sealed by this master key")
    }

    /// A new key of an installation's own, sealed by its first master key.
    pub fn new_installation_key(master: &MasterKey, entropy: &dyn Entropy) -> SealedDataKey {
        let (id, text) = new_data_key(entropy);
        let seal = |parts: &[&[u8]], text: &[u8]| {
            let nonce = random(entropy);
            master.cipher().seal(nonce, parts, text)
        };
        seal_data_key((INSTALLATION, id), &text, seal)
    }

    /// The vault of an installation that keeps `installation`. The first of the master keys seals,
    /// until [`Vault::seal_by`] says otherwise.
    pub fn open(
        masters: impl IntoIterator<Item = MasterKey>,
        installation: &SealedDataKey,
        entropy: Arc<dyn Entropy>,
    ) -> Result<Self, VaultError> {
        let ciphers = masters.into_iter().map(|key| (key.id(), key.cipher()));
        let ciphers: Vec<_> = ciphers.collect();
        let masters = Masters {
            current: ciphers.first().ok_or(VaultError::NoMasterKey)?.0,
            ciphers,
        };
        let text = masters.open_data_key(INSTALLATION, installation)?;
        let id = installation.id()?;
        Ok(Self {
            masters: RwLock::new(masters),
            installation: DataKey::new(INSTALLATION, id, &text.key, entropy.clone()),
            entropy,
            cache: KeyCache::new(DATA_KEYS_CACHED),
        })
    }

    /// The id of the master key that seals, which is no secret.
    pub fn master_key_id(&self) -> MasterKeyId {
        self.masters().current
    }

    /// The ids of all master keys that it has.
    pub fn master_key_ids(&self) -> Vec<MasterKeyId> {
        self.masters().ciphers.iter().map(|(id, _)| *id).collect()
    }

    /// Gives it one more master key, to open with.
    pub fn learn(&self, master: &MasterKey) {
        let mut masters = self.masters.write().expect(UNPOISONED);
        if masters.cipher(master.id()).is_none() {
            masters.ciphers.push((master.id(), master.cipher()));
        }
    }

    /// From now on this master key seals. False: it has none of this id.
    pub fn seal_by(&self, master: MasterKeyId) -> bool {
        if self.masters().current == master {
            return true;
        }
        let mut masters = self.masters.write().expect(UNPOISONED);
        let known = masters.cipher(master).is_some();
        if known {
            masters.current = master;
        }
        known
    }

    /// Seals a small value that belongs to no application. The result is 37 bytes longer.
    pub fn seal_for_installation(&self, place: Place<'_>, plaintext: &[u8]) -> Vec<u8> {
        self.installation.seal(place, plaintext)
    }

    /// The plaintext of what [`Vault::seal_for_installation`] sealed for this place.
    pub fn open_for_installation(
        &self,
        place: Place<'_>,
        sealed: &[u8],
    ) -> Result<Vec<u8>, VaultError> {
        self.installation.open(place, sealed)
    }

    /// A new data key for the application with this tail. It exists once the store has it.
    pub fn new_data_key(&self, application: Tail) -> SealedDataKey {
        let (id, text) = new_data_key(&*self.entropy);
        self.seal_data_key((application, id), &text)
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
        let text = self.masters().open_data_key(tail, sealed)?;
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
        let mut text = self.masters().open_data_key(tail, sealed)?;
        text.uses = text.uses.saturating_add(uses);
        Ok((self.seal_data_key((tail, sealed.id()?), &text), text.uses))
    }

    /// The same data key, sealed by the master key that seals now; `None`: it is already.
    pub fn rewrap(
        &self,
        application: Tail,
        sealed: &SealedDataKey,
    ) -> Result<Option<SealedDataKey>, VaultError> {
        if sealed.sealed_by()? == self.master_key_id() {
            return Ok(None);
        }
        let text = self.masters().open_data_key(application, sealed)?;
        Ok(Some(self.seal_data_key((application, sealed.id()?), &text)))
    }

    /// The same for the installation's own.
    pub fn rewrap_installation(
        &self,
        sealed: &SealedDataKey,
    ) -> Result<Option<SealedDataKey>, VaultError> {
        self.rewrap(INSTALLATION, sealed)
    }

    fn seal_data_key(&self, named: (Tail, DataKeyId), text: &DataKeyText) -> SealedDataKey {
        let masters = self.masters();
        let cipher = masters.cipher(masters.current);
        let cipher = cipher.expect("the one that seals is one of them");
        seal_data_key(named, text, |parts, text| {
            cipher.seal(random(&*self.entropy), parts, text)
        })
    }

    fn masters(&self) -> RwLockReadGuard<'_, Masters> {
        self.masters.read().expect(UNPOISONED)
    }
}

const UNPOISONED: &str = "nothing panics while it holds this lock";

impl Masters {
    fn cipher(&self, id: MasterKeyId) -> Option<&Cipher> {
        let found = self.ciphers.iter().find(|(one, _)| *one == id);
        found.map(|(_, cipher)| cipher)
    }

    fn open_data_key(
        &self,
        application: Tail,
        sealed: &SealedDataKey,
    ) -> Result<DataKeyText, VaultError> {
        let (id, sealed) = sealed.split()?;
        let sealed_by = MasterKeyId(envelope::key_id(sealed)?);
        let cipher = self.cipher(sealed_by).ok_or(VaultError::WrongKey {
            sealed_by,
            given: self.current,
        })?;
        let parts = [DATA_KEY_PURPOSE.as_bytes(), &application, &id.0];
        let text = Zeroizing::new(cipher.open(&parts, sealed)?);
        DataKeyText::from_bytes(&text).ok_or(VaultError::NotAuthentic)
    }
}

fn new_data_key(entropy: &dyn Entropy) -> (DataKeyId, DataKeyText) {
    let id = DataKeyId(random(entropy));
    let mut key = Zeroizing::new([0; KEY_BYTES]);
    entropy.fill(&mut key[..]);
    (id, DataKeyText { key, uses: 0 })
}

fn seal_data_key(
    (application, id): (Tail, DataKeyId),
    text: &DataKeyText,
    seal: impl Fn(&[&[u8]], &[u8]) -> Vec<u8>,
) -> SealedDataKey {
    let parts: [&[u8]; 3] = [DATA_KEY_PURPOSE.as_bytes(), &application, &id.0];
    SealedDataKey::join(id, &seal(&parts, &text.to_bytes()[..]))
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
