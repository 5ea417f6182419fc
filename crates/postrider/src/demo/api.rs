//! What the demo asks of Postrider's API, as a team's own client would: with repeats until there is
//! an answer, since Postrider is killed meanwhile.

use crate::client::{Client, Credentials, Patience, Request, ServerUrl};
use crate::failure::Failure;
use anyhow::Context as _;
use http::Method;
use model::Secret;
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::time::Duration;

/// The order system's application, by its uid.
pub(super) const APPLICATION: &str = "order-system";
/// Two minutes in all: longer than a server may take to come back.
const PATIENCE: Patience = Patience {
    tries: 2_400,
    pause: Duration::from_millis(50),
    pause_max: Duration::from_millis(50),
};

/// A client of one server.
pub(super) struct Api(Client);

/// Attempts to the order system's endpoints, as Postrider counted them.
#[derive(Clone, Copy, Default)]
pub(super) struct Attempts {
    pub(super) succeeded: u64,
    pub(super) failed: u64,
}

impl Api {
    pub(super) fn new(server: SocketAddr, token: &str) -> Result<Self, Failure> {
        let token = Credentials::new(Secret::from(token.to_owned()))?;
        let client = Client::new(ServerUrl::own(server)?, &token, PATIENCE)?;
        Ok(Self(client))
    }

    /// Posts a message until it is accepted, and gives its id.
    pub(super) async fn post_message(&self, body: &Value, key: &str) -> anyhow::Result<String> {
        let request = Request::post(["app", APPLICATION, "msg"], body.to_string());
        let request = request.query("with_content", "false").key(key);
        let answer: Value = self.0.ask(&request).await?;
        let id = answer["id"]
            .as_str()
            .context("an accepted message has an id")?;
        Ok(id.to_owned())
    }

    /// Creates something.
    pub(super) async fn create<const N: usize>(
        &self,
        path: [&str; N],
        body: &Value,
    ) -> anyhow::Result<Value> {
        Ok(self.0.ask(&Request::post(path, body.to_string())).await?)
    }

    /// Makes an event type.
    pub(super) async fn create_event_type(&self, name: &str) -> anyhow::Result<()> {
        let description = format!("An order's {}", name.replace('.', " has "));
        let body = json!({"name": name, "description": description});
        self.create(["event-type"], &body).await.map(drop)
    }

    /// Opens a source.
    pub(super) async fn create_source(&self, body: &Value) -> anyhow::Result<Value> {
        let request = Request::post(["ingest", "source"], body.to_string());
        Ok(self.0.ask(&request).await?)
    }

    /// Writes a part of an endpoint.
    pub(super) async fn put_of_endpoint(
        &self,
        endpoint: &str,
        part: &str,
        body: &Value,
    ) -> anyhow::Result<()> {
        let path = ["app", APPLICATION, "endpoint", endpoint, part];
        let request = Request::new(Method::PUT, path).body(body.to_string());
        self.0.call(&request.repeatable()).await?;
        Ok(())
    }

    /// Reads something of an endpoint.
    pub(super) async fn of_endpoint(&self, endpoint: &str, what: &str) -> anyhow::Result<Value> {
        let path = ["app", APPLICATION, "endpoint", endpoint, what];
        Ok(self.0.ask(&Request::get(path)).await?)
    }

    /// Attempts to the endpoints, added up.
    pub(super) async fn attempts(&self, endpoints: &[String]) -> anyhow::Result<Attempts> {
        let mut sum = Attempts::default();
        for endpoint in endpoints {
            let counts = self.of_endpoint(endpoint, "stats").await?;
            let count = |name: &str| counts[name].as_u64().context("statistics are counts");
            sum.succeeded += count("success")?;
            sum.failed += count("fail")?;
        }
        Ok(sum)
    }
}
