//! Removing the payloads of all messages that an application accepted before it was asked for.
//! Walks along its messages; the cursor is a message's key.

use super::EXAMINED_MAX;
use super::rows::Task;
use crate::batch::Batch;
use crate::change::content;
use crate::failure::Failure;
use model::id::MessageKey;
use store::work::{Progress, SLICE_MAX};

pub(super) fn advance(batch: &mut Batch<'_>, task: &Task) -> Result<Progress, Failure> {
    let messages = messages(batch, task)?;
    let mut progress = Progress::at(task.cursor);
    progress.finished = messages.len() < EXAMINED_MAX;
    let mut ended = 0;
    for message in messages {
        if progress.done + ended >= SLICE_MAX {
            progress.finished = false;
            break;
        }
        progress.cursor = message.integer();
        if let Some(open) = content::expunge(batch, task.application, message)? {
            progress.done += 1;
            ended += open;
        }
    }
    if ended > 0 {
        batch.grow_revision(task.application)?;
    }
    Ok(progress)
}

fn messages(batch: &Batch<'_>, task: &Task) -> Result<Vec<MessageKey>, Failure> {
    let mut select = batch.connection.prepare_cached(
        "SELECT id FROM message INDEXED BY message_application
         WHERE application = ?1 AND id > ?2 AND id < ?3 ORDER BY id LIMIT ?4",
    )?;
    let keys = select.query_map(
        [
            task.application.integer(),
            task.cursor,
            task.id.key().integer(),
            EXAMINED_MAX as i64,
        ],
        |row| row.get(0).map(MessageKey::from_integer),
    )?;
    Ok(keys.collect::<Result<_, _>>()?)
}
