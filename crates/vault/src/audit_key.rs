//! The key that the audit log's checkpoints are signed with: ed25519, made once for an
//! installation, and sealed by the installation's own data key. So another master key has nothing
//! of it to seal anew but that data key.
//!
//! The private key never leaves this file: others have a signature, or the public key.

use crate::{Place, Vault, VaultError};
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use model::Entropy;
use std::fmt;
use zeroize::Zeroizing;

const PLACE: Place<'static> = Place {
    table: "setting",
    row: b"audit_signing_key",
    column: "value",
};

const SEED_BYTES: usize = 32;

/// Signs checkpoints.
pub struct AuditKey(Ed25519KeyPair);

impl AuditKey {
    /// What others verify its signatures with.
    pub fn public_key(&self) -> [u8; 32] {
        let bytes = self.0.public_key().as_ref().try_into();
        bytes.expect("a public key of ed25519 has 32 bytes")
    }

    /// Its signature over these bytes.
    pub fn sign(&self, bytes: &[u8]) -> [u8; 64] {
        let signature = self.0.sign(bytes);
        let bytes = signature.as_ref().try_into();
        bytes.expect("a signature of ed25519 has 64 bytes")
    }
}

impl fmt::Debug for AuditKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AuditKey")
    }
}

impl Vault {
    /// A new key, sealed. It exists once the store has it.
    pub fn new_audit_key(&self, entropy: &dyn Entropy) -> Vec<u8> {
        let mut seed = Zeroizing::new([0; SEED_BYTES]);
        entropy.fill(&mut seed[..]);
        self.seal_for_installation(PLACE, &seed[..])
    }

    /// The key that the store keeps.
    ///
    /// # Errors
    /// Where it was not sealed by this installation.
    pub fn audit_key(&self, sealed: &[u8]) -> Result<AuditKey, VaultError> {
        let seed = Zeroizing::new(self.open_for_installation(PLACE, sealed)?);
        let pair = Ed25519KeyPair::from_seed_unchecked(&seed);
        pair.map(AuditKey).map_err(|_| VaultError::NotAuthentic)
    }
}
