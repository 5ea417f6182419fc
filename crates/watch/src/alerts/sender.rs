//! How alerts leave: to a webhook as a delivery would, past the same guard, and to the operator's
//! mail server. What comes back is bounded, and nothing of it is repeated to anybody.

use app::environment::alerts::sender::{AlertError, AlertSender, Note};
use async_trait::async_trait;
use http::header::{CONTENT_TYPE, USER_AGENT};
use http::{HeaderMap, HeaderValue};
use model::address::AddressPolicy;
use model::alerts::Destination;
use model::{Clock, Secret};
use std::sync::Arc;
use std::time::Duration;
use transport::{
    Answer, FetchUrlError, Letter, Limits, MailError, Mailer, Outgoing, Purpose, SendError,
    Transport, fetch_target,
};

/// Bounds of each request.
const LIMITS: Limits = Limits {
    connect_timeout: Duration::from_secs(5),
    total_timeout: Duration::from_secs(10),
    response_bytes_max: 1_024,
};

/// Sends alerts.
pub struct Sender {
    /// The way out.
    pub transport: Arc<dyn Transport>,
    /// Where webhooks may be.
    pub policy: AddressPolicy,
    /// The way to the mail server, where one is configured.
    pub mailer: Option<Mailer>,
    /// What requests say they come from.
    pub user_agent: String,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
}

#[async_trait]
impl AlertSender for Sender {
    async fn send(&self, to: &Destination, note: &Note) -> Result<(), AlertError> {
        match (to, &self.mailer) {
            (Destination::Slack(url), _) => self.post(url, note).await,
            (Destination::Email(to), Some(mailer)) => {
                let letter = Letter {
                    to: to.clone(),
                    subject: note.subject.clone(),
                    text: note.text.clone(),
                };
                let sent = mailer.send(&letter).await;
                sent.map_err(|error| not_mailed(&error))
            }
            (Destination::Email(_), None) => Err(for_good(
                "no mail server is configured: `smtp_url` and `smtp_from` name one",
            )),
        }
    }

    fn sends_mail(&self) -> bool {
        self.mailer.is_some()
    }
}

impl Sender {
    async fn post(&self, url: &Secret, note: &Note) -> Result<(), AlertError> {
        let url = String::from_utf8_lossy(url.expose());
        // What may be called may have changed since it was set.
        let target = fetch_target(&url, &self.policy);
        let target = target.map_err(|error| for_good(FetchUrlError::for_tenant(&error)))?;
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        if let Ok(agent) = HeaderValue::from_str(&self.user_agent) {
            headers.insert(USER_AGENT, agent);
        }
        let mut request = Outgoing::new(Purpose::Alert, target, headers, LIMITS);
        request.body = body(note).into();
        match self.transport.send(request).await {
            Ok(answer) => self.judge(&answer),
            Err(error) => Err(not_sent(&error)),
        }
    }

    fn judge(&self, answer: &Answer) -> Result<(), AlertError> {
        let status = answer.status;
        let (sentence, may_pass) = match status {
            200..=299 => return Ok(()),
            300..=399 => (
                format!("the webhook answered {status}, a redirect, which is not followed"),
                false,
            ),
            408 | 425 | 429 | 500.. => (format!("the webhook answered {status}"), true),
            401 | 403 | 404 | 410 => (
                format!("the webhook answered {status}: its URL is wrong, or was taken back"),
                false,
            ),
            _ => (format!("the webhook answered {status}"), false),
        };
        Err(AlertError {
            sentence,
            may_pass,
            wait: answer.asks_to_wait(self.clock.now()),
        })
    }
}

/// As Slack wants it: what could begin a link or a mention does not.
fn body(note: &Note) -> Vec<u8> {
    let Note { subject, text } = note;
    let text = format!("*{}*\n{}", escaped(subject), escaped(text));
    serde_json::json!({ "text": text }).to_string().into_bytes()
}

fn escaped(text: &str) -> String {
    let text = text.replace('&', "&amp;");
    text.replace('<', "&lt;").replace('>', "&gt;")
}

fn for_good(sentence: impl Into<String>) -> AlertError {
    AlertError {
        sentence: sentence.into(),
        may_pass: false,
        wait: None,
    }
}

fn not_sent(error: &SendError) -> AlertError {
    AlertError {
        sentence: error.for_tenant().into_owned(),
        may_pass: error.refusal().is_none(),
        wait: None,
    }
}

fn not_mailed(error: &MailError) -> AlertError {
    AlertError {
        sentence: error.to_string(),
        may_pass: error.may_pass(),
        wait: None,
    }
}

#[cfg(test)]
mod tests;
