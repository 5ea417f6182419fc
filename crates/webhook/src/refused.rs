//! Why a request was not taken for genuine. One enum for every scheme, so that whoever counts and
//! reports refusals needs to know no scheme.

/// A typed reason. It is meant for the operator's eyes: an answer to the sender should say no more
/// than that the request was refused, since everything else helps to guess.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Refused {
    /// There is nothing to verify with. An empty list of keys accepts nothing.
    #[error("no key is configured to verify with")]
    NoKey,
    /// A header that the scheme needs is not there. A request without any signature ends here.
    #[error("the header `{0}` is missing")]
    MissingHeader(&'static str),
    /// A security header is there twice, be it with the same value: which one counts would depend
    /// on the reader.
    #[error("the header `{0}` is there more than once")]
    DuplicateHeader(&'static str),
    /// `webhook-*` and `svix-*` headers are both there and do not say the same.
    #[error("the `webhook-*` and the `svix-*` headers contradict each other")]
    ContradictoryHeaders,
    /// The message id can't have been signed unambiguously: see
    /// [`is_valid_id`](crate::is_valid_id).
    #[error("the message id is not 1 to 256 visible ASCII characters without a full stop")]
    MalformedId,
    /// The signed time is no plain decimal integer.
    #[error("the timestamp is not a plain integer of seconds")]
    MalformedTimestamp,
    /// More signatures than an honest sender has keys.
    #[error("there are more than {} signatures", crate::SIGNATURES_MAX)]
    TooManySignatures,
    /// No well-formed signature of a version that one of the configured keys can check.
    #[error("there is no well-formed signature of a version that the configured keys can check")]
    NoUsableSignature,
    /// There are signatures to check, and none was made with a configured key over this content.
    #[error("no signature matches: the content was changed, or another key signed it")]
    WrongSignature,
    /// Genuine, and signed too long ago: a replay, or a clock that is behind.
    #[error("signed {seconds} s ago, longer than is tolerated")]
    TooOld {
        /// How long ago.
        seconds: u64,
    },
    /// Genuine, and signed too far in the future: a clock that is ahead.
    #[error("signed {seconds} s in the future, more than is tolerated")]
    FromTheFuture {
        /// How far ahead.
        seconds: u64,
    },
}
