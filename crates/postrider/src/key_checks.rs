//! Whether a node has the keys that its store is sealed with. The store keeps the ids of master
//! keys, and a value that recognises the token key; neither tells anything of them.

use crate::failure::Failure;
use crate::keys::MasterKeys;
use anyhow::anyhow;
use app::master_keys::INSTALLATION_KEY;
use aws_lc_rs::hmac;
use model::{Entropy, Secret};
use std::sync::Arc;
use store::Store;
use store::master_keys::MASTER_KEYS;
use vault::{MasterKeyId, Place, SealedDataKey, Standing, Vault};

/// Where a store of many nodes keeps what recognises the key that all of them sign tokens with.
pub(crate) const TOKEN_CHECK: &str = "token_key_check";
/// What the token key's digest is of: no token begins like this.
const TOKEN_DIGEST_OF: &[u8] = b"postrider: check value of a token-signing key";

/// Where that is sealed for.
const TOKEN_PLACE: Place<'static> = Place {
    table: "setting",
    row: TOKEN_CHECK.as_bytes(),
    column: "value",
};

/// The vault of a store. A store is sealed by one master key, or by two while one gives way to the
/// other: without one of them, what it sealed would be unreadable, and what is sealed by another
/// from now on unreadable with the right one.
pub(crate) async fn open_vault(
    store: &dyn Store,
    masters: MasterKeys,
    entropy: Arc<dyn Entropy>,
) -> Result<Vault, Failure> {
    let first = Standing::Alone(masters.current.id()).to_bytes();
    let standing = store.set_setting(MASTER_KEYS, &first).await;
    let standing = standing.map_err(Failure::could_not)?;
    // Looked at by its master keys before anything is sealed by another.
    let standing = needed(&masters, &standing)?;
    let first = Vault::new_installation_key(&masters.current, &*entropy);
    let sealed_rightly = masters.current.id() == standing.current();
    let installation = match sealed_rightly {
        true => store
            .set_setting(INSTALLATION_KEY, first.as_bytes())
            .await
            .map(Some),
        false => store.setting(INSTALLATION_KEY).await,
    };
    let installation = installation.map_err(Failure::could_not)?.ok_or_else(|| {
        Failure::CouldNot(anyhow!(
            "this store was never used: start it once with `previous_master_key` as `master_key`"
        ))
    })?;
    open_with(masters, standing, installation, entropy)
}

/// The vault of what a store keeps of its master keys and of the installation's own key.
pub(crate) fn open_with(
    masters: MasterKeys,
    standing: Standing,
    installation: Vec<u8>,
    entropy: Arc<dyn Entropy>,
) -> Result<Vault, Failure> {
    let installation = SealedDataKey::from_bytes(installation);
    let vault = Vault::open(masters.into_vec(), &installation, entropy);
    let vault = vault.map_err(Failure::could_not)?;
    vault.seal_by(standing.current());
    Ok(vault)
}

/// Refuses keys without which something in the store can't be opened.
pub(crate) fn needed(masters: &MasterKeys, kept: &[u8]) -> Result<Standing, Failure> {
    let standing = Standing::from_bytes(kept)
        .ok_or_else(|| Failure::CouldNot(anyhow!("what the store keeps of its keys is damaged")))?;
    let ids = masters.clone().into_vec();
    let lacks = |id: &MasterKeyId| !ids.iter().any(|key| key.id() == *id);
    let Some(lacking) = standing.needed().into_iter().find(lacks) else {
        return Ok(standing);
    };
    let given = masters.shown();
    Err(Failure::CouldNot(match standing {
        Standing::Rewrapping { current, .. } if lacking != current => anyhow!(
            "the master key with id {lacking} is still needed beside {current}: what it sealed is \
             being sealed anew. Give it as `previous_master_key` until `postrider keys rotate` says \
             that all is done (given: {given})"
        ),
        _ => anyhow!(
            "this is not the master key that the store is sealed with: give the one with id \
             {lacking} (given: {given})"
        ),
    }))
}

/// Nodes that share a store take each other's tokens. The digest is keyed with the key itself, and
/// sealed, so that nobody can try guesses on it who has the database alone.
pub(crate) async fn recognise_token_key(
    store: &dyn Store,
    vault: &Vault,
    key: &Secret,
) -> Result<(), Failure> {
    let digest = hmac::sign(&hmac_key(key), TOKEN_DIGEST_OF);
    let value = vault.seal_for_installation(TOKEN_PLACE, digest.as_ref());
    let kept = store.set_setting(TOKEN_CHECK, &value).await;
    let kept = kept.map_err(Failure::could_not)?;
    verify_token_key(vault, key, &kept)
}

/// Whether this is the key that a store keeps this of.
pub(crate) fn verify_token_key(vault: &Vault, key: &Secret, kept: &[u8]) -> Result<(), Failure> {
    let kept = vault.open_for_installation(TOKEN_PLACE, kept);
    let kept = kept.map_err(Failure::could_not)?;
    hmac::verify(&hmac_key(key), TOKEN_DIGEST_OF, &kept).map_err(|_| {
        Failure::CouldNot(anyhow!(
            "this is not the token-signing key that the other nodes have: give that one"
        ))
    })
}

fn hmac_key(key: &Secret) -> hmac::Key {
    hmac::Key::new(hmac::HMAC_SHA256, key.expose())
}
