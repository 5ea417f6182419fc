//! Work whose slices are done outside: who has it is a set in memory, since the locked data
//! directory makes this process the only one. What a slice did is written with its messages, or not
//! at all.

use super::rows;
use crate::accept;
use crate::batch::Batch;
use crate::change::content;
use crate::failure::Failure;
use model::id::TaskKey;
use rusqlite::{Connection, OptionalExtension, params};
use std::sync::Arc;
use store::encoding::work_state_number;
use store::owned::Owned;
use store::work::{Advanced, TakenWork, WorkEnd, WorkState, WorkStep};

/// Takes open work that nobody has.
pub(crate) fn take(
    connection: &Connection,
    owned: &Arc<Owned>,
) -> Result<Option<TakenWork>, Failure> {
    let (held, last) = owned.works();
    let Some((work, cursor)) = rows::open_outside(connection, (&held, last))? else {
        return Ok(None);
    };
    // Somebody else may have taken it in between: then it is theirs.
    let Some(hold) = owned.hold_work(work, 0) else {
        return Ok(None);
    };
    // Only now: what can't be read has had its turn by then.
    let row = rows::by_key(connection, work)?;
    Ok(row.map(|row| TakenWork { row, cursor, hold }))
}

/// Writes a step from `cursor` on.
pub(crate) fn advance(
    batch: &mut Batch<'_>,
    (work, cursor, step): &(TaskKey, i64, WorkStep),
) -> Result<Advanced, Failure> {
    if !is_at(batch.connection, *work, *cursor)? {
        return Ok(Advanced::Lost);
    }
    for item in &step.messages {
        let revision = batch.revision(item.application)?;
        if revision.is_some_and(|revision| revision != item.registry_revision) {
            return Ok(Advanced::Stale);
        }
    }
    let answers = accept::accept(batch, &step.messages)?;
    content::erase(batch, &step.erased)?;
    let end = step.end.as_ref();
    let state = end.map_or(WorkState::Running, WorkEnd::state);
    batch
        .connection
        .prepare_cached(
            "UPDATE task SET cursor = ?2, done = done + ?3, data = coalesce(?4, data), state = ?5,
             failure = ?6, updated_at = ?7,
             arguments = CASE WHEN ?5 = 0 THEN arguments ELSE x'' END WHERE id = ?1",
        )?
        .execute(params![
            work.integer(),
            step.cursor,
            step.done.cast_signed(),
            step.data,
            work_state_number(state),
            end.and_then(WorkEnd::failure),
            batch.now.micros()
        ])?;
    Ok(Advanced::Moved(answers))
}

fn is_at(connection: &Connection, work: TaskKey, cursor: i64) -> Result<bool, Failure> {
    let mut select = connection
        .prepare_cached("SELECT 1 FROM task WHERE id = ?1 AND state = 0 AND cursor = ?2")?;
    let found = select.query_row([work.integer(), cursor], |_| Ok(()));
    Ok(found.optional()?.is_some())
}
