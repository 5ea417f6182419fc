//! What is in a body before it is signed: a message's payload as its endpoint gets it, or for thin
//! events where that is to be had. Deliveries and what is fetched are made here alike.

use crate::encrypt::encrypted;
use crate::ready::{ReadyEndpoint, Unsound};
use crate::redact::redacted;
use crate::seal::Letter;
use crate::verdict::Happened;
use bytes::Bytes;
use http::HeaderValue;
use model::message::{Message, PayloadForm};
use model::redaction::TypeRedaction;
use model::{Entropy, Timestamp};
use std::sync::Arc;
use std::time::Duration;
use store::Lane;
use store::rows::{MessageRow, Payload};
use vault::{KeyRing, Place, Ticket};
use webhook::jwe::{Context, MEDIA_TYPE, Recipient};

/// What payloads are where nothing else is said.
const JSON: &str = "application/json";
/// How long a thin event's URL is good.
const FETCHED_WITHIN: Duration = Duration::from_secs(24 * 3_600);
/// Thin events say where their payload is.
const NO_PUBLIC_URL: &str = "not sent: the endpoint gets thin events, and this server does not know \
     where it is reached from outside: its operator starts it with --public-url";

/// Whom a body is for, and what it is made with.
#[derive(Clone, Copy)]
pub(crate) struct To<'t> {
    pub(crate) endpoint: &'t Arc<ReadyEndpoint>,
    pub(crate) ring: &'t KeyRing,
    pub(crate) recipient: Option<&'t Recipient>,
    /// What the event type takes from payloads.
    pub(crate) redaction: Option<&'t TypeRedaction>,
}

/// A body in clear.
pub(crate) struct Contents<'m> {
    body: Bytes,
    content_type: &'m str,
}

/// A message's payload, without what its endpoint doesn't get.
pub(crate) fn whole<'m>(
    message: &'m Message,
    payload: Bytes,
    to: To<'_>,
) -> Result<Contents<'m>, Happened> {
    let content_type = match &message.form {
        PayloadForm::Raw {
            content_type: Some(content_type),
        } => content_type,
        _ => JSON,
    };
    Ok(Contents {
        body: redacted(payload, to.redaction, (to.endpoint, to.ring))?,
        content_type,
    })
}

/// What has nothing in it that could be taken out, as it is.
pub(crate) fn bare(payload: Bytes) -> Contents<'static> {
    Contents {
        body: payload,
        content_type: JSON,
    }
}

/// That something happened, and where its payload can be fetched by whoever is told: nothing of
/// it. Each attempt has a URL of its own.
pub(crate) fn thin(
    message: &Message,
    (lane, ring): (Lane, &KeyRing),
    public_url: Option<&str>,
    at: Timestamp,
) -> Result<Contents<'static>, Happened> {
    let public_url = public_url.ok_or(Happened::Withheld(NO_PUBLIC_URL))?;
    let ticket = ring.issue(&Ticket {
        application: lane.application,
        endpoint: lane.endpoint,
        message: message.id,
        until: at.plus(FETCHED_WITHIN),
    });
    let (id, event_type) = (message.id, &message.event_type);
    let time = jiff::Timestamp::from_microsecond(message.id.key().time().micros());
    let time = time.unwrap_or(jiff::Timestamp::MAX);
    // Nothing in it needs an escape: ids, names, tickets and URLs that were parsed have none of
    // the characters that do.
    let body = format!(
        r#"{{"id":"{id}","type":"{event_type}","timestamp":"{time}","url":"{public_url}/api/v1/payload/{ticket}"}}"#
    );
    Ok(Contents {
        body: body.into(),
        content_type: JSON,
    })
}

/// The body as it is to be signed: encrypted, where it is to be.
pub(crate) fn enclosed(
    contents: Contents<'_>,
    message: &Message,
    recipient: Option<&Recipient>,
    (at, entropy): (Timestamp, &dyn Entropy),
) -> Result<Letter, Happened> {
    let Contents {
        mut body,
        mut content_type,
    } = contents;
    if let Some(recipient) = recipient {
        let context = Context {
            id: &message.id.to_string(),
            timestamp: at.seconds(),
            event_type: message.event_type.as_str(),
            content_type,
        };
        body = encrypted(recipient, context, &body, entropy)?;
        content_type = MEDIA_TYPE;
    }
    Ok(Letter {
        message: message.id,
        content_type: HeaderValue::from_str(content_type)
            .unwrap_or(const { HeaderValue::from_static(JSON) }),
        payload: body,
        hops: message.hops.next(),
        trace: None,
    })
}

/// A message's payload, opened.
pub(crate) fn opened(message: &MessageRow, ring: &KeyRing) -> Result<Bytes, Unsound> {
    let Payload::Sealed(sealed) = &message.payload else {
        return Err(Unsound::Missing("payload"));
    };
    let place = Place {
        table: "message",
        row: &message.message.id.tail(),
        column: "payload",
    };
    match ring.open(place, sealed) {
        Ok(opened) => Ok(opened.into()),
        Err(source) => Err(Unsound::Sealed {
            what: "payload",
            source,
        }),
    }
}
