//! The load client: posts messages over connections that stay open, one request at a time on each,
//! as fast as they are answered (closed loop) or at a fixed rate (open loop).
//!
//! It shares the machine with what it measures, so it runs on one thread, copies prepared requests,
//! and reads of an answer no more than it needs. It repeats nothing: a request that is not answered
//! with success ends the run, since what follows would measure something else; unless what is
//! measured is how many are refused.

use crate::dial::{Connection, Place};
use crate::histogram::{Histogram, Latency};
use crate::keys::{Keys, Origin};
use crate::pace::{Pace, Turn};
use crate::payload::{Mark, Template};
use crate::sign::Signer;
use crate::stdin::{next, tell};
use crate::{BenchError, clock};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, Uri, header};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use serde::{Deserialize, Serialize};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt as _, BufReader, stdin, stdout};
use tokio::task::JoinSet;

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
const SERVER_TIMING: HeaderName = HeaderName::from_static("server-timing");

/// What to send.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Job {
    /// Where to: connections are shared out evenly among these.
    pub(crate) places: Vec<Place>,
    /// The paths that requests are sent to in turn.
    pub(crate) paths: Vec<String>,
    /// A bearer token.
    pub(crate) token: Option<String>,
    /// The run's number.
    pub(crate) run: u64,
    /// Messages in all: a multiple of `batch`.
    pub(crate) messages: u64,
    /// Messages in each request; `None`: a request is a message.
    pub(crate) batch: Option<u64>,
    /// Bytes of each payload.
    pub(crate) payload_bytes: usize,
    /// Connections.
    pub(crate) clients: usize,
    /// With idempotency keys of this origin.
    pub(crate) keys: Option<Origin>,
    /// The secret that each request is signed with, whose body is a payload by itself then.
    pub(crate) secret: Option<String>,
    /// Whether requests that are refused are counted, and others follow.
    pub(crate) counts_refusals: bool,
    /// Messages in a second; `None`: as fast as they are answered.
    pub(crate) rate: Option<u64>,
}

/// How a job went.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Sent {
    /// When the first request was sent.
    pub(crate) began_us: u64,
    /// When the last one was answered.
    pub(crate) ended_us: u64,
    /// From when a request was due until it was answered.
    pub(crate) accept: Option<Latency>,
    /// What the server said that its commit took.
    pub(crate) commit: Option<Latency>,
    /// Messages that were refused, where they are counted.
    pub(crate) refused: u64,
}

/// Does jobs as a part of a bench: each a line of JSON on standard input, answered with a line on
/// standard output, until nobody is there any more.
///
/// # Errors
/// Standard input or output fails.
pub async fn part() -> Result<(), BenchError> {
    let mut lines = BufReader::new(stdin()).lines();
    let mut output = stdout();
    while let Some(line) = next(&mut lines).await? {
        let job = serde_json::from_str(&line)?;
        let outcome = run(job).await.map_err(|error| causes(&error));
        tell(&mut output, &outcome).await?;
    }
    Ok(())
}

/// An error with what caused it, in one line.
fn causes(error: &BenchError) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

async fn run(job: Job) -> Result<Sent, BenchError> {
    let mut connections = Vec::with_capacity(job.clients);
    for place in (0..job.places.len()).cycle().take(job.clients) {
        connections.push((place, job.places[place].connect().await?));
    }
    let load = Arc::new(Load::new(job)?);
    let began_us = clock::now_us();
    let mut clients = JoinSet::new();
    for (place, connection) in connections {
        clients.spawn(load.clone().client(place, connection));
    }
    let pacing = load.clone();
    clients.spawn_blocking(move || {
        pacing.pace.keep();
        Ok(())
    });
    while let Some(ended) = clients.join_next().await {
        ended.map_err(|error| BenchError::Load(error.to_string()))??;
    }
    let records = load.records.lock().expect("no holder panics");
    Ok(Sent {
        began_us,
        ended_us: clock::now_us(),
        accept: records.accept.latency(),
        commit: records.commit.latency(),
        refused: records.refused,
    })
}

/// A job on its way.
struct Load {
    job: Job,
    uris: Vec<Uri>,
    /// For each place.
    headers: Vec<HeaderMap>,
    template: Template,
    signer: Option<Signer>,
    pace: Pace,
    records: Mutex<Records>,
}

struct Records {
    keys: Keys,
    accept: Histogram,
    commit: Histogram,
    refused: u64,
}

impl Load {
    fn new(job: Job) -> Result<Self, BenchError> {
        let signer = job.secret.as_deref().map(Signer::new).transpose()?;
        let template = match (job.batch, &signer) {
            (_, Some(_)) => Template::payload(job.payload_bytes),
            (None, None) => Template::message(job.payload_bytes),
            (Some(count), None) => Template::batch(job.payload_bytes, count as usize),
        };
        let each = job.batch.unwrap_or(1);
        let interval = job.rate.map(|rate| Duration::from_secs(each) / rate as u32);
        let records = Records {
            keys: Keys::new(),
            accept: Histogram::default(),
            commit: Histogram::default(),
            refused: 0,
        };
        let uris = job.paths.iter().map(|path| path.parse());
        let uris: Result<Vec<_>, _> = uris.collect();
        let headers = job.places.iter().map(|place| headers(&job, place));
        let headers: Result<Vec<_>, _> = headers.collect();
        Ok(Self {
            uris: uris.map_err(|_| unusable(&job.places[0]))?,
            headers: headers?,
            template,
            signer,
            pace: Pace::new(job.messages / each, interval),
            records: Mutex::new(records),
            job,
        })
    }

    /// The requests of one connection to a place.
    async fn client(
        self: Arc<Self>,
        place: usize,
        mut connection: Connection,
    ) -> Result<(), BenchError> {
        while let Some(turn) = self.pace.next().await {
            let uri = &self.uris[turn.number as usize % self.uris.len()];
            let request = self.request(place, uri.clone(), turn);
            connection.ready().await?;
            let response = connection.send_request(request).await?;
            let commit = commit_us(response.headers());
            let checked = self.check(uri, response).await;
            let took = clock::now_us().saturating_sub(turn.due_us);
            let mut records = self.records.lock().expect("no holder panics");
            match checked {
                Err(BenchError::Refused { .. }) if self.job.counts_refusals => {
                    records.refused += self.job.batch.unwrap_or(1);
                    continue;
                }
                checked => checked?,
            }
            records.accept.record(took);
            if let Some(commit) = commit {
                records.commit.record(commit);
            }
        }
        Ok(())
    }

    fn request(&self, place: usize, uri: Uri, turn: Turn) -> Request<Full<Bytes>> {
        let mark = Mark {
            run: self.job.run,
            index: turn.number * self.job.batch.unwrap_or(1),
            sent_us: turn.due_us,
        };
        let body = Bytes::from(self.template.marked(mark));
        let mut request = Request::new(Full::new(body.clone()));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = uri;
        *request.headers_mut() = self.headers[place].clone();
        if let Some(signer) = &self.signer {
            let id = format!("bench_{}_{}", mark.run, mark.index);
            let now = clock::unix_seconds();
            signer.sign(request.headers_mut(), (&id, &body), now);
        }
        if let Some(origin) = self.job.keys {
            let mut records = self.records.lock().expect("no holder panics");
            let key = records.keys.next(origin);
            request.headers_mut().insert(IDEMPOTENCY_KEY, key);
        }
        request
    }

    /// Whether everything in a request was accepted.
    async fn check(&self, uri: &Uri, response: Response<Incoming>) -> Result<(), BenchError> {
        let status = response.status();
        let refused = |body: &[u8]| BenchError::refused(uri.path(), status, body);
        let mut body = response.into_body();
        if status.is_success() && self.job.batch.is_none() {
            while let Some(frame) = body.frame().await {
                frame?;
            }
            return Ok(());
        }
        let body = body.collect().await?.to_bytes();
        if status.is_success() && all_accepted(&body) {
            return Ok(());
        }
        Err(refused(&body))
    }
}

fn headers(job: &Job, place: &Place) -> Result<HeaderMap, BenchError> {
    let mut headers = json_headers(place)?;
    if let Some(token) = &job.token {
        let token = HeaderValue::try_from(format!("Bearer {token}"));
        headers.insert(header::AUTHORIZATION, token.map_err(|_| unusable(place))?);
    }
    Ok(headers)
}

/// What every request to a place has that carries JSON.
pub(crate) fn json_headers(place: &Place) -> Result<HeaderMap, BenchError> {
    let host = HeaderValue::try_from(place.to_string());
    let json = HeaderValue::from_static("application/json");
    Ok(HeaderMap::from_iter([
        (header::HOST, host.map_err(|_| unusable(place))?),
        (header::CONTENT_TYPE, json),
    ]))
}

pub(crate) fn unusable(place: &Place) -> BenchError {
    BenchError::Url {
        url: place.to_string(),
        reason: "it, its path or the token has characters that no request can have",
    }
}

/// What a server says that its commit took: `Server-Timing: commit;dur=1.234`, in milliseconds.
fn commit_us(headers: &HeaderMap) -> Option<u64> {
    let timing = headers.get(SERVER_TIMING)?.to_str().ok()?;
    let commit = timing.split(',').find_map(|metric| {
        let (name, rest) = metric.trim().split_once(';')?;
        (name == "commit").then_some(rest)
    })?;
    let millis: f64 = commit.trim().strip_prefix("dur=")?.parse().ok()?;
    Some((millis * 1e3).round() as u64)
}

#[derive(Deserialize)]
struct BatchResults {
    results: Vec<BatchResult>,
}

#[derive(Deserialize)]
struct BatchResult {
    status: u16,
}

fn all_accepted(body: &[u8]) -> bool {
    let results = serde_json::from_slice::<BatchResults>(body);
    results.is_ok_and(|batch| {
        let accepted = |result: &BatchResult| (200..300).contains(&result.status);
        batch.results.iter().all(accepted)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_commit_is_read_from_a_server_timing() {
        for (timing, commit) in [
            ("commit;dur=1.234", Some(1_234)),
            ("cache;desc=x, commit;dur=0", Some(0)),
            ("commit", None),
            ("commitment;dur=5", None),
            ("commit;dur=x", None),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(SERVER_TIMING, HeaderValue::from_static(timing));
            assert_eq!(commit_us(&headers), commit, "{timing}");
        }
        assert_eq!(commit_us(&HeaderMap::new()), None);
    }

    #[test]
    fn a_batch_is_accepted_only_if_each_of_its_messages_is() {
        for (body, all) in [
            (
                r#"{"results":[{"status":202,"message":{}},{"status":202}]}"#,
                true,
            ),
            (
                r#"{"results":[{"status":202},{"status":409,"error":{}}]}"#,
                false,
            ),
            ("{}", false),
        ] {
            assert_eq!(all_accepted(body.as_bytes()), all, "{body}");
        }
    }
}
