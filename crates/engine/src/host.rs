//! How many attempts may be in flight to one destination host, over all applications: many
//! endpoints behind one name must not flood it together, nor hold all slots when it goes down.
//!
//! Beside the cap, a host has a window for young attempts, those that were begun a moment ago. It
//! starts small and grows by one with each answer while it is full, so that connections are opened
//! as the host answers, and never by the hundred at once. What hangs leaves the window when it is
//! young no more, and only the cap counts it: one tenant's dead endpoints do not close a host for
//! another that happens to share it. Failures shrink nothing, for the same reason. Pure.

use crate::line::Line;
use model::id::EndpointKey;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A host's name or address, as the endpoint's URL has it.
pub(crate) type HostName = Arc<str>;

/// Young attempts to a host that has not answered yet.
const WINDOW_START: usize = 64;

/// What is in flight to which host, and who waits for a place there.
#[derive(Debug)]
pub(crate) struct Hosts {
    per_host: usize,
    by_name: BTreeMap<HostName, Host>,
    /// Lanes that wait, over all hosts.
    waiting: usize,
}

#[derive(Debug)]
struct Host {
    held: usize,
    young: usize,
    window: usize,
    waiting: Line,
}

impl Host {
    fn has_room(&self, per_host: usize) -> bool {
        self.held < per_host && self.young < self.window
    }
}

impl Hosts {
    /// Nobody is anywhere yet; `per_host` is the most in flight to one host.
    pub(crate) fn new(per_host: usize) -> Self {
        Self {
            per_host: per_host.max(1),
            by_name: BTreeMap::new(),
            waiting: 0,
        }
    }

    /// Takes a place for a young attempt, if there is one and nobody waits for it before this lane,
    /// which the line has `sent`, or not.
    pub(crate) fn take(&mut self, name: &HostName, sent: bool) -> bool {
        if !self.by_name.contains_key(name) {
            let host = Host {
                held: 0,
                young: 0,
                window: WINDOW_START.min(self.per_host),
                waiting: Line::default(),
            };
            self.by_name.insert(name.clone(), host);
        }
        let per_host = self.per_host;
        let host = self.by_name.get_mut(name);
        let is_next = |host: &&mut Host| sent || host.waiting.is_empty();
        let host = host.filter(|host| host.has_room(per_host));
        let Some(host) = host.filter(is_next) else {
            return false;
        };
        host.held += 1;
        host.young += 1;
        true
    }

    /// An attempt there is young no more.
    pub(crate) fn ripen(&mut self, name: &HostName) {
        if let Some(host) = self.by_name.get_mut(name) {
            host.young -= 1;
        }
    }

    /// This lane waits until there is a place, behind those that wait already, unless it does.
    pub(crate) fn wait(&mut self, name: &HostName, endpoint: EndpointKey) {
        if let Some(host) = self.by_name.get_mut(name) {
            self.waiting += usize::from(host.waiting.join(endpoint));
        }
    }

    /// Whether any lane waits for a place.
    pub(crate) fn anyone_waits(&self) -> bool {
        self.waiting > 0
    }

    /// Gives back the place of an attempt that is still young, or is no more.
    pub(crate) fn give_back(&mut self, name: &HostName, answered: bool, young: bool) {
        let Some(host) = self.by_name.get_mut(name) else {
            return;
        };
        if answered && host.young >= host.window && host.window < self.per_host {
            host.window += 1;
        }
        host.held -= 1;
        host.young -= usize::from(young);
        self.forget_if_unused(name);
    }

    /// The next lane that may try again, if there is a place and one waits. Whoever gets it and
    /// does not take the place asks again, for the one behind it.
    pub(crate) fn next_waiting(&mut self, name: &HostName) -> Option<EndpointKey> {
        let per_host = self.per_host;
        let host = self.by_name.get_mut(name);
        let host = host.filter(|host| host.has_room(per_host))?;
        let next = host.waiting.next();
        self.waiting -= usize::from(next.is_some());
        self.forget_if_unused(name);
        next
    }

    fn forget_if_unused(&mut self, name: &HostName) {
        let unused = |host: &Host| host.held == 0 && host.waiting.is_empty();
        if self.by_name.get(name).is_some_and(unused) {
            self.by_name.remove(name);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint(key: i64) -> EndpointKey {
        EndpointKey::from_integer(key)
    }

    fn fill(hosts: &mut Hosts, name: &HostName) -> usize {
        std::iter::from_fn(|| hosts.take(name, false).then_some(())).count()
    }

    #[test]
    fn a_host_takes_more_as_it_answers_up_to_its_cap() {
        let (mut hosts, name) = (Hosts::new(70), HostName::from("a.example"));
        assert_eq!(fill(&mut hosts, &name), 64);
        hosts.give_back(&name, true, true);
        assert_eq!(fill(&mut hosts, &name), 2);
        hosts.give_back(&name, false, true);
        assert_eq!(fill(&mut hosts, &name), 1);
        for _ in 0..100 {
            hosts.give_back(&name, true, true);
            fill(&mut hosts, &name);
        }
        assert_eq!(hosts.by_name[&name].held, 70);
    }

    #[test]
    fn what_hangs_leaves_the_window_and_counts_for_the_cap() {
        let (mut hosts, name) = (Hosts::new(100), HostName::from("a.example"));
        let mut held = fill(&mut hosts, &name);
        for _ in 0..held {
            hosts.ripen(&name);
        }
        held += fill(&mut hosts, &name);
        assert_eq!(held, 100);
        hosts.give_back(&name, false, false);
        assert_eq!(fill(&mut hosts, &name), 1);
    }

    #[test]
    fn waiting_lanes_come_in_their_order_when_there_is_a_place() {
        let (mut hosts, name) = (Hosts::new(1), HostName::from("a.example"));
        assert!(hosts.take(&name, false));
        hosts.wait(&name, endpoint(1));
        hosts.wait(&name, endpoint(2));
        assert_eq!(hosts.next_waiting(&name), None);
        hosts.give_back(&name, false, true);
        assert_eq!(hosts.next_waiting(&name), Some(endpoint(1)));
        assert!(hosts.anyone_waits());
        assert!(!hosts.take(&name, false), "it is for those who wait");
        // The first did not take the place, so the second is asked.
        assert_eq!(hosts.next_waiting(&name), Some(endpoint(2)));
        assert_eq!(hosts.next_waiting(&name), None);
        assert!(!hosts.anyone_waits());
    }

    #[test]
    fn a_host_that_nobody_uses_is_forgotten() {
        let (mut hosts, name) = (Hosts::new(8), HostName::from("a.example"));
        fill(&mut hosts, &name);
        assert!(hosts.take(&HostName::from("b.example"), false));
        for _ in 0..8 {
            hosts.give_back(&name, true, true);
        }
        assert_eq!(hosts.by_name.len(), 1);
    }
}
