//! One request over one connection: written in the connection's version, answered to a bound.
//!
//! It knows nothing of how the connection came about. Whether a failure is worth another connection
//! is `client.rs`'s business.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_LENGTH, DATE, HOST, RETRY_AFTER, TRANSFER_ENCODING};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use model::Timestamp;
use model::answer_head::AnswerHead;
use tokio::time::Instant;

use crate::body::{self, Kept};
use crate::connections::{Connections, Open};
use crate::http1::Http1;
use crate::http2::Http2;
use crate::pool::PoolKey;
use crate::progress::{Phase, Progress};
use crate::unanswered::Unanswered;
use crate::{Allowed, Answer, Outgoing, Purpose};

const ALLOWED_ORIGIN: HeaderName = HeaderName::from_static("webhook-allowed-origin");
const ALLOWED_RATE: HeaderName = HeaderName::from_static("webhook-allowed-rate");

/// How much of a response beyond what is kept is read in order to keep its connection.
const DRAINED_BYTES_MAX: u64 = 64 * 1024;
/// How long that may take.
const DRAIN_PATIENCE: Duration = Duration::from_secs(1);

/// One request over one connection.
pub(crate) struct Exchange<'a> {
    pub(crate) connections: &'a Arc<Connections>,
    pub(crate) key: &'a PoolKey,
    pub(crate) request: &'a Outgoing,
    pub(crate) started: Instant,
    pub(crate) reused: bool,
}

impl Exchange<'_> {
    /// Sends the request and reads its answer.
    pub(crate) async fn run(
        &self,
        open: Open,
        progress: &mut Progress,
    ) -> Result<Answer, Unanswered> {
        progress.begin(Phase::Answer);
        match open {
            Open::Http1 { connection, opened } => {
                progress.goes_over(self.reused, false);
                self.over_http1(connection, opened, progress).await
            }
            Open::Http2(connection) => {
                progress.goes_over(self.reused, true);
                self.over_http2(connection, progress).await
            }
        }
    }

    async fn over_http1(
        &self,
        mut connection: Box<Http1>,
        opened: Instant,
        progress: &mut Progress,
    ) -> Result<Answer, Unanswered> {
        progress.chain.clone_from(&connection.chain);
        let response = connection.request(self.http1_request()).await?;
        progress.begin(Phase::Body);
        progress.head = self.kept_head(&response);
        let head = self.head(&response);
        let mut incoming = response.into_body();
        let limit = self.request.limits.response_bytes_max;
        let kept = body::read(&mut incoming, limit, |cx| connection.drive(cx)).await;
        let kept = kept.map_err(Unanswered::midway)?;
        progress.end();
        if kept.truncated {
            self.drain_and_keep(connection, opened, incoming);
        } else {
            drop(incoming);
            self.connections.keep(self.key, connection, opened).await;
        }
        Ok(head.with(kept, progress))
    }

    async fn over_http2(
        &self,
        mut connection: Http2,
        progress: &mut Progress,
    ) -> Result<Answer, Unanswered> {
        progress.chain.clone_from(&connection.chain);
        let response = connection.request(self.http2_request()).await?;
        progress.begin(Phase::Body);
        progress.head = self.kept_head(&response);
        let head = self.head(&response);
        let limit = self.request.limits.response_bytes_max;
        // What is not read of the body is reset with its stream, without harm to the connection.
        let kept = body::read(&mut response.into_body(), limit, |_| ()).await;
        Ok(head.with(kept.map_err(Unanswered::midway)?, progress))
    }

    /// The answer is complete as far as anybody looks at it; whether the connection can be kept is
    /// found out beside, for a bounded number of connections at a time.
    fn drain_and_keep(&self, mut connection: Box<Http1>, opened: Instant, mut rest: Incoming) {
        let Some(permit) = self.connections.may_drain() else {
            return;
        };
        let (connections, key) = (self.connections.clone(), self.key.clone());
        tokio::spawn(async move {
            let _permit = permit;
            let drained = body::drain(&mut rest, DRAINED_BYTES_MAX, |cx| connection.drive(cx));
            if let Ok(true) = tokio::time::timeout(DRAIN_PATIENCE, drained).await {
                connections.keep(&key, connection, opened).await;
            }
        });
    }

    fn http1_request(&self) -> Request<Full<Bytes>> {
        let mut request = self.bare_request();
        *request.uri_mut() = self.request.target.path();
        let headers = request.headers_mut();
        headers.insert(HOST, self.request.target.host());
        self.fill(headers);
        if let Some(spelling) = &self.request.spelling {
            *request.extensions_mut() = spelling.extensions();
        }
        request
    }

    fn http2_request(&self) -> Request<Full<Bytes>> {
        let mut request = self.bare_request();
        *request.uri_mut() = self.request.target.absolute();
        self.fill(request.headers_mut());
        request
    }

    fn bare_request(&self) -> Request<Full<Bytes>> {
        let mut request = Request::new(Full::new(self.request.body.clone()));
        *request.method_mut() = self.request.method.clone();
        request
            .headers_mut()
            .reserve(self.request.headers.len() + 2);
        request
    }

    fn fill(&self, headers: &mut HeaderMap) {
        for (name, value) in &self.request.headers {
            if *name != HOST && *name != CONTENT_LENGTH && *name != TRANSFER_ENCODING {
                headers.append(name, value.clone());
            }
        }
        if !headers.contains_key(AUTHORIZATION)
            && let Some(basic) = self.request.target.basic()
        {
            headers.insert(AUTHORIZATION, basic);
        }
        // hyper says nothing about the length of an empty body, which only a `GET` may leave open.
        if self.request.body.is_empty() && self.request.method != Method::GET {
            headers.insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
        }
    }

    fn head(&self, response: &Response<Incoming>) -> Head {
        let text = |name| {
            let value = response.headers().get(name)?;
            value.to_str().ok().map(str::to_owned)
        };
        let is_challenge = self.request.purpose == Purpose::Challenge;
        let origin = is_challenge.then(|| text(ALLOWED_ORIGIN)).flatten();
        let allowed = origin.map(|origin| Allowed {
            origin,
            rate: text(ALLOWED_RATE),
        });
        Head {
            status: response.status().as_u16(),
            retry_after: text(RETRY_AFTER),
            allowed: allowed.map(Box::new),
            headers_after: self.started.elapsed(),
            date: date_of(response.headers()),
        }
    }

    /// The headers of a response to a delivery, for people who ask why it failed.
    fn kept_head(&self, response: &Response<Incoming>) -> Option<AnswerHead> {
        if self.request.purpose != Purpose::Delivery || response.status().is_success() {
            return None;
        }
        let headers = response.headers().iter();
        let headers = headers.map(|(name, value)| (name.as_str(), value.as_bytes()));
        Some(AnswerHead::of(headers))
    }
}

/// The time of the other side, where it gives it as it should.
fn date_of(headers: &HeaderMap) -> Option<Timestamp> {
    let date = headers.get(DATE)?.to_str().ok()?;
    let date = httpdate::parse_http_date(date).ok()?;
    let since_epoch = date.duration_since(SystemTime::UNIX_EPOCH).ok()?;
    Some(Timestamp::default().plus(since_epoch))
}

/// An answer whose body is still to come.
struct Head {
    status: u16,
    retry_after: Option<String>,
    allowed: Option<Box<Allowed>>,
    headers_after: Duration,
    date: Option<Timestamp>,
}

impl Head {
    /// The whole answer, with what was noted until now.
    fn with(self, kept: Kept, progress: &mut Progress) -> Answer {
        let (handshake, observed) = std::mem::take(progress).told();
        Answer {
            status: self.status,
            retry_after: self.retry_after,
            allowed: self.allowed,
            body: kept.bytes,
            truncated: kept.truncated,
            headers_after: self.headers_after,
            date: self.date,
            handshake,
            observed,
        }
    }
}
