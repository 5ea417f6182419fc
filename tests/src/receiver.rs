//! An endpoint's other side: an HTTP server that keeps what arrives, byte for byte, and answers
//! as the test wants. It tells when something arrived; nobody has to guess by time.

use std::convert::Infallible;
use std::fmt::Debug;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::wait::within;

/// A running receiver on 127.0.0.1.
pub struct Receiver {
    address: SocketAddr,
    arrivals: tokio::sync::Mutex<mpsc::UnboundedReceiver<Received>>,
    connections: watch::Sender<usize>,
    accepting: JoinHandle<()>,
}

/// A request that was read to its end.
#[derive(Clone, Debug)]
pub struct Received {
    /// The method.
    pub method: String,
    /// Path and query.
    pub path: String,
    /// The headers; names in lower case, values as they were sent.
    pub headers: HeaderMap,
    /// The body as it was sent.
    pub body: Bytes,
    /// When it had been read.
    pub at: Instant,
}

/// What to answer.
#[derive(Clone, Debug)]
pub struct Answer {
    status: u16,
    headers: Vec<(String, String)>,
    body: Bytes,
    gate: Option<Gate>,
}

/// Holds answers back until it is opened.
#[derive(Clone, Debug)]
pub struct Gate(watch::Sender<bool>);

impl Receiver {
    /// One that answers 200 to everything.
    pub async fn willing() -> Self {
        Self::start(|_| Answer::status(200)).await
    }

    /// One that gives these answers in turn, then the last again and again.
    ///
    /// # Panics
    /// When there are none.
    pub async fn in_turn(answers: impl IntoIterator<Item = Answer>) -> Self {
        let mut answers: Vec<Answer> = answers.into_iter().collect();
        assert!(!answers.is_empty(), "give at least one answer");
        answers.reverse();
        let rest = Mutex::new(answers);
        Self::start(move |_| {
            let mut rest = rest.lock().expect("nobody panics with it");
            let next = if rest.len() > 1 {
                rest.pop()
            } else {
                rest.last().cloned()
            };
            next.expect("the last one stays")
        })
        .await
    }

    /// One that answers as `answer` says. The test hears of a request before it is answered.
    pub async fn start(answer: impl Fn(&Received) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a port of 127.0.0.1");
        let address = listener.local_addr().expect("it is bound");
        let (tell, arrivals) = mpsc::unbounded_channel();
        let answer: Arc<Answerer> = Arc::new(answer);
        let connections = watch::Sender::new(0);
        let count = connections.clone();
        let accepting = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                count.send_modify(|count| *count += 1);
                let (count, serving) = (count.clone(), serve(stream, answer.clone(), tell.clone()));
                tokio::spawn(async move {
                    serving.await;
                    count.send_modify(|count| *count -= 1);
                });
            }
        });
        let arrivals = tokio::sync::Mutex::new(arrivals);
        Self {
            address,
            arrivals,
            connections,
            accepting,
        }
    }

    /// The URL of `path` here.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Its address.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The next request, in the order of arrival; waits for it.
    #[track_caller]
    pub fn next(&self) -> impl Future<Output = Received> {
        let arrival = async { self.arrivals.lock().await.recv().await };
        let arrival = within("a request at the receiver", arrival);
        async {
            arrival
                .await
                .expect("the receiver runs as long as it is held")
        }
    }

    /// The next `count` requests.
    pub async fn take(&self, count: usize) -> Vec<Received> {
        let mut taken = Vec::with_capacity(count);
        while taken.len() < count {
            let what = format!("request {} of {count} at the receiver", taken.len() + 1);
            let arrival = async { self.arrivals.lock().await.recv().await };
            taken.push(
                within(what, arrival)
                    .await
                    .expect("it runs as long as it is held"),
            );
        }
        taken
    }

    /// Waits until nobody is connected: what a killed server had sent has been taken by then.
    pub async fn disconnected(&self) {
        // Connections are accepted in their order: when this one has been, all before it have.
        let mut probe = TcpStream::connect(self.address)
            .await
            .expect("the receiver listens");
        probe.shutdown().await.expect("a connection can be ended");
        let ended = within("the end of a connection to the receiver", probe.read_u8()).await;
        assert!(ended.is_err(), "nothing was asked on this connection");
        let mut connections = self.connections.subscribe();
        let ended = connections.wait_for(|count| *count == 0);
        within("the end of all connections to the receiver", ended)
            .await
            .expect("the receiver holds the sender");
    }

    /// What has arrived and was not taken yet; waits for nothing.
    pub async fn rest(&self) -> Vec<Received> {
        let mut arrivals = self.arrivals.lock().await;
        std::iter::from_fn(|| arrivals.try_recv().ok()).collect()
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

impl Received {
    /// A header's text.
    ///
    /// # Panics
    /// When it is missing, repeated or no text.
    #[track_caller]
    pub fn header(&self, name: &str) -> &str {
        let values: Vec<_> = self.headers.get_all(name).iter().collect();
        match values[..] {
            [value] => value
                .to_str()
                .unwrap_or_else(|_| panic!("{name} is no text: {value:?}")),
            _ => panic!("{name} should be there once: {:?}", self.headers),
        }
    }

    /// The id of the message.
    #[track_caller]
    pub fn id(&self) -> &str {
        self.header("webhook-id")
    }

    /// The body as JSON.
    ///
    /// # Panics
    /// When it is none.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("no JSON arrived ({error}): {:?}", self.body))
    }
}

impl Answer {
    /// This status, with an empty body.
    pub fn status(status: u16) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: Bytes::new(),
            gate: None,
        }
    }

    /// With one more header.
    pub fn header(mut self, name: &str, value: impl ToString) -> Self {
        self.headers.push((name.to_owned(), value.to_string()));
        self
    }

    /// With a body.
    pub fn body(mut self, body: impl Into<Bytes>) -> Self {
        self.body = body.into();
        self
    }

    /// Not before `gate` opens.
    pub fn after(mut self, gate: &Gate) -> Self {
        self.gate = Some(gate.clone());
        self
    }

    async fn give(self) -> Response<Full<Bytes>> {
        if let Some(Gate(gate)) = self.gate {
            let opened = gate.subscribe().wait_for(|open| *open).await.is_ok();
            assert!(opened, "the gate is held above");
        }
        let mut response = Response::builder().status(self.status);
        for (name, value) in self.headers {
            response = response.header(name, value);
        }
        response
            .body(Full::new(self.body))
            .expect("the test gives a valid answer")
    }
}

impl Gate {
    /// A closed one.
    pub fn new() -> Self {
        Self(watch::Sender::new(false))
    }

    /// Lets all answers pass, from now on.
    pub fn open(&self) {
        self.0.send_replace(true);
    }
}

impl Default for Gate {
    fn default() -> Self {
        Self::new()
    }
}

type Answerer = dyn Fn(&Received) -> Answer + Send + Sync;

async fn serve(stream: TcpStream, answer: Arc<Answerer>, tell: mpsc::UnboundedSender<Received>) {
    // A connection that breaks, as a killed server's do, is nothing to report.
    let _ = stream.set_nodelay(true);
    let service = service_fn(|request: Request<Incoming>| {
        let (answer, tell) = (Arc::clone(&answer), tell.clone());
        async move {
            let (parts, body) = request.into_parts();
            let body = body.collect().await?.to_bytes();
            let received = Received {
                method: parts.method.to_string(),
                path: parts.uri.to_string(),
                headers: parts.headers,
                body,
                at: Instant::now(),
            };
            let answer = answer(&received);
            // The test may have ended.
            let _ = tell.send(received);
            Ok::<_, hyper::Error>(answer.give().await)
        }
    });
    let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    let _: Result<(), Infallible> = connection.await.or(Ok(()));
}
