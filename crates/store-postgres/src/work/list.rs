//! The background work that people are shown, in pages.

use super::rows;
use crate::columns::{direction, key, number};
use crate::failure::Failure;
use crate::paging::{self, Listing, Seen, SeenIn};
use crate::sql::{Sql, columns_of, params};
use model::id::TaskKey;
use std::collections::HashMap;
use store::encoding::work_kind;
use store::query::Walk;
use store::work::{WorkQuery, WorkRow};
use tokio_postgres::Row;

/// A list.
pub(crate) async fn list(
    sql: &Sql<'_>,
    query: &WorkQuery,
) -> Result<Walk<WorkRow, TaskKey>, Failure> {
    paging::walk(&Works { sql, query }, query.window.limit).await
}

struct Works<'q> {
    sql: &'q Sql<'q>,
    query: &'q WorkQuery,
}

impl Listing for Works<'_> {
    type Position = TaskKey;
    type Passed = ();
    type Row = WorkRow;

    async fn look(
        &self,
        beyond: Option<&TaskKey>,
        rows: usize,
    ) -> Result<Vec<SeenIn<Self>>, Failure> {
        let window = &self.query.window;
        let statement = format!(
            "SELECT id, kind, state FROM task WHERE kind >= 16 AND id > $1 AND id < $2
             ORDER BY id {} LIMIT $3",
            direction(window.ascending)
        );
        let (above, below) = paging::behind(window, beyond);
        let params = params![above, below, paging::limit(rows)];
        let read = |row: &Row| {
            let kind =
                work_kind(number(row, 1)?).ok_or_else(|| Failure::unreadable("task.kind"))?;
            let passes = self.query.passes(kind, rows::state(row, 2)?);
            Ok(Seen {
                position: key(row, 0)?,
                passes: passes.then_some(()),
            })
        };
        let found = self.sql.rows(&statement, params).await?;
        found.iter().map(read).collect()
    }

    async fn load(&self, passed: &[(TaskKey, ())]) -> Result<HashMap<TaskKey, WorkRow>, Failure> {
        let keys = columns_of(passed, |(key, ())| *key);
        let rows = rows::by_keys(self.sql, &keys).await?;
        Ok(rows.into_iter().map(|row| (row.id.key(), row)).collect())
    }

    fn with_content(&self) -> bool {
        true
    }

    fn content_bytes(row: &WorkRow) -> usize {
        row.content_bytes()
    }
}
