//! Expunging messages: payloads that are to be gone before their time. The messages stay, and so do
//! their attempts.
//!
//! What is open of them is ended in the same commit. When this returns, no attempt of it starts on
//! this node; on others, within [`store::registry::AGE_MAX`].

use crate::change::{audited, carried_through, unexpected};
use crate::find::Tenant;
use crate::idempotency::{Request, Success};
use crate::tasks::{Task, TaskKind};
use crate::{App, AppError, Caller, Violation};
use model::audit::{AuditAction, AuditDraft};
use model::id::MessageId;
use model::security::{Subject, SubjectKind};
use std::collections::{BTreeMap, BTreeSet};
use store::change::{Change, ChangeError, Changed};
use store::idempotency::IdempotencyKey;
use store::work::Work;

/// The most messages that one request expunges.
pub const EXPUNGED_MAX: usize = 1_000;

/// What became of each message of a request, by the name that it was given.
pub type Expunged = BTreeMap<String, bool>;

impl App {
    /// Removes a message's payload for good.
    ///
    /// # Errors
    /// [`AppError::Forbidden`] for all but the organisation; [`AppError::NotFound`].
    pub async fn expunge_message(
        &self,
        caller: &Caller,
        (application, message): (&str, &str),
    ) -> Result<(), AppError> {
        let tenant = self
            .application_for_organisation(caller, application)
            .await?;
        let message = self.message_row(&tenant, message).await?.message.id;
        let subject = Subject::new(SubjectKind::Message, message);
        let entry = self.entry(caller, AuditAction::MessageExpunged, subject);
        let entry = entry.concerning(tenant.key());
        self.expunge(entry, &tenant, vec![message], None).await
    }

    /// Removes the payloads of many messages for good, in one commit. Of each, whether it was
    /// there.
    ///
    /// # Errors
    /// [`AppError::Forbidden`] for all but the organisation; [`AppError::Invalid`] for too many;
    /// [`AppError::Conflict`] if the request's idempotency key was used with another body.
    pub async fn expunge_messages(
        &self,
        caller: &Caller,
        tenant: &Tenant,
        names: Vec<String>,
    ) -> Result<Expunged, AppError> {
        caller.require_organisation()?;
        if names.len() > EXPUNGED_MAX {
            let text = format!("at most {EXPUNGED_MAX} messages are expunged at once");
            return Err(Violation::body(&["ids"], text).into());
        }
        let request = self.request(caller, Success::Done).await?;
        let mut found = Vec::new();
        let mut results = BTreeMap::new();
        for name in BTreeSet::from_iter(names) {
            let row = self.message_row(tenant, &name).await;
            let key = match row {
                Ok(row) => Some(row.message.id),
                Err(AppError::NotFound(_)) => None,
                Err(other) => return Err(other),
            };
            results.insert(name, key.is_some());
            found.extend(key);
        }
        if let Request::New(key) = request {
            let entry = self
                .entry_at_application(caller, AuditAction::MessagesExpunged, tenant)
                .saying(told(&found));
            self.expunge(entry, tenant, found, key).await?;
        }
        Ok(results)
    }

    /// Starts removing the payloads of all messages that an application has been sent until now,
    /// for good. What is open of them ends slice by slice: no attempt of it starts later than
    /// [`store::registry::AGE_MAX`] after that.
    ///
    /// # Errors
    /// [`AppError::Forbidden`] for all but the organisation; [`AppError::NotFound`];
    /// [`AppError::Conflict`] if the request's idempotency key was used with another body.
    pub async fn expunge_all(&self, caller: &Caller, application: &str) -> Result<Task, AppError> {
        let tenant = self
            .application_for_organisation(caller, application)
            .await?;
        match self.task_request(caller, TaskKind::PurgeContent).await? {
            Ok(key) => {
                let entry = self
                    .entry_at_application(caller, AuditAction::MessagesExpunged, &tenant)
                    .saying("all that were sent until now");
                let work = (tenant.key(), Work::ExpungeAll);
                self.begin_task(entry, work, key).await
            }
            Err(begun) => Ok(begun),
        }
    }

    async fn expunge(
        &self,
        entry: AuditDraft,
        tenant: &Tenant,
        messages: Vec<MessageId>,
        idempotency: Option<IdempotencyKey>,
    ) -> Result<(), AppError> {
        let (app, application) = (self.clone(), tenant.key());
        let change = Change::ExpungePayloads {
            application,
            messages: messages.into_iter().map(MessageId::key).collect(),
        };
        let request = audited(entry, change, idempotency);
        let changed: Result<Changed, ChangeError> = carried_through(async move {
            let changed = app.store.change(request).await;
            // Where nothing was open, nobody holds anything of it in memory.
            if !matches!(changed, Ok(Changed::Expunged(0))) {
                app.registry.forget(application);
                app.lanes.changed(application);
            }
            changed
        })
        .await;
        match changed? {
            Changed::Expunged(_) | Changed::Repeated(_) => Ok(()),
            other => Err(unexpected(&other)),
        }
    }
}

/// What the audit log has of many: how many, and which, as far as there is room.
fn told(messages: &[MessageId]) -> String {
    let ids: Vec<String> = messages.iter().map(ToString::to_string).collect();
    format!("{}: {}", ids.len(), ids.join(", "))
}
