//! The demo's client of Postrider's API: what a team's own client library would do, with an
//! idempotency key on every `POST` and repeats until it has an answer.

use anyhow::{Context as _, bail};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use model::address::AddressPolicy;
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use transport::{
    Answer, Guard, HttpsTransport, Limits, Outgoing, SystemResolver, Target, Transport as _,
};

/// The order system's application, by its uid.
pub(super) const APPLICATION: &str = "order-system";
/// Between two tries of the same request.
const PAUSE: Duration = Duration::from_millis(50);
/// How often a request is tried while the server does not answer: 30 seconds in all.
const TRIES: u32 = 600;

/// A client of one server.
pub(super) struct Api {
    base: String,
    authorization: HeaderValue,
    policy: AddressPolicy,
    transport: HttpsTransport,
}

/// Attempts to the order system's endpoints, as Postrider counted them.
#[derive(Clone, Copy, Default)]
pub(super) struct Attempts {
    pub(super) succeeded: u64,
    pub(super) failed: u64,
}

impl Api {
    pub(super) fn new(server: SocketAddr, token: &str) -> anyhow::Result<Self> {
        let policy = AddressPolicy::development();
        let resolver = Arc::new(SystemResolver::from_system()?);
        let guard = Arc::new(Guard::new(policy.clone(), resolver));
        let transport = HttpsTransport::new(guard, transport::Options::default())?;
        let mut authorization = HeaderValue::try_from(format!("Bearer {token}"))?;
        authorization.set_sensitive(true);
        Ok(Self {
            base: format!("http://{server}/api/v1"),
            authorization,
            policy,
            transport,
        })
    }

    /// Posts a message until it is accepted, and gives its id.
    pub(super) async fn post_message(&self, body: &Value, key: &str) -> anyhow::Result<String> {
        let path = format!("/app/{APPLICATION}/msg?with_content=false");
        let answer = self.call(Method::POST, &path, Some(body), key).await?;
        let id = answer["id"]
            .as_str()
            .context("an accepted message has an id")?;
        Ok(id.to_owned())
    }

    /// Creates something.
    pub(super) async fn create(&self, path: &str, body: &Value) -> anyhow::Result<Value> {
        self.call(
            Method::POST,
            path,
            Some(body),
            &format!("demo {path} {body}"),
        )
        .await
    }

    /// Reads something.
    pub(super) async fn get(&self, path: &str) -> anyhow::Result<Value> {
        self.call(Method::GET, path, None, "").await
    }

    /// Attempts to the endpoints, added up.
    pub(super) async fn attempts(&self, endpoints: &[String]) -> anyhow::Result<Attempts> {
        let mut sum = Attempts::default();
        for endpoint in endpoints {
            let path = format!("/app/{APPLICATION}/endpoint/{endpoint}/stats");
            let counts = self.get(&path).await?;
            let count = |name: &str| counts[name].as_u64().context("statistics are counts");
            sum.succeeded += count("success")?;
            sum.failed += count("fail")?;
        }
        Ok(sum)
    }

    /// Sends one request as it is, once: for the attacker.
    pub(super) async fn send(
        &self,
        url: &str,
        headers: HeaderMap,
        body: Vec<u8>,
    ) -> anyhow::Result<Answer> {
        let target = Arc::new(Target::new(self.policy.check_url(url)?)?);
        Ok(self
            .transport
            .send(Outgoing::post(
                target,
                headers,
                body.into(),
                Limits::default(),
            ))
            .await?)
    }

    async fn call(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
        key: &str,
    ) -> anyhow::Result<Value> {
        let url = format!("{}{path}", self.base);
        let target = Arc::new(Target::new(self.policy.check_url(&url)?)?);
        let mut headers = HeaderMap::new();
        headers.insert("authorization", self.authorization.clone());
        headers.insert("content-type", HeaderValue::from_static("application/json"));
        if method == Method::POST {
            headers.insert("idempotency-key", HeaderValue::try_from(key)?);
        }
        let body = body
            .map(|body| body.to_string().into_bytes())
            .unwrap_or_default();
        let mut request = Outgoing::post(target, headers, body.into(), Limits::default());
        request.limits.response_bytes_max = 1 << 20;
        request.method = method;
        for _ in 0..TRIES {
            match self.transport.send(request.clone()).await {
                Ok(answer) if (200..300).contains(&answer.status) => {
                    return Ok(serde_json::from_slice(&answer.body).unwrap_or(json!(null)));
                }
                Ok(answer) if answer.status < StatusCode::INTERNAL_SERVER_ERROR.as_u16() => {
                    bail!(
                        "{url}: {} {}",
                        answer.status,
                        String::from_utf8_lossy(&answer.body)
                    );
                }
                // Postrider is away, or can't store anything: what every client does then.
                Ok(_) | Err(_) => tokio::time::sleep(PAUSE).await,
            }
        }
        bail!("{url}: no answer after {TRIES} tries")
    }
}
