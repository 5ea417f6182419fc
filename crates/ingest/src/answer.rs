//! Answers as providers want them, and the public keys of a source, for who encrypts to it. What
//! is answered is never taken for anything else than it says, nor kept by anybody on the way.

use crate::refused::Refused;
use app::sources::OpenSource;
use app::sources::checks::Answer;
use axum::body::Body;
use axum::response::Response;
use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderValue, StatusCode};
use std::time::Duration;

const SERVER_TIMING: HeaderName = HeaderName::from_static("server-timing");
const ANSWER_POLICY: HeaderValue =
    HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'; sandbox");

/// An answer, to be written.
pub(crate) fn written(answer: Answer) -> Response {
    let mut response = Response::new(Body::from(answer.body));
    *response.status_mut() = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::OK);
    let headers = response.headers_mut();
    if let Some(content_type) = answer.content_type {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    }
    for (name, value) in answer.headers {
        let name = HeaderName::from_bytes(name.as_bytes());
        if let (Ok(name), Ok(value)) = (name, HeaderValue::try_from(value)) {
            headers.insert(name, value);
        }
    }
    response
}

/// Says how long the store took, as the API does to who sends messages.
pub(crate) fn timed(response: &mut Response, commit: Duration) {
    let millis = commit.as_secs_f64() * 1e3;
    let value = HeaderValue::try_from(format!("commit;dur={millis:.3}"));
    let value = value.expect("digits are good in a header");
    response.headers_mut().insert(SERVER_TIMING, value);
}

/// The public halves of the keys that a source decrypts with, as a JWKS.
pub(crate) fn public_keys(source: &OpenSource) -> Result<Response, Refused> {
    let keys = source.checks.public_keys();
    if keys.is_empty() {
        return Err(Refused::not_here());
    }
    Ok(written(Answer {
        status: 200,
        content_type: Some("application/jwk-set+json"),
        headers: Vec::new(),
        body: format!(r#"{{"keys":[{}]}}"#, keys.join(",")),
    }))
}

/// What holds of every answer.
pub(crate) fn sealed(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(CONTENT_SECURITY_POLICY, ANSWER_POLICY);
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}
