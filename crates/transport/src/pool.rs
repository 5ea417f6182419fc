//! Kept connections.
//!
//! HTTP/1.1 connections are lent to one request at a time, the one used last first, so that those
//! which are not needed grow old and are closed. An HTTP/2 connection is shared. No connection is
//! used for longer than [`PoolLimits::age_max`], so that a name is resolved and judged again from
//! time to time even under constant load.
//!
//! It takes the time as an argument and holds any kind of connection: the rules are tested without
//! sockets.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// Which connections may be used for each other's requests.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct PoolKey {
    /// Scheme, host and port.
    pub(crate) origin: Arc<str>,
    /// Whether header names keep their spelling, which is a property of the connection.
    pub(crate) spelled: bool,
}

/// Bounds of what is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PoolLimits {
    /// An idle connection is closed after this.
    pub idle_timeout: Duration,
    /// A connection is used for no new request after this.
    pub age_max: Duration,
    /// Idle HTTP/1.1 connections to one origin.
    pub idle_per_origin_max: usize,
    /// Idle HTTP/1.1 connections in all.
    pub idle_max: usize,
}

impl Default for PoolLimits {
    fn default() -> Self {
        Self {
            idle_timeout: Duration::from_secs(30),
            age_max: Duration::from_secs(300),
            idle_per_origin_max: 256,
            idle_max: 1024,
        }
    }
}

/// Connections to lend (`L`) and to share (`S`).
pub(crate) struct Pool<L, S> {
    limits: PoolLimits,
    kept: Mutex<Kept<L, S>>,
}

struct Kept<L, S> {
    lent: HashMap<PoolKey, Vec<Idle<L>>>,
    shared: HashMap<PoolKey, Shared<S>>,
    idle: usize,
}

struct Idle<L> {
    connection: L,
    opened: Instant,
    since: Instant,
}

struct Shared<S> {
    connection: S,
    opened: Instant,
    used: Instant,
    gate: Gate,
}

/// Held while a connection to share is being made, so that a crowd of requests makes one.
pub(crate) type Gate = Arc<tokio::sync::Mutex<()>>;

impl<L, S: Clone> Pool<L, S> {
    pub(crate) fn new(limits: PoolLimits) -> Self {
        let kept = Kept {
            lent: HashMap::new(),
            shared: HashMap::new(),
            idle: 0,
        };
        Self {
            limits,
            kept: Mutex::new(kept),
        }
    }

    /// The idle connection that was used last, and when it was opened.
    pub(crate) fn take(&self, key: &PoolKey, now: Instant) -> Option<(L, Instant)> {
        // Closing sockets takes time that nobody should wait for under the lock: dropped after it.
        let mut expired = Vec::new();
        let mut kept = self.kept();
        loop {
            let idle = kept.lent.get_mut(key)?.pop()?;
            kept.idle -= 1;
            if self.limits.is_fresh(idle.opened, idle.since, now) {
                return Some((idle.connection, idle.opened));
            }
            expired.push(idle);
        }
    }

    /// Keeps a connection for the next request, unless there are enough.
    pub(crate) fn put(&self, key: &PoolKey, connection: L, opened: Instant, now: Instant) {
        let mut kept = self.kept();
        let there = kept.lent.get(key).map_or(0, Vec::len);
        if kept.idle >= self.limits.idle_max || there >= self.limits.idle_per_origin_max {
            return;
        }
        kept.idle += 1;
        let idle = Idle {
            connection,
            opened,
            since: now,
        };
        match kept.lent.get_mut(key) {
            Some(others) => others.push(idle),
            None => {
                kept.lent.insert(key.clone(), vec![idle]);
            }
        }
    }

    /// The shared connection, if it is `usable`.
    pub(crate) fn shared(
        &self,
        key: &PoolKey,
        now: Instant,
        usable: impl Fn(&S) -> bool,
    ) -> Option<S> {
        let mut kept = self.kept();
        let shared = kept.shared.get_mut(key)?;
        let fresh = self.limits.is_fresh(shared.opened, shared.used, now);
        if !fresh || !usable(&shared.connection) {
            return None;
        }
        shared.used = now;
        Some(shared.connection.clone())
    }

    /// The gate of an origin that has had a connection to share.
    pub(crate) fn gate(&self, key: &PoolKey) -> Option<Gate> {
        self.kept()
            .shared
            .get(key)
            .map(|shared| shared.gate.clone())
    }

    /// Shares a new connection in place of the one there, if any.
    pub(crate) fn share(&self, key: &PoolKey, connection: S, now: Instant) {
        let mut kept = self.kept();
        let gate = kept
            .shared
            .get(key)
            .map(|shared| shared.gate.clone())
            .unwrap_or_default();
        let shared = Shared {
            connection,
            opened: now,
            used: now,
            gate,
        };
        kept.shared.insert(key.clone(), shared);
    }

    /// Forgets that an origin had a connection to share.
    pub(crate) fn unshare(&self, key: &PoolKey) {
        let ended = self.kept().shared.remove(key);
        drop(ended);
    }

    /// Lets go of what has been idle for too long.
    pub(crate) fn sweep(&self, now: Instant) {
        let mut expired = Vec::new();
        let mut kept = self.kept();
        for idle in kept.lent.values_mut() {
            expired.extend(
                idle.extract_if(.., |one| !self.limits.is_fresh(one.opened, one.since, now)),
            );
        }
        kept.lent.retain(|_, idle| !idle.is_empty());
        kept.idle -= expired.len();
        kept.shared
            .retain(|_, shared| shared.used + self.limits.idle_timeout > now);
    }

    /// How often [`Pool::sweep`] should be called.
    pub(crate) fn sweep_interval(&self) -> Duration {
        (self.limits.idle_timeout / 2).max(Duration::from_millis(100))
    }

    fn kept(&self) -> MutexGuard<'_, Kept<L, S>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl PoolLimits {
    fn is_fresh(&self, opened: Instant, used: Instant, now: Instant) -> bool {
        opened + self.age_max > now && used + self.idle_timeout > now
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: PoolLimits = PoolLimits {
        idle_timeout: Duration::from_secs(30),
        age_max: Duration::from_secs(100),
        idle_per_origin_max: 3,
        idle_max: 4,
    };

    fn key(origin: &str) -> PoolKey {
        PoolKey {
            origin: origin.into(),
            spelled: false,
        }
    }

    fn seconds(count: u64) -> Duration {
        Duration::from_secs(count)
    }

    fn pool() -> (Pool<u32, u32>, PoolKey, Instant) {
        (Pool::new(LIMITS), key("https://a"), Instant::now())
    }

    #[tokio::test]
    async fn connection_used_last_is_taken_first() {
        let (pool, a, now) = pool();
        pool.put(&a, 1, now, now);
        pool.put(&a, 2, now, now);
        assert_eq!(pool.take(&a, now), Some((2, now)));
        assert_eq!(pool.take(&a, now), Some((1, now)));
        assert_eq!(pool.take(&a, now), None);
    }

    #[tokio::test]
    async fn origins_and_spellings_share_nothing() {
        let (pool, a, now) = pool();
        pool.put(&a, 1, now, now);
        assert_eq!(pool.take(&key("https://b"), now), None);
        assert_eq!(
            pool.take(
                &PoolKey {
                    spelled: true,
                    ..a.clone()
                },
                now
            ),
            None
        );
        assert!(pool.take(&a, now).is_some());
    }

    #[tokio::test]
    async fn idle_and_old_connections_are_not_taken() {
        let (pool, a, now) = pool();
        pool.put(&a, 1, now, now);
        assert_eq!(pool.take(&a, now + seconds(30)), None);
        pool.put(&a, 2, now, now + seconds(90));
        assert_eq!(pool.take(&a, now + seconds(100)), None);
        pool.put(&a, 3, now, now + seconds(90));
        assert!(pool.take(&a, now + seconds(99)).is_some());
    }

    #[tokio::test]
    async fn no_more_are_kept_than_the_limits_allow() {
        let (pool, a, now) = pool();
        for number in 0..5 {
            pool.put(&a, number, now, now);
            pool.put(&key("https://b"), number, now, now);
        }
        let taken = |key: &PoolKey| std::iter::from_fn(|| pool.take(key, now)).count();
        assert_eq!(taken(&a) + taken(&key("https://b")), 4);
        for number in 0..5 {
            pool.put(&a, number, now, now);
        }
        assert_eq!(taken(&a), 3);
    }

    #[tokio::test]
    async fn sweep_closes_what_is_idle_and_makes_room() {
        let (pool, a, now) = pool();
        let counted = Arc::new(());
        let closing: Pool<Arc<()>, u32> = Pool::new(LIMITS);
        for later in [0, 20, 20] {
            closing.put(&a, counted.clone(), now, now + seconds(later));
        }
        closing.sweep(now + seconds(40));
        assert_eq!(Arc::strong_count(&counted), 3, "one of three is closed");
        closing.sweep(now + seconds(60));
        assert_eq!(Arc::strong_count(&counted), 1);
        pool.share(&a, 1, now);
        pool.sweep(now + seconds(30));
        assert!(pool.gate(&a).is_none());
    }

    #[tokio::test]
    async fn shared_connection_lasts_while_it_is_used_and_usable() {
        let (pool, a, now) = pool();
        pool.share(&a, 7, now);
        assert_eq!(pool.shared(&a, now + seconds(29), |_| true), Some(7));
        assert_eq!(pool.shared(&a, now + seconds(58), |_| true), Some(7));
        assert_eq!(pool.shared(&a, now + seconds(58), |_| false), None);
        assert!(pool.gate(&a).is_some());
        assert_eq!(
            pool.shared(&a, now + seconds(100), |_| true),
            None,
            "too old"
        );
        pool.unshare(&a);
        assert!(pool.gate(&a).is_none());
    }
}
