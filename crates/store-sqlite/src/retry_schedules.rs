//! Event types' own retry schedules as rows.

use crate::columns::{name, optional_text, unreadable};
use crate::failure::Failure;
use model::name::Name;
use model::retry::RetrySchedule;
use rusqlite::Connection;
use store::encoding;

/// All of them, by name.
pub(crate) fn all(connection: &Connection) -> Result<Vec<(Name, RetrySchedule)>, Failure> {
    let mut select = connection
        .prepare_cached("SELECT event_type, waits FROM retry_schedule ORDER BY event_type")?;
    let mut rows = select.query([])?;
    let mut all = Vec::new();
    while let Some(row) = rows.next()? {
        let waits = optional_text(row, 1)?.and_then(encoding::schedule);
        all.push((name(row, 0)?, waits.ok_or_else(|| unreadable(row, 1))?));
    }
    Ok(all)
}
