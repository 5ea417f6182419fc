//! The one guarded way out: every request that Postrider makes leaves through here.
//!
//! The persons, in the order in which a request meets them:
//! - [`Target`]: a checked URL, prepared once for many requests.
//! - [`Transport`]: the seam. [`HttpsTransport`] is the real one; simulation brings its own, above
//!   TCP and TLS.
//! - the pool: finished connections, kept warm for a while. A request takes one, or asks for a new
//!   one.
//! - [`Guard`]: resolves the host and has the [address policy](model::address) judge every address.
//!   The same guard judges a URL when an endpoint is made.
//! - the connector: connects to exactly an address that the guard returned (or has the operator's
//!   proxy do so), then TLS with the URL's host as the name to verify. Nothing is resolved a second
//!   time.
//! - [`TlsProfile`]: what one endpoint's connections are made with, where not the ordinary way: its
//!   authorities, its pins, our certificate.
//! - HTTP/1.1 or HTTP/2, as TLS agreed; a bounded part of the response is kept, whatever it holds.
//!
//! Beside it: [`Mailer`] brings letters to the one mail server that the operator names.
//!
//! Above the seam: [`TokenKeeper`] and [`KeySets`] fetch what deliveries need, through any
//! [`Transport`], and keep it while it is good.
//!
//! Invariants:
//! - Only this crate opens outbound sockets: `dial.rs`, and the resolver towards its name servers.
//! - No byte leaves for an address that the policy did not see. A literal address is judged like a
//!   resolved one.
//! - No byte of HTTP leaves over TLS that was not verified, or has none of the pins where one is
//!   demanded. Requests of two profiles never share a connection, nor a TLS session.
//! - Redirects are never followed: a 3xx is an answer like any other. Environment proxies are not
//!   read.
//! - A request is repeated at once, and once only, where a kept connection was dead or the other
//!   side disclaimed it: `unanswered.rs` has the rule. A new connection's failure is the attempt's
//!   failure.
//! - A receiver can't make connections pile up, whatever it reads or doesn't. An HTTP/1.1
//!   connection is driven by the request that uses it, not by a task of its own: when a request is
//!   dropped or runs out of time, its socket closes with it. An HTTP/2 connection's tasks end with
//!   its last handle. Idle ones are bounded in number and time. This is why the pool is our own and
//!   not hyper-util's.
//!
//! What it does not do: decide whether an answer is a success, retry by schedule, sign, or log
//! payloads.

mod body;
mod certificate;
mod client;
mod client_chain;
mod connect;
mod connections;
mod dial;
mod error;
mod exchange;
mod fetch;
mod guard;
mod http1;
mod http2;
mod jwks;
mod mail;
mod oauth;
mod pool;
mod progress;
mod proxy;
mod resolve;
mod retry_after;
mod seam;
mod spelling;
mod stream;
mod target;
mod tls;
mod trust;
mod unanswered;

pub use certificate::ChainCertificate;
pub use client::{HttpsTransport, Options};
pub use client_chain::{ClientChainError, NAMES_MAX};
pub use error::{SendError, Stage, TimeLimit};
pub use fetch::{FetchError, FetchUrlError, fetch_target};
pub use guard::{Denial, Guard};
pub use jwks::{KeySetError, KeySets, WantedKey};
pub use mail::{Letter, MailError, MailServer, MailServerError, Mailer};
pub use oauth::{
    AccessToken, NoToken, OAUTH_HEADERS_MAX, OauthClient, OauthConfigError, OauthError, TokenKeeper,
};
pub use pool::PoolLimits;
pub use proxy::{EgressProxy, EgressProxyError};
pub use resolve::{FixedResolver, ResolveError, Resolver, SystemResolver};
pub use seam::{Allowed, Answer, Limits, Observed, Outgoing, Purpose, Transport};
pub use spelling::HeaderSpelling;
pub use target::{Target, TargetError};
pub use tls::identity::{ClientIdentity, IdentityError};
pub use tls::pins::{Handshake, PinMismatch, PinMode, Pins};
pub use tls::pkcs12::Pkcs12Error;
pub use tls::{Peeked, SetupError, TlsProfile, TlsSettings};
pub use trust::{Authorities, AuthoritiesError};

#[cfg(test)]
mod tests;
