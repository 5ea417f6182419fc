//! What there is to know of a provider beside how it signs: where it says which event type a
//! request is of, how it wants to be answered, and how it asks whether it may send.

use std::borrow::Cow;

use super::answer::Accepted;
use super::handshake::{self, Open};
use super::place::{self, Place};
use super::verify::BatchItem;
use super::{Answer, Request};
use crate::Refused;

/// Takes a body that was found to be genuine apart.
type Split = fn(&[u8]) -> Vec<BatchItem>;

/// A provider's manners; [`Manners::PLAIN`] are those of a sender that nobody knows.
#[derive(Clone, Copy)]
pub struct Manners {
    pub(super) event_type: &'static [Place],
    pub(super) accepted: Accepted,
    pub(super) signed_handshake: Option<handshake::Signed>,
    pub(super) open_handshake: Option<Open>,
    /// Takes a body apart whose items are signed one by one.
    pub(super) split: Option<Split>,
}

impl Manners {
    /// Those of a sender that is known by nothing but its scheme: the event type of CloudEvents, or
    /// else the member `type`, as Standard Webhooks recommends it; and the handshake of
    /// CloudEvents.
    pub const PLAIN: Self = Self {
        event_type: &[Place::Header("ce-type"), Place::Member(&["type"])],
        open_handshake: Some(Open::CloudEvents),
        ..Self::NONE
    };

    /// Those of a provider that says no event type and asks nothing beforehand.
    pub(super) const NONE: Self = Self {
        event_type: &[],
        accepted: Accepted::Id,
        signed_handshake: None,
        open_handshake: None,
        split: None,
    };

    /// The same, with the event type at the first of these places at which there is one.
    pub(super) const fn typed(event_type: &'static [Place]) -> Self {
        Self {
            event_type,
            ..Self::NONE
        }
    }

    /// The event type, in the provider's own words: a text without control characters, of at most
    /// 256 bytes. It is `None` where the provider says none, or where a request of several events
    /// says more than one.
    ///
    /// Some say it in a header, which no signature covers.
    pub fn event_type<'r>(&self, request: &Request<'r>) -> Option<Cow<'r, str>> {
        place::first(self.event_type, request)
    }

    /// How the provider wants a request answered that was taken as the message of this id. By
    /// itself, that is `200` with `{"id":…}`, and `"duplicate":true` beside it where the message
    /// came before.
    pub fn accepted(&self, request: &Request<'_>, id: &str, is_repeat: bool) -> Answer {
        self.accepted.answer(request, id, is_repeat)
    }

    /// The answer to a handshake that can't be signed, if the request is one: it is to be asked for
    /// before the request is verified, and what it answers is never a message. One that must hold a
    /// token holds one of `verify_tokens`.
    ///
    /// A signed handshake is [`Verifier::handshake`](super::Verifier::handshake)'s.
    pub fn open_handshake(
        &self,
        request: &Request<'_>,
        verify_tokens: &[&str],
    ) -> Option<Result<Answer, Refused>> {
        self.open_handshake?.answer(request, verify_tokens)
    }
}

impl std::fmt::Debug for Manners {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Manners").finish_non_exhaustive()
    }
}
