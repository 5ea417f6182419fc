//! Messages: sending one or many at once, and looking them up.

mod create;
mod draft;
mod everywhere;
mod example;
mod expunge;
mod precheck;
mod trial;

pub(crate) use draft::{Bounds, RESERVED};

pub use create::{MessageRequest, Recipient, RecipientPath, Results};
pub use draft::{CONTENT_TYPE_BYTES_MAX, MessageInput, RETENTION_HOURS, RawInput, TAGS_MAX};
pub use everywhere::SentMessage;
pub use example::{ExampleInput, PING};
pub use expunge::{EXPUNGED_MAX, Expunged};
pub use precheck::PrecheckInput;

use crate::content::{Content, Opener};
use crate::filter::Filter;
use crate::find::{Named, Tenant, named};
use crate::page::{ListInput, Page, Part};
use crate::{App, AppError, Caller};
use bytes::Bytes;
use model::id::MessageKind;
use model::message::Message;
use std::time::Duration;
use store::MessageRef;
use store::query::MessageQuery;
use store::rows::{MessageRow, Payload};

/// A message as people see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageView {
    /// The message.
    pub message: Message,
    /// Its payload.
    pub content: Content,
}

/// What is on disk now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Durable<T> {
    /// What was made.
    pub made: T,
    /// From handing it to the store until it was durable.
    pub commit: Duration,
}

/// Which messages are asked for.
#[derive(Debug, Clone, Default)]
pub struct MessagesInput {
    /// Which part of the list.
    pub list: ListInput,
    /// Which messages.
    pub filter: Filter,
    /// With payloads.
    pub with_content: bool,
}

impl App {
    /// An application's messages, the newest first.
    ///
    /// # Errors
    /// [`AppError::NotFound`]; [`AppError::Invalid`] for a list that can't be.
    pub async fn messages(
        &self,
        caller: &Caller,
        application: &str,
        input: &MessagesInput,
    ) -> Result<Page<MessageView>, AppError> {
        let tenant = self.application(caller, application).await?;
        let part = Part::<MessageKind>::of_recent(&input.list, self.clock.now())?;
        let query = MessageQuery {
            application: tenant.application().id.key(),
            window: part.window(),
            filter: input.filter.to_stored(),
            with_payload: input.with_content,
        };
        let walk = self.store.messages(&query).await?;
        if input.with_content {
            self.exported(caller, Some(query.application), walk.rows.len());
        }
        let opener = Opener::new(self, &tenant.row().application)?;
        part.page(walk, |row| row.message.id)
            .try_map(|row| view(&opener, row))
    }

    /// A message, by its id or its sender's event id.
    ///
    /// # Errors
    /// [`AppError::NotFound`].
    pub async fn message(
        &self,
        caller: &Caller,
        (application, message): (&str, &str),
        with_content: bool,
    ) -> Result<MessageView, AppError> {
        let tenant = self.application(caller, application).await?;
        let mut row = self.message_row(&tenant, message).await?;
        if !with_content {
            row.payload = Payload::NotRead;
        }
        view(&Opener::new(self, &tenant.row().application)?, row)
    }

    /// A message's payload as the text that is sent, whatever it is.
    ///
    /// # Errors
    /// [`AppError::NotFound`], also where it has expired or was expunged.
    pub async fn message_payload(
        &self,
        caller: &Caller,
        (application, message): (&str, &str),
    ) -> Result<Bytes, AppError> {
        let tenant = self.application(caller, application).await?;
        let row = self.message_row(&tenant, message).await?;
        let payload = Opener::new(self, &tenant.row().application)?.payload(&row)?;
        payload.ok_or(AppError::NotFound("Message payload not found"))
    }

    /// A message with its payload as it is stored.
    pub(crate) async fn message_row(
        &self,
        tenant: &Tenant,
        path: &str,
    ) -> Result<MessageRow, AppError> {
        let message = match named::<MessageKind>(path) {
            Some(Named::Id(id)) => MessageRef::Id(id),
            Some(Named::Uid(event_id)) => MessageRef::EventId(event_id),
            None => return Err(AppError::not_found()),
        };
        let found = self
            .store
            .message(tenant.application().id.key(), &message)
            .await?;
        found.ok_or_else(AppError::not_found)
    }
}

fn view(opener: &Opener, row: MessageRow) -> Result<MessageView, AppError> {
    let (message, content) = opener.message(row)?;
    Ok(MessageView { message, content })
}
