//! What became of a transaction whose commit was not answered, and whose lease has ended since, so
//! that the node's row tells nothing of it any more. It has ended: whoever ended the lease waited
//! for that.

use crate::columns::get;
use crate::commit::Sent;
use crate::failure::Failure;
use crate::request::{Answer, Asked, Request};
use crate::sql::{Sql, params};
use model::id::{ApplicationKey, MessageKey};
use store::accept::Accepted;

/// Whether it was committed. The row of the node's slot is locked: so what this reads is not
/// believed before a synchronous standby has it, for what comes to be committed waits for that.
pub(crate) async fn was_committed(
    sql: &Sql<'_>,
    slot: u16,
    (group, sent): (&[Request], &Sent),
) -> Result<bool, Failure> {
    let row = sql.row(
        "SELECT CASE WHEN left(pg_walfile_name(pg_current_wal_lsn()), 8) = $2
                THEN coalesce(pg_xact_status($3::text::xid8), 'forgotten') END
         FROM node WHERE slot = $1 FOR UPDATE",
        params![
            i32::from(slot),
            sent.transaction.timeline.as_str(),
            sent.transaction.id.to_string()
        ],
    );
    let status = match row.await?.as_ref() {
        Some(row) => get::<Option<String>>(row, 0)?,
        None => None,
    };
    match status.as_deref() {
        Some("in progress") => Err(Failure::Unavailable("it is still under way".to_owned())),
        Some(status) => Ok(status == "committed"),
        // Another server has become the primary, for which the id is somebody else's.
        None => is_there(sql, (group, sent)).await,
    }
}

/// Whether a message is there that the transaction wrote, and all else with it. One that wrote none
/// is done again: outcomes are known by what was recorded of them, and who asked for anything else
/// could do no other, had this node ended.
async fn is_there(sql: &Sql<'_>, (group, sent): (&[Request], &Sent)) -> Result<bool, Failure> {
    let Some((application, message)) = written(group, &sent.answers) else {
        return Ok(false);
    };
    let found = sql.row(
        "SELECT FROM message WHERE application = $1 AND id = $2",
        params![application.integer(), message.integer()],
    );
    Ok(found.await?.is_some())
}

/// A message of these answers.
fn written(group: &[Request], answers: &[Answer]) -> Option<(ApplicationKey, MessageKey)> {
    group.iter().zip(answers).find_map(|pair| match pair {
        (
            Request {
                asked: Asked::Accept(items, _),
                ..
            },
            Answer::Accepted(answers),
        ) => {
            let each = items.iter().zip(answers);
            each.into_iter().find_map(|(item, answer)| match answer {
                Ok(Accepted::New { id, .. }) => Some((item.application, id.key())),
                _ => None,
            })
        }
        _ => None,
    })
}
