//! Webhooks as their senders sign them: by the packages that the senders publish, unmodified. The
//! scripts are `tests/clients/sign.mjs` and `sign.py`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde_json::{Map, Value, json};

use crate::api::Call;
use crate::clients::{self, Language};

/// Who signs, and with which package.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sender {
    /// npm's `stripe`.
    Stripe,
    /// npm's `@octokit/webhooks-methods`: as GitHub does.
    Octokit,
    /// PyPI's `slack_sdk`.
    Slack,
    /// `standardwebhooks`, of npm or PyPI.
    StandardWebhooks(Language),
    /// `svix`, of npm or PyPI.
    Svix(Language),
}

/// What is sent. Not every sender's headers have the id, the type or the time.
#[derive(Clone, Debug)]
pub struct Event {
    /// The sender's id of it.
    pub id: String,
    /// What happened.
    pub event_type: String,
    /// When it is signed, in seconds.
    pub timestamp: i64,
    /// The payload, which is text.
    pub body: Bytes,
}

/// A request, but for where it goes.
#[derive(Clone, Debug)]
pub struct Signed {
    /// What the sender's package made.
    pub headers: Vec<(String, String)>,
    /// What it has signed.
    pub body: Bytes,
}

impl Event {
    /// The same at another time, so many seconds earlier.
    pub fn older(&self, seconds: i64) -> Self {
        Self {
            timestamp: self.timestamp - seconds,
            ..self.clone()
        }
    }
}

impl Signed {
    /// The same signature on another body.
    pub fn with_body(&self, body: impl Into<Bytes>) -> Self {
        Self {
            body: body.into(),
            ..self.clone()
        }
    }

    /// The same with another value of a header, which is not there twice then.
    pub fn with_header(mut self, name: &str, value: &str) -> Self {
        self.headers.retain(|(other, _)| other != name);
        self.headers.push((name.into(), value.into()));
        self
    }

    /// On its way to this path. It needs no token of the API's.
    pub fn to(&self, path: &str) -> Call {
        let mut call = Call::post(path, self.body.clone()).anonymous();
        for (name, value) in &self.headers {
            call = call.header(name, value);
        }
        call.header("content-type", "application/json")
    }
}

impl Sender {
    /// Has the package sign each event with its secret, in their order.
    ///
    /// # Panics
    /// When it does not sign them all.
    pub async fn sign(self, secret: &str, events: &[Event]) -> Vec<Signed> {
        let (package, language) = match self {
            Self::Stripe => ("stripe", Language::Node),
            Self::Octokit => ("octokit", Language::Node),
            Self::Slack => ("slack_sdk", Language::Python),
            Self::StandardWebhooks(language) => ("standardwebhooks", language),
            Self::Svix(language) => ("svix", language),
        };
        let lines = events.iter().map(|event| {
            let line = json!({
                "secret": secret,
                "id": event.id,
                "eventType": event.event_type,
                "timestamp": event.timestamp,
                "body": STANDARD.encode(&event.body),
            });
            line.to_string()
        });
        let lines = lines.collect::<Vec<_>>().join("\n");
        let output = clients::sign(language, package, &lines).await;
        let signed: Vec<_> = output.lines().map(headers).collect();
        assert_eq!(signed.len(), events.len(), "{package} said {output:?}");
        let signed = signed.into_iter().zip(events);
        let signed = signed.map(|(headers, event)| Signed {
            headers,
            body: event.body.clone(),
        });
        signed.collect()
    }
}

fn headers(line: &str) -> Vec<(String, String)> {
    let headers: Map<String, Value> = serde_json::from_str(line)
        .unwrap_or_else(|error| panic!("a script said {line:?}, no headers: {error}"));
    let headers = headers.into_iter().map(|(name, value)| {
        let value = value.as_str().expect("a header's value is text");
        (name, value.to_owned())
    });
    headers.collect()
}
