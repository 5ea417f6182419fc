//! The gateway, and requests that are signed with their senders' own published packages.
//!
//! - [`each`]: what each of them signs comes in, once, and nothing else does.
//! - [`round_trip`]: from one server to another, with all that protects what is sent.
//! - [`broken_disk`]: nothing is taken that is not on disk, and nothing is burnt by that.

mod broken_disk;
mod each;
mod round_trip;

use bytes::Bytes;
use e2e::Signed;
use e2e::senders::Event;

/// What Standard Webhooks are signed with, and any sender's that takes any text.
const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// An event that happens now.
fn event(id: &str, event_type: &str, body: impl Into<Bytes>) -> Event {
    Event {
        id: id.to_owned(),
        event_type: event_type.to_owned(),
        timestamp: jiff::Timestamp::now().as_second(),
        body: body.into(),
    }
}

/// So many, in their order.
fn these<const COUNT: usize>(signed: Vec<Signed>) -> [Signed; COUNT] {
    let count = signed.len();
    let these = signed.try_into().ok();
    these.unwrap_or_else(|| panic!("{count} were signed, not {COUNT}"))
}
