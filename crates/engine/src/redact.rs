//! What of a payload an endpoint gets: all but what its message's event type and itself take out
//! of it, anew for each attempt, by the rules of that moment. Where there are none, nothing is
//! looked at.

use crate::ready::ReadyEndpoint;
use crate::verdict::Happened;
use bytes::Bytes;
use model::redaction::{Orders, TypeRedaction, redact};
use vault::KeyRing;

/// Rules name places in JSON. In anything else they can't be found, so none of it is sent.
const NOT_JSON: &str = "not sent: parts of its payload must be left out for this endpoint, and they \
     can't be found since it is not JSON, or nests more than 1,000 levels deep; send JSON, or take \
     the redaction rules away";

/// The payload without what is to be taken out of it.
pub(crate) fn redacted(
    payload: Bytes,
    event_type: Option<&TypeRedaction>,
    (endpoint, ring): (&ReadyEndpoint, &KeyRing),
) -> Result<Bytes, Happened> {
    let orders = Orders::of(event_type, endpoint.redaction.as_ref());
    match redact(&payload, &orders, &|value| ring.pseudonym(value)) {
        Ok(None) => Ok(payload),
        Ok(Some(left)) => Ok(left.into()),
        Err(_) => Err(Happened::Withheld(NOT_JSON)),
    }
}
