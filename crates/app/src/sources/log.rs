//! What a source refused: its security events, whose equal ones are one entry with a count. What is
//! no refusal, such as that its token was replaced, is not among them.

use super::RefusedRequest;
use crate::page::{ListInput, Order, Page, Part};
use crate::{App, AppError, Caller};
use model::id::{Key, SourceId, SourceLogId, SourceLogKind};
use model::security::{Subject, SubjectKind};
use store::query::{Walk, Window};
use store::security::{FoldedEvent, SecurityQuery, SecurityRow};

/// What was refused, once or more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceLogEntry {
    /// Its id, with the key of the security event.
    pub id: SourceLogId,
    /// The source.
    pub source: SourceId,
    /// What happened, how often, and when.
    pub event: FoldedEvent,
    /// The latest of the requests, of which anything was kept.
    pub request: Option<RefusedRequest>,
}

impl App {
    /// What a source refused, the newest first unless asked otherwise.
    ///
    /// # Errors
    /// [`AppError::Forbidden`] for all but the organisation; [`AppError::NotFound`];
    /// [`AppError::Invalid`] for a list that can't be.
    pub async fn source_log(
        &self,
        caller: &Caller,
        path: &str,
        input: &ListInput,
    ) -> Result<Page<SourceLogEntry>, AppError> {
        let source = self.source_for(caller, path).await?.row.source.id;
        let part = Part::<SourceLogKind>::of_all(input, Order::Descending)?;
        let window = part.window();
        let query = SecurityQuery {
            window: Window {
                above: same_key(window.above),
                below: same_key(window.below),
                ascending: window.ascending,
                limit: window.limit,
            },
            application: None,
            subject: Some(Subject::new(SubjectKind::Source, source)),
            kind: None,
            severity: None,
            with_samples: true,
        };
        let walk = self.store.security_events(&query).await?;
        let examined = walk.examined.or(walk.rows.last().map(|row| row.id.key()));
        let rows = walk.rows.into_iter();
        let rows = rows.filter(|row| row.event.kind.is_of_ingest());
        let rows = rows.map(|row| self.log_entry(source, row));
        let walk = Walk {
            examined: examined.map(same_key),
            rows: rows.collect::<Result<_, _>>()?,
            more: walk.more,
        };
        Ok(part.page(walk, |entry| entry.id))
    }

    fn log_entry(&self, source: SourceId, row: SecurityRow) -> Result<SourceLogEntry, AppError> {
        let SecurityRow { id, event } = row;
        let sample = event.sample.as_deref();
        let request = sample.map(|sample| self.open_refused(source, sample));
        Ok(SourceLogEntry {
            id: SourceLogId::new(same_key(id.key()), id.tail()),
            source,
            request: request.transpose()?,
            event,
        })
    }
}

/// The key of the same row under another name.
fn same_key<A, B>(key: Key<A>) -> Key<B> {
    Key::from_integer(key.integer())
}
