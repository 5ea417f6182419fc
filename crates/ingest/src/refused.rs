//! How a request is refused: with which status and word, what its sender is told, and what is
//! reported. The gateway's only map from refusals to status codes.

use app::AppError;
use app::sources::checks::Refusal;
use axum::Json;
use axum::response::{IntoResponse, Response};
use http::header::{ALLOW, RETRY_AFTER};
use http::{HeaderValue, StatusCode};
use model::Chain;
use model::security::SecurityKind;
use std::time::Duration;

/// What comes before the name of a kind, and is left away in the answer's `code`.
const INGEST: &str = "ingest.";
/// When to try again where nothing can be stored.
const UNAVAILABLE_WAIT: Duration = Duration::from_secs(5);

/// A request that was not taken.
#[derive(Debug)]
pub(crate) struct Refused {
    status: StatusCode,
    /// What is reported of it; `None`: nothing, as it says nothing of its sender.
    kind: Option<SecurityKind>,
    code: &'static str,
    /// For the sender.
    detail: &'static str,
    /// For the operator.
    description: String,
    retry_after: Option<Duration>,
    allow: Option<&'static str>,
    /// Nothing more of it is waited for.
    pub(crate) at_once: bool,
    /// Its sender waits for this answer, so that it can't send the next request at once.
    pub(crate) is_slow: bool,
}

impl Refused {
    fn new(status: StatusCode, code: &'static str, detail: &'static str) -> Self {
        Self {
            status,
            kind: None,
            code,
            detail,
            description: detail.to_owned(),
            retry_after: None,
            allow: None,
            at_once: false,
            is_slow: false,
        }
    }

    fn reported(status: StatusCode, kind: SecurityKind, detail: &'static str) -> Self {
        let code = kind.as_str();
        Self {
            kind: Some(kind),
            ..Self::new(status, code.strip_prefix(INGEST).unwrap_or(code), detail)
        }
    }

    fn described(self, description: impl Into<String>) -> Self {
        Self {
            description: description.into(),
            ..self
        }
    }

    fn after(self, wait: Duration) -> Self {
        Self {
            retry_after: Some(wait),
            ..self
        }
    }

    /// It did not pass a check.
    pub(crate) fn of_check(refusal: &Refusal) -> Self {
        let kind = refusal.kind();
        let status = match kind {
            SecurityKind::IngestMalformed | SecurityKind::IngestDecryptionFailed => {
                StatusCode::BAD_REQUEST
            }
            _ => StatusCode::UNAUTHORIZED,
        };
        Self::reported(status, kind, refusal.detail()).described(refusal.to_string())
    }

    /// It is what came before, with another id.
    pub(crate) fn replayed() -> Self {
        let detail = "the same was received before, with another id";
        let kind = SecurityKind::IngestReplayed;
        Self::reported(StatusCode::UNAUTHORIZED, kind, detail)
    }

    /// It can't be read.
    pub(crate) fn malformed(description: impl Into<String>) -> Self {
        let detail = "the request can't be read as what it should be";
        let kind = SecurityKind::IngestMalformed;
        Self::reported(StatusCode::BAD_REQUEST, kind, detail).described(description)
    }

    /// What it was forwarded by can't all be right.
    pub(crate) fn contradictory() -> Self {
        Self::malformed("`Forwarded` and `X-Forwarded-For` name different senders")
    }

    /// Its head is too long.
    pub(crate) fn head_too_large() -> Self {
        Self {
            status: StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            detail: "there are too many header lines, or they are too long",
            ..Self::malformed("there are too many header lines, or they are too long")
        }
    }

    /// Its body takes too long to come.
    pub(crate) fn too_slow() -> Self {
        Self {
            status: StatusCode::REQUEST_TIMEOUT,
            detail: "the body took too long to arrive",
            at_once: true,
            ..Self::malformed("the body took too long to arrive")
        }
    }

    /// Its body is longer than is taken.
    pub(crate) fn too_large(bytes_max: usize) -> Self {
        let detail = "the body is longer than is taken here";
        let kind = SecurityKind::IngestTooLarge;
        Self::reported(StatusCode::PAYLOAD_TOO_LARGE, kind, detail)
            .described(format!("the body is longer than {bytes_max} bytes"))
    }

    /// Too much from this address was refused.
    pub(crate) fn too_many_refused(wait: Duration) -> Self {
        let detail = "too many requests from this address were refused";
        let kind = SecurityKind::IngestRateLimited;
        Self {
            at_once: true,
            is_slow: true,
            ..Self::reported(StatusCode::TOO_MANY_REQUESTS, kind, detail).after(wait)
        }
    }

    /// More comes to this source than it takes.
    pub(crate) fn too_many_for_source(wait: Duration) -> Self {
        let detail = "more requests came than this source takes in a second";
        let kind = SecurityKind::IngestRateLimited;
        Self::reported(StatusCode::TOO_MANY_REQUESTS, kind, detail).after(wait)
    }

    /// There is no room for more.
    pub(crate) fn no_room(wait: Duration) -> Self {
        let detail = "too many requests are worked on: come again later";
        Self {
            at_once: true,
            ..Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", detail).after(wait)
        }
    }

    /// It is a delivery that came round too often.
    pub(crate) fn loops() -> Self {
        let detail = "this is a delivery that has come round as often as it may (webhook-hops): it \
                      is not taken";
        Self::new(StatusCode::LOOP_DETECTED, "loop_detected", detail)
    }

    /// There is nothing there.
    pub(crate) fn not_here() -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", "there is no such route")
    }

    /// Nothing is done by this method.
    pub(crate) fn unknown_method(allow: &'static str) -> Self {
        let detail = "requests arrive here by another method";
        Self {
            allow: Some(allow),
            ..Self::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", detail)
        }
    }

    /// The use case did not take it.
    pub(crate) fn of_error(error: &AppError) -> Self {
        let unavailable = || {
            let detail = "nothing can be received at the moment: come again later";
            Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", detail)
                .after(UNAVAILABLE_WAIT)
        };
        match error {
            AppError::Unavailable(cause) => {
                tracing::warn!(error = %Chain(cause), "what came to a source could not be stored");
                unavailable()
            }
            AppError::NotFound(_) => {
                tracing::warn!("what came to a source could not be kept: its application is gone");
                unavailable()
            }
            AppError::TooLarge(_) => Self::reported(
                StatusCode::PAYLOAD_TOO_LARGE,
                SecurityKind::IngestTooLarge,
                "the body is longer than is taken here",
            ),
            AppError::Invalid(_) | AppError::BadRequest { .. } => {
                Self::malformed(error.to_string())
            }
            error => {
                tracing::error!(error = %Chain(error), "a request to a source failed");
                let detail = "something failed here";
                Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", detail)
            }
        }
    }

    /// What it is counted by, and its sender reads.
    pub(crate) fn code(&self) -> &'static str {
        self.code
    }

    /// What is to be reported.
    pub(crate) fn report(&self) -> Option<(SecurityKind, &str)> {
        Some((self.kind?, &self.description))
    }

    /// Whether it says something of whoever sent it.
    pub(crate) fn counts(&self) -> bool {
        self.kind
            .is_some_and(|kind| kind != SecurityKind::IngestRateLimited)
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let body = serde_json::json!({ "code": self.code, "detail": self.detail });
        let mut response = (self.status, Json(body)).into_response();
        let headers = response.headers_mut();
        if let Some(wait) = self.retry_after {
            // In whole seconds: never too early.
            let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        if let Some(allow) = self.allow {
            headers.insert(ALLOW, HeaderValue::from_static(allow));
        }
        response
    }
}
