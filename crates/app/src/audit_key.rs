//! The key that the audit log is signed with. Nobody asks for this by the API: the binary takes it
//! to seal, and whoever shows a checkpoint needs its public half.

use crate::{App, AppError};
use store::audit::AUDIT_SIGNING_KEY;
use vault::AuditKey;

impl App {
    /// The key, which is made where the store has none: the same for all nodes.
    ///
    /// # Errors
    /// Of the store; or the key is not sealed by this installation.
    pub async fn audit_key(&self) -> Result<AuditKey, AppError> {
        if let Some(sealed) = self.store.setting(AUDIT_SIGNING_KEY).await? {
            return Ok(self.vault.audit_key(&sealed)?);
        }
        let new = self.vault.new_audit_key(&*self.entropy);
        let sealed = self.store.set_setting(AUDIT_SIGNING_KEY, &new).await?;
        Ok(self.vault.audit_key(&sealed)?)
    }

    /// What its signatures are verified with; `None`: nothing was ever signed.
    ///
    /// # Errors
    /// As [`App::audit_key`].
    pub async fn audit_public_key(&self) -> Result<Option<[u8; 32]>, AppError> {
        let sealed = self.store.setting(AUDIT_SIGNING_KEY).await?;
        let key = sealed.map(|sealed| self.vault.audit_key(&sealed));
        Ok(key.transpose()?.map(|key| key.public_key()))
    }
}
