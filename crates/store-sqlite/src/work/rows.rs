//! Rows of background work.

use crate::batch::Batch;
use crate::columns::{direction, optional_sealed, optional_text, tail, time};
use crate::failure::Failure;
use model::id::{ApplicationKey, TaskId, TaskKey};
use rusqlite::{Connection, Row, params};
use store::encoding::{self, WorkColumns, work_columns, work_kind, work_state, work_state_number};
use store::query::Walk;
use store::walking::Walking;
use store::work::{Progress, Work, WorkQuery, WorkRow, WorkState};

const SELECT: &str = "SELECT id, tail, application, kind, subject, low, high, detail, arguments,
    cursor, done, state, failure, data, updated_at FROM task";

/// Work as a slice finds it.
pub(super) struct Task {
    pub(super) id: TaskId,
    pub(super) application: ApplicationKey,
    pub(super) work: Work,
    pub(super) cursor: i64,
}

/// Writes new work of an application, whose id the store makes up.
pub(crate) fn write(
    batch: &mut Batch<'_>,
    key: TaskKey,
    (application, work): (ApplicationKey, &Work),
) -> Result<(), Failure> {
    let id = TaskId::new(key, batch.tail());
    write_as(batch, id, (Some(application), work))
}

/// Writes new work, of an application or of none.
pub(crate) fn write_as(
    batch: &mut Batch<'_>,
    id: TaskId,
    (application, work): (Option<ApplicationKey>, &Work),
) -> Result<(), Failure> {
    let columns = work_columns(work);
    batch
        .connection
        .prepare_cached(
            "INSERT INTO task (id, tail, application, kind, subject, low, high, detail, arguments,
             cursor, done, state, updated_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, 0, 0, ?11)",
        )?
        .execute(params![
            id.key().integer(),
            id.tail(),
            application.unwrap_or(ApplicationKey::MIN).integer(),
            columns.kind,
            columns.subject,
            columns.low,
            columns.high,
            columns.detail,
            columns.arguments.as_deref(),
            columns.cursor,
            batch.now.micros()
        ])?;
    Ok(())
}

/// Work by its id, also when it has come to its end.
pub(crate) fn row(connection: &Connection, id: TaskId) -> Result<Option<WorkRow>, Failure> {
    let found = by_key(connection, id.key())?;
    Ok(found.filter(|row| row.id == id))
}

/// The same by its key.
pub(super) fn by_key(connection: &Connection, key: TaskKey) -> Result<Option<WorkRow>, Failure> {
    let mut select = connection.prepare_cached(&format!("{SELECT} WHERE id = ?1"))?;
    let mut rows = select.query([key.integer()])?;
    rows.next()?.map(read).transpose()
}

/// A list of what people are shown.
pub(crate) fn list(
    connection: &Connection,
    query: &WorkQuery,
) -> Result<Walk<WorkRow, TaskKey>, Failure> {
    let mut walking = Walking::new(query.window.limit);
    let sql = format!(
        "SELECT id, kind, state FROM task INDEXED BY task_shown
         WHERE kind >= 16 AND id > ?1 AND id < ?2 ORDER BY id {}",
        direction(query.window.ascending)
    );
    let mut select = connection.prepare_cached(&sql)?;
    let window = [query.window.above.integer(), query.window.below.integer()];
    let mut rows = select.query(window)?;
    while let Some(row) = rows.next()? {
        let key = TaskKey::from_integer(row.get(0)?);
        if !walking.looks_at(key) {
            break;
        }
        let kind = work_kind(row.get(1)?).ok_or_else(|| Failure::unreadable("task.kind"))?;
        if query.passes(kind, state(row, 2)?)
            && let Some(found) = by_key(connection, key)?
        {
            let bytes = found.content_bytes();
            walking.keep_with_content(found, bytes);
        }
    }
    Ok(walking.end())
}

/// The next open work that is done in the store, behind what had its turn last; from the start
/// again where there is none. It has had its turn then, also if it can't be read: so it keeps none
/// of the rest from being done.
pub(super) fn next_open(batch: &mut Batch<'_>) -> Result<Option<Task>, Failure> {
    let sql = format!(
        "{SELECT} INDEXED BY task_open WHERE state = 0 AND kind < 32 AND id > ?1
         ORDER BY id LIMIT 1"
    );
    let mut select = batch.connection.prepare_cached(&sql)?;
    for after in [batch.rounds.task, 0] {
        let mut rows = select.query([after])?;
        if let Some(row) = rows.next()? {
            let key = row.get(0)?;
            batch.rounds.task = key;
            return Ok(Some(Task {
                id: TaskId::new(TaskKey::from_integer(key), tail(row, 1)?),
                application: ApplicationKey::from_integer(row.get(2)?),
                work: work(row)?,
                cursor: row.get(9)?,
            }));
        }
    }
    Ok(None)
}

/// Whether there is open work that is done in the store.
pub(super) fn is_any_open(connection: &Connection) -> Result<bool, Failure> {
    let mut select = connection.prepare_cached(
        "SELECT 1 FROM task INDEXED BY task_open WHERE state = 0 AND kind < 32 LIMIT 1",
    )?;
    Ok(select.exists([])?)
}

/// Open work that is done outside the store, behind `after` first, with its cursor; without that
/// which somebody has.
pub(super) fn open_outside(
    connection: &Connection,
    (held, after): (&[TaskKey], TaskKey),
) -> Result<Option<(TaskKey, i64)>, Failure> {
    let mut select = connection.prepare_cached(
        "SELECT id, cursor FROM task INDEXED BY task_outside
         WHERE state = 0 AND kind >= 32 AND id > ?1 ORDER BY id",
    )?;
    for after in [after.integer(), 0] {
        let mut rows = select.query([after])?;
        while let Some(row) = rows.next()? {
            let key = TaskKey::from_integer(row.get(0)?);
            if !held.contains(&key) {
                return Ok(Some((key, row.get(1)?)));
            }
        }
    }
    Ok(None)
}

/// Writes how far work has come.
pub(super) fn move_on(batch: &Batch<'_>, id: TaskId, progress: &Progress) -> Result<(), Failure> {
    batch
        .connection
        .prepare_cached(
            "UPDATE task SET cursor = ?2, done = done + ?3, state = ?4, failure = ?5,
             updated_at = ?6 WHERE id = ?1",
        )?
        .execute(params![
            id.key().integer(),
            progress.cursor,
            progress.done as i64,
            work_state_number(progress.state()),
            progress.failure,
            batch.now.micros()
        ])?;
    Ok(())
}

fn read(row: &Row<'_>) -> Result<WorkRow, Failure> {
    let application = ApplicationKey::from_integer(row.get(2)?);
    Ok(WorkRow {
        id: TaskId::new(TaskKey::from_integer(row.get(0)?), tail(row, 1)?),
        application: Some(application).filter(|key| *key != ApplicationKey::MIN),
        work: work(row)?,
        state: state(row, 11)?,
        failure: optional_text(row, 12)?.map(str::to_owned),
        cursor: row.get(9)?,
        done: row.get::<_, i64>(10)?.cast_unsigned(),
        data: optional_text(row, 13)?.map(str::to_owned),
        updated_at: time(row, 14)?,
    })
}

fn work(row: &Row<'_>) -> Result<Work, Failure> {
    let columns = WorkColumns {
        kind: row.get(3)?,
        subject: row.get(4)?,
        low: row.get(5)?,
        high: row.get(6)?,
        detail: row.get(7)?,
        arguments: optional_sealed(row, 8)?,
        cursor: row.get(9)?,
    };
    encoding::work(columns).ok_or_else(|| Failure::unreadable("task"))
}

fn state(row: &Row<'_>, column: usize) -> Result<WorkState, Failure> {
    work_state(row.get(column)?).ok_or_else(|| Failure::unreadable("task.state"))
}
