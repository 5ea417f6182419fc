//! What arrived at a source, and what is known of it when it was found to be genuine.

use super::{Answer, ReplayKey, Request};
use std::net::IpAddr;
use webhook::provider::{BatchItem, Genuine, ReplayGuard};

/// A request that arrived, read to its end. It does not print: a header of it may be a token.
#[derive(Clone, Copy)]
pub struct Arrived<'r> {
    /// The request itself, with the URL under which the source is reached.
    pub request: Request<'r>,
    /// Where it came from.
    pub address: Option<IpAddr>,
    /// What its client showed of itself within TLS, and was proved to have the key of: its own
    /// certificate first, each in DER.
    pub certificates: &'r [Vec<u8>],
}

/// What becomes of a request that passed all checks.
pub enum Verified {
    /// Messages of it.
    Came(Vec<Came>),
    /// An answer: it asked whether requests are welcome.
    Handshake(Answer),
}

/// One message that came. It does not print.
pub struct Came {
    /// Its sender's own id of it.
    pub id: Option<String>,
    /// Whether the signature covers that.
    pub is_id_signed: bool,
    /// Its event type, in its sender's own words.
    pub event_type: Option<String>,
    /// Its payload; `None`: the whole body.
    pub payload: Option<Vec<u8>>,
    /// By what a replay is told; `None`: by nothing.
    pub replay_key: Option<ReplayKey<'static>>,
}

impl Came {
    /// What a provider has signed; of one that signs nothing, what it showed the token of.
    pub(super) fn genuine(
        genuine: Genuine<'_>,
        event_type: Option<String>,
        remembers: bool,
    ) -> Self {
        let is_id_signed = genuine.id.as_ref().is_some_and(|id| id.is_signed);
        let id = genuine.id.map(|id| id.text.into_owned());
        let replay_key = match (genuine.guard, &id) {
            // What can be changed can be changed all of it: then the id tells honest repeats best,
            // and without one, two bodies that are the same are two events as well as one.
            (ReplayGuard::Nothing, id) => id.clone().map(|id| ReplayKey::Id(id.into())),
            _ => Some(owned(genuine.replay_key)),
        };
        Self {
            // Then it is a part of the key, and no second one.
            is_id_signed: is_id_signed || genuine.guard == ReplayGuard::Nothing,
            id,
            event_type,
            payload: None,
            replay_key: replay_key.filter(|_| remembers),
        }
    }

    /// One message of a batch whose items are signed one by one.
    pub(super) fn item(item: BatchItem, remembers: bool) -> Self {
        Self {
            is_id_signed: item.id.as_ref().is_some_and(|id| id.is_signed),
            id: item.id.map(|id| id.text.into_owned()),
            event_type: item.event_type,
            payload: Some(item.payload),
            replay_key: remembers.then_some(item.replay_key),
        }
    }

    /// What is signed as HTTP messages are, with its id.
    pub(super) fn signed(id: String, event_type: Option<String>) -> Self {
        Self {
            replay_key: Some(ReplayKey::Id(id.clone().into())),
            id: Some(id),
            is_id_signed: true,
            event_type,
            payload: None,
        }
    }

    /// What nothing is signed of.
    pub(super) fn unsigned(event_type: Option<String>) -> Self {
        Self {
            id: None,
            is_id_signed: false,
            event_type,
            payload: None,
            replay_key: None,
        }
    }
}

/// The same, of its own.
fn owned(key: ReplayKey<'_>) -> ReplayKey<'static> {
    match key {
        ReplayKey::Id(id) => ReplayKey::Id(id.into_owned().into()),
        ReplayKey::Content(digest) => ReplayKey::Content(digest),
    }
}
