//! A layer for `tower`: what is behind it is asked only for genuine requests, each once. It reads
//! the body up to the receiver's bound, answers what the receiver rejects and a sender that asks
//! whether its requests are welcome, and leaves the
//! [`Event`] in the request's extensions, in an [`Arc`]; with the feature `axum`, a handler asks
//! for a [`Webhook`](crate::Webhook). The body is passed on as it was received.
//!
//! A response of success confirms that the event was handled. Any other, a panic, or a request
//! that is dropped halfway gives its key back, so that the sender's next attempt is welcome.
//!
//! Why a request was rejected is in the response's extensions, an `Arc<Rejection>`, for a layer
//! around this one that counts and logs. Deadlines are such a layer's, too.
//!
//! ```
//! use std::sync::Arc;
//! use webhook::layer::ReceiverLayer;
//! use webhook::provider::Provider;
//! use webhook::replay::InMemory;
//! use webhook::{Receiver, Webhook};
//!
//! #[derive(serde::Deserialize)]
//! struct Paid {
//!     order: u64,
//! }
//!
//! async fn paid(webhook: Webhook<Paid>) -> String {
//!     format!("order {} is paid", webhook.event.order)
//! }
//!
//! # fn now() -> i64 { 1_764_000_000 }
//! let provider = Provider::named("standard-webhooks").expect("known");
//! let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
//! let receiver = Receiver::new(provider, &[secret], Arc::new(InMemory::new(100_000)))?;
//! let layer = ReceiverLayer::new(receiver, "https://shop.example", now);
//! # #[cfg(feature = "axum")]
//! let routes: axum::Router = axum::Router::new()
//!     .route("/hooks", axum::routing::post(paid))
//!     .layer(layer);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::request::Parts;
use http::{HeaderName, HeaderValue, Request, Response, StatusCode};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use tower_layer::Layer;
use tower_service::Service;

use crate::provider::Answer;
use crate::replay::Reservation;
use crate::{Event, Receiver, Rejection, provider};

/// Puts a [`Receiver`] before a service.
#[derive(Clone)]
pub struct ReceiverLayer(Arc<Shared>);

struct Shared {
    receiver: Receiver,
    base_url: String,
    now: Box<dyn Fn() -> i64 + Send + Sync>,
}

impl ReceiverLayer {
    /// `base_url` is what the sender's URL has before the path that this layer sees, such as
    /// `https://shop.example`: schemes that sign the URL need it, and a request's own `Host` is
    /// never believed. `now` tells the time in seconds since the Unix epoch.
    pub fn new(
        receiver: Receiver,
        base_url: &str,
        now: impl Fn() -> i64 + Send + Sync + 'static,
    ) -> Self {
        Self(Arc::new(Shared {
            receiver,
            base_url: base_url.trim_end_matches('/').to_owned(),
            now: Box::new(now),
        }))
    }
}

impl<S> Layer<S> for ReceiverLayer {
    type Service = Receiving<S>;

    fn layer(&self, inner: S) -> Receiving<S> {
        let shared = self.0.clone();
        Receiving { shared, inner }
    }
}

/// A service behind a [`ReceiverLayer`].
#[derive(Clone)]
pub struct Receiving<S> {
    shared: Arc<Shared>,
    inner: S,
}

type BoxError = Box<dyn std::error::Error + Send + Sync>;

impl<S, B, R> Service<Request<B>> for Receiving<S>
where
    S: Service<Request<B>, Response = Response<R>> + Clone + Send + 'static,
    S::Future: Send,
    B: BodyExt<Error: Into<BoxError>, Data: Send> + From<Bytes> + Send + 'static,
    R: From<Bytes>,
{
    type Response = Response<R>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response<R>, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        // The one that was found ready is called, and its copy is left for the next request.
        let copy = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, copy);
        let shared = self.shared.clone();
        Box::pin(async move {
            let (mut parts, body) = request.into_parts();
            let (event, reservation, body) = match shared.accept(&parts, body).await {
                Ok(accepted) => accepted,
                Err(rejection) => return Ok(answer(rejection)),
            };
            parts.extensions.insert(Arc::new(event));
            let request = Request::from_parts(parts, B::from(body));
            let response = inner.call(request).await?;
            if !response.status().is_success() {
                return Ok(response);
            }
            // What isn't remembered would be handled again: better that its sender hears of it.
            Ok(match reservation.confirm() {
                Ok(()) => response,
                Err(error) => answer(error.into()),
            })
        })
    }
}

impl Shared {
    async fn accept<B>(
        &self,
        parts: &Parts,
        body: B,
    ) -> Result<(Event, Reservation, Bytes), Rejection>
    where
        B: BodyExt<Error: Into<BoxError>>,
    {
        let body = read(body, self.receiver.limit_bytes()).await?;
        let path = parts.uri.path_and_query();
        let path = path.map_or("/", |path| path.as_str());
        let headers = parts.headers.iter();
        let headers: Vec<_> = headers
            .map(|(name, value)| (name.as_str(), value.as_bytes()))
            .collect();
        let request = provider::Request {
            method: parts.method.as_str(),
            url: &[&self.base_url, path].concat(),
            headers: &headers,
            body: &body,
        };
        let (event, reservation) = self.receiver.accept(&request, (self.now)())?;
        Ok((event, reservation, body))
    }
}

async fn read<B>(body: B, bytes_max: usize) -> Result<Bytes, Rejection>
where
    B: BodyExt<Error: Into<BoxError>>,
{
    // What says beforehand that it is too long is not read at all.
    if body.size_hint().lower() > bytes_max as u64 {
        return Err(Rejection::TooLarge { bytes_max });
    }
    match Limited::new(body, bytes_max).collect().await {
        Ok(body) => Ok(body.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(Rejection::TooLarge { bytes_max }),
        Err(_) => Err(Rejection::BrokenOff),
    }
}

/// What a rejection's sender gets.
pub(crate) fn answer<R: From<Bytes>>(rejection: Rejection) -> Response<R> {
    let mut response = match &rejection {
        Rejection::Handshake(answer) => greeting(answer),
        other => {
            let detail = Bytes::from_static(other.detail().as_bytes());
            let mut response = Response::new(R::from(detail));
            let plain = HeaderValue::from_static("text/plain; charset=utf-8");
            response.headers_mut().insert(CONTENT_TYPE, plain);
            response
        }
    };
    let status = StatusCode::from_u16(rejection.status());
    *response.status_mut() = status.expect("a rejection's status is a known one");
    response.extensions_mut().insert(Arc::new(rejection));
    response
}

fn greeting<R: From<Bytes>>(answer: &Answer) -> Response<R> {
    let body = Bytes::copy_from_slice(answer.body.as_bytes());
    let mut response = Response::new(R::from(body));
    let headers = response.headers_mut();
    if let Some(content_type) = answer.content_type {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    }
    for (name, value) in &answer.headers {
        let name = HeaderName::from_bytes(name.as_bytes());
        let value = HeaderValue::from_str(value);
        let header = name.ok().zip(value.ok());
        let (name, value) = header.expect("names of the program's, values of visible ASCII");
        headers.insert(name, value);
    }
    response
}
