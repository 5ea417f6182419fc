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
    /// What the scheme needs is not there. Which header carries it differs from scheme to scheme.
    #[error("{0} is missing")]
    Missing(Carried),
    /// It is there twice, be it the same.
    #[error("{0} is there more than once")]
    Duplicate(Carried),
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
    /// Genuine, and past the time that it says it is good for.
    #[error("the signature expired {seconds} s ago")]
    Expired {
        /// How long ago.
        seconds: u64,
    },
    /// A header is not written as its standard says.
    #[error("the header `{0}` is not written as its standard says")]
    MalformedHeader(&'static str),
    /// A signature without a parameter that it must have.
    #[error("the signature has no `{0}`")]
    MissingParameter(&'static str),
    /// No signature is for this use.
    #[error("no signature has the `tag` that is expected here")]
    OtherTag,
    /// The signature names a key that is not among the configured ones.
    #[error("the signature's `keyid` names none of the configured keys")]
    UnknownKey,
    /// The signature says another algorithm than its key is for.
    #[error("the signature's `alg` is not the algorithm of the key that it names")]
    OtherAlgorithm,
    /// The signature is over too little. It names what is missing, if that is among what is well
    /// known.
    #[error("the signature does not cover {0}, which has to be covered")]
    Uncovered(&'static str),
    /// The signature is over something that the request does not have, or that is not understood.
    #[error("the signature covers {0}, which has no unambiguous value in this request")]
    Unavailable(&'static str),
    /// Not the token that was agreed upon. There is no signature to compare.
    #[error("the token is not the configured one")]
    WrongToken,
    /// The request says that it is signed in another way than the one that is configured.
    #[error("the header `{0}` names another version of the signature than is expected here")]
    OtherVersion(&'static str),
    /// The body is not of the form in which its signature would stand.
    #[error("the body is not JSON of the form that this scheme signs: {0}")]
    MalformedBody(&'static str),
    /// A handshake asks for something to be given back that nobody needs to give back.
    #[error(
        "what the handshake asks to be given back is not 1 to {} visible ASCII characters",
        crate::provider::CHALLENGE_BYTES_MAX
    )]
    MalformedChallenge,
    /// The URL is signed with a digest of the body, and that of the body is another.
    #[error("the URL's `{0}` is not the digest of the body")]
    WrongUrlDigest(&'static str),
    /// The body is not the one that the signed digest is of.
    #[error("the header `content-digest` is not that of the body")]
    WrongDigest,
}

/// What a header of another sender's scheme carries.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Carried {
    /// The signature.
    Signature,
    /// The signed time.
    Timestamp,
    /// The message's id.
    Id,
    /// A token in a signature's place.
    Token,
}

impl std::fmt::Display for Carried {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Signature => "the signature",
            Self::Timestamp => "the signed time",
            Self::Id => "the message's id",
            Self::Token => "the token",
        })
    }
}
