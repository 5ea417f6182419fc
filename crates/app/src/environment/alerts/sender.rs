//! The seam behind which alerts leave: by HTTP, and by e-mail where a server is configured.

use async_trait::async_trait;
use model::alerts::Destination;
use std::time::Duration;

/// What is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// In one line.
    pub subject: String,
    /// In several.
    pub text: String,
}

impl Note {
    /// One that says that it is none.
    pub(super) fn test() -> Self {
        Self {
            subject: "Postrider: a test alert".to_owned(),
            text: "Nothing has happened. Somebody tried whether alerts of security events arrive \
                   here: they do."
                .to_owned(),
        }
    }
}

/// Why an alert did not arrive: a sentence without a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{sentence}")]
pub struct AlertError {
    /// What was wrong.
    pub sentence: String,
    /// Whether to try again may help.
    pub may_pass: bool,
    /// How long the other side asks not to be asked again.
    pub wait: Option<Duration>,
}

/// Sends alerts.
#[async_trait]
pub trait AlertSender: Send + Sync {
    /// Sends one, once.
    ///
    /// # Errors
    /// Why it was not taken.
    async fn send(&self, to: &Destination, note: &Note) -> Result<(), AlertError>;

    /// Whether e-mail can be sent.
    fn sends_mail(&self) -> bool;
}

/// Sends nothing, and says so.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoSender;

#[async_trait]
impl AlertSender for NoSender {
    async fn send(&self, _to: &Destination, _note: &Note) -> Result<(), AlertError> {
        Err(AlertError {
            sentence: "this process sends no alerts".to_owned(),
            may_pass: false,
            wait: None,
        })
    }

    fn sends_mail(&self) -> bool {
        false
    }
}
