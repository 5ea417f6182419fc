//! The headers of an attempt's request. They are not kept: they are made again from what is, so
//! that only what is known of them is there.
//!
//! What an endpoint's owner adds is known as it is now: it is told only where the endpoint has not
//! been changed since. Signatures and other credentials are named and not shown.

use super::{App, AppError, Caller, MISSING};
use crate::find::Tenant;
use model::attempt::{Attempt, AttemptResult};
use model::id::AttemptId;
use model::message::{Message, PayloadForm};
use std::collections::{BTreeMap, BTreeSet};

/// What a payload is that says nothing else.
const JSON: &str = "application/json";

/// The headers that were sent, as far as they are known.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SentHeaders {
    /// Names and values.
    pub headers: BTreeMap<String, String>,
    /// The names of those whose values are not shown.
    pub sensitive: BTreeSet<String>,
}

impl App {
    /// The headers of an attempt's request.
    ///
    /// # Errors
    /// [`AppError::NotFound`].
    pub async fn attempt_headers(
        &self,
        caller: &Caller,
        (application, message): (&str, &str),
        attempt: &str,
    ) -> Result<SentHeaders, AppError> {
        let tenant = self.application(caller, application).await?;
        let message = self.message_row(&tenant, message).await?.message;
        let id: AttemptId = attempt.parse().map_err(|_| MISSING)?;
        let found = self
            .store
            .attempt(tenant.key(), message.id.key(), id)
            .await?;
        let attempt = found.ok_or(MISSING)?.attempt;
        if let AttemptResult::Cancelled(_) = attempt.result {
            return Ok(SentHeaders::default());
        }
        let mut sent = self.own_headers(&tenant, &attempt)?;
        self.add_ours(&mut sent, &attempt, &message);
        Ok(sent)
    }

    /// What the endpoint's owner added.
    fn own_headers(&self, tenant: &Tenant, attempt: &Attempt) -> Result<SentHeaders, AppError> {
        let path = attempt.endpoint.to_string();
        let row = tenant.find_endpoint(&path);
        let unchanged = row.filter(|row| row.endpoint.updated_at <= attempt.started_at);
        if unchanged.is_none() {
            return Ok(SentHeaders::default());
        }
        let view = self.headers(tenant, &path)?;
        Ok(SentHeaders {
            headers: view.headers,
            sensitive: view.sensitive,
        })
    }

    /// What every request has.
    fn add_ours(&self, sent: &mut SentHeaders, attempt: &Attempt, message: &Message) {
        let mut set = |name: &str, value: String| {
            sent.headers.insert(name.to_owned(), value);
        };
        for names in self.settings.header_family.names() {
            set(names.id, message.id.to_string());
            set(names.timestamp, attempt.started_at.seconds().to_string());
            sent.sensitive.insert(names.signature.to_owned());
        }
        let content_type = match &message.form {
            PayloadForm::Raw {
                content_type: Some(content_type),
            } => content_type,
            _ => JSON,
        };
        set("content-type", content_type.to_owned());
        set("user-agent", self.settings.user_agent.clone());
        let has_accept = sent
            .headers
            .keys()
            .any(|name| name.eq_ignore_ascii_case("accept"));
        if !has_accept {
            sent.headers.insert("accept".to_owned(), "*/*".to_owned());
        }
    }
}
