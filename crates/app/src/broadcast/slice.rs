//! A slice of a broadcast: the message to the next applications, in one commit with the place that
//! it has come to, so that each gets it once, whatever crashes. One where the event id is taken
//! does not keep it from the others.

use super::{Letter, place};
use crate::accept::{Draft, Prepared};
use crate::outside::Next;
use crate::{App, AppError};
use model::id::ApplicationKey;
use model::operational::is_told;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use store::MessageRef;
use store::rows::ApplicationRef;
use store::work::{Advanced, TakenWork, Work, WorkEnd, WorkStep};

/// The most applications that one slice comes to.
const APPLICATIONS_MAX: usize = 100;
/// The most bytes of payloads that it holds in memory, unless one alone is larger.
const BYTES_MAX: usize = 4 * 1024 * 1024;
/// Why one has failed whose message can't be opened.
const UNREADABLE: &str = "What is to be sent can't be read any more.";

/// What has come of a broadcast so far, as it is told.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Tally {
    /// Applications that it has come to.
    applications: u64,
    /// Those that got a message.
    messages_sent: u64,
    /// Applications in which the event id was taken.
    conflicts: u64,
}

/// What one slice sends.
struct Sending {
    prepared: Vec<Prepared>,
    tally: Tally,
}

impl App {
    /// Sends to the next applications; whether it is worth asking again at once.
    pub(crate) async fn broadcast_slice(&self, taken: TakenWork) -> Result<bool, AppError> {
        let Some(draft) = self.draft_of(&taken) else {
            let step = WorkStep {
                cursor: taken.cursor,
                end: Some(WorkEnd::Failed(UNREADABLE.to_owned())),
                ..WorkStep::default()
            };
            self.advance_work(&taken, step).await?;
            return Ok(true);
        };
        let most = (BYTES_MAX / draft.payload.len().max(1)).clamp(1, APPLICATIONS_MAX);
        let next = self.next_applications(&taken, most).await?;
        if next.rows.is_empty() && !next.is_end {
            return Ok(false);
        }
        let Sending { prepared, tally } = self.prepare(&taken, &next, &draft).await?;
        let step = WorkStep {
            cursor: next.cursor,
            done: prepared.len() as u64,
            data: Some(serde_json::to_string(&tally).map_err(AppError::internal)?),
            end: next.is_end.then_some(WorkEnd::Finished),
            messages: prepared.iter().map(Prepared::accept).collect(),
            ..WorkStep::default()
        };
        if let Advanced::Moved(answers) = self.advance_work(&taken, step).await? {
            for (one, answer) in prepared.into_iter().zip(answers) {
                if let Ok(accepted) = answer {
                    one.receive(accepted);
                }
            }
        }
        Ok(true)
    }

    fn draft_of(&self, taken: &TakenWork) -> Option<Draft> {
        let Work::Outside(outside) = &taken.row.work else {
            return None;
        };
        let tail = taken.row.id.tail();
        let opened = self
            .vault
            .open_for_installation(place(&tail), &outside.arguments);
        Letter::read(&opened.ok()?)
    }

    /// Not from the registry: it keeps what is in use, and this comes to all.
    async fn prepare(
        &self,
        taken: &TakenWork,
        next: &Next,
        draft: &Draft,
    ) -> Result<Sending, AppError> {
        let tally = taken.row.data.as_deref().map(serde_json::from_str);
        let mut tally: Tally = tally.and_then(Result::ok).unwrap_or_default();
        let mut prepared = Vec::with_capacity(next.rows.len());
        let mut room = self.settings.deliveries_max;
        let policy = self.registry.policy().await?;
        for row in &next.rows {
            let key = row.application.id.key();
            let found = self.store.registry(&ApplicationRef::Key(key)).await?;
            let Some(row) = found else {
                continue; // It was deleted meanwhile.
            };
            if is_told(row.application.application.uid.as_ref()) {
                continue; // The installation's own.
            }
            tally.applications += 1;
            if self.is_taken(key, draft).await? {
                tally.conflicts += 1;
                continue;
            }
            tally.messages_sent += 1;
            let at = (Arc::new(row), policy.clone());
            let one = Prepared::new(self, at, (draft.clone(), room))?;
            room -= one.deliveries();
            prepared.push(one);
        }
        Ok(Sending { prepared, tally })
    }

    async fn is_taken(&self, application: ApplicationKey, draft: &Draft) -> Result<bool, AppError> {
        let Some(event_id) = &draft.event_id else {
            return Ok(false);
        };
        let reference = MessageRef::EventId(event_id.clone());
        let found = self.store.message(application, &reference).await?;
        Ok(found.is_some())
    }
}
