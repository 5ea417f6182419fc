//! Makes the request of one attempt: what goes on the wire, signed as it goes there.
//!
//! The message's id is the same in all attempts; the time is this attempt's, so each is signed
//! anew, with every secret that is valid at that time.

use crate::ready::{JSON, ReadyEndpoint};
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName, HeaderValue};
use model::Timestamp;
use model::id::MessageId;
use model::message::PayloadForm;
use transport::{Limits, Outgoing};
use webhook::HeaderFamily;

/// What is sent.
pub(crate) struct Letter<'a> {
    pub(crate) message: MessageId,
    pub(crate) form: &'a PayloadForm,
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
    letter: Letter<'_>,
    at: Timestamp,
    manner: Manner,
) -> Outgoing {
    let mut headers = endpoint.headers.clone();
    sign(&mut headers, endpoint, &letter, (at, manner.family));
    if let PayloadForm::Raw {
        content_type: Some(content_type),
    } = letter.form
    {
        headers.insert(CONTENT_TYPE, content_type.parse().unwrap_or(JSON));
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

fn sign(
    headers: &mut HeaderMap,
    endpoint: &ReadyEndpoint,
    letter: &Letter<'_>,
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
