//! Which of several hosts is asked for connections first, and which connections are still used.
//!
//! A database that does not answer on one connection may do so on none that was made before: its
//! machine stands still, or it was the primary once, and goes on without knowing that a standby was
//! promoted. That one takes connections and writes; but its commits wait for a standby which is
//! none any more. So nothing that it is asked to write is ever answered, and whoever stays with it
//! gets no further: another host is asked first from then on.

use std::sync::{Mutex, MutexGuard};
use tokio::time::Instant;

/// See the file's head.
pub(crate) struct Trust {
    hosts: usize,
    state: Mutex<State>,
}

struct State {
    /// The one that is asked first.
    host: usize,
    /// Since when. Connections that were made before are not used any more.
    since: Instant,
}

impl Trust {
    /// In the first of so many hosts.
    pub(crate) fn new(hosts: usize) -> Self {
        Self {
            hosts,
            state: Mutex::new(State {
                host: 0,
                since: Instant::now(),
            }),
        }
    }

    /// All hosts, in the order in which they are asked.
    pub(crate) fn hosts(&self) -> impl Iterator<Item = usize> + use<> {
        let (first, count) = (self.lock().host, self.hosts);
        (first..first + count).map(move |turn| turn % count)
    }

    /// Whether a connection that was made then is used.
    pub(crate) fn covers(&self, made: std::time::Instant) -> bool {
        made >= self.lock().since.into_std()
    }

    /// This host could be connected to; those before it could not.
    pub(crate) fn found(&self, host: usize) {
        let mut state = self.lock();
        if state.host != host {
            let since = Instant::now();
            *state = State { host, since };
        }
    }

    /// What began then was not answered, or can't be done there. Who finds out later what others
    /// have found before it changes nothing: it asked the same host as they.
    pub(crate) fn doubt(&self, began: Instant) {
        let mut state = self.lock();
        if began >= state.since {
            state.host = (state.host + 1) % self.hosts.max(1);
            state.since = Instant::now();
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("nothing panics while it holds it")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn first(trust: &Trust) -> usize {
        trust.hosts().next().expect("there is one")
    }

    #[test]
    fn who_finds_out_late_that_a_host_is_dead_does_not_lead_back_to_it() {
        let trust = Trust::new(2);
        let began = Instant::now();
        trust.doubt(began);
        assert_eq!(trust.hosts().collect::<Vec<_>>(), [1, 0]);
        trust.doubt(began - Duration::from_secs(1));
        assert_eq!(first(&trust), 1);
        trust.doubt(Instant::now());
        assert_eq!(first(&trust), 0);
    }

    #[test]
    fn connections_from_before_another_host_was_found_are_not_used() {
        let trust = Trust::new(2);
        let made = Instant::now();
        trust.found(0);
        assert!(trust.covers(made.into_std()));
        trust.found(1);
        let earlier = made - Duration::from_secs(1);
        assert!(!trust.covers(earlier.into_std()));
        assert!(trust.covers(Instant::now().into_std()));
        trust.doubt(earlier);
        assert_eq!(first(&trust), 1);
    }
}
