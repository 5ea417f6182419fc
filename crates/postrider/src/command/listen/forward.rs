//! Sending on what was heard, to a URL that somebody typed: whoever types it means it, so every
//! address is open.

use super::heard::Letter;
use crate::client::policy_for;
use crate::command::escaped;
use crate::failure::Failure;
use anyhow::anyhow;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use std::sync::Arc;
use std::time::Duration;
use transport::{
    Answer, Guard, HttpsTransport, Limits, Options, Outgoing, SystemResolver, Target,
    Transport as _,
};

/// Where to.
pub(super) struct Forward {
    target: Arc<Target>,
    transport: HttpsTransport,
}

/// What came of it.
pub(super) struct Forwarded {
    /// The status, or why there is none.
    pub(super) status: Result<u16, String>,
    pub(super) duration: Duration,
}

impl Forward {
    /// To this URL.
    pub(super) fn to(url: &str) -> Result<Self, Failure> {
        let misuse = |reason: String| Failure::Misuse(anyhow!("--forward: {}", escaped(&reason)));
        let policy = policy_for(url);
        let checked = policy.check_url(url);
        let target = Target::new(checked.map_err(|error| misuse(error.to_string()))?);
        let target = target.map_err(|error| misuse(error.to_string()))?;
        let resolver = Arc::new(SystemResolver::from_system().map_err(Failure::could_not)?);
        let guard = Arc::new(Guard::new(policy, resolver));
        let transport = HttpsTransport::new(guard, Options::default());
        Ok(Self {
            target: Arc::new(target),
            transport: transport.map_err(Failure::could_not)?,
        })
    }

    /// Sends it on as it would have come.
    pub(super) async fn send(&self, letter: &Letter, body: Vec<u8>) -> Forwarded {
        let headers = letter.headers.iter();
        let headers: Result<HeaderMap, String> = headers.map(header).collect();
        let headers = match headers {
            Ok(headers) => headers,
            Err(reason) => {
                return Forwarded {
                    status: Err(reason),
                    duration: Duration::ZERO,
                };
            }
        };
        let body = Bytes::from(body);
        let outgoing = Outgoing::post(self.target.clone(), headers, body, Limits::default());
        let began = tokio::time::Instant::now();
        let answer = self.transport.send(outgoing).await;
        let duration = began.elapsed();
        let status = answer.map(|Answer { status, .. }| status);
        Forwarded {
            status: status.map_err(|error| format!("{:#}", anyhow!(error))),
            duration,
        }
    }
}

fn header((name, value): (&String, &String)) -> Result<(HeaderName, HeaderValue), String> {
    let header = (name.parse(), value.parse());
    match header {
        (Ok(name), Ok(value)) => Ok((name, value)),
        _ => Err(format!("`{name}` is no header that can be sent on")),
    }
}
