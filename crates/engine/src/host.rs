//! How many attempts may be in flight to one destination host, over all applications: many
//! endpoints behind one name must not flood it together, nor hold all slots when it goes down.
//!
//! A host starts with a part of its limit and gets one more with each answer while it is full, so
//! that connections to it are opened as it answers. A failure does not shrink it: one tenant's slow
//! endpoint must not narrow the way of another that happens to share the host. Pure.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use model::id::EndpointKey;

/// A host's name or address, as the endpoint's URL has it.
pub(crate) type HostName = Arc<str>;

/// In flight to one host before it has answered.
const START: usize = 32;

/// What is in flight to which host, and who waits for a place there.
#[derive(Debug)]
pub(crate) struct Hosts {
    per_host: usize,
    by_name: BTreeMap<HostName, Host>,
}

#[derive(Debug)]
struct Host {
    held: usize,
    limit: usize,
    waiting: VecDeque<EndpointKey>,
}

impl Hosts {
    /// Nobody is anywhere yet; `per_host` is the most in flight to one host.
    pub(crate) fn new(per_host: usize) -> Self {
        Self {
            per_host: per_host.max(1),
            by_name: BTreeMap::new(),
        }
    }

    /// Takes a place, if there is one.
    pub(crate) fn take(&mut self, name: &HostName) -> bool {
        let limit = START.min(self.per_host);
        if let Some(host) = self.by_name.get_mut(name) {
            let room = host.held < host.limit;
            host.held += usize::from(room);
            return room;
        }
        let host = Host {
            held: 1,
            limit,
            waiting: VecDeque::new(),
        };
        self.by_name.insert(name.clone(), host);
        true
    }

    /// This lane waits until there is a place, behind those that wait already.
    pub(crate) fn wait(&mut self, name: &HostName, endpoint: EndpointKey) {
        if let Some(host) = self.by_name.get_mut(name) {
            host.waiting.push_back(endpoint);
        }
    }

    /// Gives a place back.
    pub(crate) fn give_back(&mut self, name: &HostName, answered: bool) {
        let Some(host) = self.by_name.get_mut(name) else {
            return;
        };
        if answered && host.held == host.limit && host.limit < self.per_host {
            host.limit += 1;
        }
        host.held -= 1;
        if host.held == 0 && host.waiting.is_empty() {
            self.by_name.remove(name);
        }
    }

    /// The next lane that may try again, if there is a place and one waits. Whoever gets it and
    /// does not take the place asks again, for the one behind it.
    pub(crate) fn next_waiting(&mut self, name: &HostName) -> Option<EndpointKey> {
        let host = self.by_name.get_mut(name)?;
        let next = if host.held < host.limit {
            host.waiting.pop_front()
        } else {
            None
        };
        if host.held == 0 && host.waiting.is_empty() {
            self.by_name.remove(name);
        }
        next
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint(key: i64) -> EndpointKey {
        EndpointKey::from_integer(key)
    }

    fn fill(hosts: &mut Hosts, name: &HostName) -> usize {
        std::iter::from_fn(|| hosts.take(name).then_some(())).count()
    }

    #[test]
    fn a_host_takes_more_as_it_answers_up_to_its_limit() {
        let (mut hosts, name) = (Hosts::new(40), HostName::from("a.example"));
        assert_eq!(fill(&mut hosts, &name), 32);
        hosts.give_back(&name, true);
        assert_eq!(fill(&mut hosts, &name), 2);
        hosts.give_back(&name, false);
        assert_eq!(fill(&mut hosts, &name), 1);
        for _ in 0..100 {
            hosts.give_back(&name, true);
            fill(&mut hosts, &name);
        }
        assert_eq!(hosts.by_name[&name].held, 40);
    }

    #[test]
    fn waiting_lanes_come_in_their_order_when_there_is_a_place() {
        let (mut hosts, name) = (Hosts::new(1), HostName::from("a.example"));
        assert!(hosts.take(&name));
        hosts.wait(&name, endpoint(1));
        hosts.wait(&name, endpoint(2));
        assert_eq!(hosts.next_waiting(&name), None);
        hosts.give_back(&name, false);
        assert_eq!(hosts.next_waiting(&name), Some(endpoint(1)));
        // The first did not take the place, so the second is asked.
        assert_eq!(hosts.next_waiting(&name), Some(endpoint(2)));
        assert_eq!(hosts.next_waiting(&name), None);
    }

    #[test]
    fn a_host_that_nobody_uses_is_forgotten() {
        let (mut hosts, name) = (Hosts::new(8), HostName::from("a.example"));
        fill(&mut hosts, &name);
        assert!(hosts.take(&HostName::from("b.example")));
        for _ in 0..8 {
            hosts.give_back(&name, true);
        }
        assert_eq!(hosts.by_name.len(), 1);
    }
}
