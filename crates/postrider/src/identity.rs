//! How the operator's identity provider is asked: past a guard of its own, which opens those whom
//! the operator named and nobody else. Neither the allow-list of deliveries nor their proxy is this
//! one's. Who signs in, and what is believed of what comes back, is for `dashboard`.

use crate::config::{Checked, Oidc};
use crate::entrances::Open;
use crate::failure::Failure;
use crate::keys::KeySources;
use crate::node::{extra_roots, guarded};
use dashboard::{CALLBACK, Exchange, ExchangeError, Identity};
use http::header::USER_AGENT;
use http::{HeaderValue, Request, Response};
use model::Chain;
use model::address::AddressPolicy;
use model::node::Role;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use transport::{HttpsTransport, Limits, Options, Outgoing, Purpose, Transport, fetch_target};

/// A provider's keys may be many, and come with certificates.
const LIMITS: Limits = Limits {
    connect_timeout: Duration::from_secs(5),
    total_timeout: Duration::from_secs(10),
    response_bytes_max: 256 << 10,
};

/// The provider, before it is known where people find the pages.
pub(crate) struct Unplaced {
    identity: Identity,
    /// Whether it was said where people are sent back to.
    is_placed: bool,
}

impl Unplaced {
    /// As it is configured, if it is, on a node that has pages.
    pub(crate) async fn of(config: &Checked) -> Result<Option<Self>, Failure> {
        let accepts = config.roles.has(Role::Api);
        let Some(oidc) = config.oidc.as_ref().filter(|_| accepts) else {
            return Ok(None);
        };
        let secret = KeySources::of(config).oidc_client_secret().await?;
        let identity = Identity {
            issuer: oidc.issuer.clone(),
            client_id: oidc.client_id.clone(),
            client_secret: secret,
            scopes: oidc.scopes.clone(),
            redirect_url: oidc.redirect_url.clone().unwrap_or_default(),
            places: oidc.places(),
            rule: oidc.rule.clone(),
            exchange: Arc::new(Asking::new(oidc, config)?),
        };
        Ok(Some(Self {
            identity,
            is_placed: oidc.redirect_url.is_some(),
        }))
    }

    /// The same, where the pages are.
    pub(crate) fn placed(&self, config: &Checked, entrances: &Open) -> Identity {
        let mut identity = self.identity.clone();
        if !self.is_placed {
            let base = config.public_url_or(entrances.address);
            identity.redirect_url = format!("{base}{CALLBACK}");
        }
        identity
    }
}

/// Asks.
struct Asking {
    transport: HttpsTransport,
    policy: AddressPolicy,
    agent: HeaderValue,
}

impl Asking {
    fn new(oidc: &Oidc, config: &Checked) -> Result<Self, Failure> {
        let policy = oidc.policy();
        let guard = guarded(policy.clone())?;
        let options = Options {
            extra_roots: extra_roots(config)?,
            ..Options::default()
        };
        Ok(Self {
            transport: HttpsTransport::new(guard, options).map_err(Failure::could_not)?,
            policy,
            agent: HeaderValue::from_str(&config.app.user_agent).map_err(Failure::could_not)?,
        })
    }

    async fn ask(&self, request: Request<Vec<u8>>) -> Result<Response<Vec<u8>>, ExchangeError> {
        let url = request.uri().to_string();
        let target = fetch_target(&url, &self.policy).map_err(|error| unanswered(&error))?;
        let (parts, body) = request.into_parts();
        let mut outgoing = Outgoing::new(Purpose::Identity, target, parts.headers, LIMITS);
        outgoing.headers.insert(USER_AGENT, self.agent.clone());
        outgoing.method = parts.method;
        outgoing.body = body.into();
        let answer = self.transport.send(outgoing).await;
        let answer = answer.map_err(|error| unanswered(&error))?;
        if answer.truncated {
            let limit = LIMITS.response_bytes_max;
            let text = format!("its answer is longer than {limit} bytes");
            return Err(ExchangeError::Unanswered(text));
        }
        let response = Response::builder().status(answer.status);
        let response = response.body(answer.body.to_vec());
        response.map_err(|error| unanswered(&error))
    }
}

impl Exchange for Asking {
    fn exchange(
        &self,
        request: Request<Vec<u8>>,
    ) -> Pin<Box<dyn Future<Output = Result<Response<Vec<u8>>, ExchangeError>> + Send + '_>> {
        Box::pin(self.ask(request))
    }
}

fn unanswered(error: &(dyn std::error::Error + 'static)) -> ExchangeError {
    ExchangeError::Unanswered(Chain(error).to_string())
}
