//! How use cases refuse. The rooms that speak to people map these to statuses and pages; here is
//! only what was wrong, in the words that the API's contract has for it.

use store::StoreError;

/// Why a use case did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// The input breaks rules: all that were found.
    #[error("the input is not valid: {}", summary(.0))]
    Invalid(Vec<Violation>),
    /// What was asked makes no sense as things stand, such as a range that ends in the future.
    #[error("{detail}")]
    BadRequest {
        /// A word for programs.
        code: &'static str,
        /// A sentence for people.
        detail: String,
    },
    /// The token is missing, malformed, expired or not for here.
    #[error("{0}")]
    Unauthenticated(String),
    /// The token is good, but not for this operation.
    #[error("Insufficient access for the given operation.")]
    Forbidden,
    /// There is no such thing, or none that the caller may see.
    #[error("{0}")]
    NotFound(&'static str),
    /// It collides with what is there.
    #[error("{detail}")]
    Conflict {
        /// A word for programs.
        code: &'static str,
        /// A sentence for people.
        detail: String,
    },
    /// What is posted is a delivery that came round too often, or would without end.
    #[error("{0}")]
    Loop(&'static str),
    /// A body or payload is larger than the limit that the text names.
    #[error("{0}")]
    TooLarge(String),
    /// Too many requests came with this token.
    #[error(
        "too many requests with this token (requests_per_second_max): come again in {} ms",
        wait.as_millis()
    )]
    TooMany {
        /// When it may come again.
        wait: std::time::Duration,
    },
    /// Too many attempts to sign in failed from there.
    #[error(
        "too many attempts to sign in failed from this address: come again in {} s",
        wait.as_secs() + 1
    )]
    TooManySignIns {
        /// When it may come again.
        wait: std::time::Duration,
    },
    /// As many listeners wait as may.
    #[error("{most} listeners wait here already, which is the most: end one, or come again later")]
    TooManyListeners {
        /// How many may.
        most: usize,
    },
    /// The operation is not built.
    #[error("{0}")]
    NotBuilt(&'static str),
    /// Nothing can be written at the moment; trying again later may work.
    #[error("nothing can be stored at the moment; try again later")]
    Unavailable(#[source] StoreError),
    /// Something of ours failed. People learn only that it did; the log has the rest.
    #[error("an internal error")]
    Internal(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// One broken rule: where in the request, what was wrong, and of what kind it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Where: `body`, `query`, `header` or `path`, then the names on the way.
    pub location: Vec<String>,
    /// What was wrong and what would be right.
    pub message: String,
    /// The contract's word: `value_error` for a broken rule, unless it has a more precise one.
    pub kind: &'static str,
}

impl Violation {
    /// A broken rule about a value of the body.
    pub fn body(location: &[&str], message: impl Into<String>) -> Self {
        Self::at("body", location, message)
    }

    /// A broken rule about a query parameter.
    pub fn query(location: &[&str], message: impl Into<String>) -> Self {
        Self::at("query", location, message)
    }

    /// A broken rule about a header.
    pub fn header(location: &[&str], message: impl Into<String>) -> Self {
        Self::at("header", location, message)
    }

    /// A broken rule about a part of the path.
    pub fn path(location: &[&str], message: impl Into<String>) -> Self {
        Self::at("path", location, message)
    }

    /// The same with the contract's kind for what could not be read as what it should be.
    pub fn unreadable(self) -> Self {
        Self {
            kind: "value_error.jsondecode",
            ..self
        }
    }

    /// The same of a part of what it was said of, which is there.
    pub(crate) fn within(mut self, place: &[&str]) -> Self {
        let names = place.iter().map(|name| (*name).to_owned());
        self.location.splice(1..1, names);
        self
    }

    fn at(part: &str, location: &[&str], message: impl Into<String>) -> Self {
        let names = std::iter::once(&part)
            .chain(location)
            .map(|name| (*name).to_owned());
        Self {
            location: names.collect(),
            message: message.into(),
            kind: "value_error",
        }
    }
}

impl AppError {
    /// The contract's answer to a collision, with a text of its own.
    pub(crate) fn conflict(detail: impl Into<String>) -> Self {
        Self::Conflict {
            code: "conflict",
            detail: detail.into(),
        }
    }

    /// Of a part of the body, where broken rules are found: `place` is where it is in the whole.
    pub(crate) fn within(self, place: &[&str]) -> Self {
        match self {
            Self::Invalid(broken) => {
                Self::Invalid(broken.into_iter().map(|one| one.within(place)).collect())
            }
            other => other,
        }
    }

    /// Something of ours failed, which people need not know more of.
    pub(crate) fn internal(error: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self::Internal(Box::new(error))
    }

    /// The contract's text for what is not there.
    pub fn not_found() -> Self {
        Self::NotFound("Entity not found")
    }
}

impl From<Violation> for AppError {
    fn from(violation: Violation) -> Self {
        Self::Invalid(vec![violation])
    }
}

impl From<StoreError> for AppError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Corrupt { .. } => Self::Internal(Box::new(error)),
            _ => Self::Unavailable(error),
        }
    }
}

fn summary(violations: &[Violation]) -> String {
    let sentences = violations
        .iter()
        .map(|v| format!("{}: {}", v.location.join("."), v.message));
    sentences.collect::<Vec<_>>().join("; ")
}
