//! Whether there is something new to show, for pages that keep themselves up to date: numbers that
//! say nothing but that they have changed, and need no permission.

use crate::{App, AppError};
use model::id::ApplicationKey;

impl App {
    /// A number that has grown when something was committed here that is shown of this
    /// application; `None`: anything at all. A look at memory.
    pub fn pulse(&self, application: Option<ApplicationKey>) -> u64 {
        self.store.pulse().read(application)
    }

    /// A number that is another one when other nodes have committed something that is shown, of
    /// whatever application. A small read, for all who look: once a second is enough.
    ///
    /// # Errors
    /// [`AppError::Unavailable`] and what else a read may come to.
    pub async fn moved_elsewhere(&self) -> Result<i64, AppError> {
        Ok(self.store.moved_elsewhere().await?)
    }
}
