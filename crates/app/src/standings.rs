//! How messages stand with endpoints: an endpoint's messages, and a message's endpoints.

use crate::content::{Content, Opener};
use crate::filter::Filter;
use crate::page::{ListInput, Order, Page, Part};
use crate::status::Status;
use crate::{App, AppError, Caller};
use model::Timestamp;
use model::endpoint::Endpoint;
use model::id::{ApplicationKey, EndpointKey, EndpointKind, MessageKey, MessageKind};
use model::message::Message;
use store::query::{EndpointMessageQuery, Walk, Window};
use store::rows::MessageEndpointRow;

/// How many rows are read at a time to find the last ones before a place.
const READ_AT_ONCE: usize = 250;

/// Which of an endpoint's messages are asked for.
#[derive(Debug, Clone, Default)]
pub struct EndpointMessagesInput {
    /// Which part of the list.
    pub list: ListInput,
    /// Which messages.
    pub filter: Filter,
    /// How they stand.
    pub status: Option<Status>,
    /// Whether all words for how they stand are told apart.
    pub expanded: bool,
    /// With payloads.
    pub with_content: bool,
}

/// Which of a message's endpoints are asked for.
#[derive(Debug, Clone, Default)]
pub struct MessageEndpointsInput {
    /// Which part of the list.
    pub list: ListInput,
    /// Whether all words for how the message stands with them are told apart.
    pub expanded: bool,
}

/// A message as it stands with one endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndpointMessageView {
    /// The message.
    pub message: Message,
    /// Its payload.
    pub content: Content,
    /// How it stands.
    pub status: Status,
    /// When the next attempt is due, if there will be one.
    pub next_attempt: Option<Timestamp>,
}

/// An endpoint as a message stands with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageEndpointView {
    /// The endpoint, which may be deleted by now.
    pub endpoint: Endpoint,
    /// How the message stands with it.
    pub status: Status,
    /// When the next attempt is due, if there will be one.
    pub next_attempt: Option<Timestamp>,
}

impl App {
    /// The messages that were sent or are on their way to an endpoint, the newest first.
    ///
    /// # Errors
    /// [`AppError::NotFound`]; [`AppError::Invalid`] for a list that can't be.
    pub async fn endpoint_messages(
        &self,
        caller: &Caller,
        (application, endpoint): (&str, &str),
        input: &EndpointMessagesInput,
    ) -> Result<Page<EndpointMessageView>, AppError> {
        let tenant = self.application(caller, application).await?;
        let endpoint = tenant.endpoint(endpoint)?.endpoint.id.key();
        let part = Part::<MessageKind>::of_recent(&input.list, self.clock.now())?;
        let query = EndpointMessageQuery {
            application: tenant.application().id.key(),
            endpoint,
            window: part.window(),
            filter: input.filter.to_stored(),
            standing: input.status.map(|status| status.standings(input.expanded)),
            with_payload: input.with_content,
        };
        let walk = self.store.endpoint_messages(&query).await?;
        let opener = Opener::new(self, &tenant.row().application)?;
        part.page(walk, |row| row.message.message.id)
            .try_map(|row| {
                let (message, content) = opener.message(row.message)?;
                let status = Status::of_standing(row.standing, input.expanded);
                Ok(EndpointMessageView {
                    message,
                    content,
                    status,
                    next_attempt: row.next_attempt,
                })
            })
    }

    /// The endpoints that a message was sent or is on its way to, by ascending id; deleted ones
    /// too.
    ///
    /// # Errors
    /// [`AppError::NotFound`]; [`AppError::Invalid`] for a list that can't be.
    pub async fn message_endpoints(
        &self,
        caller: &Caller,
        (application, message): (&str, &str),
        input: &MessageEndpointsInput,
    ) -> Result<Page<MessageEndpointView>, AppError> {
        let tenant = self.application(caller, application).await?;
        let message = self.message_row(&tenant, message).await?.message.id.key();
        let message = (tenant.key(), message);
        let part = Part::<EndpointKind>::of_all(&input.list, Order::Ascending)?;
        let window = part.window();
        let walk = if window.ascending {
            self.store
                .message_endpoints(message, window.above, window.limit)
                .await?
        } else {
            self.message_endpoints_before(message, window).await?
        };
        Ok(part
            .page(walk, |row| row.endpoint.endpoint.id)
            .map(|row| MessageEndpointView {
                status: Status::of_standing(row.standing, input.expanded),
                endpoint: row.endpoint.endpoint,
                next_attempt: row.next_attempt,
            }))
    }

    /// The last endpoints of a window, the last one first. The store walks this short list forwards
    /// only, so all before the window's end are read.
    async fn message_endpoints_before(
        &self,
        message: (ApplicationKey, MessageKey),
        window: Window<EndpointKind>,
    ) -> Result<Walk<MessageEndpointRow, EndpointKey>, AppError> {
        let mut rows: Vec<MessageEndpointRow> = Vec::new();
        let mut more = false;
        let mut after = window.above;
        loop {
            let walk = self
                .store
                .message_endpoints(message, after, READ_AT_ONCE)
                .await?;
            let inside = |row: &MessageEndpointRow| row.endpoint.endpoint.id.key() < window.below;
            let before = rows.len() + walk.rows.len();
            rows.extend(walk.rows.into_iter().filter(inside));
            let ended = rows.len() < before;
            let surplus = rows.len().saturating_sub(window.limit);
            more |= surplus > 0;
            rows.drain(..surplus);
            match walk.examined {
                Some(examined) if walk.more && !ended => after = examined,
                _ => break,
            }
        }
        rows.reverse();
        let examined = rows.last().map(|row| row.endpoint.endpoint.id.key());
        Ok(Walk {
            rows,
            examined,
            more,
        })
    }
}
