//! Raw calls of the HTTP API, for what the published clients would not send: exact bytes, odd
//! paths, missing tokens. And the three calls that almost every story begins with.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{AUTHORIZATION, HeaderName, HeaderValue};
use http::{HeaderMap, Method, Request};
use http_body_util::{BodyExt as _, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::wait::within;

/// How long a connection is kept that is not used: less than a server that ends waits for that, so
/// that nothing is sent on a connection that is just ending.
const IDLE_MAX: Duration = Duration::from_millis(500);
/// How many are asked for at once where there are many: they share commits.
const AT_ONCE: usize = 16;

/// A client of one server with one token.
#[derive(Clone)]
pub struct Api {
    base: Arc<str>,
    token: Arc<str>,
    client: Client<HttpConnector, Full<Bytes>>,
}

/// What stands at the root of a server; all other paths are below `/api/v1`.
const AT_ROOT: [&str; 5] = [
    "/.well-known/",
    "/dashboard",
    "/ingest/",
    "/in/",
    "/metrics",
];

/// One request before it is sent. Paths are below `/api/v1`, but for those of `AT_ROOT`.
#[derive(Clone, Debug)]
pub struct Call {
    method: Method,
    path: String,
    headers: HeaderMap,
    body: Bytes,
    authenticated: bool,
}

/// An answer, read to its end.
#[derive(Clone, Debug)]
pub struct Reply {
    /// The request line, for messages.
    pub line: String,
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
}

impl Call {
    /// A request without a body.
    pub fn new(method: Method, path: impl Into<String>) -> Self {
        let (headers, body) = (HeaderMap::new(), Bytes::new());
        Self {
            method,
            path: path.into(),
            headers,
            body,
            authenticated: true,
        }
    }

    /// A POST of these bytes.
    pub fn post(path: impl Into<String>, body: impl Into<Bytes>) -> Self {
        Self {
            body: body.into(),
            ..Self::new(Method::POST, path)
        }
    }

    /// One more header.
    ///
    /// # Panics
    /// When it is none.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        let name: HeaderName = name.parse().expect("a header's name");
        self.headers.append(
            name,
            HeaderValue::from_str(value).expect("a header's value"),
        );
        self
    }

    /// Without the token.
    pub fn anonymous(mut self) -> Self {
        self.authenticated = false;
        self
    }
}

impl Reply {
    /// The body as JSON.
    ///
    /// # Panics
    /// When it is none.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("the body is no JSON ({error}): {self}"))
    }

    /// Asserts the status, with the answer in the message.
    ///
    /// # Panics
    /// When it is another.
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{self}");
        self
    }

    /// Asserts status, `code`, and that there is a `detail`: the shape of errors. Gives the detail.
    ///
    /// # Panics
    /// When it is another answer.
    #[track_caller]
    pub fn expect_error(self, status: u16, code: &str) -> String {
        let body = self.clone().expect(status).json();
        assert_eq!(body["code"], code, "{self}");
        let detail = body["detail"]
            .as_str()
            .unwrap_or_else(|| panic!("no detail: {self}"));
        assert!(!detail.is_empty(), "an empty detail: {self}");
        detail.to_owned()
    }
}

impl std::fmt::Display for Reply {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let body = String::from_utf8_lossy(&self.body[..self.body.len().min(2_000)]);
        write!(
            f,
            "{} answered {} {:?} {body}",
            self.line, self.status, self.headers
        )
    }
}

impl Api {
    /// For the server at `base`.
    pub fn new(base: &str, token: &str) -> Self {
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE_MAX)
            .build_http();
        Self {
            base: base.into(),
            token: token.into(),
            client,
        }
    }

    /// The same server with another token.
    pub fn with_token(&self, token: &str) -> Self {
        Self {
            token: token.into(),
            ..self.clone()
        }
    }

    /// Another server with the same token.
    pub fn of(&self, base: &str) -> Self {
        Self::new(base, &self.token)
    }

    /// Sends `call`, and reads the answer.
    ///
    /// # Panics
    /// When there is no whole answer.
    pub async fn call(&self, call: Call) -> Reply {
        let line = format!("{} {}", call.method, call.path);
        self.try_call(call)
            .await
            .unwrap_or_else(|error| panic!("{line} was not answered: {error}"))
    }

    /// Sends `call`; an `Err` says why there is no whole answer, such as a server that is gone.
    pub async fn try_call(&self, call: Call) -> Result<Reply, String> {
        let line = format!("{} {}", call.method, call.path);
        let root = match AT_ROOT.iter().any(|root| call.path.starts_with(root)) {
            true => "",
            false => "/api/v1",
        };
        let mut request = Request::builder()
            .method(call.method)
            .uri(format!("{}{root}{}", self.base, call.path))
            .body(Full::new(call.body))
            .unwrap_or_else(|error| panic!("{line} is no request: {error}"));
        *request.headers_mut() = call.headers;
        if call.authenticated {
            let bearer = format!("Bearer {}", self.token);
            let value = HeaderValue::from_str(&bearer).expect("a token fits into a header");
            request.headers_mut().insert(AUTHORIZATION, value);
        }
        within(format!("an answer to {line}"), async {
            let response = self.client.request(request).await.map_err(causes)?;
            let (parts, body) = response.into_parts();
            let body = body.collect().await.map_err(causes)?.to_bytes();
            let (status, headers) = (parts.status.as_u16(), parts.headers);
            Ok(Reply {
                line,
                status,
                headers,
                body,
            })
        })
        .await
    }

    /// GET.
    pub async fn get(&self, path: &str) -> Reply {
        self.call(Call::new(Method::GET, path)).await
    }

    /// POST of JSON.
    pub async fn post(&self, path: &str, body: &Value) -> Reply {
        self.call(Call::post(path, body.to_string())).await
    }

    /// PUT of JSON.
    pub async fn put(&self, path: &str, body: &Value) -> Reply {
        self.with_body(Method::PUT, path, body).await
    }

    /// PATCH with JSON.
    pub async fn patch(&self, path: &str, body: &Value) -> Reply {
        self.with_body(Method::PATCH, path, body).await
    }

    /// DELETE.
    pub async fn delete(&self, path: &str) -> Reply {
        self.call(Call::new(Method::DELETE, path)).await
    }

    /// Creates an application with this uid; gives its id.
    pub async fn application(&self, uid: &str) -> String {
        let body = json!({"name": uid, "uid": uid});
        id(&self.post("/app", &body).await.expect(201))
    }

    /// Creates the applications `app-0`, `app-1` and so on, so many, several at once.
    pub async fn applications(&self, count: usize) {
        let mut creating = JoinSet::new();
        for first in 0..AT_ONCE {
            let api = self.clone();
            creating.spawn(async move {
                for number in (first..count).step_by(AT_ONCE) {
                    api.application(&format!("app-{number}")).await;
                }
            });
        }
        creating.join_all().await;
    }

    /// Creates an endpoint; gives its id.
    pub async fn endpoint(&self, application: &str, body: &Value) -> String {
        id(&self
            .post(&format!("/app/{application}/endpoint"), body)
            .await
            .expect(201))
    }

    /// Sends a message; gives its id.
    pub async fn send(&self, application: &str, event_type: &str, payload: &Value) -> String {
        let body = json!({"eventType": event_type, "payload": payload});
        id(&self
            .post(&format!("/app/{application}/msg"), &body)
            .await
            .expect(202))
    }

    /// The signing secret of an endpoint.
    pub async fn secret(&self, application: &str, endpoint: &str) -> String {
        let path = format!("/app/{application}/endpoint/{endpoint}/secret");
        let key = self.get(&path).await.expect(200).json()["key"].clone();
        key.as_str().expect("a secret is text").to_owned()
    }

    async fn with_body(&self, method: Method, path: &str, body: &Value) -> Reply {
        let call = Call {
            body: body.to_string().into(),
            ..Call::new(method, path)
        };
        self.call(call).await
    }
}

#[track_caller]
fn id(reply: &Reply) -> String {
    reply.json()["id"]
        .as_str()
        .unwrap_or_else(|| panic!("no id: {reply}"))
        .to_owned()
}

fn causes(error: impl std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(&format!(": {error}"));
        cause = error.source();
    }
    text
}
