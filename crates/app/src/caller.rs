//! Who asks, from where, and in which request. Every use case takes it, so that none can forget
//! its permission check, and so that an audit log can be told who did what.

use crate::access::limits::Limits;
use crate::error::AppError;
use aws_lc_rs::digest::{SHA256, digest};
use model::Timestamp;
use model::application::Application;
use model::hops::Hops;
use model::id::{ApiKeyId, ApplicationId};
use model::name::Name;
use model::trace::TraceParent;
use std::net::IpAddr;
use std::sync::Arc;

/// Where a request comes from, as whoever serves it knows it: put into its extensions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RemoteAddress(pub IpAddr);

/// Who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Who {
    /// The organisation that runs this installation: may do everything.
    Organisation,
    /// One application, with the feature flags whose event types it sees: may do what concerns
    /// itself.
    Application {
        /// Which.
        id: ApplicationId,
        /// What it sees besides what all see.
        feature_flags: Vec<Name>,
    },
}

/// Who asks, from where, in which request.
#[derive(Debug, Clone)]
pub struct Caller {
    /// Who.
    pub who: Who,
    /// The token's subject: part of what an idempotency key is remembered by.
    pub subject: String,
    /// From where; `None` for the command line.
    pub remote_address: Option<IpAddr>,
    /// The idempotency key of the request, if it came with one.
    pub idempotency: Option<RequestKey>,
    /// How many deliveries the request has been through: it may itself be one.
    pub hops: Hops,
    /// The trace that the request is a part of.
    pub trace: Option<TraceParent>,
    /// What was shown for it; `None` for the command line.
    pub shown: Option<Arc<Shown>>,
}

/// What a caller showed to be let in. Never the token itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// Which kind of token.
    pub by: ShownAs,
    /// What it is revoked by.
    pub id: String,
    /// From when on it is not good anyway, whatever clocks say.
    pub ends_at: Timestamp,
    /// The session that it belongs to.
    pub session: Option<String>,
    /// What it may do of what its holder may.
    pub limits: Limits,
}

/// The kinds of tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ShownAs {
    /// One that is signed.
    Token,
    /// An API key's.
    ApiKey(ApiKeyId),
    /// The session of somebody who looks at pages, opened so.
    Session(OpenedBy),
}

/// What a session of pages was opened with. It is good for no longer than that is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OpenedBy {
    /// A signed token of this id.
    Token(String),
    /// An API key's token.
    ApiKey(ApiKeyId),
    /// Who somebody is, by the word of the identity provider.
    Person(String),
}

/// The idempotency key of a request as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestKey {
    /// The operation and the path it was asked of, such as `POST /api/v1/app/app_…/msg`.
    pub operation: String,
    /// The key.
    pub key: String,
    /// SHA-256 of the body.
    pub body: [u8; 32],
}

/// What client libraries begin the keys with that they make for one call.
const AUTO_PREFIX: &str = "auto_";

impl RequestKey {
    /// The key of a request with this body.
    pub fn new(operation: String, key: String, body: &[u8]) -> Self {
        let hash = digest(&SHA256, body);
        let body = *hash.as_ref().first_chunk().expect("SHA-256 has 32 bytes");
        Self {
            operation,
            key,
            body,
        }
    }

    /// Whether a client library made it for one call and its repetitions, and nobody else knows it.
    pub fn is_of_one_call(&self) -> bool {
        self.key.starts_with(AUTO_PREFIX)
    }
}

/// What the subject of a caller begins with that is a rule of the operator's.
const RULE: &str = "rule:";

impl Caller {
    /// Postrider itself, by a rule that the operator has set.
    pub fn system(rule: &str) -> Self {
        Self {
            who: Who::Organisation,
            subject: format!("{RULE}{rule}"),
            remote_address: None,
            idempotency: None,
            hops: Hops::NONE,
            trace: None,
            shown: None,
        }
    }

    /// Which rule it is, if it is one. No token's subject is one.
    pub fn rule(&self) -> Option<&str> {
        let rule = self.subject.strip_prefix(RULE);
        rule.filter(|_| self.shown.is_none())
    }

    /// Which application it is, if it is one.
    pub fn application(&self) -> Option<ApplicationId> {
        match &self.who {
            Who::Organisation => None,
            Who::Application { id, .. } => Some(*id),
        }
    }

    /// Passes only the organisation.
    pub fn require_organisation(&self) -> Result<(), AppError> {
        match self.who {
            Who::Organisation => Ok(()),
            Who::Application { .. } => Err(AppError::Forbidden),
        }
    }

    /// Passes what is no delivery: one that sends something again would do so without end.
    pub(crate) fn require_no_delivery(&self) -> Result<(), AppError> {
        match self.hops {
            Hops::NONE => Ok(()),
            _ => Err(AppError::Loop(
                "A delivery can't have messages sent again: it would be told to, again and again.",
            )),
        }
    }

    /// Passes the organisation and the application itself; for another application it is as if
    /// this one did not exist.
    pub fn require_application(&self, application: &Application) -> Result<(), AppError> {
        match &self.who {
            Who::Organisation => Ok(()),
            Who::Application { id, .. } if *id == application.id => Ok(()),
            Who::Application { .. } => Err(AppError::not_found()),
        }
    }
}
