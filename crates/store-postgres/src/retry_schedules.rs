//! Event types' own retry schedules as rows.

use crate::columns::{get, name, unreadable};
use crate::failure::Failure;
use crate::sql::{Sql, params};
use model::name::Name;
use model::retry::RetrySchedule;
use store::encoding;
use tokio_postgres::Row;

/// All of them, by name.
pub(crate) async fn all(sql: &Sql<'_>) -> Result<Vec<(Name, RetrySchedule)>, Failure> {
    let rows = sql.rows(
        "SELECT event_type, waits FROM retry_schedule ORDER BY event_type",
        params![],
    );
    let read = |row: &Row| {
        let waits = encoding::schedule(get(row, 1)?);
        Ok((name(row, 0)?, waits.ok_or_else(|| unreadable(row, 1))?))
    };
    rows.await?.iter().map(read).collect()
}
