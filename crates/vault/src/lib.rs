//! Keys at rest: what the store must hold and nobody who reads its files may know.
//!
//! One master key for the installation, from outside the store, seals a data key for each
//! application, and one for what belongs to none; a data key seals that application's values. So a
//! deleted application's key can be destroyed, another master key has little to seal anew, an
//! application's values can't be opened with another's key, and the master key itself is used
//! seldom. A [`Vault`] opens data keys; a [`KeyRing`] of an application's keys is what others seal
//! and open with.
//!
//! Every value is tied to its [`Place`]: moved to another row, column, table or application, it
//! does not open. An application and a row are named by the random tail of their public id, which
//! is known before the store gives them their integer key.
//!
//! The vault stores nothing, reads no files, and decides nothing about who may read what.
//!
//! Map: `master` (the master key) · `standing` (which one
//! seals, while one gives way to another) · `vault` (what it seals) · `data_key`, `key_ring` (an
//! application's keys) · `audit_key` (what signs the audit log) · `ticket` (who may fetch a
//! payload) · `place` (where a value belongs) · `envelope` (bytes and AES-256-GCM) · `cache`
//! (opened data keys) · `error`.

mod audit_key;
mod cache;
mod data_key;
mod envelope;
mod error;
mod key_ring;
mod master;
mod place;
mod standing;
mod ticket;
mod vault;

pub use audit_key::AuditKey;
pub use data_key::{DATA_KEY_USES_MAX, DataKey, DataKeyId, SealedDataKey};
pub use error::VaultError;
pub use key_ring::KeyRing;
pub use master::{MasterKey, MasterKeyError, MasterKeyId};
pub use place::Place;
pub use standing::Standing;
pub use ticket::{ShownTicket, Ticket};
pub use vault::{DATA_KEYS_CACHED, KeyUses, Vault};

#[cfg(test)]
mod tests;
