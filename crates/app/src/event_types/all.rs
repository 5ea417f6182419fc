//! All event types at once, for what needs them together: no more than fit into memory.

use crate::{App, AppError};
use model::event_type::EventType;
use model::name::Name;
use store::query::EventTypeQuery;

/// The most that is held of event types with their schemas, in bytes.
pub(crate) const ALL_BYTES_MAX: usize = 64 * 1024 * 1024;
/// How many are read at a time; of those with schemas, each may have megabytes.
const PAGE_ROWS: usize = 250;
const PAGE_ROWS_WITH_SCHEMAS: usize = 25;

/// Which of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AllTypes {
    /// Those that are not archived.
    Live,
    /// Archived ones too.
    Archived,
}

impl App {
    /// All event types with their schemas, by name; `None`: they have more than [`ALL_BYTES_MAX`].
    pub(crate) async fn all_event_types(
        &self,
        which: AllTypes,
    ) -> Result<Option<Vec<EventType>>, AppError> {
        let mut query = EventTypeQuery {
            archived: which == AllTypes::Archived,
            with_schemas: true,
            ..live(PAGE_ROWS_WITH_SCHEMAS)
        };
        let (mut all, mut bytes) = (Vec::new(), 0);
        loop {
            let walk = self.store.event_types(&query).await?;
            bytes += walk.rows.iter().map(size).sum::<usize>();
            if bytes > ALL_BYTES_MAX {
                return Ok(None);
            }
            all.extend(walk.rows);
            if !walk.more {
                return Ok(Some(all));
            }
            query.beyond = walk.examined;
        }
    }

    /// The names of all event types that are not archived.
    pub(super) async fn live_event_types(&self) -> Result<Vec<Name>, AppError> {
        let mut query = live(PAGE_ROWS);
        let mut names = Vec::new();
        loop {
            let walk = self.store.event_types(&query).await?;
            names.extend(walk.rows.into_iter().map(|event_type| event_type.name));
            if !walk.more {
                return Ok(names);
            }
            query.beyond = walk.examined;
        }
    }
}

fn live(limit: usize) -> EventTypeQuery {
    EventTypeQuery {
        beyond: None,
        ascending: true,
        limit,
        archived: false,
        with_schemas: false,
        visible_to: None,
    }
}

fn size(event_type: &EventType) -> usize {
    let schemas = event_type.schemas.as_ref().map_or(0, String::len);
    1_024 + event_type.description.len() + schemas
}
