//! Replays: sends to an endpoint again, in the background, what it was meant to get, or what it
//! never got. They go the way of a recovery, and reach as far.

use crate::filter::Filter;
use crate::recover::{Reach, RecoverInput};
use crate::rules::Judge;
use crate::status::Status;
use crate::tasks::{Task, TaskKind};
use crate::{App, AppError, Caller, Tenant, Violation};
use model::audit::AuditAction;
use store::rows::Standing;
use store::work::{ReplayFilter, Work};

pub use crate::endpoints::EVENT_TYPES_MAX;

/// Which of an endpoint's messages to send again.
#[derive(Debug, Clone)]
pub struct BulkReplayInput {
    /// Accepted when.
    pub reach: RecoverInput,
    /// Of one of these types.
    pub event_types: Option<Vec<String>>,
    /// With this one among its channels.
    pub channel: Option<String>,
    /// With this one among its tags.
    pub tag: Option<String>,
    /// How they stand.
    pub status: Option<Status>,
    /// What the last request was answered with: the first of a hundred status codes.
    pub status_code_class: Option<u16>,
}

impl App {
    /// Starts sending again every message that was sent to an endpoint and is not on its way to it,
    /// whatever became of it.
    ///
    /// # Errors
    /// [`AppError::NotFound`]; [`AppError::Invalid`] if it would reach too far back, or for what is
    /// on its way; [`AppError::BadRequest`] if the endpoint is disabled.
    pub async fn bulk_replay(
        &self,
        caller: &Caller,
        (tenant, endpoint): (&Tenant, &str),
        input: BulkReplayInput,
    ) -> Result<Task, AppError> {
        let asked = (caller, TaskKind::BulkReplay, AuditAction::MessagesReplayed);
        let reach = input.reach;
        let work = |endpoint, Reach { since, until }| {
            Ok(Work::BulkReplay {
                endpoint,
                since,
                until,
                filter: input.filter()?,
            })
        };
        self.send_again(asked, (tenant, endpoint), reach, work)
            .await
    }

    /// Starts sending every message that an endpoint wants and that was never on its way to it: as
    /// it was made later, or was disabled then, or wanted other messages.
    ///
    /// # Errors
    /// [`AppError::NotFound`]; [`AppError::Invalid`] if it would reach too far back;
    /// [`AppError::BadRequest`] if the endpoint is disabled.
    pub async fn replay_missing(
        &self,
        caller: &Caller,
        (tenant, endpoint): (&Tenant, &str),
        input: RecoverInput,
    ) -> Result<Task, AppError> {
        let action = AuditAction::MessagesMissingReplayed;
        let asked = (caller, TaskKind::Replay, action);
        let work = |endpoint, Reach { since, until }| {
            Ok(Work::ReplayMissing {
                endpoint,
                since,
                until,
            })
        };
        self.send_again(asked, (tenant, endpoint), input, work)
            .await
    }
}

impl BulkReplayInput {
    fn filter(self) -> Result<ReplayFilter, AppError> {
        let mut judge = Judge::new(&[]);
        let types = self
            .event_types
            .and_then(|types| judge.names("eventTypes", &types, EVENT_TYPES_MAX));
        let channel = self.channel.and_then(|text| judge.name("channel", &text));
        let tag = self.tag.and_then(|text| judge.name("tag", &text));
        judge.finish()?;
        let filter = Filter {
            event_types: types.map(|types| types.into_iter().collect()),
            channels: channel.map(|channel| vec![channel]),
            tag,
        };
        Ok(ReplayFilter {
            messages: filter.to_stored(),
            standing: self.status.map(standing).transpose()?,
            status_codes: self.status_code_class.map(|class| (class, class + 100)),
        })
    }
}

/// All words are told apart. What is on its way needs no replay.
fn standing(status: Status) -> Result<Standing, AppError> {
    match status {
        Status::Success => Ok(Standing::Delivered),
        Status::Fail => Ok(Standing::Failed),
        Status::Cancelled => Ok(Standing::Cancelled),
        Status::Pending | Status::Sending => {
            let text = "what is pending (1) or sending (3) is on its way and is not replayed: ask \
                        for what succeeded (0), failed (2) or was canceled (4)";
            Err(Violation::body(&["status"], text).into())
        }
    }
}
