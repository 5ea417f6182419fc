//! Sending messages: one, or many at once.
//!
//! The application is found before a body is read, so that a stranger learns nothing from how it
//! is judged: first [`App::recipient`], then [`App::create_message`] or [`App::create_messages`].

use super::draft::{Bounds, MessageInput};
use super::{Durable, MessageView};
use crate::accept::{Draft, Receipt, Receipts, accept};
use crate::applications::{ApplicationDraft, ApplicationInput};
use crate::caller::RequestKey;
use crate::content::Content;
use crate::find::Tenant;
use crate::idempotency::{self, Success};
use crate::{App, AppError, Caller, Violation};
use model::Timestamp;
use model::name::{Name, NameError};

/// A message to send, with the application that it makes if that isn't there.
#[derive(Debug, Clone)]
pub struct MessageRequest {
    /// The message.
    pub message: MessageInput,
    /// The application.
    pub application: Option<ApplicationInput>,
}

/// The path's name for where messages are to go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecipientPath(Name);

impl RecipientPath {
    /// The name, if an application could be called so.
    ///
    /// # Errors
    /// [`AppError::Invalid`].
    pub fn parse(path: &str) -> Result<Self, AppError> {
        let wrong = |wrong: NameError| {
            Violation::path(&["app_id_or_uid", "__all__"], wrong.to_string()).into()
        };
        path.parse().map(Self).map_err(wrong)
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

/// Where messages are to go: an application that is there, or one that they may make.
///
/// Only [`App::recipient`] makes one, so that whoever holds it has passed the permission check.
#[derive(Debug)]
pub struct Recipient {
    path: RecipientPath,
    tenant: Option<Tenant>,
}

/// What came of each message of a batch.
pub type Results = Vec<Result<MessageView, AppError>>;

impl App {
    /// Where messages that were sent to this path are to go.
    ///
    /// # Errors
    /// [`AppError::Forbidden`] for all but the organisation.
    pub async fn recipient(
        &self,
        caller: &Caller,
        path: RecipientPath,
    ) -> Result<Recipient, AppError> {
        caller.require_organisation()?;
        let tenant = self.find_application(caller, path.0.as_str()).await?;
        Ok(Recipient { path, tenant })
    }

    /// Sends a message to an application: when this returns, it is on disk.
    ///
    /// # Errors
    /// [`AppError::Invalid`] with every broken rule; [`AppError::TooLarge`] for a payload beyond
    /// the limit; [`AppError::NotFound`] if there is no application and the message brings none;
    /// [`AppError::Conflict`] for an event id that is taken.
    pub async fn create_message(
        &self,
        caller: &Caller,
        recipient: Recipient,
        request: MessageRequest,
    ) -> Result<Durable<MessageView>, AppError> {
        let now = self.clock.now();
        let (draft, application) = self.judge(caller, request, now).await?;
        let tenant = self.tenant_of(caller, recipient, application).await?;
        let mut accepted = accept(self, &tenant, vec![draft]).await?;
        let receipt = accepted.made.pop().expect("one draft has one answer")?;
        Ok(Durable {
            made: view(receipt, now),
            commit: accepted.commit,
        })
    }

    /// Sends many messages to an application, each with its own result in the order given; all
    /// that are accepted are in one commit. What could not be read comes as the error that says so.
    ///
    /// # Errors
    /// As [`App::create_message`] for what concerns all; [`AppError::Invalid`] for none or too
    /// many; [`AppError::Conflict`] if the request's idempotency key was used with another body.
    pub async fn create_messages(
        &self,
        caller: &Caller,
        recipient: Recipient,
        requests: Vec<Result<MessageRequest, AppError>>,
    ) -> Result<Durable<Results>, AppError> {
        self.check_count(requests.len())?;
        self.check_batch_key(caller, requests.len()).await?;
        let now = self.clock.now();
        let mut application = None;
        let mut drafts = Vec::with_capacity(requests.len());
        let mut results = Vec::with_capacity(requests.len());
        for (index, request) in requests.into_iter().enumerate() {
            let judged = match request {
                Ok(request) => {
                    let caller = caller_of_item(caller, index);
                    self.judge(&caller, request, now).await
                }
                Err(error) => Err(error),
            };
            match judged {
                Ok((draft, brought)) => {
                    application = application.take().or(brought);
                    drafts.push(draft);
                    results.push(Ok(()));
                }
                Err(error) if is_of_all(&error) => return Err(error),
                Err(error) => results.push(Err(error)),
            }
        }
        let tenant = self.tenant_of(caller, recipient, application).await?;
        let accepted = accept(self, &tenant, drafts).await?;
        let mut receipts = one_commit(accepted.made)?.into_iter();
        let answered = results.into_iter().map(|result| {
            result?;
            let receipt = receipts.next().expect("each draft has one answer");
            receipt.map(|receipt| view(receipt, now))
        });
        Ok(Durable {
            made: answered.collect(),
            commit: accepted.commit,
        })
    }

    /// Each item has a key of its own, and the first one that is remembered tells whether the body
    /// is another. What clients make for one call alone never comes with another body: there the
    /// first item is enough.
    async fn check_batch_key(&self, caller: &Caller, items: usize) -> Result<(), AppError> {
        let request = caller.idempotency.as_ref();
        let looked_at = match request.is_none_or(RequestKey::is_of_one_call) {
            true => 1,
            false => items,
        };
        let key = |index| idempotency::key(&caller_of_item(caller, index), Success::Accepted);
        let keys: Vec<_> = (0..looked_at).map_while(key).collect();
        let Some(first) = keys.first() else {
            return Ok(());
        };
        let fingerprints: Vec<_> = keys.iter().map(|key| key.fingerprint).collect();
        if let Some(prior) = self.store.prior(&fingerprints).await? {
            idempotency::made_by(first, &prior)?;
        }
        Ok(())
    }

    /// Whether so many messages may come at once.
    ///
    /// # Errors
    /// [`AppError::Invalid`].
    pub fn check_count(&self, count: usize) -> Result<(), AppError> {
        let max = self.settings.batch_messages_max;
        if (1..=max).contains(&count) {
            return Ok(());
        }
        let text = format!("A batch has 1 to {max} messages (batch_messages_max).");
        Err(Violation::body(&["messages"], text).into())
    }
}

impl App {
    /// The message, and the application it brings, if both keep all rules, and the payload may be
    /// as it is.
    async fn judge(
        &self,
        caller: &Caller,
        request: MessageRequest,
        now: Timestamp,
    ) -> Result<(Draft, Option<ApplicationDraft>), AppError> {
        let (draft, application) = self.judge_alone(caller, request, now)?;
        let idempotency = idempotency::key(caller, Success::Accepted);
        let mut draft = Draft {
            idempotency,
            ..draft
        };
        self.check_payload(&mut draft).await?;
        Ok((draft, application))
    }

    /// The same, whatever the payload.
    fn judge_alone(
        &self,
        caller: &Caller,
        request: MessageRequest,
        now: Timestamp,
    ) -> Result<(Draft, Option<ApplicationDraft>), AppError> {
        let message = request
            .message
            .judge(Bounds::new(&self.settings, caller, now));
        let application = request
            .application
            .map(|input| input.judge(&["application"]));
        match (message, application.transpose()) {
            (Ok(message), Ok(application)) => Ok((message, application)),
            (Err(AppError::Invalid(mut broken)), Err(AppError::Invalid(more))) => {
                broken.extend(more);
                Err(AppError::Invalid(broken))
            }
            (Err(error), _) | (_, Err(error)) => Err(error),
        }
    }

    /// The application that was found, or the one that a message brings.
    pub(crate) async fn tenant_of(
        &self,
        caller: &Caller,
        recipient: Recipient,
        brought: Option<ApplicationDraft>,
    ) -> Result<Tenant, AppError> {
        if let Some(tenant) = recipient.tenant {
            return Ok(tenant);
        }
        let brought = brought.ok_or(AppError::NotFound("Application not found"))?;
        check_uid(&recipient.path, &brought)?;
        self.application_with_uid_of(caller.into(), &brought).await
    }
}

/// An application that a message brings is the one that the path names.
fn check_uid(path: &RecipientPath, brought: &ApplicationDraft) -> Result<(), AppError> {
    let (text, kind) = match brought.uid.as_set() {
        Some(Some(uid)) if *uid == path.0 => return Ok(()),
        Some(Some(_)) => (
            "must be the one in the path: there is no such application",
            "application_uid_mismatch",
        ),
        _ => (
            "must be given: there is no application as the path names",
            "application_uid_missing",
        ),
    };
    let violation = Violation {
        kind,
        ..Violation::body(&["application", "uid"], text)
    };
    Err(violation.into())
}

/// What failed for the commit, failed for all.
fn one_commit(mut receipts: Receipts) -> Result<Receipts, AppError> {
    let of_all =
        |receipt: &Result<Receipt, AppError>| receipt.as_ref().err().is_some_and(is_of_all);
    match receipts.iter().position(of_all) {
        Some(index) => receipts.swap_remove(index).map(|_| Vec::new()),
        None => Ok(receipts),
    }
}

/// Whether it says something of the store, and nothing of one message.
fn is_of_all(error: &AppError) -> bool {
    matches!(error, AppError::Unavailable(_) | AppError::Internal(_))
}

fn caller_of_item(caller: &Caller, index: usize) -> Caller {
    let mut caller = caller.clone();
    if let Some(key) = &mut caller.idempotency {
        key.operation = format!("{} item {index}", key.operation);
    }
    caller
}

fn view(receipt: Receipt, now: Timestamp) -> MessageView {
    let Receipt {
        message, payload, ..
    } = receipt;
    // What was accepted long ago under the same key may have expired since.
    let content = if message.expires_at > now {
        Content::of(&message.form, payload)
    } else {
        Content::Gone
    };
    MessageView { message, content }
}
