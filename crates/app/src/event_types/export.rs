//! An OpenAPI document of all event types: background work, since there may be many, whose data is
//! the document. Importing it somewhere else makes the same event types there.

use super::all::AllTypes;
use super::openapi::{DocumentTooLarge, document};
use crate::tasks::{Task, TaskKind};
use crate::{App, AppError, Caller};
use bytes::Bytes;
use model::audit::AuditAction;
use store::work::{OutsideKind, OutsideWork, TakenWork, Work, WorkEnd, WorkStep};

impl App {
    /// Begins to write an OpenAPI document of the event types that are not archived.
    ///
    /// # Errors
    /// [`AppError::Forbidden`] for all but the organisation.
    pub async fn export_event_types(&self, caller: &Caller) -> Result<Task, AppError> {
        caller.require_organisation()?;
        let kind = TaskKind::EventTypeExport;
        let key = match self.task_request(caller, kind).await? {
            Ok(key) => key,
            Err(begun) => return Ok(begun),
        };
        let work = Work::Outside(OutsideWork {
            kind: OutsideKind::EventTypeExport,
            arguments: Bytes::new(),
        });
        let entry = self.entry_at_installation(caller, AuditAction::EventTypesExported);
        self.begin_task(entry, (None, work), key).await
    }

    /// Writes the document, in one slice: what is read, and what comes of it, has a largest size.
    pub(crate) async fn export_slice(&self, taken: &TakenWork) -> Result<bool, AppError> {
        let all = self.all_event_types(AllTypes::Live).await?;
        let document = all.as_deref().ok_or(DocumentTooLarge).and_then(document);
        let (data, end) = match document {
            Ok(document) => (format!("{{\"spec\":{document}}}"), WorkEnd::Finished),
            Err(too_large) => ("{}".to_owned(), WorkEnd::Failed(too_large.to_string())),
        };
        let step = WorkStep {
            cursor: taken.cursor,
            done: all.map_or(0, |all| all.len() as u64),
            data: Some(data),
            end: Some(end),
            ..WorkStep::default()
        };
        self.advance_work(taken, step).await?;
        Ok(true)
    }
}
