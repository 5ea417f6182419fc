//! Whether a node has the keys that its store was made with. The store keeps a value that
//! recognises each key, and tells nothing of it.

use crate::failure::Failure;
use anyhow::{Error, anyhow};
use aws_lc_rs::hmac;
use model::Secret;
use store::Store;
use vault::{Place, Vault};

/// Where the store keeps what recognises its master key.
const MASTER_CHECK: &str = "master_key_check";
/// Where a store of many nodes keeps what recognises the key that all of them sign tokens with.
const TOKEN_CHECK: &str = "token_key_check";
/// What the token key's digest is of: no token begins like this.
const TOKEN_DIGEST_OF: &[u8] = b"postrider: check value of a token-signing key";

/// Where that is sealed for.
const TOKEN_PLACE: Place<'static> = Place {
    table: "setting",
    row: TOKEN_CHECK.as_bytes(),
    column: "value",
};

/// A store belongs to one master key: with another, everything in it would be unreadable, and what
/// is written from now on unreadable with the right one.
pub(crate) async fn recognise_master_key(store: &dyn Store, vault: &Vault) -> Result<(), Failure> {
    let kept = store.set_setting(MASTER_CHECK, &vault.check_value()).await;
    let kept = kept.map_err(Failure::could_not)?;
    verify_master_key(vault, &kept)
}

/// Whether this is the key that a store keeps this of.
pub(crate) fn verify_master_key(vault: &Vault, kept: &[u8]) -> Result<(), Failure> {
    vault.verify_check(kept).map_err(|error| {
        let advice = "this is not the master key that the store was made with: give that one";
        Failure::CouldNot(Error::new(error).context(advice))
    })
}

/// Nodes that share a store take each other's tokens. The digest is keyed with the key itself, and
/// sealed, so that nobody can try guesses on it who has the database alone.
pub(crate) async fn recognise_token_key(
    store: &dyn Store,
    vault: &Vault,
    key: &Secret,
) -> Result<(), Failure> {
    let digest = hmac::sign(&hmac_key(key), TOKEN_DIGEST_OF);
    let value = vault.seal_with_master(TOKEN_PLACE, digest.as_ref());
    let kept = store.set_setting(TOKEN_CHECK, &value).await;
    let kept = kept.map_err(Failure::could_not)?;
    verify_token_key(vault, key, &kept)
}

/// Whether this is the key that a store keeps this of.
pub(crate) fn verify_token_key(vault: &Vault, key: &Secret, kept: &[u8]) -> Result<(), Failure> {
    let kept = vault.open_with_master(TOKEN_PLACE, kept);
    let kept = kept.map_err(Failure::could_not)?;
    hmac::verify(&hmac_key(key), TOKEN_DIGEST_OF, &kept).map_err(|_| {
        Failure::CouldNot(anyhow!(
            "this is not the token-signing key that the other nodes have: give that one"
        ))
    })
}

/// What a setting recognises.
pub(crate) enum Kept {
    MasterKey,
    TokenKey,
}

/// What the setting of this name recognises.
pub(crate) fn kept_as(setting: &str) -> Option<Kept> {
    match setting {
        MASTER_CHECK => Some(Kept::MasterKey),
        TOKEN_CHECK => Some(Kept::TokenKey),
        _ => None,
    }
}

fn hmac_key(key: &Secret) -> hmac::Key {
    hmac::Key::new(hmac::HMAC_SHA256, key.expose())
}
