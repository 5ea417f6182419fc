//! A client of a server's API: what every remote command, `node list` and the demo talk to a server
//! through.
//!
//! It sends through the room `transport`, like everything that leaves; answers are bounded in size
//! and time. A `POST` has an idempotency key, so that it can be repeated: a request is, a few
//! times, while the server is away or can't store anything. It decides nothing about what it is
//! asked: paths and bodies come from the commands.
//!
//! Map: [`choice`] (which server, with which token) · [`request`] (what is asked) · [`error`] (what
//! comes back instead of an answer, and which exit status that is).

mod choice;
mod error;
mod request;

pub(crate) use choice::{Credentials, ServerUrl, policy_for};
pub(crate) use error::ClientError;
pub(crate) use request::Request;

use crate::failure::Failure;
use crate::system::SystemEntropy;
use bytes::Bytes;
use error::{Refusal, Trouble};
use http::header::{AUTHORIZATION, CONTENT_TYPE, USER_AGENT};
use http::{HeaderMap, HeaderValue, Method};
use model::address::AddressPolicy;
use serde::de::DeserializeOwned;
use std::sync::Arc;
use std::time::Duration;
use transport::{
    Answer, Guard, HttpsTransport, Limits, Outgoing, SetupError, SystemResolver, Target,
    Transport as _,
};

/// The longest answer that is read: a page of a list with its payloads is below 10 MiB.
const ANSWER_BYTES_MAX: usize = 32 << 20;
/// For one request with its answer.
const LIMITS: Limits = Limits {
    connect_timeout: Duration::from_secs(10),
    total_timeout: Duration::from_secs(30),
    response_bytes_max: ANSWER_BYTES_MAX,
};

/// A client of one server.
pub(crate) struct Client {
    server: ServerUrl,
    authorization: HeaderValue,
    policy: AddressPolicy,
    transport: HttpsTransport,
    patience: Patience,
}

/// How long a server that is away is waited for.
#[derive(Clone, Copy)]
pub(crate) struct Patience {
    /// How often a request is sent at the most.
    pub(crate) tries: u32,
    /// Between the first two tries. Each wait after it is twice as long, up to [`Self::pause_max`].
    pub(crate) pause: Duration,
    /// The longest of these waits, also where the server asks for a longer one.
    pub(crate) pause_max: Duration,
}

impl Patience {
    /// Somebody sits there and waits.
    pub(crate) const SHORT: Self = Self {
        tries: 4,
        pause: Duration::from_millis(200),
        pause_max: Duration::from_secs(1),
    };

    /// There is much to do, and nobody waits: a restart, or a limit, is sat out.
    pub(crate) const LONG: Self = Self {
        tries: 9,
        pause: Duration::from_millis(250),
        pause_max: Duration::from_secs(30),
    };
}

impl Client {
    /// A client of this server, which has this patience with it.
    pub(crate) fn new(
        server: ServerUrl,
        credentials: &Credentials,
        patience: Patience,
    ) -> Result<Self, Failure> {
        let policy = server.policy();
        let resolver = Arc::new(SystemResolver::from_system().map_err(Failure::could_not)?);
        let guard = Arc::new(Guard::new(policy.clone(), resolver));
        let options = transport::Options {
            extra_roots: server.authorities().map(<[u8]>::to_vec),
            ..transport::Options::default()
        };
        let transport = HttpsTransport::new(guard, options).map_err(|error| match &error {
            SetupError::Rustls(_) => Failure::could_not(error),
            SetupError::Roots(_) => Failure::Misuse(error.into()),
        })?;
        Ok(Self {
            server,
            authorization: credentials.header()?,
            policy,
            transport,
            patience,
        })
    }

    /// Sends a request until it is answered, and gives the answer's body: JSON, or nothing.
    pub(crate) async fn call(&self, request: &Request) -> Result<Bytes, ClientError> {
        self.call_with(request, self.patience).await
    }

    /// The same with another patience than it usually has.
    pub(crate) async fn call_with(
        &self,
        request: &Request,
        patience: Patience,
    ) -> Result<Bytes, ClientError> {
        let outgoing = self.outgoing(request)?;
        let (mut pause, pause_max) = (patience.pause, patience.pause_max);
        for _ in 1..patience.tries {
            let trouble = match self.send(&outgoing).await {
                Ok(body) => return Ok(body),
                Err(trouble) if trouble.passes(request) => trouble,
                Err(trouble) => return Err(trouble.error),
            };
            tracing::debug!(error = %trouble.error, "a request is repeated");
            tokio::time::sleep(trouble.pause(pause).min(pause_max)).await;
            pause = (pause * 2).min(pause_max);
        }
        self.send(&outgoing).await.map_err(|trouble| trouble.error)
    }

    /// Sends a request, and reads the answer as what it should be.
    pub(crate) async fn ask<T: DeserializeOwned>(
        &self,
        request: &Request,
    ) -> Result<T, ClientError> {
        let body = self.call(request).await?;
        serde_json::from_slice(&body).map_err(|_| self.strange("its answer makes no sense"))
    }

    /// What is said of a server that does not answer as Postrider does.
    pub(crate) fn strange(&self, reason: impl Into<String>) -> ClientError {
        ClientError::Strange {
            server: self.server.to_string(),
            reason: reason.into(),
        }
    }

    fn outgoing(&self, request: &Request) -> Result<Outgoing, ClientError> {
        let url = self.server.url_of(request)?;
        let unusable = |error: &dyn std::fmt::Display| ClientError::Unusable(error.to_string());
        let url = self.policy.check_url(url.as_str());
        let target = Target::new(url.map_err(|error| unusable(&error))?);
        let target = Arc::new(target.map_err(|error| unusable(&error))?);
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, self.authorization.clone());
        headers.insert(
            USER_AGENT,
            HeaderValue::from_static(concat!("postrider/", env!("CARGO_PKG_VERSION"))),
        );
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        if request.method == Method::POST {
            let key = request.idempotency_key(&SystemEntropy);
            let key = HeaderValue::try_from(key).map_err(|error| unusable(&error))?;
            headers.insert("idempotency-key", key);
        }
        let mut outgoing = Outgoing::post(target, headers, request.body.clone(), LIMITS);
        outgoing.method = request.method.clone();
        Ok(outgoing)
    }

    async fn send(&self, outgoing: &Outgoing) -> Result<Bytes, Trouble> {
        let answer = self.transport.send(outgoing.clone()).await;
        let answer = answer.map_err(|error| Trouble::unanswered(self.server.to_string(), error))?;
        let Answer {
            status,
            body,
            truncated,
            retry_after,
            ..
        } = answer;
        match status {
            200..300 if truncated => Err(Trouble::lasting(self.strange(format!(
                "its answer is longer than {ANSWER_BYTES_MAX} bytes: ask for less of it"
            )))),
            200..300 => Ok(body),
            400..600 => Err(Trouble::refused(
                Refusal::read(status, &body),
                retry_after.as_deref(),
            )),
            _ => Err(Trouble::lasting(self.strange(format!(
                "it answered with the status {status}, which the API never does"
            )))),
        }
    }
}

#[cfg(test)]
mod tests;
