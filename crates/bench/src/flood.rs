//! The flooder: posts requests that are signed with a key of nobody's, over connections that it
//! opens again whenever they are closed, one request at a time on each, as fast as they are
//! answered.
//!
//! Everything else about them is good: a path that is there, an id of its own, the time, a body
//! like those of good requests. They come from another address of this machine than those, as
//! whoever floods has one of its own.

use crate::BenchError;
use crate::clock;
use crate::dial::{Connection, Place};
use crate::load::{json_headers, unusable};
use crate::payload::{Mark, Template};
use crate::serving::ACCEPT_PAUSE;
use crate::sign::Signer;
use crate::stdin::{next, tell};
use bytes::Bytes;
use http::{HeaderMap, Method, Request, Uri};
use http_body_util::{BodyExt as _, Full};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, MutexGuard};
use tokio::io::{AsyncBufReadExt as _, BufReader, stdin, stdout};
use tokio::sync::Notify;
use tokio::task::JoinSet;

/// Where it comes from; good requests come from 127.0.0.1.
const FROM: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);

/// What to flood.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Job {
    /// Where to.
    pub(crate) place: Place,
    /// The path.
    pub(crate) path: String,
    /// What requests are signed with: not what the source has.
    pub(crate) secret: String,
    /// Bytes of each body.
    pub(crate) payload_bytes: usize,
    /// Connections.
    pub(crate) connections: usize,
}

/// How a flood was answered.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Answers {
    /// How often each status came.
    pub statuses: BTreeMap<u16, u64>,
    /// Requests that were never answered: their connection was closed.
    pub unanswered: u64,
    /// Connections that were made.
    pub connections: u64,
}

impl Answers {
    /// Adds those of another flood.
    pub(crate) fn add(&mut self, other: &Self) {
        for (status, count) in &other.statuses {
            *self.statuses.entry(*status).or_default() += count;
        }
        self.unanswered += other.unanswered;
        self.connections += other.connections;
    }

    /// Requests.
    pub fn requests(&self) -> u64 {
        self.statuses.values().sum::<u64>() + self.unanswered
    }
}

/// Floods as a part of a bench: what the first line of standard input says, until there is another
/// one, or nobody is there any more. Says when it is in full swing, and at the end how it went.
///
/// # Errors
/// Standard input or output fails, or what is to be flooded can't be used.
pub async fn part() -> Result<(), BenchError> {
    let (mut lines, mut output) = (BufReader::new(stdin()).lines(), stdout());
    let Some(line) = next(&mut lines).await? else {
        return Ok(());
    };
    let flood = Arc::new(Flood::new(serde_json::from_str(&line)?)?);
    let mut clients = JoinSet::new();
    for client in 0..flood.job.connections {
        clients.spawn(flood.clone().client(client as u64));
    }
    let swing = flood.swing.notified();
    tokio::select! {
        () = swing => tell(&mut output, &()).await?,
        gone = next(&mut lines) => return gone.map(drop),
    }
    next(&mut lines).await?;
    clients.shutdown().await;
    let answers = flood.answers().clone();
    tell(&mut output, &answers).await
}

/// A flood on its way.
struct Flood {
    job: Job,
    uri: Uri,
    headers: HeaderMap,
    template: Template,
    signer: Signer,
    answers: Mutex<Answers>,
    /// Told when every connection has carried requests.
    swing: Notify,
}

impl Flood {
    fn new(job: Job) -> Result<Self, BenchError> {
        Ok(Self {
            uri: job.path.parse().map_err(|_| unusable(&job.place))?,
            headers: json_headers(&job.place)?,
            template: Template::payload(job.payload_bytes),
            signer: Signer::new(&job.secret)?,
            answers: Mutex::default(),
            swing: Notify::new(),
            job,
        })
    }

    /// One connection after the other, for ever.
    async fn client(self: Arc<Self>, run: u64) {
        let mut number = 0;
        loop {
            let Ok(mut connection) = self.job.place.connect_from(FROM).await else {
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            };
            self.answers().connections += 1;
            while connection.ready().await.is_ok() {
                let mark = Mark {
                    run,
                    index: number,
                    sent_us: clock::now_us(),
                };
                number += 1;
                let status = self.ask(&mut connection, mark).await;
                self.count(status.ok());
            }
        }
    }

    async fn ask(&self, connection: &mut Connection, mark: Mark) -> Result<u16, BenchError> {
        let body = Bytes::from(self.template.marked(mark));
        let mut request = Request::new(Full::new(body.clone()));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self.uri.clone();
        *request.headers_mut() = self.headers.clone();
        let id = format!("flood_{}_{}", mark.run, mark.index);
        let now = clock::unix_seconds();
        self.signer.sign(request.headers_mut(), (&id, &body), now);
        let response = connection.send_request(request).await?;
        let status = response.status().as_u16();
        // An answer whose end is missing is an answer.
        drop(response.into_body().collect().await);
        Ok(status)
    }

    fn count(&self, status: Option<u16>) {
        let mut answers = self.answers();
        match status {
            Some(status) => *answers.statuses.entry(status).or_default() += 1,
            None => answers.unanswered += 1,
        }
        if answers.requests() == 2 * self.job.connections as u64 {
            self.swing.notify_one();
        }
    }

    fn answers(&self) -> MutexGuard<'_, Answers> {
        self.answers.lock().expect("no holder panics")
    }
}
