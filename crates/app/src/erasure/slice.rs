//! A slice of an erasure: it looks through the next messages of all applications, the oldest first,
//! and erases those that are meant, in one commit with the place that it has come to. So each is
//! erased and counted once, whatever crashes.
//!
//! What was sent to an application that is deleted can't be opened any more: its keys are gone.

use super::{Order, Wanted, row};
use crate::content::Opener;
use crate::{App, AppError};
use model::id::{ApplicationKey, MessageKey, MessageKind};
use serde::{Deserialize, Serialize};
use std::collections::btree_map::Entry as TreeEntry;
use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap};
use store::query::{AllMessagesQuery, MessageFilter, Walk, Window};
use store::rows::{ApplicationRef, MessageRow};
use store::work::{Advanced, OutsideWork, TakenWork, Work, WorkEnd, WorkStep};

/// The most messages that one slice looks at.
const LOOKED_AT_MAX: usize = 1_000;
/// The most that it erases: each can have open deliveries and answers to many endpoints.
const ERASED_MAX: usize = 100;
/// The most applications that are named in the report; others are in its sums alone.
const APPLICATIONS_MAX: usize = 1_000;
/// Why one has failed whose order can't be opened.
const UNREADABLE: &str = "What is to be erased can't be read any more.";

/// What has come of it so far, as it is told.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Report {
    messages_looked_at: u64,
    messages_purged: u64,
    /// Payloads that could not be opened, and so not looked into.
    messages_unreadable: u64,
    /// How many were expunged, by the application's id.
    applications: BTreeMap<String, u64>,
}

/// An application whose messages are looked at.
struct Known {
    id: String,
    opener: Opener,
}

impl App {
    /// Looks through the next messages; whether it is worth asking again at once.
    pub(crate) async fn erasure_slice(&self, taken: &TakenWork) -> Result<bool, AppError> {
        let Some(wanted) = self.order_of(taken) else {
            let step = WorkStep {
                cursor: taken.cursor,
                end: Some(WorkEnd::Failed(UNREADABLE.to_owned())),
                ..WorkStep::default()
            };
            self.advance_work(taken, step).await?;
            return Ok(true);
        };
        let asked_for = taken.row.id.key().integer();
        // Asked before they are read: what is there then is all that there will be below it.
        let all_are_there = self.store.forward_border().await?.integer() >= asked_for;
        let walk = self.next_messages(taken, &wanted).await?;
        let is_last = all_are_there && !walk.more;
        if walk.examined.is_none() && !is_last {
            return Ok(false);
        }
        let step = self.step(taken, (walk, is_last), &wanted).await?;
        let erased = step.erased.clone();
        if let Advanced::Moved(_) = self.advance_work(taken, step).await? {
            for of_one in erased.chunk_by(|one, other| one.0 == other.0) {
                self.registry.forget(of_one[0].0);
                self.lanes.changed(of_one[0].0);
            }
        }
        Ok(true)
    }

    fn order_of(&self, taken: &TakenWork) -> Option<Wanted> {
        let Work::Outside(OutsideWork { arguments, .. }) = &taken.row.work else {
            return None;
        };
        let tail = taken.row.id.tail();
        let opened = self.vault.open_for_installation(row(&tail), arguments);
        Order::read(&opened.ok()?)
    }

    /// Those behind the cursor that were accepted before it was asked for.
    async fn next_messages(
        &self,
        taken: &TakenWork,
        wanted: &Wanted,
    ) -> Result<Walk<MessageRow, MessageKey>, AppError> {
        let query = AllMessagesQuery {
            window: Window::<MessageKind> {
                above: MessageKey::from_integer(taken.cursor),
                below: MessageKey::from_integer(taken.row.id.key().integer()),
                ascending: true,
                limit: LOOKED_AT_MAX,
            },
            filter: MessageFilter::default(),
            with_payload: matches!(wanted, Wanted::Where { .. }),
        };
        Ok(self.store.all_messages(&query).await?)
    }

    /// What is to be written of these messages: of all, or of as many as one slice erases.
    async fn step(
        &self,
        taken: &TakenWork,
        (walk, is_last): (Walk<MessageRow, MessageKey>, bool),
        wanted: &Wanted,
    ) -> Result<WorkStep, AppError> {
        let told = taken.row.data.as_deref().map(serde_json::from_str);
        let mut report: Report = told.and_then(Result::ok).unwrap_or_default();
        let mut known = HashMap::new();
        let mut erased = Vec::new();
        let mut stopped_at = None;
        for message in walk.rows {
            if erased.len() == ERASED_MAX {
                break;
            }
            // Payloads can be large, and others wait for this thread.
            tokio::task::yield_now().await;
            let (application, key) = (message.message.application, message.message.id.key());
            stopped_at = Some(key);
            report.messages_looked_at += 1;
            let of = match known.entry(application) {
                Entry::Occupied(known) => known.into_mut(),
                Entry::Vacant(unknown) => unknown.insert(self.known(application).await?),
            };
            match is_meant(&message, of.as_ref(), wanted) {
                Some(true) => {
                    erased.push((application, key));
                    report.count(of.as_ref());
                }
                Some(false) => {}
                None => report.messages_unreadable += 1,
            }
        }
        let was_cut = erased.len() == ERASED_MAX && stopped_at < walk.examined;
        let cursor = if was_cut { stopped_at } else { walk.examined };
        erased.sort_unstable();
        Ok(WorkStep {
            cursor: cursor.map_or(taken.cursor, MessageKey::integer),
            done: erased.len() as u64,
            data: Some(serde_json::to_string(&report).map_err(AppError::internal)?),
            end: (is_last && !was_cut).then_some(WorkEnd::Finished),
            erased,
            ..WorkStep::default()
        })
    }

    /// `None`: it is deleted.
    async fn known(&self, application: ApplicationKey) -> Result<Option<Known>, AppError> {
        // Not from the registry: it keeps what is in use, and this comes to all.
        let found = self
            .store
            .registry(&ApplicationRef::Key(application))
            .await?;
        let Some(found) = found else {
            return Ok(None);
        };
        Ok(Some(Known {
            id: found.application.application.id.to_string(),
            opener: Opener::new(self, &found.application)?,
        }))
    }
}

impl Report {
    fn count(&mut self, of: Option<&Known>) {
        self.messages_purged += 1;
        let Some(of) = of else { return };
        let is_full = self.applications.len() >= APPLICATIONS_MAX;
        match self.applications.entry(of.id.clone()) {
            TreeEntry::Occupied(mut count) => *count.get_mut() += 1,
            TreeEntry::Vacant(first) if !is_full => drop(first.insert(1)),
            TreeEntry::Vacant(_) => {}
        }
    }
}

/// `None`: it can't be said, as its payload can't be opened.
fn is_meant(row: &MessageRow, of: Option<&Known>, wanted: &Wanted) -> Option<bool> {
    match wanted {
        Wanted::Tag(tag) => Some(row.message.tags.contains(tag)),
        Wanted::Where { place, value } => {
            if row.payload.bytes() == 0 {
                return Some(false);
            }
            let payload = of?.opener.payload(row).ok()?;
            Some(payload.is_some_and(|payload| place.holds(&payload, value)))
        }
    }
}
