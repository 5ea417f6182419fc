//! What is counted of requests: for each operation how they were answered, and how long that took.
//! By the path as it is declared, never as it was asked: so there are only so many counters, and
//! all of them are there before the first request.

use crate::operation::MethodName;
use app::access::limits::Need;
use axum::extract::Request;
use axum::response::Response;
use axum::routing::Route;
use axum::routing::future::RouteFuture;
use http::StatusCode;
use model::meter::{Counter, Durations, Stopwatch};
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use tokio::time::Instant;
use tower::{Layer, Service};

/// What is counted of all operations.
#[derive(Debug, Clone, Default)]
pub struct Requests(Arc<[OperationMeter]>);

/// What is counted of one operation.
#[derive(Debug, Clone)]
pub struct OperationMeter {
    method: &'static str,
    path: &'static str,
    meter: Arc<Meter>,
}

/// Counts requests by the first digit of their answer's status.
#[derive(Debug, Default)]
pub(crate) struct Meter {
    classes: [Counter; CLASSES.len()],
    took: Stopwatch,
}

/// The classes of statuses, by their first digit.
const CLASSES: [&str; 5] = ["1xx", "2xx", "3xx", "4xx", "5xx"];

impl Requests {
    pub(crate) fn new(operations: Vec<OperationMeter>) -> Self {
        Self(operations.into())
    }

    /// Each operation, and what is at no operation's path.
    pub fn iter(&self) -> impl Iterator<Item = &OperationMeter> {
        self.0.iter()
    }
}

impl OperationMeter {
    pub(crate) fn new(method: MethodName, path: &'static str) -> Self {
        Self {
            method: match method {
                MethodName::Get => "GET",
                MethodName::Post => "POST",
                MethodName::Put => "PUT",
                MethodName::Patch => "PATCH",
                MethodName::Delete => "DELETE",
            },
            path,
            meter: Arc::default(),
        }
    }

    /// For what is at no operation's path.
    pub(crate) fn of_others() -> Self {
        Self {
            method: "other",
            path: "other",
            meter: Arc::default(),
        }
    }

    pub(crate) fn meter(&self) -> Arc<Meter> {
        self.meter.clone()
    }

    /// Its method.
    pub fn method(&self) -> &'static str {
        self.method
    }

    /// Its path, with what is open in it in braces.
    pub fn path(&self) -> &'static str {
        self.path
    }

    /// How many requests were answered with a status of each class.
    pub fn classes(&self) -> impl Iterator<Item = (&'static str, u64)> + '_ {
        let counts = self.meter.classes.iter().map(Counter::get);
        CLASSES.into_iter().zip(counts)
    }

    /// How long it took until each answer began.
    pub fn took(&self) -> Durations {
        self.meter.took.read()
    }
}

impl Meter {
    pub(crate) fn answered(&self, status: StatusCode, begun: Instant) {
        let class = usize::from(status.as_u16() / 100).clamp(1, CLASSES.len());
        self.classes[class - 1].count();
        self.took.took(begun.elapsed());
    }
}

/// Puts what is declared of an operation before its route: what is needed for it goes with each
/// request, and each is counted.
#[derive(Clone)]
pub(crate) struct Declared {
    pub(crate) need: Need,
    pub(crate) meter: Arc<Meter>,
}

impl Layer<Route> for Declared {
    type Service = Counted;

    fn layer(&self, route: Route) -> Counted {
        Counted {
            declared: self.clone(),
            route,
        }
    }
}

/// A route with what is declared of it.
#[derive(Clone)]
pub(crate) struct Counted {
    declared: Declared,
    route: Route,
}

impl Service<Request> for Counted {
    type Response = Response;
    type Error = Infallible;
    type Future = Answering;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Service::<Request>::poll_ready(&mut self.route, context)
    }

    fn call(&mut self, mut request: Request) -> Answering {
        request.extensions_mut().insert(self.declared.need);
        Answering {
            begun: Instant::now(),
            meter: self.declared.meter.clone(),
            answer: self.route.call(request),
        }
    }
}

/// A request on its way to its answer. One whose client goes away first is not counted.
pub(crate) struct Answering {
    answer: RouteFuture<Infallible>,
    meter: Arc<Meter>,
    begun: Instant,
}

impl Future for Answering {
    type Output = Result<Response, Infallible>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        // A panic goes on from here, and is answered with 500 by the door.
        let alarm = Alarm(&this.meter, this.begun);
        let polled = Pin::new(&mut this.answer).poll(context);
        std::mem::forget(alarm);
        let Ok(response) = ready!(polled);
        this.meter.answered(response.status(), this.begun);
        Poll::Ready(Ok(response))
    }
}

struct Alarm<'m>(&'m Meter, Instant);

impl Drop for Alarm<'_> {
    fn drop(&mut self) {
        self.0.answered(StatusCode::INTERNAL_SERVER_ERROR, self.1);
    }
}
