//! Data keys wear out: a random nonce may be drawn only so often with one key. Writes down what
//! each has sealed, and gives an application a new one in time. Nobody asks for this: the binary
//! calls it now and then.

use crate::audit::Unaudited;
use crate::change::{ChangeRefused, unexpected, until_current};
use crate::{App, AppError};
use store::Sealed;
use store::change::{Change, ChangeError, Changed};
use store::rows::ApplicationRef;
use vault::{DATA_KEY_USES_MAX, KeyUses, SealedDataKey, VaultError};

/// A key's count is written down when it has grown by so much, so that an application that seals
/// little is left in peace. Less than that is forgotten when a process ends, which the distance
/// from [`DATA_KEY_USES_MAX`] to what the standard allows makes up for 32,768 times.
pub const KEY_USES_RECORDED: u64 = 1 << 16;

impl App {
    /// Writes down what data keys have sealed since the last call, and gives a new key to each
    /// application whose newest one is worn out. What can't be written down is tried again by the
    /// next call.
    ///
    /// # Errors
    /// The first that came up; the other keys are counted nevertheless.
    pub async fn record_key_uses(&self) -> Result<(), AppError> {
        let mut outcome = Ok(());
        for uses in self.vault.take_uses(KEY_USES_RECORDED) {
            match until_current(|| self.add_key_uses(uses)).await {
                // A deleted application seals nothing any more.
                Ok(()) | Err(ChangeRefused::Store(ChangeError::Missing)) => {}
                Err(refused) => {
                    self.vault.put_back(uses);
                    outcome = outcome.and(Err(refused.into()));
                }
            }
        }
        outcome
    }

    async fn add_key_uses(&self, uses: KeyUses) -> Result<(), ChangeRefused> {
        let application = ApplicationRef::Id(uses.application);
        let found = self.registry.find(&application).await;
        let Some(found) = found.map_err(AppError::from)? else {
            return Ok(());
        };
        let row = &found.application;
        let change = Change::ReplaceDataKeys {
            application: uses.application.key(),
            data_keys: self.counted(&row.data_keys, uses).map_err(AppError::from)?,
            revision: row.revision,
        };
        let application = Some(uses.application.key());
        let changed = self.change_unaudited(Unaudited::Uses, application, change);
        match changed.await? {
            Changed::Application(_) => Ok(()),
            other => Err(unexpected(&other).into()),
        }
    }

    /// The same keys with this count added, and a new one behind them if the last is worn out.
    fn counted(&self, keys: &[Sealed], uses: KeyUses) -> Result<Vec<Sealed>, VaultError> {
        let mut counted = Vec::with_capacity(keys.len() + 1);
        let mut newest_is_worn = false;
        for key in keys {
            let mut key = SealedDataKey::from_bytes(&key[..]);
            newest_is_worn = false;
            // None is written that is sealed by a master key which gave way to another.
            if let Some(anew) = self.vault.rewrap(uses.application.tail(), &key)? {
                key = anew;
            }
            if key.id()? == uses.key {
                let total;
                (key, total) = self.vault.add_uses(uses.application, &key, uses.uses)?;
                newest_is_worn = total >= DATA_KEY_USES_MAX;
            }
            counted.push(key.into_bytes().into());
        }
        if newest_is_worn {
            let new = self.vault.new_data_key(uses.application.tail());
            counted.push(new.into_bytes().into());
        }
        Ok(counted)
    }
}
