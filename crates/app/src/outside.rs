//! Background work whose slices the store can't do itself: this takes it, slice by slice, and has
//! it done. Whatever node is asked next goes on where the last slice ended.

use crate::{App, AppError};
use model::id::{ApplicationKey, ApplicationKind};
use store::query::{ApplicationQuery, Window};
use store::rows::ApplicationRow;
use store::work::{OutsideKind, TakenWork, Work};

/// The applications that a slice comes to.
pub(crate) struct Next {
    pub(crate) rows: Vec<ApplicationRow>,
    /// Where the slice behind it begins.
    pub(crate) cursor: i64,
    /// Whether there are no more behind them.
    pub(crate) is_end: bool,
}

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
            OutsideKind::Erasure => self.erasure_slice(&taken).await,
        }
    }

    /// The next of all applications: of those behind the cursor that were there when the work was
    /// asked for. Where another node may still commit one of those, it is not the end.
    pub(crate) async fn next_applications(
        &self,
        taken: &TakenWork,
        most: usize,
    ) -> Result<Next, AppError> {
        let asked_for = taken.row.id.key().integer();
        let all_are_there = self.store.forward_border().await?.integer() >= asked_for;
        let query = ApplicationQuery {
            window: Window::<ApplicationKind> {
                above: ApplicationKey::from_integer(taken.cursor),
                below: ApplicationKey::from_integer(asked_for),
                ascending: true,
                limit: most,
            },
            with_endpoints: false,
            without_disabled_endpoints: false,
        };
        let walk = self.store.applications(&query).await?;
        Ok(Next {
            rows: walk.rows,
            cursor: walk.examined.map_or(taken.cursor, ApplicationKey::integer),
            is_end: all_are_there && !walk.more,
        })
    }
}
