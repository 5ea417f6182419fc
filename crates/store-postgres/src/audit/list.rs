//! Lists of audit entries.

use super::{columns, kept};
use crate::columns::direction;
use crate::failure::Failure;
use crate::paging::{self, Listing, Seen, SeenIn};
use crate::sql::{Sql, params};
use model::id::{AuditKey, Key};
use std::collections::HashMap;
use store::audit::{AuditQuery, AuditRow};
use store::query::Walk;
use tokio_postgres::Row;

/// A list.
pub(crate) async fn list(
    sql: &Sql<'_>,
    query: &AuditQuery,
) -> Result<Walk<AuditRow, AuditKey>, Failure> {
    paging::walk(&Entries { sql, query }, query.window.limit).await
}

struct Entries<'q> {
    sql: &'q Sql<'q>,
    query: &'q AuditQuery,
}

impl Listing for Entries<'_> {
    type Position = AuditKey;
    /// Rows are small: those that were looked at are loaded.
    type Passed = AuditRow;
    type Row = AuditRow;

    async fn look(
        &self,
        beyond: Option<&AuditKey>,
        rows: usize,
    ) -> Result<Vec<SeenIn<Self>>, Failure> {
        let window = &self.query.window;
        let query = self.query;
        let whose = match (&query.subject, &query.actor, query.application) {
            (Some(_), _, _) => {
                "subject = $6 AND ($5 IS NULL OR actor = $5) AND ($4 = 0 OR application = $4)"
            }
            (None, Some(_), _) => "actor = $5 AND ($4 = 0 OR application = $4) AND $6 IS NULL",
            (None, None, Some(_)) => "application = $4 AND $5 IS NULL AND $6 IS NULL",
            (None, None, None) => "$4 = 0 AND $5 IS NULL AND $6 IS NULL",
        };
        let statement = format!(
            "SELECT {} FROM audit_entry
             WHERE {whose} AND id > $1 AND id < $2 ORDER BY id {} LIMIT $3",
            columns!(),
            direction(window.ascending)
        );
        let (above, below) = paging::behind(window, beyond);
        let application = query.application.map_or(0, Key::integer);
        let params = params![
            above,
            below,
            paging::limit(rows),
            application,
            query.actor.as_deref(),
            query.subject.as_ref().map(|subject| subject.id.as_str()),
        ];
        let read = |row: &Row| {
            let kept = kept(row)?;
            Ok(Seen {
                position: kept.id.key(),
                passes: query.row(&kept),
            })
        };
        let found = self.sql.rows(&statement, params).await?;
        found.iter().map(read).collect()
    }

    async fn load(
        &self,
        passed: &[(AuditKey, AuditRow)],
    ) -> Result<HashMap<AuditKey, AuditRow>, Failure> {
        Ok(passed.iter().cloned().collect())
    }
}
