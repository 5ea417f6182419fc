//! The receiver: answers every delivery at once, and keeps the book on what arrived.
//!
//! `POST /e/N` is endpoint N. `POST /begin` opens a new book, `GET /book` reads it: over HTTP, so
//! that a receiver on another machine is asked in the same way.
//!
//! `POST /o/NAME/N` is an endpoint with an option, whose deliveries must show that. Such ones come
//! over TLS too, on a port of its own, where the receiver was given certificates; and `POST /token`
//! gives access tokens to whoever asks.

use crate::BenchError;
use crate::book::{Book, DELIVERIES_MAX, Expected};
use crate::options::{Delivery, EndpointOption, acceptor};
use crate::payload::Mark;
use crate::serving::{Answer, Over, bind, listen, serve, serve_tls};
use crate::{clock, stdin};
use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use serde_json::json;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard};

/// How an endpoint's path begins.
pub(crate) const ENDPOINT: &str = "/e/";
/// The same of an endpoint with an option.
pub(crate) const OPTION: &str = "/o/";
/// Gives access tokens.
pub(crate) const TOKEN: &str = "/token";
/// The one that it gives.
pub(crate) const ACCESS_TOKEN: &str = "bench-access-token";
/// What it says before the base of its URLs over TLS.
pub(crate) const SECURE: &str = "over TLS: ";
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
    let (listener, receiver) = (listen(address).await?, Receiver::new());
    serve(listener, move |request, over| {
        receiver.clone().answer(request, over)
    })
    .await;
    Ok(())
}

/// Receives as a part of a bench: until that is gone.
///
/// # Errors
/// As [`receive`]; what is in the directory with certificates is of no use.
pub async fn part(certificates: Option<&Path>) -> Result<(), BenchError> {
    let address = SocketAddr::from(([127, 0, 0, 1], 0));
    let receiving = async {
        match certificates {
            Some(directory) => receive_both(address, directory).await,
            None => receive(address).await,
        }
    };
    tokio::select! {
        ended = receiving => ended,
        () = stdin::closed() => Ok(()),
    }
}

/// Receives over plain HTTP and over TLS, in one book.
async fn receive_both(address: SocketAddr, directory: &Path) -> Result<(), BenchError> {
    let acceptor = acceptor(directory)?;
    let (secure, bound) = bind(address).await?;
    eprintln!("{SECURE}https://{bound}");
    let (plain, receiver) = (listen(address).await?, Receiver::new());
    let answer = move |request, over| receiver.clone().answer(request, over);
    tokio::join!(
        serve(plain, answer.clone()),
        serve_tls(secure, acceptor, answer)
    );
    Ok(())
}

#[derive(Clone)]
struct Receiver(Arc<Mutex<Book>>);

impl Receiver {
    fn new() -> Self {
        let book = Book::new(Expected::NOTHING, clock::machine());
        Self(Arc::new(Mutex::new(book)))
    }

    async fn answer(self, request: Request<Incoming>, over: Over) -> Answer {
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
        if let Some((option, endpoint)) = with_option(request.uri().path()) {
            return self.take(request, over, (option, endpoint)).await;
        }
        match (request.method().clone(), request.uri().path()) {
            (Method::POST, TOKEN) => token(),
            (Method::GET, BOOK) => self.show(),
            (Method::POST, BEGIN) => self.begin(request).await,
            _ => empty(StatusCode::NOT_FOUND),
        }
    }

    /// Takes a delivery to an endpoint with an option, if it shows that.
    async fn take(
        &self,
        request: Request<Incoming>,
        over: Over,
        (option, endpoint): (EndpointOption, u64),
    ) -> Answer {
        let (parts, body) = request.into_parts();
        let Ok(body) = Limited::new(body, BODY_BYTES_MAX).collect().await else {
            return empty(StatusCode::BAD_REQUEST);
        };
        let delivery = Delivery {
            over,
            headers: &parts.headers,
            body: &body.to_bytes(),
        };
        let mark = Mark::find(delivery.body);
        let mut book = self.book();
        if over.first {
            book.connected();
        }
        let Some(id) = delivery.id().filter(|_| delivery.shows(option)) else {
            book.refuse();
            return empty(StatusCode::BAD_REQUEST);
        };
        match mark {
            Some(_) => book.enter(endpoint, mark, clock::now_us()),
            None => book.enter_unread(endpoint, id, clock::now_us()),
        }
        empty(StatusCode::OK)
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

/// What the path of an endpoint with an option says.
fn with_option(path: &str) -> Option<(EndpointOption, u64)> {
    let (name, number) = path.strip_prefix(OPTION)?.split_once('/')?;
    let mut all = EndpointOption::ALL.into_iter();
    Some((
        all.find(|option| option.name() == name)?,
        number.parse().ok()?,
    ))
}

fn token() -> Answer {
    let token = json!({"access_token": ACCESS_TOKEN, "token_type": "Bearer", "expires_in": 3_600});
    let mut answer = Response::new(Full::new(Bytes::from(token.to_string())));
    let json = HeaderValue::from_static("application/json");
    answer.headers_mut().insert(header::CONTENT_TYPE, json);
    answer
}

fn bounded(request: Request<Incoming>) -> Limited<Incoming> {
    Limited::new(request.into_body(), BODY_BYTES_MAX)
}

fn empty(status: StatusCode) -> Answer {
    let mut answer = Response::new(Full::default());
    *answer.status_mut() = status;
    answer
}
