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
    /// How the other side was verified, and what it was shown of us: the number of the profile.
    pub(crate) profile: u64,
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
    /// Idle HTTP/1.1 connections in all. One more closes the one that has been idle longest.
    pub idle_max: usize,
    /// Shared HTTP/2 connections in all. One more takes the place of the one used longest ago.
    pub shared_max: usize,
    /// HTTP/1.1 connections at a time of which a too long response is read to its end, to keep
    /// them.
    pub draining_max: usize,
}

impl Default for PoolLimits {
    fn default() -> Self {
        Self {
            idle_timeout: Duration::from_secs(30),
            age_max: Duration::from_secs(300),
            idle_per_origin_max: 512,
            idle_max: 2048,
            shared_max: 1024,
            draining_max: 256,
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

    /// Keeps a connection for the next request, unless its origin has enough. Where there are
    /// enough in all, the one that has been idle longest goes: one tenant's many origins must not
    /// take away what others reuse.
    pub(crate) fn put(&self, key: &PoolKey, connection: L, opened: Instant, now: Instant) {
        let mut kept = self.kept();
        let there = kept.lent.get(key).map_or(0, Vec::len);
        if there >= self.limits.idle_per_origin_max || self.limits.idle_max == 0 {
            return;
        }
        let full = kept.idle >= self.limits.idle_max;
        let evicted = full.then(|| kept.longest_idle()).flatten();
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
        drop(kept);
        drop(evicted);
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

    /// Shares a new connection in place of the one there, if any, or else of the one that was used
    /// longest ago, if there are enough.
    pub(crate) fn share(&self, key: &PoolKey, connection: S, now: Instant) {
        let mut kept = self.kept();
        let there = kept.shared.get(key).map(|shared| shared.gate.clone());
        let full = there.is_none() && kept.shared.len() >= self.limits.shared_max;
        let evicted = full.then(|| kept.longest_unused()).flatten();
        let shared = Shared {
            connection,
            opened: now,
            used: now,
            gate: there.unwrap_or_default(),
        };
        let replaced = kept.shared.insert(key.clone(), shared);
        drop(kept);
        drop((evicted, replaced));
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
            .retain(|_, shared| self.limits.may_idle(shared.used, now));
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
        now.saturating_duration_since(opened) < self.age_max && self.may_idle(used, now)
    }

    fn may_idle(&self, used: Instant, now: Instant) -> bool {
        now.saturating_duration_since(used) < self.idle_timeout
    }
}

impl<L, S> Kept<L, S> {
    /// Takes out the connection that nobody has used for the longest time.
    fn longest_idle(&mut self) -> Option<Idle<L>> {
        let idle = self.lent.values_mut().filter(|idle| !idle.is_empty());
        // They lie in the order in which they were put back.
        let oldest = idle.min_by_key(|idle| idle[0].since)?;
        self.idle -= 1;
        Some(oldest.remove(0))
    }

    /// Takes out the shared connection that was used longest ago.
    fn longest_unused(&mut self) -> Option<Shared<S>> {
        let oldest = self.shared.iter().min_by_key(|(_, shared)| shared.used);
        let key = oldest.map(|(key, _)| key.clone())?;
        self.shared.remove(&key)
    }
}

#[cfg(test)]
mod tests;
