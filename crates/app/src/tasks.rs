//! Background work as people see it: what they asked for that takes longer than a request, how it
//! stands, and what has come of it. What other requests leave to be done is not shown.

use crate::change::{audited, carried_through, unexpected};
use crate::idempotency::{Request, Success, id_of};
use crate::page::{ListInput, Order, Page, Part};
use crate::{App, AppError, Caller, Tenant};
use model::Timestamp;
use model::audit::AuditDraft;
use model::entropy::random;
use model::id::{ApplicationKey, EndpointKey, MessageKey, Tail, TaskId, TaskKind as TaskIdKind};
use serde_json::{Map, Value};
use store::StoreError;
use store::change::{Change, ChangeRequest, Changed};
use store::idempotency::IdempotencyKey;
use store::work::{OutsideKind, Work, WorkKind, WorkQuery, WorkRow};

pub use store::work::WorkState as TaskState;

/// What kinds of background work people are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TaskKind {
    /// Sends again what failed for good to an endpoint.
    Recover,
    /// Sends again what an endpoint was meant to get.
    BulkReplay,
    /// Sends what an endpoint never got.
    Replay,
    /// Removes the contents of an application's messages, or of those that were found in all.
    PurgeContent,
    /// Sends a message to every application.
    Broadcast,
    /// Counts the attempts of applications.
    ApplicationStats,
    /// Finds out which event types applications ask for.
    EventTypeAggregate,
    /// Writes a document of all event types.
    EventTypeExport,
}

/// All of them, as a store knows them.
const KINDS: [(TaskKind, &[WorkKind]); 8] = [
    (TaskKind::Recover, &[WorkKind::Recover]),
    (TaskKind::BulkReplay, &[WorkKind::BulkReplay]),
    (TaskKind::Replay, &[WorkKind::ReplayMissing]),
    (
        TaskKind::PurgeContent,
        &[
            WorkKind::ExpungeAll,
            WorkKind::Outside(OutsideKind::Erasure),
        ],
    ),
    (
        TaskKind::Broadcast,
        &[WorkKind::Outside(OutsideKind::Broadcast)],
    ),
    (
        TaskKind::ApplicationStats,
        &[WorkKind::Outside(OutsideKind::ApplicationStats)],
    ),
    (
        TaskKind::EventTypeAggregate,
        &[WorkKind::Outside(OutsideKind::EventTypeAggregate)],
    ),
    (
        TaskKind::EventTypeExport,
        &[WorkKind::Outside(OutsideKind::EventTypeExport)],
    ),
];

/// What each is called.
pub const KIND_NAMES: [(&str, TaskKind); 8] = [
    ("endpoint.replay", TaskKind::Replay),
    ("endpoint.recover", TaskKind::Recover),
    ("application.stats", TaskKind::ApplicationStats),
    ("message.broadcast", TaskKind::Broadcast),
    ("sdk.generate", TaskKind::EventTypeExport),
    ("event-type.aggregate", TaskKind::EventTypeAggregate),
    ("application.purge_content", TaskKind::PurgeContent),
    ("endpoint.bulk-replay", TaskKind::BulkReplay),
];

/// What it is called how work stands.
pub const STATE_NAMES: [(&str, TaskState); 3] = [
    ("running", TaskState::Running),
    ("finished", TaskState::Finished),
    ("failed", TaskState::Failed),
];

impl TaskKind {
    /// What it is called.
    pub fn as_str(self) -> &'static str {
        let found = KIND_NAMES.iter().find(|(_, kind)| *kind == self);
        found.expect("every one has its name").0
    }

    /// `None`: people are not shown it.
    fn of(kind: WorkKind) -> Option<Self> {
        let found = KINDS.iter().find(|(_, stored)| stored.contains(&kind));
        found.map(|(shown, _)| *shown)
    }

    fn to_stored(self) -> Option<&'static [WorkKind]> {
        let found = KINDS.iter().find(|(shown, _)| *shown == self);
        found.map(|(_, stored)| *stored)
    }
}

/// Background work as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Task {
    /// Its id.
    pub id: TaskId,
    /// What it does.
    pub kind: TaskKind,
    /// How it stands.
    pub state: TaskState,
    /// What has come of it so far; why it failed, under `error`.
    pub data: Map<String, Value>,
    /// How many hundredths of its way are behind it, where that is known.
    pub percent: Option<u8>,
    /// When it last moved on.
    pub updated_at: Timestamp,
}

/// Which background work is asked for.
#[derive(Debug, Clone, Default)]
pub struct TasksInput {
    /// Which part of the list.
    pub list: ListInput,
    /// What it does.
    pub kind: Option<TaskKind>,
    /// How it stands.
    pub state: Option<TaskState>,
}

impl App {
    /// Background work, the newest first unless asked otherwise: what is under way, and what has
    /// come to its end for as long as messages are kept.
    ///
    /// # Errors
    /// [`AppError::Forbidden`] for all but the organisation; [`AppError::Invalid`] for a list that
    /// can't be.
    pub async fn tasks(&self, caller: &Caller, input: &TasksInput) -> Result<Page<Task>, AppError> {
        caller.require_organisation()?;
        let part = Part::<TaskIdKind>::of_all(&input.list, Order::Descending)?;
        let query = WorkQuery {
            window: part.window(),
            kinds: input.kind.and_then(TaskKind::to_stored),
            state: input.state,
        };
        let walk = self.store.work_rows(&query).await?;
        part.page(walk, |row| row.id).try_map(|row| {
            let id = row.id;
            task(row).ok_or_else(|| unreadable(id))
        })
    }

    /// One of them.
    ///
    /// # Errors
    /// [`AppError::Forbidden`] for all but the organisation; [`AppError::NotFound`].
    pub async fn task(&self, caller: &Caller, id: &str) -> Result<Task, AppError> {
        caller.require_organisation()?;
        let id: TaskId = id.parse().map_err(|_| AppError::not_found())?;
        let row = self.store.work_row(id).await?;
        row.and_then(task).ok_or_else(AppError::not_found)
    }

    /// One of those that send something to an endpoint again: its owner sees how it stands.
    ///
    /// # Errors
    /// [`AppError::NotFound`], also for work that is something else.
    pub async fn endpoint_task(
        &self,
        (tenant, endpoint): (&Tenant, &str),
        id: &str,
    ) -> Result<Task, AppError> {
        let endpoint = tenant.endpoint(endpoint)?.endpoint.id.key();
        let id: TaskId = id.parse().map_err(|_| AppError::not_found())?;
        let row = self.store.work_row(id).await?;
        let own = row.filter(|row| span(row).is_some_and(|span| span.endpoint == endpoint));
        own.and_then(task).ok_or_else(AppError::not_found)
    }

    /// The key to begin background work with, or the work that this request began before.
    pub(crate) async fn task_request(
        &self,
        caller: &Caller,
        kind: TaskKind,
    ) -> Result<Result<Option<IdempotencyKey>, Task>, AppError> {
        Ok(match self.request(caller, Success::Accepted).await? {
            Request::New(key) => Ok(key),
            Request::Repeated(made) => Err(self.task_again(id_of(made), kind).await?),
        })
    }

    /// Begins background work, of an application or of all. It goes on after a restart.
    pub(crate) async fn begin_task(
        &self,
        entry: AuditDraft,
        (application, work): (impl Into<Option<ApplicationKey>>, Work),
        idempotency: Option<IdempotencyKey>,
    ) -> Result<Task, AppError> {
        let tail = random(&*self.entropy);
        let work = (application.into(), work);
        self.begin_task_as(entry, tail, work, idempotency).await
    }

    /// The same under an id with this random part, for which its arguments were sealed.
    pub(crate) async fn begin_task_as(
        &self,
        entry: AuditDraft,
        tail: Tail,
        (application, work): (Option<ApplicationKey>, Work),
        idempotency: Option<IdempotencyKey>,
    ) -> Result<Task, AppError> {
        let kind = TaskKind::of(work.kind()).ok_or_else(AppError::not_found)?;
        let change = Change::StartWork {
            tail,
            application,
            work,
        };
        let request = audited(entry, change, idempotency);
        let app = self.clone();
        carried_through(async move { app.began(request, kind).await }).await
    }

    async fn began(&self, request: ChangeRequest, kind: TaskKind) -> Result<Task, AppError> {
        match self.store.change(request).await? {
            Changed::Work(id, updated_at) => {
                self.lanes.work();
                Ok(Task {
                    id,
                    kind,
                    state: TaskState::Running,
                    data: data_of(kind, 0),
                    percent: None,
                    updated_at,
                })
            }
            Changed::Repeated(prior) => self.task_again(id_of(prior.made), kind).await,
            other => Err(unexpected(&other)),
        }
    }

    /// What the same request was answered before, as it stands now. Its row may be gone: then it
    /// has long come to its end.
    async fn task_again(&self, id: TaskId, kind: TaskKind) -> Result<Task, AppError> {
        let row = self.store.work_row(id).await?;
        Ok(row.and_then(task).unwrap_or_else(|| Task {
            id,
            kind,
            state: TaskState::Finished,
            data: Map::new(),
            percent: Some(100),
            updated_at: id.key().time(),
        }))
    }
}

/// What it is called that work stands so.
pub fn state_name(state: TaskState) -> &'static str {
    let found = STATE_NAMES.iter().find(|(_, other)| *other == state);
    found.expect("every one has its name").0
}

/// A row as people see it; `None`: they are not shown it.
pub(crate) fn task(row: WorkRow) -> Option<Task> {
    let kind = TaskKind::of(row.work.kind())?;
    let percent = percent(&row);
    let told = row.data.as_deref().map(serde_json::from_str);
    let mut data = match told {
        Some(told) => told.unwrap_or_default(),
        None => data_of(kind, row.done),
    };
    if let Some(why) = row.failure {
        data.insert("error".to_owned(), why.into());
    }
    Some(Task {
        id: row.id,
        kind,
        state: row.state,
        data,
        percent,
        updated_at: row.updated_at,
    })
}

/// What is walked along by work that sends to an endpoint again.
struct Span {
    endpoint: EndpointKey,
    since: Timestamp,
    until: Timestamp,
}

/// `None`: it does something else.
fn span(row: &WorkRow) -> Option<Span> {
    let asked_at = row.id.key().time();
    let (endpoint, since, until) = match row.work {
        // It walks along attempts, of which there may be some until it was asked for.
        Work::Recover {
            endpoint, since, ..
        } => (endpoint, since, asked_at),
        Work::BulkReplay {
            endpoint,
            since,
            until,
            ..
        }
        | Work::ReplayMissing {
            endpoint,
            since,
            until,
        } => (endpoint, since, until.min(asked_at)),
        _ => return None,
    };
    Some(Span {
        endpoint,
        since,
        until,
    })
}

/// How far work has come. What is not finished is never shown as if it were: there may be more at
/// the very end.
fn percent(row: &WorkRow) -> Option<u8> {
    if row.state == TaskState::Finished {
        return Some(100);
    }
    let Span { since, until, .. } = span(row)?;
    let whole = until.since(since).as_secs_f64();
    // All keys tell time in the same way.
    let passed = MessageKey::from_integer(row.cursor).time().since(since);
    let part = passed.as_secs_f64() / whole;
    Some((part * 100.0).clamp(0.0, 99.0) as u8)
}

/// What has come of work that only counts its rows.
pub(crate) fn data_of(kind: TaskKind, done: u64) -> Map<String, Value> {
    let counted = match kind {
        TaskKind::Recover | TaskKind::BulkReplay | TaskKind::Replay => "messagesSent",
        TaskKind::PurgeContent => "messagesPurged",
        TaskKind::Broadcast
        | TaskKind::ApplicationStats
        | TaskKind::EventTypeAggregate
        | TaskKind::EventTypeExport => {
            return Map::new();
        }
    };
    Map::from_iter([(counted.to_owned(), done.into())])
}

/// What a list is refused with that holds what is not shown.
fn unreadable(id: TaskId) -> AppError {
    AppError::internal(StoreError::Corrupt {
        reason: format!("{id} is in the list of what people are shown, and is nothing of that"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(work: Work) -> WorkRow {
        WorkRow {
            id: "qtask_1srOrx2ZWZBpBUvZwXKQmoEYga2".parse().expect("an id"),
            application: None,
            work,
            state: TaskState::Running,
            failure: None,
            cursor: 0,
            done: 3,
            data: None,
            updated_at: Timestamp::from_seconds(1_700_000_000),
        }
    }

    #[test]
    fn each_kind_is_shown_as_what_it_is_asked_for_by() {
        for (shown, stored) in KINDS {
            assert_eq!(shown.to_stored(), Some(stored));
            for kind in stored {
                assert_eq!(TaskKind::of(*kind), Some(shown));
                assert!(kind.is_shown());
            }
        }
        assert_eq!(TaskKind::of(WorkKind::FanOut), None);
        assert_eq!(TaskKind::of(WorkKind::EndDeliveries), None);
    }

    #[test]
    fn work_tells_what_has_come_of_it_and_why_it_failed() {
        let counted = task(row(Work::ExpungeAll)).expect("it is shown");
        assert_eq!(
            Value::from(counted.data).to_string(),
            r#"{"messagesPurged":3}"#
        );

        let mut failed = row(Work::ExpungeAll);
        failed.failure = Some("No.".to_owned());
        failed.data = Some(r#"{"a":[1]}"#.to_owned());
        let failed = task(failed).expect("it is shown");
        assert_eq!(
            Value::from(failed.data).to_string(),
            r#"{"a":[1],"error":"No."}"#
        );
    }

    #[test]
    fn work_that_walks_along_a_time_tells_how_much_of_it_is_behind_it() {
        let end = row(Work::ExpungeAll).id.key().time();
        let since = end.minus(std::time::Duration::from_secs(1_000));
        let work = Work::ReplayMissing {
            endpoint: EndpointKey::MIN,
            since,
            until: end,
        };
        let at = |seconds| {
            let reached = since.plus(std::time::Duration::from_secs(seconds));
            let mut row = row(work.clone());
            row.cursor = MessageKey::first_at(reached).integer();
            percent(&row)
        };
        assert_eq!(at(0), Some(0));
        assert_eq!(at(250), Some(25));
        assert_eq!(at(1_000), Some(99), "it is not finished");
        let mut finished = row(work.clone());
        finished.state = TaskState::Finished;
        assert_eq!(percent(&finished), Some(100));
        assert_eq!(percent(&row(work)), Some(0), "it has not begun");
        assert_eq!(percent(&row(Work::ExpungeAll)), None);
    }
}
