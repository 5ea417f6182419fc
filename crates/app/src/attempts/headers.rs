//! The headers of an attempt's request, and of a response that was no success. The request's are
//! not kept: they are made again from what is, so that only what is known of them is there.
//!
//! What an endpoint's owner adds is known as it is now: it is told only where the endpoint has not
//! been changed since. So is another signature than the usual one. Signatures and other credentials
//! are named and not shown.

use super::{App, AppError, Caller, MISSING};
use crate::content::Opener;
use crate::endpoints::{headers_of_credentials, hmac_scheme};
use crate::find::Tenant;
use model::answer_head::AnswerHead;
use model::attempt::{Attempt, AttemptResult};
use model::hops::HOPS_HEADER;
use model::id::AttemptId;
use model::message::{Message, PayloadForm};
use model::protection::{Auth, Credential, PayloadMode, Protection};
use std::collections::{BTreeMap, BTreeSet};
use store::rows::AttemptRow;
use webhook::HmacScheme;
use webhook::jwe::MEDIA_TYPE;

/// What a payload is that says nothing else.
const JSON: &str = "application/json";

/// The headers of an attempt.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AttemptHeaders {
    /// The request's.
    pub sent: SentHeaders,
    /// The response's, where they were kept.
    pub response: Option<AnswerHead>,
}

/// The headers that were sent, as far as they are known.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SentHeaders {
    /// Names and values.
    pub headers: BTreeMap<String, String>,
    /// The names of those whose values are not shown.
    pub sensitive: BTreeSet<String>,
}

impl App {
    /// The headers of an attempt's request and of its response.
    ///
    /// # Errors
    /// [`AppError::NotFound`].
    pub async fn attempt_headers(
        &self,
        caller: &Caller,
        (application, message): (&str, &str),
        attempt: &str,
    ) -> Result<AttemptHeaders, AppError> {
        let tenant = self.application(caller, application).await?;
        let message = self.message_row(&tenant, message).await?.message;
        let id: AttemptId = attempt.parse().map_err(|_| MISSING)?;
        let found = self
            .store
            .attempt(tenant.key(), message.id.key(), id)
            .await?;
        let row = found.ok_or(MISSING)?;
        let attempt = &row.attempt;
        if let AttemptResult::Cancelled(_) = attempt.result {
            return Ok(AttemptHeaders::default());
        }
        let (mut sent, protection) = self.own_headers(&tenant, attempt)?;
        self.add_ours(&mut sent, &protection, &message);
        self.add_signature(&mut sent, &protection, (attempt, &message));
        Ok(AttemptHeaders {
            sent,
            response: self.response_headers(&tenant, &row)?,
        })
    }

    fn response_headers(
        &self,
        tenant: &Tenant,
        row: &AttemptRow,
    ) -> Result<Option<AnswerHead>, AppError> {
        let observed = row.observed.as_deref();
        let sealed = observed.and_then(|observed| observed.head.as_ref());
        let Some(sealed) = sealed else {
            return Ok(None);
        };
        let opener = Opener::new(self, &tenant.row().application)?;
        opener.head(&row.attempt.id.tail(), sealed).map(Some)
    }

    /// What the endpoint's owner added, and set besides.
    fn own_headers(
        &self,
        tenant: &Tenant,
        attempt: &Attempt,
    ) -> Result<(SentHeaders, Protection), AppError> {
        let path = attempt.endpoint.to_string();
        let row = tenant.find_endpoint(&path);
        let unchanged = row.filter(|row| row.endpoint.updated_at <= attempt.started_at);
        if unchanged.is_none() {
            return Ok(<_>::default());
        }
        let view = self.headers(tenant, &path)?;
        let sent = SentHeaders {
            headers: view.headers,
            sensitive: view.sensitive,
        };
        Ok((sent, self.protection(tenant, &path)?))
    }

    /// What every request has.
    fn add_ours(&self, sent: &mut SentHeaders, protection: &Protection, message: &Message) {
        let content_type = match &message.form {
            _ if protection.encryption.is_some() => MEDIA_TYPE,
            _ if protection.payload == Some(PayloadMode::Thin) => JSON,
            PayloadForm::Raw {
                content_type: Some(content_type),
            } => content_type,
            _ => JSON,
        };
        sent.set("content-type", content_type.to_owned());
        sent.set(HOPS_HEADER, message.hops.next().to_string());
        sent.set("user-agent", self.settings.user_agent.clone());
        let has_accept = sent
            .headers
            .keys()
            .any(|name| name.eq_ignore_ascii_case("accept"));
        if !has_accept {
            sent.headers.insert("accept".to_owned(), "*/*".to_owned());
        }
    }

    /// What the payload is signed with, and what else the endpoint is known by.
    fn add_signature(
        &self,
        sent: &mut SentHeaders,
        protection: &Protection,
        (attempt, message): (&Attempt, &Message),
    ) {
        let (id, seconds) = (message.id.to_string(), attempt.started_at.seconds());
        let auth = protection.auth.as_ref();
        let signs = |auth: &Auth| matches!(auth.current, Credential::HttpSignature { .. });
        let family = match auth.is_some_and(signs) {
            true => self.settings.header_family.with_specified(),
            false => self.settings.header_family,
        };
        let scheme = protection.signature.as_ref().and_then(hmac_scheme);
        for names in family.names() {
            sent.set(names.id, id.clone());
            sent.set(names.timestamp, seconds.to_string());
            if scheme.is_none() {
                sent.hide(names.signature);
            }
        }
        for name in headers_of_credentials(protection) {
            sent.hide(name);
        }
        for name in scheme.iter().flat_map(HmacScheme::headers) {
            let is = |other: Option<&str>| other == Some(name);
            let scheme = scheme.as_ref();
            if is(scheme.and_then(HmacScheme::id_header)) {
                sent.set(name, id.clone());
            } else if is(scheme.and_then(HmacScheme::timestamp_header)) {
                sent.set(name, seconds.to_string());
            } else {
                sent.hide(name);
            }
        }
    }
}

impl SentHeaders {
    fn set(&mut self, name: &str, value: String) {
        self.remove(name);
        self.headers.insert(name.to_owned(), value);
    }

    /// One whose value is not shown.
    fn hide(&mut self, name: &str) {
        self.remove(name);
        self.sensitive.insert(name.to_owned());
    }

    /// In whatever case it was.
    fn remove(&mut self, name: &str) {
        self.headers
            .retain(|other, _| !other.eq_ignore_ascii_case(name));
        self.sensitive
            .retain(|other| !other.eq_ignore_ascii_case(name));
    }
}
