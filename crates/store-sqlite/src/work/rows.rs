//! Rows of background work. What the general columns mean depends on the kind; `cursor` is where
//! the next slice begins.

use crate::batch::Batch;
use crate::columns::{reason_number, reason_of, tail, time};
use crate::failure::Failure;
use model::Timestamp;
use model::id::{ApplicationKey, DeliveryKey, EndpointKey, MessageKey, TaskId, TaskKey};
use rusqlite::{Connection, Row, params};
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
    let (kind, subject, low, high, detail) = columns(work);
    let cursor = match work {
        Work::FanOut { after, .. } => after.integer(),
        Work::Recover { .. } | Work::EndDeliveries { .. } => 0,
    };
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
            kind,
            subject,
            low,
            high,
            detail,
            cursor,
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

/// Kind, subject, low, high, detail.
fn columns(work: &Work) -> (u8, i64, i64, i64, i64) {
    match *work {
        Work::FanOut {
            message,
            after,
            registry_revision,
        } => (
            0,
            message.integer(),
            after.integer(),
            0,
            registry_revision.cast_signed(),
        ),
        Work::Recover {
            endpoint,
            since,
            until,
        } => (1, endpoint.integer(), since.micros(), until.micros(), 0),
        Work::EndDeliveries {
            endpoint,
            reason,
            up_to,
        } => (
            2,
            endpoint.integer(),
            0,
            up_to.integer(),
            reason_number(reason).into(),
        ),
    }
}

fn work(row: &Row<'_>) -> Result<Work, Failure> {
    let (subject, low, high, detail): (i64, i64, i64, i64) =
        (row.get(4)?, row.get(5)?, row.get(6)?, row.get(7)?);
    match row.get::<_, u8>(3)? {
        0 => Ok(Work::FanOut {
            message: MessageKey::from_integer(subject),
            // How far it has come is part of what it says.
            after: EndpointKey::from_integer(row.get(8)?),
            registry_revision: detail.cast_unsigned(),
        }),
        1 => Ok(Work::Recover {
            endpoint: EndpointKey::from_integer(subject),
            since: Timestamp::from_micros(low),
            until: Timestamp::from_micros(high),
        }),
        2 => {
            let reason = u8::try_from(detail).ok().and_then(reason_of);
            Ok(Work::EndDeliveries {
                endpoint: EndpointKey::from_integer(subject),
                reason: reason.ok_or_else(|| Failure::unreadable("task.detail"))?,
                up_to: DeliveryKey::from_integer(high),
            })
        }
        _ => Err(Failure::unreadable("task.kind")),
    }
}
