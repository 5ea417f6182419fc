//! What holds for every request, whichever route it takes.
//!
//! - A panic is answered with 500 and ends nothing but its request.
//! - An answer that is given before the body was read ends properly: what is left of the body is
//!   read and thrown away, or the end of the connection is announced.
//! - A slash at the end of a path means nothing.
//! - A browser that is led to an answer does nothing with it (CSP, no guessing of its kind).
//! - Any page may call the API (CORS): what is asked for is decided by the token, which no browser
//!   adds by itself.

use crate::metered::Requests;
use crate::problem;
use axum::body::{Body, HttpBody};
use axum::response::{IntoResponse, Response};
use axum::{BoxError, Router};
use bytes::Bytes;
use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_HEADERS, CACHE_CONTROL, CONNECTION,
    CONTENT_SECURITY_POLICY, CONTENT_TYPE, EXPECT, VARY, X_CONTENT_TYPE_OPTIONS,
};
use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode, Uri, Version};
use http_body_util::BodyExt;
use hyper::body::{Frame, SizeHint};
use std::borrow::Cow;
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;
use tower::Service;

/// How much of a body that nobody wanted is read before the connection is given up instead.
const LEFTOVER_BYTES_MAX: usize = 16 * 1024 * 1024;
/// How long that may take.
const LEFTOVER_TIMEOUT: Duration = Duration::from_secs(5);

/// The API as it is served: routes, with the door before them.
#[derive(Debug, Clone)]
pub struct Door {
    routes: Router,
    requests: Requests,
    manners: Manners,
}

/// What answers say of what browsers may do with them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Manners {
    /// Any page may ask, and shows nothing of it.
    Api,
    /// They say it themselves.
    Own,
}

impl Door {
    pub(crate) fn before(routes: Router) -> Self {
        Self {
            routes,
            requests: Requests::default(),
            manners: Manners::Api,
        }
    }

    /// The same before pages for people, which say themselves what browsers may do with them.
    pub fn before_pages(routes: Router) -> Self {
        Self {
            manners: Manners::Own,
            ..Self::before(routes)
        }
    }

    /// What is counted of requests to these routes.
    pub(crate) fn counting(self, requests: Requests) -> Self {
        Self { requests, ..self }
    }

    /// What is counted of requests.
    pub fn requests(&self) -> Requests {
        self.requests.clone()
    }

    /// Answers a request. Whoever serves it puts a [`app::caller::RemoteAddress`] into its
    /// extensions.
    pub async fn answer<B>(&self, mut request: Request<B>) -> Response
    where
        B: HttpBody<Data = Bytes, Error: Into<BoxError>> + Send + Unpin + 'static,
    {
        if let Some(uri) = without_last_slash(request.uri()) {
            *request.uri_mut() = uri;
        }
        let version = request.version();
        let awaits_leave = request.headers().contains_key(EXPECT);
        let leftover = Leftover::default();
        let request = request.map(|body| leftover.lend(body));

        let mut response = match *request.method() {
            Method::OPTIONS if self.manners == Manners::Api => {
                let answer = preflight(request.headers());
                drop(request); // its body comes back
                answer
            }
            _ => catching_panics(self.routes.clone().call(request)).await,
        };

        if !leftover.read_out(awaits_leave, version).await {
            let close = HeaderValue::from_static("close");
            response.headers_mut().insert(CONNECTION, close);
        }
        match self.manners {
            Manners::Api => open(response),
            Manners::Own => response,
        }
    }
}

/// Runs a route's future; a panic in it is logged by the panic hook, and answered.
async fn catching_panics<E>(future: impl Future<Output = Result<Response, E>>) -> Response {
    let mut future = pin!(future);
    let outcome = poll_fn(|context| {
        // What a panic leaves behind is dropped with the request: nothing of it is looked at again.
        match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(context))) {
            Ok(poll) => poll.map(Result::ok),
            Err(_) => Poll::Ready(None),
        }
    });
    outcome.await.unwrap_or_else(|| {
        tracing::error!("a request's handler panicked");
        problem::internal()
    })
}

fn without_last_slash(uri: &Uri) -> Option<Uri> {
    let path = uri.path();
    let trimmed = path.trim_end_matches('/');
    if trimmed.len() == path.len() || trimmed.is_empty() {
        return None;
    }
    let text = match uri.query() {
        Some(query) => format!("{trimmed}?{query}"),
        None => trimmed.to_owned(),
    };
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(PathAndQuery::try_from(text).ok()?);
    Uri::from_parts(parts).ok()
}

/// The answer to a browser that asks what a page may send.
fn preflight(asked: &HeaderMap) -> Response {
    let mut response = StatusCode::OK.into_response();
    let headers = response.headers_mut();
    headers.insert(ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("*"));
    headers.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("600"));
    if let Some(names) = asked.get(ACCESS_CONTROL_REQUEST_HEADERS) {
        headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, names.clone());
    }
    response
}

/// What a browser may do with an answer that is no page of ours, should it show one: nothing, so
/// that what others sent can't act in the server's name.
const ANSWER_POLICY: HeaderValue =
    HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'; sandbox");
/// The same for pages of ours: they have a style sheet.
const PAGE_POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; \
     frame-ancestors 'none'",
);

/// A page of ours, or a part of one.
pub(crate) struct Page {
    kind: HeaderValue,
    text: Cow<'static, str>,
}

impl Page {
    /// The page itself.
    pub(crate) fn html(text: String) -> Self {
        Self {
            kind: HeaderValue::from_static("text/html; charset=utf-8"),
            text: text.into(),
        }
    }

    /// Its style sheet.
    pub(crate) fn style(text: &'static str) -> Self {
        Self {
            kind: HeaderValue::from_static("text/css; charset=utf-8"),
            text: text.into(),
        }
    }
}

impl IntoResponse for Page {
    fn into_response(self) -> Response {
        let headers = [
            (CONTENT_TYPE, self.kind),
            (CONTENT_SECURITY_POLICY, PAGE_POLICY),
        ];
        (headers, self.text).into_response()
    }
}

/// What every answer says.
fn open(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.reserve(5);
    headers
        .entry(CONTENT_SECURITY_POLICY)
        .or_insert(ANSWER_POLICY);
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    // But for what is public and says so.
    headers
        .entry(CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(
        VARY,
        HeaderValue::from_static(
            "origin, access-control-request-method, access-control-request-headers",
        ),
    );
    response
}

/// What a route left unread of its request's body.
struct Leftover<B>(Arc<Mutex<Option<Unread<B>>>>);

struct Unread<B> {
    body: B,
    /// Somebody began to read it.
    begun: bool,
}

impl<B> Default for Leftover<B> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<B> Leftover<B>
where
    B: HttpBody<Data = Bytes, Error: Into<BoxError>> + Send + Unpin + 'static,
{
    /// The body for the route, which comes back when the route drops it before its end.
    fn lend(&self, body: B) -> Body {
        if body.is_end_stream() {
            return Body::empty();
        }
        let unread = Some(Unread { body, begun: false });
        Body::new(Lent {
            unread,
            leftover: Self(self.0.clone()),
        })
    }

    /// Reads what is left. Tells whether the connection can go on.
    async fn read_out(&self, awaits_leave: bool, version: Version) -> bool {
        let Some(mut unread) = self.take() else {
            return true;
        };
        // With HTTP/2 only the request's stream ends. A client that waits for leave to send its
        // body has not sent any, and never will.
        if version >= Version::HTTP_2 {
            return true;
        }
        if awaits_leave && !unread.begun {
            return false;
        }
        let rest = async {
            let mut bytes = 0;
            while let Some(frame) = unread.body.frame().await {
                let Ok(frame) = frame else { return false };
                bytes += frame.data_ref().map_or(0, Bytes::len);
                if bytes > LEFTOVER_BYTES_MAX {
                    return false;
                }
            }
            true
        };
        tokio::time::timeout(LEFTOVER_TIMEOUT, rest)
            .await
            .unwrap_or(false)
    }

    fn take(&self) -> Option<Unread<B>> {
        self.lock().take()
    }
}

impl<B> Leftover<B> {
    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Unread<B>>> {
        self.0
            .lock()
            .expect("nothing panics while it holds this lock")
    }
}

/// A body that goes back when it is dropped before its end.
struct Lent<B: HttpBody> {
    unread: Option<Unread<B>>,
    leftover: Leftover<B>,
}

impl<B: HttpBody<Data = Bytes> + Unpin> HttpBody for Lent<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let Some(unread) = &mut self.unread else {
            return Poll::Ready(None);
        };
        unread.begun = true;
        let polled = Pin::new(&mut unread.body).poll_frame(context);
        if matches!(polled, Poll::Ready(None | Some(Err(_)))) {
            self.unread = None;
        }
        polled
    }

    // Told truly, so that a body that came in one piece is taken without a copy.
    fn is_end_stream(&self) -> bool {
        self.unread
            .as_ref()
            .is_none_or(|unread| unread.body.is_end_stream())
    }

    fn size_hint(&self) -> SizeHint {
        self.unread
            .as_ref()
            .map(|unread| unread.body.size_hint())
            .unwrap_or_default()
    }
}

impl<B: HttpBody> Drop for Lent<B> {
    fn drop(&mut self) {
        if let Some(unread) = self
            .unread
            .take()
            .filter(|unread| !unread.body.is_end_stream())
        {
            *self.leftover.lock() = Some(unread);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::routing::get;

    #[tokio::test]
    async fn a_panic_is_answered_and_ends_nothing_else() {
        async fn panics() {
            panic!("provoked by a test");
        }
        let routes = Router::new().route("/panics", get(panics));
        let door = Door::before(routes.route("/works", get(|| async {})));
        for (path, status) in [("/panics", 500), ("/works", 200), ("/panics", 500)] {
            let request = Request::builder()
                .uri(path)
                .body(Body::empty())
                .expect("a request");
            let response = door.answer(request).await;
            assert_eq!(response.status().as_u16(), status, "{path}");
            assert_eq!(response.headers()[CACHE_CONTROL], "no-store");
            let body = response
                .into_body()
                .collect()
                .await
                .expect("a body")
                .to_bytes();
            assert_eq!(&body[..], if status == 500 { &b"{}"[..] } else { b"" });
        }
    }
}
