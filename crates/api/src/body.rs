//! Bodies: read whole within bounds of size and time, then parsed as JSON.
//!
//! Reading and parsing are two steps, because a handler looks for the application in between: a bad
//! body to an application that isn't there is refused for the application.

use crate::Shared;
use crate::authentication::{Authenticated, remote_address};
use crate::problem::Problem;
use crate::strict::Strict;
use app::caller::RequestKey;
use app::{AppError, Caller, Violation};
use axum::body::{Body, HttpBody};
use axum::extract::{FromRequest, FromRequestParts, Request};
use bytes::{Bytes, BytesMut};
use http::Method;
use http::header::CONTENT_LENGTH;
use http::request::Parts;
use http_body_util::BodyExt;
use model::hops::{HOPS_HEADER, Hops, NoHops};
use model::trace::{TRACE_HEADER, TraceParent};
use serde::de::DeserializeOwned;
use serde_path_to_error::{Path, Segment};
use std::marker::PhantomData;
use std::net::IpAddr;

/// A route's own limit for bodies, in bytes: an extension of its requests.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BodyLimit(pub(crate) usize);

/// A request with a body that is to be a `T`: who asks, with the idempotency key if there is one,
/// and what was sent.
pub(crate) struct Call<T> {
    /// Who asks.
    pub(crate) caller: Caller,
    /// The body as it came.
    pub(crate) body: Bytes,
    /// What it is to be.
    shape: PhantomData<fn() -> T>,
}

/// A body that nobody wants.
pub(crate) struct NoBody;

impl<T: DeserializeOwned> Call<T> {
    /// The body as what it should be.
    pub(crate) fn json(&self) -> Result<T, AppError> {
        parse(&self.body)
    }
}

impl<T> FromRequest<Shared> for Call<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, api: &Shared) -> Result<Self, Problem> {
        let (mut parts, body) = request.into_parts();
        let Authenticated(mut caller) = Authenticated::from_request_parts(&mut parts, api).await?;
        caller.hops = hops(&parts)?;
        caller.trace = trace(&parts);
        let body = read_whole(&parts, body, api).await?;
        caller.idempotency = idempotency(&parts, &body)?;
        Ok(Self {
            caller,
            body,
            shape: PhantomData,
        })
    }
}

/// A body of somebody who need not say who they are, that is to be a `T`.
pub(crate) struct Posted<T> {
    /// Where it comes from.
    pub(crate) remote_address: Option<IpAddr>,
    body: Bytes,
    shape: PhantomData<fn() -> T>,
}

impl<T: DeserializeOwned> Posted<T> {
    /// The body as what it should be.
    pub(crate) fn json(&self) -> Result<T, AppError> {
        parse(&self.body)
    }
}

impl<T> FromRequest<Shared> for Posted<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, api: &Shared) -> Result<Self, Problem> {
        let (parts, body) = request.into_parts();
        Ok(Self {
            remote_address: remote_address(&parts),
            body: read_whole(&parts, body, api).await?,
            shape: PhantomData,
        })
    }
}

/// A body, within the bounds of its route.
async fn read_whole(parts: &Parts, body: Body, api: &Shared) -> Result<Bytes, AppError> {
    let limit = parts.extensions.get::<BodyLimit>();
    let limit = limit.map_or(api.config.body_bytes_max, |BodyLimit(limit)| *limit);
    let announced = parts
        .headers
        .get(CONTENT_LENGTH)
        .and_then(|text| text.to_str().ok());
    if announced
        .and_then(|text| text.parse().ok())
        .is_some_and(|length: u64| length > limit as u64)
    {
        return Err(too_large(limit));
    }
    let timeout = api.config.body_timeout;
    let read = tokio::time::timeout(timeout, read(body, limit)).await;
    read.unwrap_or_else(|_| {
        Err(bad_body(format!(
            "the body did not arrive within {} s",
            timeout.as_secs()
        )))
    })
}

async fn read(mut body: Body, limit: usize) -> Result<Bytes, AppError> {
    let mut whole = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| bad_body(format!("the body broke off: {error}")))?;
        let Ok(data) = frame.into_data() else {
            continue;
        };
        if whole.len() + data.len() > limit {
            return Err(too_large(limit));
        }
        if whole.is_empty() && body.is_end_stream() {
            return Ok(data);
        }
        whole.extend_from_slice(&data);
    }
    Ok(whole.freeze())
}

fn idempotency(parts: &Parts, body: &[u8]) -> Result<Option<RequestKey>, AppError> {
    if parts.method != Method::POST {
        return Ok(None);
    }
    let Some(value) = parts
        .headers
        .get("idempotency-key")
        .filter(|value| !value.is_empty())
    else {
        return Ok(None);
    };
    let key = value.to_str().map_err(|_| {
        bad_body("an idempotency-key is made of visible ASCII characters".to_owned())
    })?;
    let operation = format!("{} {}", parts.method, parts.uri.path());
    Ok(Some(RequestKey::new(operation, key.to_owned(), body)))
}

/// What the request has been through, where it is a delivery. What may not be posted on is refused
/// before its body is read, whatever it asks for.
fn hops(parts: &Parts) -> Result<Hops, AppError> {
    let mut values = parts.headers.get_all(HOPS_HEADER).iter();
    let Some(value) = values.next() else {
        return Ok(Hops::NONE);
    };
    let text = value.to_str().ok().filter(|_| values.next().is_none());
    let hops: Hops = text
        .unwrap_or_default()
        .parse()
        .map_err(|wrong: NoHops| Violation::header(&[HOPS_HEADER], wrong.to_string()))?;
    match hops.is_spent() {
        true => Err(AppError::Loop(
            "This is a delivery that has come round as often as it may (webhook-hops): it is not \
             posted on.",
        )),
        false => Ok(hops),
    }
}

/// The trace that the request is a part of. One that can't be read is none: what a library adds by
/// itself is no reason to refuse a message.
fn trace(parts: &Parts) -> Option<TraceParent> {
    let mut values = parts.headers.get_all(TRACE_HEADER).iter();
    let (Some(value), None) = (values.next(), values.next()) else {
        return None;
    };
    value.to_str().ok()?.parse().ok()
}

fn too_large(limit: usize) -> AppError {
    AppError::TooLarge(format!(
        "Request payload is too large. A body may have {limit} bytes here."
    ))
}

fn bad_body(detail: String) -> AppError {
    AppError::BadRequest {
        code: "generic_error",
        detail,
    }
}

/// Parses JSON, to its last byte.
///
/// # Errors
/// What was wrong, and where: the path as it is written on the wire.
pub(crate) fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, AppError> {
    // Keeping track of where a fault would be costs more than parsing does.
    let mut json = serde_json::Deserializer::from_slice(body);
    if let Ok(value) = T::deserialize(Strict(&mut json))
        && json.end().is_ok()
    {
        return Ok(value);
    }
    let mut json = serde_json::Deserializer::from_slice(body);
    let value = serde_path_to_error::deserialize(Strict(&mut json)).map_err(|error| {
        let path = location(error.path());
        let reason = error.inner();
        let text = match path.as_slice() {
            [] => reason.to_string(),
            path => format!("{}: {reason}", path.join(".")),
        };
        unreadable(&path, text)
    })?;
    json.end()
        .map_err(|error| unreadable(&[], error.to_string()))?;
    Ok(value)
}

/// The names on the way to a value, an array's index glued to its name.
fn location(path: &Path) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for segment in path {
        match (segment, names.last_mut()) {
            (Segment::Seq { index }, Some(last)) => last.push_str(&format!("[{index}]")),
            (Segment::Seq { index }, None) => names.push(format!("[{index}]")),
            (Segment::Map { key }, _) => names.push(key.clone()),
            (Segment::Enum { variant }, _) => names.push(variant.clone()),
            (Segment::Unknown, _) => {}
        }
    }
    names
}

/// Clients know a fault of the whole body by two empty names.
fn unreadable(path: &[String], text: String) -> AppError {
    let names: Vec<&str> = match path {
        [] => vec!["", ""],
        path => path.iter().map(String::as_str).collect(),
    };
    Violation::body(&names, text).unreadable().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;
    use std::collections::BTreeMap;

    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "camelCase")]
    #[allow(dead_code, reason = "only parsing matters")]
    struct Shape {
        name: String,
        #[serde(default)]
        event_types: Vec<String>,
        application: Option<Box<Shape>>,
        #[serde(default)]
        metadata: BTreeMap<String, String>,
    }

    #[test]
    fn faults_are_located_as_they_are_written() {
        let cases = [
            (
                "{}",
                vec!["", ""],
                "missing field `name` at line 1 column 2",
            ),
            (
                "",
                vec!["", ""],
                "EOF while parsing a value at line 1 column 0",
            ),
            (
                "[]",
                vec!["", ""],
                "invalid type: sequence, expected struct Shape at line 1 column 2",
            ),
            (
                r#"{"name":"a"} x"#,
                vec!["", ""],
                "trailing characters at line 1 column 14",
            ),
            (
                r#"{"name":"a","name":"b"}"#,
                vec!["", ""],
                "duplicate field `name` at line 1 column 18",
            ),
            (
                r#"{"name":1}"#,
                vec!["name"],
                "name: invalid type: integer `1`, expected a string at line 1 column 9",
            ),
            (
                r#"{"name":"a","eventTypes":[1]}"#,
                vec!["eventTypes[0]"],
                "eventTypes[0]: invalid type: integer `1`, expected a string at line 1 column 27",
            ),
            (
                r#"{"name":"a","application":{"name":null}}"#,
                vec!["application", "name"],
                "application.name: invalid type: null, expected a string at line 1 column 38",
            ),
            (
                r#"{"name":"a","metadata":{"a.b":1}}"#,
                vec!["metadata", "a.b"],
                "metadata.a.b: invalid type: integer `1`, expected a string at line 1 column 31",
            ),
        ];
        for (body, names, text) in cases {
            let Err(AppError::Invalid(violations)) = parse::<Shape>(body.as_bytes()) else {
                panic!("{body} is not refused");
            };
            let [violation] = violations.as_slice() else {
                panic!("{body}: {violations:?}");
            };
            assert_eq!(violation.location[0], "body");
            assert_eq!(violation.location[1..], names, "{body}");
            assert_eq!(violation.message, text, "{body}");
            assert_eq!(violation.kind, "value_error.jsondecode");
        }
    }

    #[test]
    fn bytes_that_are_no_text_are_refused() {
        assert!(parse::<Shape>(b"{\"name\":\"\xff\"}").is_err());
        assert!(parse::<Shape>("[".repeat(100_000).as_bytes()).is_err());
    }
}
