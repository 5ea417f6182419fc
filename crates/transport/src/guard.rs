//! The guard: resolves a host and has every address judged.
//!
//! One guard serves both moments that count: when an endpoint is made, to tell its owner early, and
//! at each new connection, which is the one that protects. Nothing may connect but to what
//! [`Guard::addresses`] returned.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use model::address::{AddressPolicy, CheckedUrl, Refusal};

use crate::{ResolveError, Resolver};

/// How long a name may take to resolve where nobody waits for a connection.
const PATIENCE: Duration = Duration::from_secs(5);

/// The address policy with a resolver.
pub struct Guard {
    policy: AddressPolicy,
    resolver: Arc<dyn Resolver>,
}

/// Why a URL can't be called, now or ever.
#[derive(Debug, thiserror::Error)]
pub enum Denial {
    /// The policy refuses it.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// Its name does not resolve, which may change.
    #[error(transparent)]
    Unresolved(#[from] ResolveError),
}

impl Guard {
    /// A guard with this policy, which holds as long as the guard.
    pub fn new(policy: AddressPolicy, resolver: Arc<dyn Resolver>) -> Self {
        Self { policy, resolver }
    }

    /// The policy.
    pub fn policy(&self) -> &AddressPolicy {
        &self.policy
    }

    /// For a URL that is about to be stored: refuses what the policy refuses. A name that does not
    /// resolve is let through, since its DNS records may come later, and each connection is judged
    /// anyway.
    ///
    /// # Errors
    /// The policy's refusal. What its owner may read is [`Refusal::for_tenant`].
    pub async fn check_new(&self, raw: &str) -> Result<CheckedUrl, Refusal> {
        let url = self.policy.check_url(raw)?;
        match tokio::time::timeout(PATIENCE, self.addresses(&url)).await {
            Ok(Err(Denial::Refused(refusal))) => Err(refusal),
            Ok(Ok(_) | Err(Denial::Unresolved(_))) | Err(_) => Ok(url),
        }
    }

    /// Whether the URL could be called now, and at which addresses: what a connection would find.
    ///
    /// # Errors
    /// Why it could not.
    pub async fn explain(&self, raw: &str) -> Result<Vec<SocketAddr>, Denial> {
        let url = self.policy.check_url(raw)?;
        let looked_up = tokio::time::timeout(PATIENCE, self.addresses(&url)).await;
        looked_up.unwrap_or_else(|_| Err(ResolveError::TimedOut(url.name().to_owned()).into()))
    }

    /// The addresses to connect to, all of them judged and in the resolver's order.
    ///
    /// # Errors
    /// Why there are none: one refused address refuses them all.
    pub async fn addresses(&self, url: &CheckedUrl) -> Result<Vec<SocketAddr>, Denial> {
        let resolved;
        let answers = match url.fixed_addresses() {
            Some(addresses) => addresses,
            None => {
                resolved = self.resolver.resolve(url.name()).await?;
                &resolved
            }
        };
        if answers.is_empty() {
            return Err(ResolveError::NotFound(url.name().to_owned()).into());
        }
        self.policy.check_answers(url, answers)?;
        let connectable = |address: &IpAddr| (address.to_canonical(), url.port()).into();
        Ok(answers.iter().map(connectable).collect())
    }

    /// For the operator's own proxy, which no tenant chooses.
    pub(crate) async fn resolve_unjudged(&self, name: &str) -> Result<Vec<IpAddr>, ResolveError> {
        self.resolver.resolve(name).await
    }
}
