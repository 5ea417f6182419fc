//! Fetching a small document that another server has: an access token, a set of keys. It leaves as
//! deliveries do, past the same guard; what comes back is bounded in time and size, and a redirect
//! is an answer that won't do.
//!
//! What was fetched is kept in `fetch/cache.rs`. What it says is for `oauth` and `jwks` to read.

mod cache;
mod error;
#[cfg(test)]
pub(crate) mod fake;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, USER_AGENT};
use http::{HeaderMap, HeaderValue};
use model::address::{AddressPolicy, CheckedUrl};

use crate::{Limits, Outgoing, Target, Transport};

pub(crate) use cache::{Cache, Failure, Fetched};
#[cfg(test)]
pub(crate) use error::WAIT_MAX;
pub use error::{FetchError, FetchUrlError};

/// Bounds of each fetch.
pub(crate) const LIMITS: Limits = Limits {
    connect_timeout: Duration::from_secs(5),
    total_timeout: Duration::from_secs(10),
    response_bytes_max: 64 << 10,
};

/// Where to fetch from: a URL that the policy lets pass, without a user name or a password, and
/// over TLS unless it leads to this machine. What is fetched is trusted, and asked for with a
/// secret.
///
/// # Errors
/// What is wrong with the URL.
pub fn fetch_target(raw: &str, policy: &AddressPolicy) -> Result<Arc<Target>, FetchUrlError> {
    let url = policy.check_url(raw)?;
    if url.credentials().is_some() {
        return Err(FetchUrlError::Userinfo);
    }
    if !url.is_tls() && !is_this_machine(&url) {
        return Err(FetchUrlError::PlainHttp);
    }
    Ok(Arc::new(Target::new(url)?))
}

fn is_this_machine(url: &CheckedUrl) -> bool {
    url.fixed_addresses()
        .is_some_and(|addresses| addresses.iter().all(|one| one.to_canonical().is_loopback()))
}

/// The headers that every fetch has.
pub(crate) fn headers() -> HeaderMap {
    const OURS: &str = concat!("Postrider/", env!("CARGO_PKG_VERSION"));
    let mut headers = HeaderMap::new();
    headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
    headers.insert(USER_AGENT, HeaderValue::from_static(OURS));
    headers
}

/// The body of an answer that says that all is well.
pub(crate) async fn body(
    transport: &dyn Transport,
    request: Outgoing,
) -> Result<Bytes, FetchError> {
    let limit = request.limits.response_bytes_max;
    let answer = transport.send(request).await;
    let answer = answer.map_err(|error| FetchError::Unanswered(Arc::new(error)))?;
    match answer.status {
        200..300 if answer.truncated => Err(FetchError::TooLong { limit }),
        200..300 => Ok(answer.body),
        status @ 300..400 => Err(FetchError::Redirect { status }),
        _ => Err(FetchError::refused(&answer)),
    }
}
