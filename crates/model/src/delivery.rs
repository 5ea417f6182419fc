//! A delivery: one message on its way to one endpoint. Only open deliveries exist as such; what
//! became of a closed one is read from its attempts. To people it is one and the same, open, ended,
//! and sent again: its public name says which message, and which endpoint.

use crate::clock::Timestamp;
use crate::id::{
    ApplicationKey, DeliveryKey, EndpointKey, Key, MessageId, MessageKey, PublicDeliveryId, Tail,
};

/// Why a delivery was opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Trigger {
    /// The message matched the endpoint when it was accepted; retried by the schedule.
    Scheduled,
    /// Somebody asked for this one to be sent again: one try, no retries.
    Manual,
    /// Part of a recovery or replay of many: one try, behind live traffic.
    Replay,
}

impl Trigger {
    /// The order within a lane.
    pub fn class(self) -> Class {
        match self {
            Trigger::Scheduled | Trigger::Manual => Class::Live,
            Trigger::Replay => Class::Replayed,
        }
    }

    /// Whether a failure is followed by another attempt.
    pub fn retries(self) -> bool {
        self == Trigger::Scheduled
    }
}

/// What goes first within a lane: live traffic, then replays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// Messages as they come, and single resends.
    Live,
    /// Recoveries and replays of many.
    Replayed,
}

/// An open delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// Its own sequence number.
    pub key: DeliveryKey,
    /// The application of both ends.
    pub application: ApplicationKey,
    /// Where to: also names the lane.
    pub endpoint: EndpointKey,
    /// What.
    pub message: MessageKey,
    /// Why.
    pub trigger: Trigger,
    /// Attempts made so far.
    pub attempts: u16,
    /// When the next attempt may start.
    pub due: Timestamp,
}

/// What a delivery is called in public: by the keys of its message and of its endpoint. So it has
/// a name before anything was sent, keeps it for as long as its message is kept, and sorts by time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PublicName {
    /// Of this message.
    pub message: MessageKey,
    /// To this endpoint.
    pub endpoint: EndpointKey,
    /// A part of the message's tail, so that a name can't be made up.
    check: [u8; CHECK_BYTES],
}

const CHECK_BYTES: usize = 4;

impl PublicName {
    /// Of a message's delivery to an endpoint.
    pub fn of(message: MessageId, endpoint: EndpointKey) -> Self {
        let [a, b, c, d, ..] = message.tail();
        Self {
            message: message.key(),
            endpoint,
            check: [a, b, c, d],
        }
    }

    /// Of a place among deliveries, to go on behind in a list: it may be nobody's name.
    pub fn of_place(message: MessageKey, endpoint: EndpointKey) -> Self {
        Self {
            message,
            endpoint,
            check: [0; CHECK_BYTES],
        }
    }

    /// What an id says.
    pub fn read(id: PublicDeliveryId) -> Self {
        let [endpoint @ .., a, b, c, d] = id.tail();
        let endpoint = i64::from_be_bytes(endpoint).max(0);
        Self {
            message: Key::from_integer(id.key().integer()),
            endpoint: Key::from_integer(endpoint),
            check: [a, b, c, d],
        }
    }

    /// As it is shown.
    pub fn id(self) -> PublicDeliveryId {
        let mut tail = Tail::default();
        let (endpoint, check) = tail.split_at_mut(size_of::<i64>());
        endpoint.copy_from_slice(&self.endpoint.integer().to_be_bytes());
        check.copy_from_slice(&self.check);
        PublicDeliveryId::new(Key::from_integer(self.message.integer()), tail)
    }
}

/// Why a delivery ended without an attempt having had the last word. Kept as an attempt of its
/// own, so that what happened to the message can be looked up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EndReason {
    /// The endpoint was disabled, by hand or because it kept failing.
    EndpointDisabled,
    /// The endpoint was deleted, or its application.
    EndpointDeleted,
    /// The payload reached its age.
    PayloadGone,
    /// The payload was expunged.
    Expunged,
    /// It was cancelled.
    Cancelled,
}

impl EndReason {
    /// A sentence for people, shown where an answer would be.
    pub fn text(self) -> &'static str {
        match self {
            EndReason::EndpointDisabled => "not sent: the endpoint was disabled",
            EndReason::EndpointDeleted => "not sent: the endpoint was deleted",
            EndReason::PayloadGone => "not sent: the payload had expired",
            EndReason::Expunged => "not sent: the payload was expunged",
            EndReason::Cancelled => "not sent: it was cancelled",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::Id;

    #[test]
    fn a_public_name_reads_back_and_is_its_messages_alone() {
        let message = Id::new(Key::from_integer(7 << 40), [9; 12]);
        let endpoint = Key::from_integer(i64::MAX - 5);
        let name = PublicName::of(message, endpoint);
        let text = name.id().to_string();
        assert!(text.starts_with("dlv_"), "{text}");
        let read: PublicDeliveryId = text.parse().expect("it is an id");
        assert_eq!(PublicName::read(read), name);
        let other = Id::new(message.key(), [8; 12]);
        assert_ne!(PublicName::of(other, endpoint), name);
    }

    #[test]
    fn whatever_id_is_read_names_a_place() {
        let id = PublicDeliveryId::new(Key::MAX, [0xff; 12]);
        let name = PublicName::read(id);
        assert_eq!((name.message, name.endpoint), (Key::MAX, Key::MIN));
    }
}
