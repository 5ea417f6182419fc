//! The connections there are, and how new ones come about.
//!
//! Between the pool, which knows no sockets, and the connector, which keeps nothing.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

use crate::connect::GuardedConnector;
use crate::http1::Http1;
use crate::http2::Http2;
use crate::pool::{Pool, PoolKey, PoolLimits};
use crate::progress::{Phase, Progress};
use crate::{Outgoing, Peeked, SendError, Target, TimeLimit, TlsProfile};

/// Kept connections with the means to make more.
pub(crate) struct Connections {
    connector: GuardedConnector,
    pool: Pool<Box<Http1>, Http2>,
    draining: Arc<Semaphore>,
    swept: AtomicBool,
}

/// A connection with what its reuse depends on.
pub(crate) enum Open {
    /// For one request at a time.
    Http1 {
        connection: Box<Http1>,
        opened: Instant,
    },
    /// Shared.
    Http2(Http2),
}

impl Connections {
    pub(crate) fn new(connector: GuardedConnector, limits: PoolLimits) -> Self {
        Self {
            connector,
            pool: Pool::new(limits),
            draining: Arc::new(Semaphore::new(limits.draining_max)),
            swept: AtomicBool::new(false),
        }
    }

    /// A kept connection that is alive as far as can be seen from here.
    pub(crate) async fn kept(&self, key: &PoolKey) -> Option<Open> {
        if let Some(shared) = self.alive(key) {
            return Some(Open::Http2(shared));
        }
        while let Some((mut connection, opened)) = self.pool.take(key, Instant::now()) {
            if connection.is_ready().await {
                return Some(Open::Http1 { connection, opened });
            }
        }
        None
    }

    /// What the connector says of certificates.
    pub(crate) async fn peek(
        &self,
        target: &Target,
        profile: Option<&TlsProfile>,
        limit: Duration,
    ) -> Result<Peeked, SendError> {
        self.connector.peek(target, profile, limit).await
    }

    /// A new connection, within the request's limit.
    pub(crate) async fn connect(
        self: &Arc<Self>,
        key: &PoolKey,
        request: &Outgoing,
        progress: &mut Progress,
    ) -> Result<Open, SendError> {
        let limit = request.limits.connect_timeout;
        let made = async {
            let Some(gate) = self.pool.gate(key) else {
                return self.make(key, request, progress).await;
            };
            let _held = match gate.try_lock() {
                Ok(held) => held,
                Err(_) => {
                    // Another request is making the connection that this one waits for.
                    progress.begin(Phase::Connect);
                    gate.lock().await
                }
            };
            match self.alive(key) {
                Some(made_meanwhile) => Ok(Open::Http2(made_meanwhile)),
                None => self.make(key, request, progress).await,
            }
        };
        let made = tokio::time::timeout(limit, made).await;
        made.unwrap_or_else(|_| Err(SendError::timed_out(TimeLimit::Connect, limit)))
    }

    async fn make(
        self: &Arc<Self>,
        key: &PoolKey,
        request: &Outgoing,
        progress: &mut Progress,
    ) -> Result<Open, SendError> {
        let limit = request.limits.connect_timeout;
        let profile = request.profile.as_ref();
        let connecting = self
            .connector
            .connect(&request.target, profile, limit, progress);
        let channel = connecting.await?;
        let chain = progress.chain.clone();
        let opened = Instant::now();
        if !channel.is_http2() {
            self.pool.unshare(key);
            let connection = Box::new(Http1::open(channel, key.spelled, chain).await?);
            return Ok(Open::Http1 { connection, opened });
        }
        let connection = Http2::open(channel, chain).await?;
        // Of connections made at the same time the first is shared, the others serve their one
        // request.
        if self.alive(key).is_none() {
            self.pool.share(key, connection.clone(), opened);
            self.sweep_from_now_on();
        }
        Ok(Open::Http2(connection))
    }

    /// The shared connection, if it is good for another request.
    fn alive(&self, key: &PoolKey) -> Option<Http2> {
        self.pool.shared(key, Instant::now(), Http2::is_usable)
    }

    /// Whether what is left of a response may be read for the sake of its connection.
    pub(crate) fn may_drain(&self) -> Option<OwnedSemaphorePermit> {
        self.draining.clone().try_acquire_owned().ok()
    }

    /// Keeps a connection for the next request, if it can carry one.
    pub(crate) async fn keep(
        self: &Arc<Self>,
        key: &PoolKey,
        mut connection: Box<Http1>,
        opened: Instant,
    ) {
        if connection.is_ready().await {
            self.pool.put(key, connection, opened, Instant::now());
            self.sweep_from_now_on();
        }
    }

    /// Closes idle connections by and by, as long as the transport is there.
    fn sweep_from_now_on(self: &Arc<Self>) {
        if self.swept.swap(true, Ordering::Relaxed) {
            return;
        }
        let mut interval = tokio::time::interval(self.pool.sweep_interval());
        let shared = Arc::downgrade(self);
        tokio::spawn(async move {
            loop {
                interval.tick().await;
                let Some(shared) = shared.upgrade() else {
                    return;
                };
                shared.pool.sweep(Instant::now());
            }
        });
    }
}
