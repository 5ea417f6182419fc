//! Broadcasts: one message to every application, as background work. Each gets a message of its
//! own, with an id and a payload sealed by its own key, as if it had been sent to it alone.
//!
//! Map: here, how one is asked for, and what is kept of it; `slice`, how it is done.

mod slice;

use crate::accept::Draft;
use crate::messages::{Bounds, MessageInput};
use crate::tasks::{Task, TaskKind};
use crate::{App, AppError, Caller};
use bytes::Bytes;
use model::audit::AuditAction;
use model::entropy::random;
use model::hops::Hops;
use model::id::Tail;
use model::message::PayloadForm;
use model::name::Name;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::time::Duration;
use store::work::{OutsideKind, OutsideWork, Work};
use vault::Place;

impl App {
    /// Begins to send a message to every application that there is now.
    ///
    /// # Errors
    /// [`AppError::Forbidden`] for all but the organisation; else as for a message to one.
    pub async fn broadcast(
        &self,
        caller: &Caller,
        message: MessageInput,
    ) -> Result<Task, AppError> {
        caller.require_organisation()?;
        let key = match self.task_request(caller, TaskKind::Broadcast).await? {
            Ok(key) => key,
            Err(begun) => return Ok(begun),
        };
        let mut draft = message.judge(Bounds::new(&self.settings, caller, self.clock.now()))?;
        self.check_payload(&mut draft).await?;
        self.report_findings(None, &draft);
        let tail: Tail = random(&*self.entropy);
        let letter = Letter::of(&draft).to_bytes()?;
        let work = Work::Outside(OutsideWork {
            kind: OutsideKind::Broadcast,
            arguments: self
                .vault
                .seal_for_installation(place(&tail), &letter)
                .into(),
        });
        let entry = self
            .entry_at_installation(caller, AuditAction::MessageBroadcast)
            .saying(draft.event_type.to_string());
        self.begin_task_as(entry, tail, (None, work), key).await
    }
}

/// What is kept of a message until all applications have it.
#[derive(Serialize, Deserialize)]
struct Letter {
    event_type: String,
    event_id: Option<String>,
    channels: Vec<String>,
    /// How long a payload is kept.
    retention_s: u64,
    hops: u8,
    #[serde(default)]
    trace: Option<String>,
    payload: String,
}

impl Letter {
    fn of(draft: &Draft) -> Self {
        let channels = draft.channels.iter();
        Self {
            event_type: draft.event_type.to_string(),
            event_id: draft.event_id.as_ref().map(ToString::to_string),
            channels: channels.map(ToString::to_string).collect(),
            retention_s: draft.retention.as_secs(),
            hops: draft.hops.number(),
            trace: draft.trace.map(|trace| trace.to_string()),
            payload: String::from_utf8_lossy(&draft.payload).into_owned(),
        }
    }

    fn to_bytes(&self) -> Result<Vec<u8>, AppError> {
        serde_json::to_vec(self).map_err(AppError::internal)
    }

    /// The message, as it goes to each application; `None`: this is none.
    fn read(sealed: &[u8]) -> Option<Draft> {
        let letter: Self = serde_json::from_slice(sealed).ok()?;
        let name = |text: &String| text.parse::<Name>().ok();
        let channels: Option<BTreeSet<Name>> = letter.channels.iter().map(name).collect();
        Some(Draft {
            event_type: name(&letter.event_type)?,
            event_id: match &letter.event_id {
                Some(text) => Some(name(text)?),
                None => None,
            },
            channels: channels?,
            tags: BTreeSet::new(),
            deliver_at: None,
            hops: Hops::kept(letter.hops.into())?,
            trace: letter.trace.and_then(|text| text.parse().ok()),
            retention: Duration::from_secs(letter.retention_s),
            form: PayloadForm::Json,
            payload: Bytes::from(letter.payload),
            only: None,
            // A step of background work is written once or not at all.
            idempotency: None,
            replay: None,
            findings: Vec::new(),
        })
    }
}

/// Where a broadcast's message is sealed: in the row of the work with this tail.
fn place(tail: &Tail) -> Place<'_> {
    Place {
        table: "task",
        row: tail,
        column: "arguments",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_of_a_message_is_all_that_it_is() {
        let name = |text: &str| text.parse::<Name>().expect("a word");
        let draft = Draft {
            event_type: name("order.paid"),
            event_id: Some(name("e-1")),
            channels: BTreeSet::from([name("north"), name("south")]),
            tags: BTreeSet::new(),
            deliver_at: None,
            hops: Hops::NONE.next(),
            trace: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
                .parse()
                .ok(),
            retention: Duration::from_secs(3_600),
            form: PayloadForm::Json,
            payload: Bytes::from_static(b"{ \"a\": 1.50, \"b\": \"\\u0000\xc3\xa9\" }"),
            only: None,
            idempotency: None,
            replay: None,
            findings: Vec::new(),
        };
        let kept = Letter::of(&draft).to_bytes().expect("it is JSON");
        let read = Letter::read(&kept).expect("it is one");
        assert_eq!(format!("{read:?}"), format!("{draft:?}"));
        assert!(Letter::read(b"{}").is_none());
    }
}
