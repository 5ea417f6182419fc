//! Why a receiver hands nothing on, and what its sender is told of that.

use crate::Refused;
use crate::jwe::OpenError;
use crate::provider::Answer;
use crate::replay::GuardError;

/// A typed reason. Its text is for the operator's eyes; the sender gets [`status`](Self::status)
/// and [`detail`](Self::detail), by which nobody can tell one forgery from another.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Rejection {
    /// The body is longer than is taken.
    #[error("the body is longer than {bytes_max} bytes")]
    TooLarge {
        /// What is taken.
        bytes_max: usize,
    },
    /// The body ended before its end.
    #[error("the body could not be read to its end")]
    BrokenOff,
    /// The request is not genuine, or not fresh.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// It is no event: the sender asks whether its requests are welcome, and is to be answered so.
    #[error("this is a handshake, to be answered as its provider wants it")]
    Handshake(Answer),
    /// Several messages in one request, each of them signed by itself. One that came before could
    /// stand among others, so that they can't be taken together: verify such a request by a
    /// [`Verifier`](crate::provider::Verifier), and take its
    /// [items](crate::provider::Genuine::items) one by one.
    #[error("the request holds several messages, each signed by itself: take them one by one")]
    Several,
    /// The payload can't be decrypted, or is another message's.
    #[error(transparent)]
    Encryption(#[from] OpenError),
    /// The payload is not the event that is expected.
    #[error(
        "the payload is not {} line {line}, column {column}",
        if *is_json { "of the type that is expected: see" } else { "JSON: it goes wrong at" }
    )]
    Payload {
        /// Whether it is JSON at all.
        is_json: bool,
        /// Where reading stopped, from 1.
        line: usize,
        /// Where reading stopped.
        column: usize,
    },
    /// A replay, or an honest repeat: it was handled before.
    #[error("this message was handled before")]
    Seen,
    /// The message's id is not signed, and came before with other content.
    #[error("a message with this id, which is not signed, came before with other content")]
    OtherContent,
    /// The same message is being handled.
    #[error("this message is being handled already")]
    InProgress,
    /// Whether it is a replay can't be told.
    #[error(transparent)]
    Guard(#[from] GuardError),
    /// A handler asks for an event, and nothing before it has verified one.
    #[error("the route of this handler has no layer that verifies what it asks for")]
    Unverified,
}

impl Rejection {
    /// The status to answer with. What was handled before is answered with `200`, so that an
    /// honest sender stops; all others let it try again.
    pub fn status(&self) -> u16 {
        match self {
            Self::Handshake(answer) => answer.status,
            Self::Seen => 200,
            Self::Several | Self::BrokenOff | Self::Encryption(_) | Self::Payload { .. } => 400,
            Self::Refused(_) => 401,
            Self::OtherContent | Self::InProgress => 409,
            Self::TooLarge { .. } => 413,
            Self::Unverified => 500,
            Self::Guard(_) => 503,
        }
    }

    /// What the sender may know. It is the same for all that it could find out by trying. A
    /// handshake has an answer of its own in place of it.
    pub fn detail(&self) -> &'static str {
        match self {
            Self::Handshake(_) => "",
            Self::Several => "one message at a time",
            Self::Seen => "received before",
            Self::Encryption(_) | Self::Payload { .. } => "the payload can't be used",
            Self::Refused(_) => "the request was refused",
            Self::OtherContent => "a message with this id was received before",
            Self::InProgress => "this message is being received already",
            Self::TooLarge { .. } => "the body is too long",
            Self::BrokenOff => "the body could not be read",
            Self::Guard(_) | Self::Unverified => "nothing can be received for now",
        }
    }
}
