//! Those who send: requests as their providers sign them.

use crate::world::{Answer, At, PUBLIC_URL, SENDER, World};
use axum::body::Body;
use http::Request;
use ingest::PREFIX;
use model::Secret;
use model::source::SourceConfig;
use webhook::provider::{Outgoing, Provider};

/// A secret of Standard Webhooks.
pub(crate) const FIRST: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
/// Another one.
pub(crate) const SECOND: &str = "whsec_VGhpcyBpcyBhbm90aGVyIHNlY3JldCBrZXkh";
/// A body.
pub(crate) const BODY: &str = r#"{"type":"order.paid","order":7}"#;

/// A source's configuration with these secrets.
pub(crate) fn with_secrets(secrets: &[&str]) -> SourceConfig {
    SourceConfig {
        secrets: secrets.iter().map(|text| secret(text)).collect(),
        ..SourceConfig::default()
    }
}

/// A text that is secret.
pub(crate) fn secret(text: &str) -> Secret {
    Secret::from(text.to_owned())
}

/// A request that somebody makes.
#[derive(Clone)]
pub(crate) struct Sending {
    pub(crate) method: &'static str,
    pub(crate) path: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Sending {
    /// One to a source, with nothing but a body.
    pub(crate) fn to(at: &At, body: &str) -> Self {
        Self {
            method: "POST",
            path: format!("{PREFIX}{}", at.token),
            headers: vec![("content-type".to_owned(), "application/json".to_owned())],
            body: body.to_owned(),
        }
    }

    /// The same with one more header.
    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The same, signed as a provider signs at this time.
    pub(crate) fn signed(mut self, provider: &str, secret: &str, (id, now): (&str, i64)) -> Self {
        let provider = Provider::named(provider).expect("known");
        let url = format!("{PUBLIC_URL}{}", self.path);
        let outgoing = Outgoing {
            method: self.method,
            url: &url,
            id,
            timestamp: now,
            body: self.body.as_bytes(),
        };
        let signed = provider.sign(&[secret], &outgoing).expect("it signs");
        self.headers.extend(signed);
        self
    }

    pub(crate) fn request(&self) -> Request<Body> {
        let mut request = Request::builder().method(self.method).uri(&self.path);
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        let body = Body::from(self.body.clone());
        request.body(body).expect("a request")
    }
}

impl World {
    /// Sends it from the usual address.
    pub(crate) async fn take(&self, sending: &Sending) -> Answer {
        self.send(Some(SENDER), sending.request()).await
    }

    /// A message of this id by Standard Webhooks, signed now.
    pub(crate) fn standard(&self, at: &At, id: &str) -> Sending {
        Sending::to(at, BODY).signed("standard-webhooks", FIRST, (id, self.now()))
    }
}
