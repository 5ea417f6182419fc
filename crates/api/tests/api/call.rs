//! A request on its way, and what came back.

use crate::world::World;
use app::caller::RemoteAddress;
use axum::body::Body;
use http::{HeaderMap, Request};
use serde_json::{Value, json};
use std::net::{IpAddr, Ipv4Addr};
use std::ops::Index;
use std::pin::Pin;

/// Where requests come from.
pub(crate) const REMOTE: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 7));

/// A request that is put together: it is sent when it is awaited.
pub(crate) struct Call<'a> {
    world: &'a World,
    request: http::request::Builder,
    token: Option<String>,
    body: Body,
}

impl<'a> Call<'a> {
    pub(crate) fn new(world: &'a World, method: &str, path: &str) -> Self {
        let elsewhere = ["/ingest/", "/.well-known/"];
        let uri = match elsewhere.iter().any(|root| path.starts_with(root)) {
            true => path.to_owned(),
            false => format!("/api/v1{path}"),
        };
        Self {
            world,
            request: Request::builder().method(method).uri(uri),
            token: Some(world.token()),
            body: Body::empty(),
        }
    }

    pub(crate) fn token(mut self, token: &str) -> Self {
        self.token = Some(token.to_owned());
        self
    }

    pub(crate) fn without_token(mut self) -> Self {
        self.token = None;
        self
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.request = self.request.header(name, value);
        self
    }

    /// An idempotency key.
    pub(crate) fn key(self, key: &str) -> Self {
        self.header("idempotency-key", key)
    }

    /// A text, or JSON.
    pub(crate) fn body(self, body: impl ToString) -> Self {
        self.bytes(body.to_string())
    }

    /// A body that need not be a text.
    pub(crate) fn bytes(mut self, body: impl Into<Body>) -> Self {
        self.body = body.into();
        self
    }

    /// Where it goes.
    pub(crate) fn to(&self) -> String {
        let (method, uri) = (self.request.method_ref(), self.request.uri_ref());
        format!("{method:?} {uri:?}")
    }

    /// The request itself, for [`World::send`].
    pub(crate) fn request(self) -> Request<Body> {
        let mut request = self.request.extension(RemoteAddress(REMOTE));
        if let Some(token) = self.token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        request.body(self.body).expect("a request")
    }
}

impl<'a> IntoFuture for Call<'a> {
    type Output = Answer;
    type IntoFuture = Pin<Box<dyn Future<Output = Answer> + Send + 'a>>;

    fn into_future(self) -> Self::IntoFuture {
        let world = self.world;
        Box::pin(world.send(self.request()))
    }
}

/// What came back. `answer["field"]` is a field of its body.
#[derive(Debug)]
pub(crate) struct Answer {
    #[expect(dead_code, reason = "a test that fails tells to which request")]
    pub(crate) to: String,
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    /// The body as it came.
    pub(crate) text: String,
    /// The body as JSON; `null` if there is none.
    pub(crate) body: Value,
}

impl Index<&str> for Answer {
    type Output = Value;

    fn index(&self, field: &str) -> &Value {
        &self.body[field]
    }
}

impl Answer {
    /// Passes an answer of this status, and gives it back.
    #[track_caller]
    pub(crate) fn is(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{self:?}");
        self
    }

    /// Passes a refusal of this status and code, and gives back its sentence.
    #[track_caller]
    pub(crate) fn refuses(&self, status: u16, code: &str) -> String {
        assert_eq!(self.status, status, "{self:?}");
        let detail = self.text("detail");
        let expected = json!({ "code": code, "detail": detail });
        assert_eq!(self.body, expected, "{self:?}");
        detail
    }

    /// Passes a refusal for broken rules, and gives back where they are, each in one piece.
    #[track_caller]
    pub(crate) fn broken(&self) -> Vec<String> {
        assert_eq!(self.status, 422, "{self:?}");
        let Value::Array(rules) = &self["detail"] else {
            panic!("no list: {self:?}");
        };
        rules.iter().map(location).collect()
    }

    /// Passes success, and refusals of one of the two shapes; no failure of ours.
    #[track_caller]
    pub(crate) fn is_orderly(&self) {
        match self.status {
            200..=299 => {}
            422 => assert_ne!(self.broken(), [""; 0], "{self:?}"),
            400..=499 | 501 => drop(self.refuses(self.status, &self.text("code"))),
            _ => panic!("{self:?}"),
        }
    }

    /// A field that is a string.
    #[track_caller]
    pub(crate) fn text(&self, field: &str) -> String {
        text(&self.body, field)
    }

    /// The rows of a list.
    #[track_caller]
    pub(crate) fn rows(&self) -> &[Value] {
        let Value::Array(rows) = &self["data"] else {
            panic!("no list: {self:?}");
        };
        rows
    }

    /// A field of each row of a list.
    #[track_caller]
    pub(crate) fn column(&self, field: &str) -> Vec<String> {
        self.rows().iter().map(|row| text(row, field)).collect()
    }
}

#[track_caller]
fn text(object: &Value, field: &str) -> String {
    let Value::String(text) = &object[field] else {
        panic!("`{field}` is no string in {object}");
    };
    text.clone()
}

/// Where a broken rule is.
#[track_caller]
fn location(rule: &Value) -> String {
    let texts = rule["msg"].is_string() && rule["type"].is_string();
    assert!(texts, "{rule}");
    let names = rule["loc"].as_array().expect("a location").iter();
    let names = names.map(|name| name.as_str().expect("a name"));
    let names: Vec<_> = names.collect();
    assert!(
        ["body", "query", "path", "header"].contains(&names[0]),
        "{rule}"
    );
    names.join("/")
}
