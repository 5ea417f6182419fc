//! Makes the request of one attempt: what goes on the wire, signed as it goes there.
//!
//! The message's id is the same in all attempts; the time is this attempt's, so each is signed
//! anew, with every secret that is valid at that time.

use crate::ready::ReadyEndpoint;
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName, HeaderValue};
use model::Timestamp;
use model::id::MessageId;
use transport::{Limits, Outgoing};
use webhook::HeaderFamily;

/// What is sent.
pub(crate) struct Letter {
    pub(crate) message: MessageId,
    pub(crate) content_type: HeaderValue,
    pub(crate) payload: Bytes,
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
    sign(&mut headers, endpoint, &letter, (at, manner.family));
    headers.insert(CONTENT_TYPE, letter.content_type);
    let mut outgoing = Outgoing::post(
        endpoint.target.clone(),
        headers,
        letter.payload,
        manner.limits,
    );
    outgoing.spelling = endpoint.spelling.clone();
    outgoing
}

fn sign(
    headers: &mut HeaderMap,
    endpoint: &ReadyEndpoint,
    letter: &Letter,
    (at, family): (Timestamp, HeaderFamily),
) {
    let id = letter.message.to_string();
    let seconds = at.seconds();
    let signature = webhook::sign(&endpoint.signing_at(at), &id, seconds, &letter.payload);
    let id = header(id);
    let signature = header(signature);
    for names in family.names() {
        headers.insert(HeaderName::from_static(names.id), id.clone());
        headers.insert(
            HeaderName::from_static(names.timestamp),
            HeaderValue::from(seconds),
        );
        headers.insert(HeaderName::from_static(names.signature), signature.clone());
    }
}

fn header(text: String) -> HeaderValue {
    HeaderValue::try_from(text).expect("ids and signatures are visible ASCII")
}
