//! Rows of background work.

use crate::batch::Batch;
use crate::columns::{get, key, number, optional_sealed, tail, time};
use crate::failure::Failure;
use crate::sql::{Sql, Statement, blob, columns_of, params};
use model::Timestamp;
use model::id::{ApplicationKey, TaskId, TaskKey};
use store::encoding::{self, WorkColumns, work_columns, work_state, work_state_number};
use store::work::{Progress, Work, WorkRow, WorkState};
use tokio_postgres::Row;

const COLUMNS: &str = "id, tail, application, kind, subject, low, high, detail, arguments, cursor,
    done, state, failure, data, updated_at";

/// Work as a slice finds it.
pub(super) struct Task {
    pub(super) id: TaskId,
    pub(super) application: ApplicationKey,
    pub(super) work: Work,
    pub(super) cursor: i64,
}

/// Work to write.
pub(crate) struct TaskWrite {
    id: TaskId,
    application: Option<ApplicationKey>,
    columns: WorkColumns,
    at: Timestamp,
}

/// Writes new work of an application, whose id the store makes up.
pub(crate) fn write(
    batch: &mut Batch<'_>,
    key: TaskKey,
    (application, work): (ApplicationKey, &Work),
) {
    let id = TaskId::new(key, batch.tail());
    write_as(batch, id, (Some(application), work));
}

/// Writes new work, of an application or of none.
pub(crate) fn write_as(
    batch: &mut Batch<'_>,
    id: TaskId,
    (application, work): (Option<ApplicationKey>, &Work),
) {
    batch.unwritten.pending.tasks.push(TaskWrite {
        id,
        application,
        columns: work_columns(work),
        at: batch.now,
    });
}

/// What writes what was collected.
pub(crate) fn insert(rows: &[TaskWrite]) -> Option<Statement<'_>> {
    if rows.is_empty() {
        return None;
    }
    Some(Statement {
        text:
            "INSERT INTO task (id, tail, application, kind, subject, low, high, detail, arguments,
         cursor, updated_at, done, state)
         SELECT *, 0, 0 FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        params: params![
            columns_of(rows, |row| row.id.key().integer()),
            columns_of(rows, |row| row.id.tail().to_vec()),
            columns_of(rows, |row| {
                row.application.unwrap_or(ApplicationKey::MIN).integer()
            }),
            columns_of(rows, |row| i16::from(row.columns.kind)),
            columns_of(rows, |row| row.columns.subject),
            columns_of(rows, |row| row.columns.low),
            columns_of(rows, |row| row.columns.high),
            columns_of(rows, |row| row.columns.detail),
            columns_of(rows, |row| row.columns.arguments.as_ref().map(blob)),
            columns_of(rows, |row| row.columns.cursor),
            columns_of(rows, |row| row.at.micros())
        ],
    })
}

/// Work by its id, also when it has come to its end.
pub(crate) async fn row(sql: &Sql<'_>, id: TaskId) -> Result<Option<WorkRow>, Failure> {
    let found = by_keys(sql, &[id.key()]).await?.pop();
    Ok(found.filter(|row| row.id == id))
}

/// Work by its key, whatever it is.
pub(super) async fn by_keys(sql: &Sql<'_>, keys: &[TaskKey]) -> Result<Vec<WorkRow>, Failure> {
    let statement = format!("SELECT {COLUMNS} FROM task WHERE id = ANY($1)");
    let keys = columns_of(keys, |key| key.integer());
    let rows = sql.rows(&statement, params![keys]).await?;
    rows.iter().map(read).collect()
}

/// Locks the next open work that is done in the store and no other node is at, behind what had its
/// turn last here; from the start again where there is none. It has had its turn then, also if it
/// can't be read: so it keeps none of the rest from being done.
pub(super) async fn take_open(batch: &mut Batch<'_>) -> Result<Option<Task>, Failure> {
    let statement = format!(
        "SELECT {COLUMNS} FROM task WHERE state = 0 AND kind < 32 AND id > $1 ORDER BY id LIMIT 1
         FOR UPDATE SKIP LOCKED"
    );
    for after in [batch.rounds.task, 0] {
        if let Some(row) = batch.sql.row(&statement, params![after]).await? {
            let task: TaskKey = key(&row, 0)?;
            batch.rounds.task = task.integer();
            return Ok(Some(Task {
                id: TaskId::new(task, tail(&row, 1)?),
                application: key(&row, 2)?,
                work: work(&row)?,
                cursor: get(&row, 9)?,
            }));
        }
    }
    Ok(None)
}

/// Whether there is open work that no other node is at.
pub(super) async fn is_any_open(sql: &Sql<'_>) -> Result<bool, Failure> {
    let open = sql.run(
        "SELECT 1 FROM task WHERE state = 0 AND kind < 32 ORDER BY id LIMIT 1
         FOR KEY SHARE SKIP LOCKED",
        params![],
    );
    Ok(open.await? > 0)
}

/// Writes how far work has come.
pub(super) async fn move_on(
    batch: &Batch<'_>,
    task: &Task,
    progress: &Progress,
) -> Result<(), Failure> {
    let done = i64::try_from(progress.done).unwrap_or(i64::MAX);
    let moved = batch.sql.run(
        "UPDATE task SET cursor = $2, done = done + $3, state = $4, failure = $5, updated_at = $6
         WHERE id = $1",
        params![
            task.id.key().integer(),
            progress.cursor,
            done,
            i16::from(work_state_number(progress.state())),
            progress.failure,
            batch.now.micros()
        ],
    );
    moved.await.map(drop)
}

fn read(row: &Row) -> Result<WorkRow, Failure> {
    let application: ApplicationKey = key(row, 2)?;
    Ok(WorkRow {
        id: TaskId::new(key(row, 0)?, tail(row, 1)?),
        application: Some(application).filter(|key| *key != ApplicationKey::MIN),
        work: work(row)?,
        state: state(row, 11)?,
        failure: get(row, 12)?,
        cursor: get(row, 9)?,
        done: number(row, 10)?,
        data: get(row, 13)?,
        updated_at: time(row, 14)?,
    })
}

/// How work stands.
pub(super) fn state(row: &Row, column: usize) -> Result<WorkState, Failure> {
    work_state(number(row, column)?).ok_or_else(|| Failure::unreadable("task.state"))
}

fn work(row: &Row) -> Result<Work, Failure> {
    let columns = WorkColumns {
        kind: number(row, 3)?,
        subject: get(row, 4)?,
        low: get(row, 5)?,
        high: get(row, 6)?,
        detail: get(row, 7)?,
        arguments: optional_sealed(row, 8)?,
        cursor: get(row, 9)?,
    };
    encoding::work(columns).ok_or_else(|| Failure::unreadable("task"))
}
