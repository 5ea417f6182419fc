//! How a command ends when it does not end well: the sentence on standard error, with its causes,
//! and the exit status.

use crate::config::ConfigError;
use crate::keys::KeyError;
use std::process::ExitCode;

/// Why a command failed.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The answer is no, and has been printed.
    No,
    /// The answer is no, for this reason.
    Refused(anyhow::Error),
    /// It is neither yes nor no, and what can be said has been printed.
    Unconfirmed,
    /// It was asked wrongly.
    Misuse(anyhow::Error),
    /// It could not: unreachable, I/O, in use.
    CouldNot(anyhow::Error),
}

impl Failure {
    /// Something that could not be done, with its cause.
    pub(crate) fn could_not(error: impl Into<anyhow::Error>) -> Self {
        Self::CouldNot(error.into())
    }

    /// Says what happened and gives the exit status.
    pub(crate) fn report(&self) -> ExitCode {
        let (error, status) = match self {
            Self::No => return ExitCode::from(1),
            Self::Unconfirmed => return ExitCode::from(4),
            Self::Refused(error) => (error, 1),
            Self::Misuse(error) => (error, 2),
            Self::CouldNot(error) => (error, 3),
        };
        eprintln!("postrider: {error:#}");
        ExitCode::from(status)
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        let failure = match &error {
            ConfigError::Unreadable { .. } => Self::CouldNot,
            ConfigError::File { .. } | ConfigError::Option { .. } => Self::Misuse,
        };
        failure(error.into())
    }
}

impl From<KeyError> for Failure {
    fn from(error: KeyError) -> Self {
        Self::CouldNot(error.into())
    }
}
