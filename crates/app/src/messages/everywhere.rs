//! Messages of all applications, for whoever looks after the installation: the newest first, and
//! one by its id, wherever it was sent.

use crate::filter::Filter;
use crate::page::{ListInput, Page, Part};
use crate::{App, AppError, Caller};
use model::application::Application;
use model::id::{ApplicationKey, Key, MessageId, MessageKind};
use model::message::Message;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use store::query::{AllMessagesQuery, Window};

/// A message, and where it was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SentMessage {
    /// To which application.
    pub application: Application,
    /// The message.
    pub message: Message,
}

impl App {
    /// The messages of all applications that are live, the newest first. A page may be shorter
    /// than was asked for.
    ///
    /// # Errors
    /// [`AppError::Forbidden`] for all but the organisation; [`AppError::Invalid`] for a list that
    /// can't be.
    pub async fn messages_everywhere(
        &self,
        caller: &Caller,
        list: &ListInput,
        filter: &Filter,
    ) -> Result<Page<SentMessage>, AppError> {
        caller.require_organisation()?;
        let part = Part::<MessageKind>::of_recent(list, self.clock.now())?;
        let query = AllMessagesQuery {
            window: part.window(),
            filter: filter.to_stored(),
            with_payload: false,
        };
        let walk = self.store.all_messages(&query).await?;
        let page = part.page(walk, |row| row.message.id);
        let page = page.map(|row| row.message);
        let mut applications: HashMap<ApplicationKey, Option<Application>> = HashMap::new();
        for message in &page.data {
            if let Entry::Vacant(unknown) = applications.entry(message.application) {
                let tenant = self.find_by_key(message.application).await?;
                unknown.insert(tenant.map(|tenant| tenant.application().clone()));
            }
        }
        let sent = |message: Message| {
            // What was sent to an application that is deleted is gone with it.
            let application = applications.get(&message.application)?.clone()?;
            Some(SentMessage {
                application,
                message,
            })
        };
        let Page {
            data,
            iterator,
            prev_iterator,
            done,
        } = page;
        Ok(Page {
            data: data.into_iter().filter_map(sent).collect(),
            iterator,
            prev_iterator,
            done,
        })
    }

    /// A message of any application, by its id.
    ///
    /// # Errors
    /// [`AppError::Forbidden`] for all but the organisation; [`AppError::NotFound`].
    pub async fn message_anywhere(
        &self,
        caller: &Caller,
        id: &str,
    ) -> Result<SentMessage, AppError> {
        caller.require_organisation()?;
        let id: MessageId = id.parse().map_err(|_| AppError::not_found())?;
        let beside = |by: i64| Key::from_integer(id.key().integer().saturating_add(by));
        let query = AllMessagesQuery {
            window: Window {
                above: beside(-1),
                below: beside(1),
                ascending: false,
                limit: 1,
            },
            filter: Filter::default().to_stored(),
            with_payload: false,
        };
        let walk = self.store.all_messages(&query).await?;
        let found = walk.rows.into_iter().find(|row| row.message.id == id);
        let message = found.ok_or_else(AppError::not_found)?.message;
        let tenant = self.find_by_key(message.application).await?;
        Ok(SentMessage {
            application: tenant
                .ok_or_else(AppError::not_found)?
                .application()
                .clone(),
            message,
        })
    }
}
