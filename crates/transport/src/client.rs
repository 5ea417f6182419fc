//! The real transport: takes a kept connection or makes a new one, sends, reads a bounded answer.
//!
//! This file is the way of a request; the steps are in `connect.rs`, `http1.rs`, `http2.rs`,
//! `body.rs`, `pool.rs`, `unanswered.rs`.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio::time::Instant;

use crate::connect::GuardedConnector;
use crate::connections::Connections;
use crate::dial::TcpDial;
use crate::exchange::Exchange;
use crate::pool::PoolLimits;
use crate::progress::Progress;
use crate::tls::{Peeked, SetupError, Tls};
use crate::{
    Answer, EgressProxy, Guard, Outgoing, SendError, Target, TimeLimit, TlsProfile, Transport,
};

/// HTTP over TCP and TLS, past the guard.
pub struct HttpsTransport(Arc<Connections>);

/// What the operator sets.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Root certificates to trust besides the system's, as PEM.
    pub extra_roots: Option<Vec<u8>>,
    /// The proxy through which everything leaves.
    pub egress_proxy: Option<EgressProxy>,
    /// What is kept of connections.
    pub pool: PoolLimits,
}

impl HttpsTransport {
    /// A transport past this guard.
    ///
    /// # Errors
    /// The options can't be used.
    pub fn new(guard: Arc<Guard>, options: Options) -> Result<Self, SetupError> {
        let connector = GuardedConnector {
            guard,
            dial: Box::new(TcpDial),
            tls: Tls::new(options.extra_roots.as_deref())?,
            proxy: options.egress_proxy,
        };
        Ok(Self::over(connector, options.pool))
    }

    pub(crate) fn over(connector: GuardedConnector, pool: PoolLimits) -> Self {
        Self(Arc::new(Connections::new(connector, pool)))
    }

    /// Kept connection, else a new one; and a new one where the kept one was dead, as
    /// `unanswered.rs` has it.
    async fn send_in_time(
        &self,
        request: &Outgoing,
        progress: &mut Progress,
    ) -> Result<Answer, SendError> {
        let started = Instant::now();
        let profile = request.profile.as_ref().map_or(0, TlsProfile::number);
        let key = request.target.pool_key(request.spelling.is_some(), profile);
        let exchange = |reused| Exchange {
            connections: &self.0,
            key: &key,
            request,
            started,
            reused,
        };
        if let Some(kept) = self.0.kept(&key).await {
            match exchange(true).run(kept, progress).await {
                Err(unanswered) if unanswered.repeatable => {
                    tracing::debug!(error = %unanswered.error, "a kept connection was dead");
                    *progress = Progress::default();
                }
                answered => return answered.map_err(|unanswered| unanswered.error),
            }
        }
        // In a box, since it is seldom needed, and every request would be as large.
        let new = Box::pin(self.0.connect(&key, request, progress)).await?;
        let answered = exchange(false).run(new, progress).await;
        answered.map_err(|unanswered| unanswered.error)
    }
}

#[async_trait]
impl Transport for HttpsTransport {
    async fn peek(
        &self,
        target: &Target,
        profile: Option<&TlsProfile>,
        limit: Duration,
    ) -> Result<Peeked, SendError> {
        let peeking = self.0.peek(target, profile, limit);
        let peeked = tokio::time::timeout(limit, peeking).await;
        peeked.unwrap_or_else(|_| Err(SendError::timed_out(TimeLimit::Connect, limit)))
    }

    async fn send(&self, request: Outgoing) -> Result<Answer, SendError> {
        let limit = request.limits.total_timeout;
        // Whatever becomes of the request, it is told how it went, and whom it was sent to.
        let mut progress = Progress::default();
        let sent = tokio::time::timeout(limit, self.send_in_time(&request, &mut progress)).await;
        let sent = sent.unwrap_or_else(|_| Err(SendError::timed_out(TimeLimit::Total, limit)));
        sent.map_err(|error| {
            let (handshake, observed) = progress.told();
            error.after(handshake, observed)
        })
    }
}
