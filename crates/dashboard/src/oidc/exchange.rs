//! How the identity provider is asked: what the binary does for this room, and where nobody is
//! asked at all.

use std::pin::Pin;
use url::Url;

/// What will be there.
pub(super) type Boxed<'b, T> = Pin<Box<dyn Future<Output = T> + Send + 'b>>;

/// Asks the provider. Whoever implements it bounds time and size, follows no redirect, and speaks
/// in clear to this machine alone.
pub trait Exchange: Send + Sync {
    /// One request, and its answer.
    fn exchange(
        &self,
        request: http::Request<Vec<u8>>,
    ) -> Boxed<'_, Result<http::Response<Vec<u8>>, ExchangeError>>;
}

/// Why there is no answer.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ExchangeError {
    /// The provider names somebody whom the operator has not named.
    #[error(
        "it leads to {0}, which is neither the issuer's host nor listed: if that is right, list it \
         as `oidc_host`"
    )]
    NotNamed(String),
    /// It was asked, or could not be.
    #[error("{0}")]
    Unanswered(String),
}

/// Whom a URL leads to: its host and port, as they are listed.
pub fn place_of(url: &Url) -> Option<String> {
    let (host, port) = (url.host_str()?, url.port_or_known_default()?);
    Some(format!("{host}:{port}"))
}
