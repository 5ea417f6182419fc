//! What is asked of a server: a method, a path of words that are encoded here, a query, a body.

use bytes::Bytes;
use http::{Method, StatusCode};
use model::Entropy;
use model::entropy::random;
use std::fmt::Write as _;

/// One request to the API. It is not to be printed: there may be secrets in its body.
#[derive(Clone)]
pub(crate) struct Request {
    pub(crate) method: Method,
    /// The words below `/api/v1`, as they are, not encoded; those behind `ingest`, below
    /// `/ingest/api/v1`.
    pub(crate) path: Vec<String>,
    pub(crate) query: Vec<(String, String)>,
    pub(crate) body: Bytes,
    key: Option<String>,
    /// Whether done twice is as good as done once.
    repeats: bool,
    /// Whether a conflict can only mean that it was done before.
    is_done_by_conflict: bool,
}

impl Request {
    /// A request without a body.
    pub(crate) fn new<W: Into<String>>(method: Method, path: impl IntoIterator<Item = W>) -> Self {
        Self {
            method,
            path: path.into_iter().map(Into::into).collect(),
            query: Vec::new(),
            body: Bytes::new(),
            key: None,
            repeats: false,
            is_done_by_conflict: false,
        }
    }

    /// `GET`.
    pub(crate) fn get<W: Into<String>>(path: impl IntoIterator<Item = W>) -> Self {
        Self::new(Method::GET, path)
    }

    /// `POST` of this JSON.
    pub(crate) fn post<W: Into<String>>(
        path: impl IntoIterator<Item = W>,
        body: impl Into<Bytes>,
    ) -> Self {
        Self::new(Method::POST, path).body(body)
    }

    /// With this JSON as its body.
    pub(crate) fn body(mut self, body: impl Into<Bytes>) -> Self {
        self.body = body.into();
        self
    }

    /// With one more parameter.
    pub(crate) fn query(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.query.push((name.into(), value.into()));
        self
    }

    /// With an idempotency key of the caller's own, under which it can be repeated later, too.
    pub(crate) fn key(mut self, key: impl Into<String>) -> Self {
        self.key = Some(key.into());
        self
    }

    /// Of a change: whoever asks for it means it, also if it was made already.
    pub(crate) fn repeatable(mut self) -> Self {
        self.repeats = true;
        self
    }

    /// Of what is answered with a secret, and so only once: repeated under its key, it is refused
    /// with a conflict, since it was done.
    pub(crate) fn answered_once(mut self) -> Self {
        self.is_done_by_conflict = true;
        self
    }

    /// Whether a refusal with this status means that it was done before.
    pub(crate) fn was_done(&self, status: Option<u16>) -> bool {
        self.is_done_by_conflict && status == Some(StatusCode::CONFLICT.as_u16())
    }

    /// Whether it may be sent again although nobody knows whether it was carried out.
    pub(crate) fn is_repeatable(&self) -> bool {
        // What has been deleted would not be found the second time, and a change could undo what
        // another has changed meanwhile.
        self.repeats || matches!(self.method, Method::GET | Method::POST)
    }

    /// Its own key, or a new one. Servers keep those that begin with `auto_` for less long.
    pub(super) fn idempotency_key(&self, entropy: &dyn Entropy) -> String {
        if let Some(key) = &self.key {
            return key.clone();
        }
        let mut key = String::from("auto_");
        for byte in random::<16>(entropy) {
            let _ = write!(key, "{byte:02x}");
        }
        key
    }
}
