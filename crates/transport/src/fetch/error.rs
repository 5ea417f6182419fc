//! Why nothing was fetched. No text repeats what the other server said: it may echo what it was
//! asked with.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use model::Timestamp;
use model::address::Refusal;
use serde::Deserialize;

use crate::{Answer, SendError, TargetError};

/// What RFC 6749, section 5.2, and its companions have a token server say.
const CODES: [&str; 9] = [
    "invalid_request",
    "invalid_client",
    "invalid_grant",
    "invalid_scope",
    "invalid_target",
    "unauthorized_client",
    "unsupported_grant_type",
    "server_error",
    "temporarily_unavailable",
];

/// For longer than this, nobody is left alone: by then, whoever runs the other side may have mended
/// it.
pub(crate) const WAIT_MAX: Duration = Duration::from_secs(5 * 60);

/// Why nothing can be fetched from a URL, ever.
#[derive(Debug, thiserror::Error)]
pub enum FetchUrlError {
    /// The policy refuses it.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// It has a user name or a password.
    #[error("the URL must have no user name and no password in it")]
    Userinfo,
    /// It is not over TLS, and does not lead to this machine.
    #[error("the URL must begin with `https://`: keys and secrets never go over plain HTTP")]
    PlainHttp,
    /// It is no part of a request.
    #[error(transparent)]
    Target(#[from] TargetError),
}

impl FetchUrlError {
    /// What a tenant may read.
    pub fn for_tenant(&self) -> Cow<'static, str> {
        match self {
            Self::Refused(refusal) => refusal.for_tenant(),
            other => Cow::Owned(other.to_string()),
        }
    }
}

/// Why nothing was fetched this time.
#[derive(Debug, Clone, thiserror::Error)]
pub enum FetchError {
    /// No whole answer came.
    #[error("it could not be asked")]
    Unanswered(#[source] Arc<SendError>),
    /// It wants somebody else to be asked.
    #[error(
        "it answered {status}, a redirect, which is not followed: give the URL that it leads to"
    )]
    Redirect {
        /// The answer's status.
        status: u16,
    },
    /// It does not give it.
    #[error("it answered {status}{}", said(*.code))]
    Refused {
        /// The answer's status.
        status: u16,
        /// What OAuth calls this, where it does.
        code: Option<&'static str>,
        /// How long it asks not to be asked again, at most 5 minutes.
        retry_after: Option<Duration>,
    },
    /// The answer has no end in sight.
    #[error("its answer is longer than {limit} bytes")]
    TooLong {
        /// How many are read.
        limit: usize,
    },
    /// The one who asked for all was stopped.
    #[error("the request was given up")]
    Abandoned,
}

impl FetchError {
    pub(super) fn refused(answer: &Answer) -> Self {
        #[derive(Deserialize)]
        struct Refused<'b> {
            #[serde(borrow)]
            error: &'b str,
        }
        let said = serde_json::from_slice::<Refused<'_>>(&answer.body);
        let code = said.ok().and_then(|said| {
            let known = CODES.iter().find(|code| **code == said.error);
            known.copied()
        });
        // A date goes by the other side's clock; where that isn't known, it has passed.
        let wait = answer.asks_to_wait(answer.date.unwrap_or(Timestamp::MAX));
        Self::Refused {
            status: answer.status,
            code,
            retry_after: wait.map(|wait| wait.min(WAIT_MAX)),
        }
    }

    /// How long the other side asks not to be asked again.
    pub fn asks_to_wait(&self) -> Option<Duration> {
        match self {
            Self::Refused { retry_after, .. } => *retry_after,
            _ => None,
        }
    }

    /// What a tenant may read.
    pub fn for_tenant(&self) -> Cow<'static, str> {
        match self {
            Self::Unanswered(error) => error.for_tenant(),
            other => Cow::Owned(other.to_string()),
        }
    }
}

fn said(code: Option<&'static str>) -> String {
    code.map_or_else(String::new, |code| format!(" ({code})"))
}
