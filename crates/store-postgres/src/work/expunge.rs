//! Removing the payloads of all messages that an application accepted before it was asked for.
//! Walks along its messages; the cursor is a message's key.

use super::rows::Task;
use crate::batch::Batch;
use crate::change::content;
use crate::columns::{key, number};
use crate::failure::Failure;
use crate::locks;
use crate::sql::{Sql, columns_of, params};
use model::id::MessageKey;
use store::work::{Progress, SLICE_MAX};

pub(super) async fn advance(batch: &mut Batch<'_>, task: &Task) -> Result<Progress, Failure> {
    // In a deleted application nobody opens anything any more.
    locks::application(batch.sql, task.application).await?;
    let messages = messages(batch.sql, task).await?;
    let looked_at = messages.len();
    let messages = no_more_than_a_slice(batch.sql, messages).await?;
    let expunged = content::expunge(batch, task.application, &messages).await?;
    Ok(Progress {
        cursor: messages.last().map_or(task.cursor, |key| key.integer()),
        done: expunged.payloads,
        finished: messages.len() == looked_at && looked_at < SLICE_MAX,
        ..Progress::default()
    })
}

async fn messages(sql: &Sql<'_>, task: &Task) -> Result<Vec<MessageKey>, Failure> {
    let rows = sql.rows(
        "SELECT id FROM message WHERE application = $1 AND id > $2 AND id < $3
         ORDER BY id LIMIT $4",
        params![
            task.application.integer(),
            task.cursor,
            task.id.key().integer(),
            SLICE_MAX as i64
        ],
    );
    rows.await?.iter().map(|row| key(row, 0)).collect()
}

/// Those of messages whose open deliveries are no more than a slice may end, but at least one.
async fn no_more_than_a_slice(
    sql: &Sql<'_>,
    mut messages: Vec<MessageKey>,
) -> Result<Vec<MessageKey>, Failure> {
    let rows = sql.rows(
        "SELECT (SELECT count(*) FROM delivery d WHERE d.message = g.m)
         FROM unnest($1) AS g (m) ORDER BY g.m",
        params![columns_of(&messages, |message| message.integer())],
    );
    let mut rest = SLICE_MAX;
    let mut kept = 0;
    for row in rows.await? {
        if rest == 0 {
            break;
        }
        rest = rest.saturating_sub(1 + number::<usize>(&row, 0)?);
        kept += 1;
    }
    messages.truncate(kept);
    Ok(messages)
}
