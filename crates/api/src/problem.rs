//! How refusals look: the only map from what went wrong to a status and a body.
//!
//! There are two shapes, as the API's clients know them: `{"code", "detail"}`, and for broken rules
//! `{"detail": [{"loc", "msg", "type"}]}`. What failed inside is logged with its whole chain of
//! causes and answered with `{}`.

use app::{AppError, Violation};
use axum::Json;
use axum::response::{IntoResponse, Response};
use http::header::{RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, StatusCode};
use model::Chain;
use schemars::JsonSchema;
use serde::Serialize;
use std::time::Duration;

/// When a place among listeners may be free again: each waits for as long at the most.
const LISTENERS_WAIT: Duration = app::listening::WAIT_MAX;

/// A refusal on its way out.
#[derive(Debug)]
pub(crate) struct Problem(AppError);

impl<E: Into<AppError>> From<E> for Problem {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

/// A refusal as a word and a sentence.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Refusal {
    /// A word for programs.
    pub(crate) code: &'static str,
    /// A sentence for people.
    pub(crate) detail: String,
}

/// A refusal that says which rules are broken.
#[derive(Serialize, JsonSchema)]
pub(crate) struct BrokenRules<'a> {
    detail: Vec<BrokenRule<'a>>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(inline)]
struct BrokenRule<'a> {
    loc: &'a [String],
    msg: &'a str,
    #[serde(rename = "type")]
    kind: &'static str,
}

impl<'a> From<&'a Violation> for BrokenRule<'a> {
    fn from(violation: &'a Violation) -> Self {
        Self {
            loc: &violation.location,
            msg: &violation.message,
            kind: violation.kind,
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = status(&self.0);
        match &self.0 {
            AppError::Invalid(violations) => {
                let detail = violations.iter().map(BrokenRule::from).collect();
                (status, Json(BrokenRules { detail })).into_response()
            }
            AppError::Internal(error) => {
                tracing::error!(error = %Chain(&**error), "a request failed");
                internal()
            }
            error => {
                if let AppError::Unavailable(cause) = error {
                    tracing::warn!(error = %Chain(cause), "a request could not be stored");
                }
                let mut response = (status, Json(refusal(error))).into_response();
                if status == StatusCode::UNAUTHORIZED {
                    // RFC 9110, 15.5.2: what would be right.
                    let scheme = HeaderValue::from_static("Bearer");
                    response.headers_mut().insert(WWW_AUTHENTICATE, scheme);
                }
                if let Some(wait) = wait(error) {
                    // In whole seconds: never too early.
                    let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
                    let seconds = HeaderValue::from(seconds);
                    response.headers_mut().insert(RETRY_AFTER, seconds);
                }
                response
            }
        }
    }
}

/// When to come again, where that is known.
fn wait(error: &AppError) -> Option<Duration> {
    match error {
        AppError::TooMany { wait } | AppError::TooManySignIns { wait } => Some(*wait),
        AppError::TooManyListeners { .. } => Some(LISTENERS_WAIT),
        _ => None,
    }
}

/// The answer to a request on which something of ours failed.
pub(crate) fn internal() -> Response {
    (
        StatusCode::INTERNAL_SERVER_ERROR,
        Json(serde_json::json!({})),
    )
        .into_response()
}

/// The answer to a request for something that there is no route to.
pub(crate) fn unknown_route() -> Response {
    Problem(AppError::NotFound("there is no such route")).into_response()
}

/// The answer of a node that does not answer for the API: nothing is said of what there is.
pub(crate) fn not_here() -> Response {
    let refusal = Refusal {
        code: "service_unavailable",
        detail: "this node does not have the role `api`: ask another".to_owned(),
    };
    (StatusCode::SERVICE_UNAVAILABLE, Json(refusal)).into_response()
}

/// The answer to a method that a route does not have. The router adds which it has.
pub(crate) fn unknown_method() -> Response {
    let refusal = Refusal {
        code: "method_not_allowed",
        detail: "this route does not have this method; `allow` names those it has".to_owned(),
    };
    (StatusCode::METHOD_NOT_ALLOWED, Json(refusal)).into_response()
}

/// The status that a refusal has.
pub(crate) fn status(error: &AppError) -> StatusCode {
    match error {
        AppError::Invalid(_) => StatusCode::UNPROCESSABLE_ENTITY,
        AppError::BadRequest { .. } => StatusCode::BAD_REQUEST,
        AppError::Unauthenticated(_) => StatusCode::UNAUTHORIZED,
        AppError::Forbidden => StatusCode::FORBIDDEN,
        AppError::NotFound(_) => StatusCode::NOT_FOUND,
        AppError::Conflict { .. } => StatusCode::CONFLICT,
        // RFC 5842, 7.2.
        AppError::Loop(_) => StatusCode::LOOP_DETECTED,
        AppError::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
        AppError::TooMany { .. }
        | AppError::TooManySignIns { .. }
        | AppError::TooManyListeners { .. } => StatusCode::TOO_MANY_REQUESTS,
        AppError::NotBuilt(_) => StatusCode::NOT_IMPLEMENTED,
        AppError::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
        AppError::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// A refusal as a word and a sentence, also for broken rules.
pub(crate) fn refusal(error: &AppError) -> Refusal {
    let code = match error {
        AppError::Invalid(_) => "validation_error",
        AppError::BadRequest { code, .. } | AppError::Conflict { code, .. } => code,
        AppError::Unauthenticated(_) => "authentication_failed",
        // With a space: clients know it so.
        AppError::Forbidden => "insufficient access",
        AppError::NotFound(_) => "not_found",
        AppError::Loop(_) => "loop_detected",
        AppError::TooLarge(_) => "payload_too_large",
        AppError::TooMany { .. }
        | AppError::TooManySignIns { .. }
        | AppError::TooManyListeners { .. } => "too_many_requests",
        AppError::NotBuilt(_) => "not_implemented",
        AppError::Unavailable(_) => "service_unavailable",
        AppError::Internal(_) => "internal_error",
    };
    Refusal {
        code,
        detail: error.to_string(),
    }
}
