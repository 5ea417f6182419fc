//! How a request to a source is refused: of what kind that is, what its operator reads of it, and
//! the little that its sender is told.

use model::security::SecurityKind;
use webhook::Refused;
use webhook::jwe::OpenError;

/// Why a request was not taken. Its text is for the operator's eyes, and repeats nothing that is
/// secret or came with the request.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It came from elsewhere.
    #[error("it came from an address that is not among those that are allowed")]
    Address,
    /// It is not signed as it should be, or not now.
    #[error("{0}")]
    Signature(Refused),
    /// Its sender did not show what it should.
    #[error("{0}")]
    Credentials(&'static str),
    /// It is signed by itself, and not as it should be.
    #[error("the request's own signature: {0}")]
    RequestSignature(Refused),
    /// Its client's certificate won't do.
    #[error("{0}")]
    Certificate(String),
    /// Its payload can't be decrypted, or was encrypted for another message.
    #[error("{0}")]
    Encryption(OpenError),
    /// It asks, in the wrong way, whether requests are welcome.
    #[error("a handshake: {0}")]
    Handshake(Refused),
}

impl Refusal {
    /// The kind of the security event.
    pub fn kind(&self) -> SecurityKind {
        match self {
            Self::Signature(refused) | Self::RequestSignature(refused) if is_age(refused) => {
                SecurityKind::IngestTimestampStale
            }
            Self::Signature(_) => SecurityKind::IngestSignatureInvalid,
            Self::Address
            | Self::Credentials(_)
            | Self::RequestSignature(_)
            | Self::Certificate(_)
            | Self::Handshake(Refused::WrongToken | Refused::Missing(_) | Refused::NoKey) => {
                SecurityKind::IngestCredentialsInvalid
            }
            Self::Encryption(_) => SecurityKind::IngestDecryptionFailed,
            Self::Handshake(_) => SecurityKind::IngestMalformed,
        }
    }

    /// What the sender is told: no more than a genuine one needs.
    pub fn detail(&self) -> &'static str {
        match self.kind() {
            SecurityKind::IngestTimestampStale => {
                "the request was signed too long ago, or in the future: set the clock"
            }
            SecurityKind::IngestCredentialsInvalid => "the request's credentials are not accepted",
            SecurityKind::IngestDecryptionFailed => {
                "the payload is not encrypted to this source as it should be"
            }
            SecurityKind::IngestMalformed => "the request can't be read as what it should be",
            _ => UNSIGNED,
        }
    }
}

/// What the sender of a forgery is told, and whoever asks for a source that isn't there.
pub const UNSIGNED: &str = "the request is not signed with this source's secret";

fn is_age(refused: &Refused) -> bool {
    matches!(
        refused,
        Refused::TooOld { .. } | Refused::FromTheFuture { .. } | Refused::Expired { .. }
    )
}
