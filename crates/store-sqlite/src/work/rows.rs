//! Rows of background work.

use crate::batch::Batch;
use crate::columns::{tail, time};
use crate::failure::Failure;
use model::id::{ApplicationKey, TaskId, TaskKey};
use rusqlite::{Connection, Row, params};
use store::encoding::{self, WorkColumns, work_columns};
use store::work::{Work, WorkRow};

const SELECT: &str = "SELECT id, tail, application, kind, subject, low, high, detail, cursor, done,
    finished, updated_at FROM task";

/// Work as a slice finds it.
pub(super) struct Task {
    pub(super) id: TaskId,
    pub(super) work: Work,
    pub(super) cursor: i64,
}

/// Writes new work of an application, whose id the store makes up.
pub(crate) fn write(
    batch: &mut Batch<'_>,
    key: TaskKey,
    of: (ApplicationKey, &Work),
) -> Result<(), Failure> {
    let id = TaskId::new(key, batch.tail());
    write_as(batch, id, of)
}

/// Writes new work of an application.
pub(crate) fn write_as(
    batch: &mut Batch<'_>,
    id: TaskId,
    (application, work): (ApplicationKey, &Work),
) -> Result<(), Failure> {
    let columns = work_columns(work);
    batch
        .connection
        .prepare_cached(
            "INSERT INTO task (id, tail, application, kind, subject, low, high, detail, cursor,
             done, finished, updated_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, 0, 0, ?10)",
        )?
        .execute(params![
            id.key().integer(),
            id.tail(),
            application.integer(),
            columns.kind,
            columns.subject,
            columns.low,
            columns.high,
            columns.detail,
            columns.cursor,
            batch.now.micros()
        ])?;
    Ok(())
}

/// Work by its id, also when it has come to its end.
pub(crate) fn row(connection: &Connection, id: TaskId) -> Result<Option<WorkRow>, Failure> {
    let mut select = connection.prepare_cached(&format!("{SELECT} WHERE id = ?1"))?;
    let mut rows = select.query([id.key().integer()])?;
    let Some(row) = rows.next()? else {
        return Ok(None);
    };
    if tail(row, 1)? != id.tail() {
        return Ok(None);
    }
    Ok(Some(WorkRow {
        id,
        application: ApplicationKey::from_integer(row.get(2)?),
        work: work(row)?,
        done: row.get::<_, i64>(9)?.cast_unsigned(),
        finished: row.get(10)?,
        updated_at: time(row, 11)?,
    }))
}

/// The next open work behind `after`; from the start again where there is none.
pub(super) fn next_open(connection: &Connection, after: i64) -> Result<Option<Task>, Failure> {
    let sql = format!("{SELECT} WHERE finished = 0 AND id > ?1 ORDER BY id LIMIT 1");
    let mut select = connection.prepare_cached(&sql)?;
    for after in [after, 0] {
        let mut rows = select.query([after])?;
        if let Some(row) = rows.next()? {
            return Ok(Some(Task {
                id: TaskId::new(TaskKey::from_integer(row.get(0)?), tail(row, 1)?),
                work: work(row)?,
                cursor: row.get(8)?,
            }));
        }
    }
    Ok(None)
}

fn work(row: &Row<'_>) -> Result<Work, Failure> {
    let columns = WorkColumns {
        kind: row.get(3)?,
        subject: row.get(4)?,
        low: row.get(5)?,
        high: row.get(6)?,
        detail: row.get(7)?,
        cursor: row.get(8)?,
    };
    encoding::work(columns).ok_or_else(|| Failure::unreadable("task"))
}
