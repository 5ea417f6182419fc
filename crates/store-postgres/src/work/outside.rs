//! Work whose slices are done outside. Who takes it is written into its row: it is the node's until
//! its step is written, or its lease ends. A step commits with its messages, or not at all.

use super::rows;
use crate::accept;
use crate::batch::Batch;
use crate::change::content;
use crate::claim::require_lease;
use crate::columns::get;
use crate::failure::Failure;
use crate::node::Membership;
use crate::sql::{Sql, columns_of, params};
use model::id::TaskKey;
use std::sync::Arc;
use store::accept::Accept;
use store::encoding::work_state_number;
use store::owned::Owned;
use store::work::{Advanced, TakenWork, WorkEnd, WorkState, WorkStep};

/// A step of work that was taken.
pub(crate) struct Step {
    work: TaskKey,
    /// Under which lease it was taken.
    epoch: i64,
    /// From where.
    cursor: i64,
    pub(crate) step: WorkStep,
}

impl Step {
    pub(crate) fn of(taken: &TakenWork, step: WorkStep) -> Self {
        Self {
            work: taken.hold.work(),
            epoch: taken.hold.epoch(),
            cursor: taken.cursor,
            step,
        }
    }
}

/// Takes open work that nobody has, in a transaction that is to be committed then.
pub(crate) async fn take(
    sql: &Sql<'_>,
    (owned, membership): (&Arc<Owned>, Membership),
) -> Result<Option<TakenWork>, Failure> {
    let epoch = membership.epoch;
    require_lease(sql, membership.slot, epoch).await?;
    let (held, last) = owned.works();
    let held = columns_of(&held, |work| work.integer());
    for after in [last.integer(), 0] {
        // A lease that has run out counts no more, whether or not anybody has ended it yet.
        let found = sql.row(
            "SELECT id FROM task WHERE state = 0 AND kind >= 32 AND id > $1 AND NOT id = ANY($2)
             AND (owner = 0 OR owner = $3 OR NOT EXISTS (SELECT FROM node
                 WHERE epoch = task.owner AND expires_at > clock_timestamp()))
             ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED",
            params![after, held.clone(), epoch],
        );
        let Some(row) = found.await? else {
            continue;
        };
        return own(sql, owned, (TaskKey::from_integer(get(&row, 0)?), epoch)).await;
    }
    Ok(None)
}

async fn own(
    sql: &Sql<'_>,
    owned: &Arc<Owned>,
    (work, epoch): (TaskKey, i64),
) -> Result<Option<TakenWork>, Failure> {
    let Some(hold) = owned.hold_work(work, epoch) else {
        return Ok(None);
    };
    let taken = sql.row(
        "UPDATE task SET owner = $2 WHERE id = $1 RETURNING cursor",
        params![work.integer(), epoch],
    );
    let Some(cursor) = taken.await? else {
        return Ok(None);
    };
    let row = rows::by_keys(sql, &[work]).await?.pop();
    let cursor = get(&cursor, 0)?;
    Ok(row.map(|row| TakenWork { row, cursor, hold }))
}

/// Writes a step. The row is locked before anything is judged.
pub(crate) async fn advance(batch: &mut Batch<'_>, asked: &Step) -> Result<Advanced, Failure> {
    let step = &asked.step;
    if asked.epoch != batch.epoch || !is_at(batch.sql, asked).await? {
        return Ok(Advanced::Lost);
    }
    let items: Vec<&Accept> = step.messages.iter().collect();
    let known = accept::read(batch.sql, batch.now, &items).await?;
    if accept::is_any_stale(&known, &items) {
        return Ok(Advanced::Stale);
    }
    content::erase(batch, &step.erased).await?;
    let end = step.end.as_ref();
    let state = end.map_or(WorkState::Running, WorkEnd::state);
    let moved = batch.sql.run(
        "UPDATE task SET cursor = $2, done = done + $3, data = coalesce($4, data), state = $5,
         failure = $6, updated_at = $7, owner = 0,
         arguments = CASE WHEN $5 = 0 THEN arguments ELSE '' END WHERE id = $1",
        params![
            asked.work.integer(),
            step.cursor,
            step.done.cast_signed(),
            step.data.as_deref(),
            i16::from(work_state_number(state)),
            end.and_then(WorkEnd::failure),
            batch.now.micros()
        ],
    );
    moved.await?;
    Ok(Advanced::Moved(accept::accept(batch, known, &items)))
}

async fn is_at(sql: &Sql<'_>, asked: &Step) -> Result<bool, Failure> {
    let found = sql.run(
        "SELECT 1 FROM task WHERE id = $1 AND state = 0 AND owner = $2 AND cursor = $3 FOR UPDATE",
        params![asked.work.integer(), asked.epoch, asked.cursor],
    );
    Ok(found.await? > 0)
}
