//! A network in memory: what each host does is said by the test, and all that is sent is kept.

use async_trait::async_trait;
use bytes::Bytes;
use http::HeaderMap;
use model::answer_head::AnswerHead;
use model::phases::Phases;
use model::{Clock, Pin, Timestamp};
use std::collections::BTreeMap;
use std::io::{Error, ErrorKind};
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use transport::{
    Allowed, Answer, ChainCertificate, Observed, Outgoing, Peeked, Purpose, SendError, Stage,
    Target, TimeLimit, TlsProfile, Transport,
};

/// What a host does with a request.
#[derive(Debug, Clone)]
pub(crate) enum Reaction {
    /// Answers with this status after a while.
    Answer(u16, Duration),
    /// Answers 200 with this body.
    Body(Bytes),
    /// The same after a while.
    Late(Bytes, Duration),
    /// Answers 200 with what it got.
    Echo,
    /// Allows an origin to send, up to a rate.
    Allow(&'static str, Option<&'static str>),
    /// Asks to come back later.
    RetryAfter(u16, &'static str),
    /// Answers 200, by a clock that is so many seconds ahead of ours.
    Dated(i64),
    /// Refuses the connection.
    Refuse,
    /// Leads to an address that must not be called.
    Blocked,
    /// Never answers: our time runs out.
    Hang,
    /// Takes the whole sender down.
    Panic,
}

/// Answers at once with this status.
pub(crate) fn answer(status: u16) -> Reaction {
    Reaction::Answer(status, Duration::ZERO)
}

/// What is observed of a request that is answered with this status after so long.
pub(crate) fn observed_of(status: u16, headers_after: Duration) -> Observed {
    let failed = !(200..300).contains(&status);
    let text = status.to_string();
    Observed {
        phases: Phases {
            reused: true,
            answer: Some(headers_after),
            ..Phases::default()
        },
        chain: None,
        head: failed.then(|| AnswerHead::of([("x-status", text.as_bytes())])),
    }
}

/// A request as the network saw it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Sent {
    pub(crate) at: Timestamp,
    pub(crate) host: String,
    pub(crate) id: String,
    pub(crate) purpose: Purpose,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    /// Of which the receiver had to have one.
    pub(crate) pins: Vec<Pin>,
}

type Behaviour = Box<dyn Fn(usize) -> Reaction + Send + Sync>;

/// See the head of this file.
pub(crate) struct Network {
    clock: Arc<dyn Clock>,
    hosts: Mutex<BTreeMap<String, (usize, Behaviour)>>,
    sent: Mutex<Vec<Sent>>,
    open: Mutex<(usize, usize)>,
    looks: AtomicU8,
}

impl Network {
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            clock,
            hosts: Mutex::default(),
            sent: Mutex::default(),
            open: Mutex::default(),
            looks: AtomicU8::default(),
        }
    }

    /// What `host` does with its first, second, … request, counted from 0. Others answer 200.
    pub(crate) fn host(
        &self,
        host: &str,
        does: impl Fn(usize) -> Reaction + Send + Sync + 'static,
    ) {
        self.hosts
            .lock()
            .expect("no panic under it")
            .insert(host.to_owned(), (0, Box::new(does)));
    }

    /// All requests so far, in the order in which they were sent.
    pub(crate) fn sent(&self) -> Vec<Sent> {
        self.sent.lock().expect("no panic under it").clone()
    }

    /// Those to this host.
    pub(crate) fn sent_to(&self, host: &str) -> Vec<Sent> {
        let mut sent = self.sent();
        sent.retain(|sent| sent.host == host);
        sent
    }

    /// How often a receiver's certificate was looked at.
    pub(crate) fn looks(&self) -> u8 {
        self.looks.load(Ordering::SeqCst)
    }

    /// The most requests that were under way at the same time.
    pub(crate) fn most_at_once(&self) -> usize {
        self.open.lock().expect("no panic under it").1
    }

    fn note(&self, request: &Outgoing, host: &str) {
        let headers = &request.headers;
        let id = headers.get("webhook-id").or(headers.get("svix-id"));
        let id = match request.purpose {
            Purpose::Delivery => id.expect("every delivery has an id").to_str(),
            _ => Ok(""),
        };
        self.sent.lock().expect("no panic under it").push(Sent {
            at: self.clock.now(),
            id: id.expect("visible ASCII").to_owned(),
            host: host.to_owned(),
            purpose: request.purpose,
            headers: headers.clone(),
            body: request.body.clone(),
            pins: request.profile.as_ref().map_or_else(Vec::new, pins),
        });
    }

    fn reaction(&self, host: &str) -> Reaction {
        match self.hosts.lock().expect("no panic under it").get_mut(host) {
            Some((count, does)) => {
                *count += 1;
                does(*count - 1)
            }
            None => answer(200),
        }
    }
}

#[async_trait]
impl Transport for Network {
    async fn send(&self, request: Outgoing) -> Result<Answer, SendError> {
        let host = request.target.url().host_text().to_owned();
        self.note(&request, &host);
        let _open = Open::new(&self.open);
        let mut body = None;
        let mut date = None;
        let mut allowed = None;
        let (status, retry_after, headers_after) = match self.reaction(&host) {
            Reaction::Dated(ahead) => {
                let seconds = self.clock.now().seconds() + ahead;
                date = Some(Timestamp::from_seconds(seconds));
                (200, None, Duration::ZERO)
            }
            Reaction::Answer(status, after) => (status, None, after),
            Reaction::Body(text) => {
                body = Some(text);
                (200, None, Duration::ZERO)
            }
            Reaction::Late(text, after) => {
                body = Some(text);
                (200, None, after)
            }
            Reaction::Echo => {
                body = Some(request.body);
                (200, None, Duration::ZERO)
            }
            Reaction::Allow(origin, rate) => {
                allowed = Some(Box::new(Allowed {
                    origin: origin.to_owned(),
                    rate: rate.map(str::to_owned),
                }));
                (200, None, Duration::ZERO)
            }
            Reaction::RetryAfter(status, wait) => (status, Some(wait), Duration::ZERO),
            Reaction::Blocked => {
                return Err(SendError::new(Stage::Guard, "an address of the inside"));
            }
            Reaction::Refuse => {
                let cause = Error::from(ErrorKind::ConnectionRefused);
                return Err(SendError::new(Stage::Connect, cause));
            }
            Reaction::Hang => {
                let limit = request.limits.total_timeout;
                pass(limit).await;
                return Err(SendError::timed_out(TimeLimit::Total, limit));
            }
            Reaction::Panic => panic!("a panic that a test asked for"),
        };
        pass(headers_after).await;
        let body = body.unwrap_or_else(|| Bytes::from(format!("status {status}")));
        let most = request.limits.response_bytes_max;
        Ok(Answer {
            status,
            retry_after: retry_after.map(str::to_owned),
            allowed,
            truncated: body.len() > most,
            body: body.slice(..body.len().min(most)),
            headers_after,
            date,
            handshake: None,
            observed: Box::new(observed_of(status, headers_after)),
        })
    }

    /// Shows a certificate of a key that is another one each time, and never that of zeroes.
    async fn peek(
        &self,
        _: &Target,
        _: Option<&TlsProfile>,
        _: Duration,
    ) -> Result<Peeked, SendError> {
        let look = self.looks.fetch_add(1, Ordering::SeqCst) + 1;
        let one = ChainCertificate {
            pin: Pin::new([look; 32]),
            subject: "CN=a".to_owned(),
            issuer: "CN=b".to_owned(),
            not_after: None,
        };
        Ok(Peeked {
            certificates: vec![one],
            refused: None,
        })
    }
}

fn pins(profile: &TlsProfile) -> Vec<Pin> {
    let pins = profile.settings().pins.as_ref();
    pins.map_or_else(Vec::new, |pins| pins.accepted.clone())
}

/// Waits in simulated time.
async fn pass(time: Duration) {
    let _ = tokio::time::timeout(time, std::future::pending::<()>()).await;
}

/// Counts a request as under way until it is dropped.
struct Open<'a>(&'a Mutex<(usize, usize)>);

impl<'a> Open<'a> {
    fn new(open: &'a Mutex<(usize, usize)>) -> Self {
        let mut counts = open.lock().expect("no panic under it");
        counts.0 += 1;
        counts.1 = counts.1.max(counts.0);
        drop(counts);
        Self(open)
    }
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        self.0.lock().expect("no panic under it").0 -= 1;
    }
}
