//! The bare relay: takes a message, answers `202`, and forwards it to every target. It stores
//! nothing and signs nothing, so it is what any service costs that stands between two others.
//!
//! It loses what it holds when it ends, and whatever a target does not take: that shows as lost.

use crate::BenchError;
use crate::dial::{Connection, Place};
use crate::serving::{Answer, listen, serve};
use crate::stdin;
use bytes::Bytes;
use http::{HeaderValue, Request, Response, StatusCode, Uri, header};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Deliveries that are held at a time: beyond it, requests wait for their answer.
const HELD_MAX: usize = 4_096;
/// Deliveries that are being sent at a time.
const SENDING_MAX: usize = 256;

/// Relays to these endpoints of a receiver, as a part of a bench: until that is gone.
///
/// # Errors
/// The receiver's URL can't be used; nobody can listen.
pub async fn part(receiver: &str, endpoints: u32) -> Result<(), BenchError> {
    let relay = Relay(Arc::new(Parts::new(Place::parse(receiver)?, endpoints)?));
    let listener = listen(SocketAddr::from(([127, 0, 0, 1], 0))).await?;
    tokio::select! {
        () = serve(listener, move |request, _| relay.clone().take(request)) => {}
        () = stdin::closed() => {}
    }
    Ok(())
}

#[derive(Clone)]
struct Relay(Arc<Parts>);

struct Parts {
    place: Place,
    host: HeaderValue,
    targets: Vec<Uri>,
    held: Arc<Semaphore>,
    sending: Semaphore,
    idle: Mutex<Vec<Connection>>,
}

impl Parts {
    fn new(place: Place, endpoints: u32) -> Result<Self, BenchError> {
        let wrong = |_| BenchError::Url {
            url: place.to_string(),
            reason: "it has characters that no request can have",
        };
        let target = |number| {
            let uri = format!("{}{number}", crate::receiver::ENDPOINT);
            uri.parse().expect("a path with a number is a URI")
        };
        Ok(Self {
            host: HeaderValue::try_from(place.to_string()).map_err(wrong)?,
            place,
            targets: (0..endpoints).map(target).collect(),
            held: Arc::new(Semaphore::new(HELD_MAX)),
            sending: Semaphore::new(SENDING_MAX),
            idle: Mutex::default(),
        })
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Connection>> {
        self.idle.lock().expect("no holder panics")
    }
}

impl Relay {
    async fn take(self, request: Request<Incoming>) -> Answer {
        let Ok(body) = request.into_body().collect().await else {
            return answer(StatusCode::BAD_REQUEST);
        };
        let body = body.to_bytes();
        for target in 0..self.0.targets.len() {
            let place = self.0.held.clone().acquire_owned().await;
            let place = place.expect("the semaphore is never closed");
            tokio::spawn(self.clone().forward(target, body.clone(), place));
        }
        answer(StatusCode::ACCEPTED)
    }

    async fn forward(self, target: usize, body: Bytes, held: OwnedSemaphorePermit) {
        let sending = self.0.sending.acquire().await;
        // Whatever goes wrong is seen as a delivery that never arrived.
        let _ = self.send(target, body).await;
        drop((sending, held));
    }

    async fn send(&self, target: usize, body: Bytes) -> Result<(), BenchError> {
        let idle = self.0.idle().pop();
        let mut connection = match idle {
            Some(connection) => connection,
            None => self.0.place.connect().await?,
        };
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = http::Method::POST;
        *request.uri_mut() = self.0.targets[target].clone();
        let headers = request.headers_mut();
        headers.insert(header::HOST, self.0.host.clone());
        let json = HeaderValue::from_static("application/json");
        headers.insert(header::CONTENT_TYPE, json);
        connection.ready().await?;
        let response = connection.send_request(request).await?;
        response.into_body().collect().await?;
        self.0.idle().push(connection);
        Ok(())
    }
}

fn answer(status: StatusCode) -> Answer {
    let mut answer = Response::new(Full::new(Bytes::from_static(b"{}")));
    *answer.status_mut() = status;
    answer
}
