//! The guarded connector: from a target to an open connection.
//!
//! Resolve, judge, connect to exactly what was judged, by way of the operator's proxy where there
//! is one, then TLS for the URL's host. This is the only path from a name to a socket.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};

use crate::dial::Dial;
use crate::progress::{Phase, Progress};
use crate::proxy::ProxyHost;
use crate::stream::Channel;
use crate::tls::{Peeked, Tls};
use crate::{EgressProxy, Guard, ResolveError, SendError, Stage, Target, TimeLimit, TlsProfile};

/// How many of a name's addresses are tried.
const ADDRESSES_TRIED_MAX: usize = 8;

/// Certificates are looked for where there are none.
#[derive(Debug, thiserror::Error)]
#[error("the URL is not `https`: there are no certificates to verify or to show")]
pub(crate) struct TlsNeeded;

/// Makes connections, and knows no other way than past the guard.
pub(crate) struct GuardedConnector {
    pub(crate) guard: Arc<Guard>,
    pub(crate) dial: Box<dyn Dial>,
    pub(crate) tls: Tls,
    pub(crate) proxy: Option<EgressProxy>,
}

impl GuardedConnector {
    /// Connects. The limit is shared out among the addresses; the caller sees to it as a whole.
    pub(crate) async fn connect(
        &self,
        target: &Target,
        profile: Option<&TlsProfile>,
        limit: Duration,
        progress: &mut Progress,
    ) -> Result<Channel, SendError> {
        if !target.url().is_tls() {
            return match profile {
                None => Ok(Channel::Plain(
                    self.reach_any(target, limit, progress).await?,
                )),
                Some(_) => Err(SendError::new(Stage::Tls, TlsNeeded)),
            };
        }
        let stream = self.reach_any(target, limit, progress).await?;
        progress.begin(Phase::Tls);
        let name = target.server_name();
        let secured = self.tls.connect(profile, name, stream, progress);
        Ok(Channel::Tls(Box::new(secured.await?)))
    }

    /// Connects to see the certificates, and sends nothing.
    pub(crate) async fn peek(
        &self,
        target: &Target,
        profile: Option<&TlsProfile>,
        limit: Duration,
    ) -> Result<Peeked, SendError> {
        if !target.url().is_tls() {
            return Err(SendError::new(Stage::Tls, TlsNeeded));
        }
        let mut unread = Progress::default();
        let stream = self.reach_any(target, limit, &mut unread).await?;
        let peeked = self.tls.peek(profile, target.server_name(), stream);
        peeked.await
    }

    /// Reaches a server that the operator has named, and no tenant: its address is not judged.
    pub(crate) async fn reach_named(
        &self,
        host: &str,
        port: u16,
        limit: Duration,
    ) -> Result<TcpStream, SendError> {
        let begun = Instant::now();
        let addresses = match host.parse() {
            Ok(address) => vec![address],
            Err(_) => {
                let resolved = self.guard.resolve_unjudged(host).await;
                resolved.map_err(|error| SendError::new(Stage::Resolve, error))?
            }
        };
        let addresses: Vec<_> = addresses.into_iter().map(|ip| (ip, port).into()).collect();
        let left = || limit.saturating_sub(begun.elapsed());
        self.first_reachable(&addresses, left).await
    }

    async fn reach_any(
        &self,
        target: &Target,
        limit: Duration,
        progress: &mut Progress,
    ) -> Result<TcpStream, SendError> {
        let begun = Instant::now();
        if target.url().fixed_addresses().is_none() {
            progress.begin(Phase::Resolve);
        }
        let addresses = self.guard.addresses(target.url()).await?;
        progress.begin(Phase::Connect);
        let left = || limit.saturating_sub(begun.elapsed());
        self.first_reachable(&addresses, left).await
    }

    /// Tries the addresses in order. Each gets an equal share of the time that is left, so that one
    /// that swallows packets leaves time for the next.
    async fn first_reachable(
        &self,
        addresses: &[SocketAddr],
        left: impl Fn() -> Duration,
    ) -> Result<TcpStream, SendError> {
        let tried = addresses.len().min(ADDRESSES_TRIED_MAX);
        let mut last = None;
        for (index, &address) in addresses[..tried].iter().enumerate() {
            let share = left() / (tried - index) as u32;
            match timeout(share, self.reach(address)).await {
                Ok(Ok(stream)) => return Ok(stream),
                Ok(Err(error)) => last = Some(error),
                Err(_) => last = Some(SendError::timed_out(TimeLimit::Connect, share)),
            }
        }
        Err(last.unwrap_or_else(|| SendError::new(Stage::Connect, "there is no address to try")))
    }

    async fn reach(&self, address: SocketAddr) -> Result<TcpStream, SendError> {
        let Some(proxy) = &self.proxy else {
            let dialled = self.dial.dial(address).await;
            return dialled.map_err(|error| SendError::new(Stage::Connect, error));
        };
        let stream = self.dial.dial(self.proxy_address(proxy).await?).await;
        proxy
            .tunnel(stream.map_err(EgressProxy::lost)?, address)
            .await
    }

    /// The operator named the proxy, so its address is not judged.
    async fn proxy_address(&self, proxy: &EgressProxy) -> Result<SocketAddr, SendError> {
        let address = match proxy.host() {
            ProxyHost::Address(address) => *address,
            ProxyHost::Name(name) => {
                let resolved = self.guard.resolve_unjudged(name).await;
                let first = resolved.and_then(|addresses| {
                    addresses
                        .first()
                        .copied()
                        .ok_or_else(|| ResolveError::NotFound(name.clone()))
                });
                first.map_err(|error| SendError::new(Stage::Connect, error))?
            }
        };
        Ok(SocketAddr::new(address, proxy.port()))
    }
}
