//! Background work whose slices the store can't do itself: this takes it, slice by slice, and has
//! it done. Whatever node is asked next goes on where the last slice ended.

use crate::{App, AppError};
use store::work::{OutsideKind, Work};

impl App {
    /// Does a slice of work, if there is any; whether it is worth asking again at once. The binary
    /// calls it over and over, one call at a time.
    ///
    /// # Errors
    /// [`AppError::Unavailable`]: the slice was not done, and is there to be taken again.
    pub async fn work_outside(&self) -> Result<bool, AppError> {
        let Some(taken) = self.store.take_work().await? else {
            return Ok(false);
        };
        let Work::Outside(outside) = &taken.row.work else {
            return Ok(false);
        };
        match outside.kind {
            OutsideKind::Broadcast => self.broadcast_slice(taken).await,
            OutsideKind::ApplicationStats | OutsideKind::EventTypeAggregate => {
                self.usage_slice(&taken, outside).await
            }
            OutsideKind::EventTypeExport => self.export_slice(&taken).await,
        }
    }
}
