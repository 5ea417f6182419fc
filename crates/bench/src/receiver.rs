//! The receiver: answers every delivery at once, and keeps the book on what arrived.
//!
//! `POST /e/N` is endpoint N. `POST /begin` opens a new book, `GET /book` reads it: over HTTP, so
//! that a receiver on another machine is asked in the same way.

use crate::BenchError;
use crate::book::{Book, DELIVERIES_MAX, Expected};
use crate::payload::Mark;
use crate::serving::{Answer, listen, serve};
use crate::{clock, stdin};
use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};

/// How an endpoint's path begins.
pub(crate) const ENDPOINT: &str = "/e/";
/// Opens a new book.
pub(crate) const BEGIN: &str = "/begin";
/// Reads it.
pub(crate) const BOOK: &str = "/book";

/// The largest body that is read; whatever is larger is no delivery of a bench.
const BODY_BYTES_MAX: usize = 64 << 20;

/// Receives until it is dropped.
///
/// # Errors
/// The address can't be listened on.
pub async fn receive(address: SocketAddr) -> Result<(), BenchError> {
    let listener = listen(address).await?;
    let book = Book::new(Expected::NOTHING, clock::machine());
    let receiver = Receiver(Arc::new(Mutex::new(book)));
    serve(listener, move |request| receiver.clone().answer(request)).await;
    Ok(())
}

/// Receives as a part of a bench: until that is gone.
///
/// # Errors
/// As [`receive`].
pub async fn part() -> Result<(), BenchError> {
    tokio::select! {
        ended = receive(SocketAddr::from(([127, 0, 0, 1], 0))) => ended,
        () = stdin::closed() => Ok(()),
    }
}

#[derive(Clone)]
struct Receiver(Arc<Mutex<Book>>);

impl Receiver {
    async fn answer(self, request: Request<Incoming>) -> Answer {
        if let Some(number) = request.uri().path().strip_prefix(ENDPOINT) {
            let Ok(endpoint) = number.parse() else {
                return empty(StatusCode::NOT_FOUND);
            };
            let Ok(body) = bounded(request).collect().await else {
                return empty(StatusCode::BAD_REQUEST);
            };
            let mark = Mark::find(&body.to_bytes());
            self.book().enter(endpoint, mark, clock::now_us());
            return empty(StatusCode::OK);
        }
        match (request.method().clone(), request.uri().path()) {
            (Method::GET, BOOK) => self.show(),
            (Method::POST, BEGIN) => self.begin(request).await,
            _ => empty(StatusCode::NOT_FOUND),
        }
    }

    fn show(&self) -> Answer {
        let arrivals = self.book().arrivals();
        let text = serde_json::to_vec(&arrivals).expect("numbers and names can be written");
        Response::new(Full::new(Bytes::from(text)))
    }

    async fn begin(&self, request: Request<Incoming>) -> Answer {
        let body = bounded(request).collect().await;
        let body = body.map(http_body_util::Collected::to_bytes).ok();
        let expected = body.and_then(|body| serde_json::from_slice::<Expected>(&body).ok());
        let has_room = |expected: &Expected| expected.deliveries() <= DELIVERIES_MAX;
        let Some(expected) = expected.filter(has_room) else {
            return empty(StatusCode::BAD_REQUEST);
        };
        *self.book() = Book::new(expected, clock::machine());
        empty(StatusCode::NO_CONTENT)
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.0.lock().expect("no holder panics")
    }
}

fn bounded(request: Request<Incoming>) -> Limited<Incoming> {
    Limited::new(request.into_body(), BODY_BYTES_MAX)
}

fn empty(status: StatusCode) -> Answer {
    let mut answer = Response::new(Full::default());
    *answer.status_mut() = status;
    answer
}
