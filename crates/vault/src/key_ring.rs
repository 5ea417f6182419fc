//! An application's data keys together: the newest seals, each opens what it once sealed.

use std::sync::Arc;

use crate::{DataKey, DataKeyId, Place, ShownTicket, Ticket, VaultError, envelope};

/// At least one data key of one application. A copy is cheap and shares the keys and their counts.
#[derive(Clone)]
pub struct KeyRing {
    older: Arc<[Arc<DataKey>]>,
    newest: Arc<DataKey>,
}

impl KeyRing {
    /// Of keys in the order in which they were made.
    pub(crate) fn new(mut keys: Vec<Arc<DataKey>>) -> Result<Self, VaultError> {
        let newest = keys.pop().ok_or(VaultError::NoDataKey)?;
        Ok(Self {
            older: keys.into(),
            newest,
        })
    }

    /// The key that seals.
    pub fn newest(&self) -> &Arc<DataKey> {
        &self.newest
    }

    /// Encrypts a value for its place; see [`DataKey::seal`].
    pub fn seal(&self, place: Place<'_>, plaintext: &[u8]) -> Vec<u8> {
        self.newest.seal(place, plaintext)
    }

    /// Ties a value to its place without encrypting it; see [`DataKey::seal_readable`].
    pub fn seal_readable(&self, place: Place<'_>, plaintext: &[u8]) -> Vec<u8> {
        self.newest.seal_readable(place, plaintext)
    }

    /// A keyed hash of a value by the first of the keys, so that a new one changes nothing; see
    /// [`DataKey::pseudonym`].
    pub fn pseudonym(&self, value: &[u8]) -> [u8; 32] {
        self.first().pseudonym(value)
    }

    /// A ticket's text, by the first of the keys: nodes that have not heard of a new one yet take
    /// it too.
    pub fn issue(&self, ticket: &Ticket) -> String {
        ticket.text(self.first())
    }

    /// What a ticket says, if one of the keys made it.
    pub fn check(&self, ticket: &ShownTicket) -> Option<Ticket> {
        let keys = [&self.newest].into_iter().chain(self.older.iter());
        keys.into_iter().find_map(|key| ticket.checked(key))
    }

    fn first(&self) -> &DataKey {
        self.older.first().unwrap_or(&self.newest)
    }

    /// The plaintext of what any of the keys sealed for this place, encrypted or readable.
    pub fn open(&self, place: Place<'_>, sealed: &[u8]) -> Result<Vec<u8>, VaultError> {
        let sealed_by = DataKeyId(envelope::key_id(sealed)?);
        [&self.newest]
            .into_iter()
            .chain(self.older.iter())
            .find(|key| key.id() == sealed_by)
            .ok_or(VaultError::UnknownDataKey(sealed_by))?
            .open(place, sealed)
    }
}
