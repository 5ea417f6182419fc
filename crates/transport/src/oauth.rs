//! Access tokens (OAuth 2.0, RFC 6749) for endpoints that want them: asked for as the endpoint's
//! configuration says, kept until shortly before they expire, and asked for anew once where a
//! receiver refuses one.
//!
//! Map: `oauth/client.rs` (a configuration, checked, and the request made of it) ·
//! `oauth/assertion.rs` (`private_key_jwt`) · `oauth/granted.rs` (what a token server answers).
//!
//! Tokens are kept by the whole of what they were asked for with, secrets included, so that one
//! configuration never gets another's; in memory only. No rotating refresh tokens: what a server
//! gives in place of a refresh token is not kept.

mod assertion;
mod client;
mod granted;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use http::HeaderValue;
use model::{Clock, Entropy};
use tokio::time::Instant;

use crate::fetch::{self, Cache, Failure, FetchError};
use crate::{Outgoing, SendError, Transport};

pub use client::{HEADERS_MAX as OAUTH_HEADERS_MAX, OauthClient, OauthConfigError};
pub use granted::NoToken;

/// The most tokens that are kept.
const TOKENS_MAX: NonZeroUsize = NonZeroUsize::new(10_000).expect("not zero");

/// A token, as a request carries it.
pub struct AccessToken(HeaderValue);

impl AccessToken {
    /// The value of the header `authorization`, marked as sensitive.
    pub fn authorization(&self) -> HeaderValue {
        self.0.clone()
    }
}

/// Why there is no token. The texts repeat neither a secret nor what the server said.
#[derive(Debug, Clone, thiserror::Error)]
pub enum OauthError {
    /// The token server gave no answer that would do.
    #[error("no access token was given by the token server")]
    Fetch(#[from] FetchError),
    /// Its answer has no token that can be used.
    #[error("the token server's answer can't be used")]
    NoToken(#[from] NoToken),
    /// Nothing can be asked for as the endpoint has it, perhaps only since a while: what may be
    /// called changes.
    #[error("no token can be asked for as the endpoint has it")]
    Config(#[from] Arc<OauthConfigError>),
    /// The assertion could not be signed.
    #[error("the assertion for the token server could not be signed with the private key")]
    Assertion,
}

impl OauthError {
    /// What a tenant may read, as the attempt's recorded response.
    pub fn for_tenant(&self) -> Cow<'static, str> {
        let why = match self {
            Self::Fetch(error) => error.for_tenant(),
            Self::NoToken(error) => Cow::Owned(error.to_string()),
            Self::Config(error) => error.for_tenant(),
            Self::Assertion => return Cow::Owned(self.to_string()),
        };
        Cow::Owned(format!("no access token from the token server: {why}"))
    }

    /// Why nothing was fetched, where that is why.
    pub fn fetch_error(&self) -> Option<&FetchError> {
        match self {
            Self::Fetch(error) => Some(error),
            _ => None,
        }
    }

    /// The failure of the request for a token, where one was made and not answered.
    pub fn unanswered(&self) -> Option<&SendError> {
        match self.fetch_error() {
            Some(FetchError::Unanswered(error)) => Some(error),
            _ => None,
        }
    }
}

impl Failure for OauthError {
    fn asks_to_wait(&self) -> Option<Duration> {
        self.fetch_error()?.asks_to_wait()
    }
}

/// Gets tokens and keeps them.
pub struct TokenKeeper {
    transport: Arc<dyn Transport>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    tokens: Cache<client::Fingerprint, AccessToken, OauthError>,
}

impl TokenKeeper {
    /// A keeper without tokens. The clock and the entropy are for assertions.
    pub fn new(
        transport: Arc<dyn Transport>,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> Self {
        Self {
            transport,
            clock,
            entropy,
            tokens: Cache::new(TOKENS_MAX),
        }
    }

    /// A token of this client: the one that is kept, else a new one.
    ///
    /// # Errors
    /// Why there is none, now or a few seconds ago.
    pub async fn token(&self, client: &OauthClient) -> Result<Arc<AccessToken>, OauthError> {
        let fetch = || {
            let request = client.request(self.clock.now(), &*self.entropy);
            ask(self.transport.clone(), request)
        };
        self.tokens.ask(&client.fingerprint, fetch).await
    }

    /// Tells that a receiver refused a token with `401`, so that it is not used again. Whether to
    /// ask for another and send once more: not where the refused one was new for that very reason.
    pub fn refused(&self, client: &OauthClient, token: &Arc<AccessToken>) -> bool {
        self.tokens.outdated(&client.fingerprint, token, false)
    }
}

async fn ask(
    transport: Arc<dyn Transport>,
    request: Result<Outgoing, OauthError>,
) -> Result<fetch::Fetched<AccessToken>, OauthError> {
    // Its lifetime begins when it is made, which is after this.
    let asked = Instant::now();
    let body = fetch::body(&*transport, request?).await?;
    Ok(granted::read(&body)?.from(asked))
}
