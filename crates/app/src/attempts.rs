//! Looking attempts up: those to an endpoint, those of a message, and single ones.

mod count;
mod headers;
mod observed;

pub use count::AttemptCount;
pub use headers::{AttemptHeaders, SentHeaders};
pub use observed::{AttemptObserved, WholeAttempt};

use crate::content::{Content, Opener};
use crate::filter::Filter;
use crate::find::Tenant;
use crate::page::{ListInput, Page, Part};
use crate::status::Status;
use crate::{App, AppError, Caller};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use model::attempt::{Attempt, AttemptResult};
use model::audit::AuditAction;
use model::id::{AttemptId, AttemptKind};
use model::message::Message;
use model::security::{Subject, SubjectKind};
use store::change::{Change, ChangeError};
use store::query::{AttemptQuery, AttemptScope};
use store::rows::AttemptRow;

const MISSING: AppError = AppError::NotFound("Message attempt not found");
/// What people see in the place of an answer that was expunged.
const EXPUNGED: &str = "EXPUNGED";

/// Which attempts are asked for.
#[derive(Debug, Clone, Default)]
pub struct AttemptsInput {
    /// Which part of the list.
    pub list: ListInput,
    /// Of which messages.
    pub filter: Filter,
    /// How they ended.
    pub status: Option<Status>,
    /// Whether all words for how they ended are told apart.
    pub expanded: bool,
    /// The hundred that their status codes are in: 0, 100, … 500.
    pub status_code_class: Option<u16>,
    /// With what receivers answered.
    pub with_content: bool,
    /// With messages and their payloads.
    pub with_message: bool,
}

/// What came of an attempt's request, as far as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answered {
    /// No request was made: why.
    NotSent(&'static str),
    /// Nothing is kept of it.
    Nothing,
    /// It was expunged.
    Expunged,
    /// The begin of the response's body; where there was no response, why.
    Bytes(Vec<u8>),
}

/// An attempt as people see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttemptView {
    /// The attempt.
    pub attempt: Attempt,
    /// How it ended.
    pub status: Status,
    /// What the receiver answered, or why no answer came; what isn't UTF-8 in base 64. `None` if
    /// it was not asked for.
    pub response: Option<String>,
    /// The message, if it was asked for.
    pub message: Option<(Message, Content)>,
}

impl App {
    /// The attempts to an endpoint, the newest first.
    ///
    /// # Errors
    /// [`AppError::NotFound`]; [`AppError::Invalid`] for a list that can't be.
    pub async fn attempts_by_endpoint(
        &self,
        caller: &Caller,
        (application, endpoint): (&str, &str),
        input: &AttemptsInput,
    ) -> Result<Page<AttemptView>, AppError> {
        let tenant = self.application(caller, application).await?;
        let endpoint = tenant.endpoint(endpoint)?.endpoint.id.key();
        self.attempts(&tenant, AttemptScope::Endpoint(endpoint), input)
            .await
    }

    /// The attempts of a message, the newest first; to one endpoint, by id or uid, or to all.
    ///
    /// # Errors
    /// [`AppError::NotFound`], also for an endpoint that isn't there; [`AppError::Invalid`] for a
    /// list that can't be, or an endpoint that nothing could be called by.
    pub async fn attempts_by_message(
        &self,
        caller: &Caller,
        (application, message): (&str, &str),
        endpoint: Option<&str>,
        input: &AttemptsInput,
    ) -> Result<Page<AttemptView>, AppError> {
        let tenant = self.application(caller, application).await?;
        let message = self.message_row(&tenant, message).await?.message.id.key();
        let endpoint = endpoint
            .map(|named| tenant.endpoint(named).map(|row| row.endpoint.id.key()))
            .transpose()?;
        self.attempts(&tenant, AttemptScope::Message(message, endpoint), input)
            .await
    }

    /// One attempt of a message.
    ///
    /// # Errors
    /// [`AppError::NotFound`].
    pub async fn attempt(
        &self,
        caller: &Caller,
        (application, message): (&str, &str),
        attempt: &str,
    ) -> Result<AttemptView, AppError> {
        let (row, opener) = self
            .attempt_row(caller, (application, message), attempt)
            .await?;
        Viewer {
            opener,
            expanded: false,
            with_content: true,
        }
        .view(row)
    }

    /// One attempt of a message, with what was answered to it and how its request went.
    ///
    /// # Errors
    /// [`AppError::NotFound`].
    pub async fn whole_attempt(
        &self,
        caller: &Caller,
        (application, message): (&str, &str),
        attempt: &str,
    ) -> Result<WholeAttempt, AppError> {
        let (mut row, opener) = self
            .attempt_row(caller, (application, message), attempt)
            .await?;
        let answered = answered(&opener, &row)?;
        let viewer = Viewer {
            opener,
            expanded: true,
            with_content: false,
        };
        Ok(WholeAttempt {
            observed: AttemptObserved::of(&mut row),
            view: viewer.view(row)?,
            answered,
        })
    }

    async fn attempt_row(
        &self,
        caller: &Caller,
        (application, message): (&str, &str),
        attempt: &str,
    ) -> Result<(AttemptRow, Opener), AppError> {
        let tenant = self.application(caller, application).await?;
        let message = self.message_row(&tenant, message).await?.message.id.key();
        let id: AttemptId = attempt.parse().map_err(|_| MISSING)?;
        let found = self.store.attempt(tenant.key(), message, id).await?;
        let row = found.ok_or(MISSING)?;
        Ok((row, Opener::new(self, &tenant.row().application)?))
    }

    /// Removes what was answered to an attempt for good.
    ///
    /// # Errors
    /// [`AppError::Forbidden`] for all but the organisation; [`AppError::NotFound`].
    pub async fn expunge_attempt(
        &self,
        caller: &Caller,
        (application, message): (&str, &str),
        attempt: &str,
    ) -> Result<(), AppError> {
        let tenant = self
            .application_for_organisation(caller, application)
            .await?;
        let message = self.message_row(&tenant, message).await?.message.id;
        let attempt: AttemptId = attempt.parse().map_err(|_| MISSING)?;
        let subject = Subject::new(SubjectKind::Message, message);
        let entry = self
            .entry(caller, AuditAction::AttemptExpunged, subject)
            .concerning(tenant.key())
            .saying(attempt.to_string());
        let change = Change::ExpungeExcerpt {
            application: tenant.key(),
            message: message.key(),
            attempt,
        };
        match self.change(entry, None, change, None).await {
            Err(ChangeError::Missing) => Err(MISSING),
            changed => Ok(changed.map(drop)?),
        }
    }

    async fn attempts(
        &self,
        tenant: &Tenant,
        scope: AttemptScope,
        input: &AttemptsInput,
    ) -> Result<Page<AttemptView>, AppError> {
        let part = Part::<AttemptKind>::of_recent(&input.list, self.clock.now())?;
        let query = AttemptQuery {
            application: tenant.application().id.key(),
            scope,
            window: part.window(),
            result: input.status.map(|status| status.results(input.expanded)),
            status_codes: input.status_code_class.map(|class| (class, class + 100)),
            filter: input.filter.to_stored(),
            with_excerpt: input.with_content,
            with_message: input.with_message,
            with_payload: input.with_content,
        };
        let walk = self.store.attempts(&query).await?;
        let opener = Opener::new(self, &tenant.row().application)?;
        let viewer = Viewer {
            opener,
            expanded: input.expanded,
            with_content: input.with_content,
        };
        part.page(walk, |row| row.attempt.id)
            .try_map(|row| viewer.view(row))
    }
}

/// Turns rows into what people see.
struct Viewer {
    opener: Opener,
    expanded: bool,
    with_content: bool,
}

impl Viewer {
    fn view(&self, row: AttemptRow) -> Result<AttemptView, AppError> {
        let response = if self.with_content {
            Some(self.response(&row)?)
        } else {
            None
        };
        Ok(AttemptView {
            status: Status::of_result(row.attempt.result, self.expanded),
            response,
            message: row
                .message
                .map(|message| self.opener.message(message))
                .transpose()?,
            attempt: row.attempt,
        })
    }

    fn response(&self, row: &AttemptRow) -> Result<String, AppError> {
        Ok(match answered(&self.opener, row)? {
            Answered::NotSent(reason) => reason.to_owned(),
            Answered::Nothing => String::new(),
            Answered::Expunged => EXPUNGED.to_owned(),
            Answered::Bytes(bytes) => as_text(bytes),
        })
    }
}

fn answered(opener: &Opener, row: &AttemptRow) -> Result<Answered, AppError> {
    if let AttemptResult::Cancelled(reason) = row.attempt.result {
        return Ok(Answered::NotSent(reason.text()));
    }
    let Some(sealed) = &row.excerpt else {
        return Ok(Answered::Nothing);
    };
    if sealed.is_empty() {
        return Ok(Answered::Expunged);
    }
    let bytes = opener.excerpt(&row.attempt.id.tail(), sealed)?;
    Ok(Answered::Bytes(bytes))
}

/// Bytes as text; what isn't UTF-8 as base 64 of the whole.
fn as_text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap_or_else(|wrong| STANDARD.encode(wrong.as_bytes()))
}
