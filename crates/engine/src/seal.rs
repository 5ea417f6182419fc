//! Makes the request of one attempt: what goes on the wire, signed as it goes there.
//!
//! The message's id is the same in all attempts; the time is this attempt's, so each is signed
//! anew, with every secret that is valid at that time.

use crate::ready::ReadyEndpoint;
use crate::signature::Signed;
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName, HeaderValue};
use model::Timestamp;
use model::hops::{HOPS_HEADER, Hops};
use model::id::MessageId;
use model::trace::{TRACE_HEADER, TraceParent};
use transport::{Limits, Outgoing};
use webhook::HeaderFamily;

const TRACE: HeaderName = HeaderName::from_static(TRACE_HEADER);
const HOPS: HeaderName = HeaderName::from_static(HOPS_HEADER);

/// What is sent.
pub(crate) struct Letter {
    pub(crate) message: MessageId,
    pub(crate) content_type: HeaderValue,
    pub(crate) payload: Bytes,
    /// What it has been through, with this.
    pub(crate) hops: Hops,
    /// What it is a part of, where it is sent, with this attempt as the parent of what follows.
    pub(crate) trace: Option<TraceParent>,
}

/// How it is sent.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Manner {
    pub(crate) family: HeaderFamily,
    pub(crate) limits: Limits,
}

/// The request of an attempt that begins at `at`.
pub(crate) fn seal(
    endpoint: &ReadyEndpoint,
    letter: Letter,
    at: Timestamp,
    manner: Manner,
) -> Outgoing {
    let mut headers = endpoint.headers.clone();
    sign(endpoint, &letter, (at, manner.family), &mut headers);
    headers.insert(HOPS, HeaderValue::from(u16::from(letter.hops.number())));
    if let Some(trace) = letter.trace
        && let Ok(value) = HeaderValue::try_from(trace.to_string())
    {
        headers.insert(TRACE, value);
    }
    let mut outgoing = Outgoing::post(
        endpoint.target.clone(),
        headers,
        letter.payload,
        manner.limits,
    );
    outgoing.spelling = endpoint.spelling.clone();
    outgoing
}

/// Puts what a letter is, and its signature, on what it travels with.
pub(crate) fn sign(
    endpoint: &ReadyEndpoint,
    letter: &Letter,
    (at, family): (Timestamp, HeaderFamily),
    headers: &mut HeaderMap,
) {
    let signed = Signed {
        id: &letter.message.to_string(),
        at,
        body: &letter.payload,
    };
    let family = endpoint.authentication.family(family);
    endpoint.signing.sign(headers, signed, family);
    headers.insert(CONTENT_TYPE, letter.content_type.clone());
}
