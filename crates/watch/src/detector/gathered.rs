//! What is gathered until a minute is over: how much came and went, how much was taken out and sent
//! again; and which types and networks were told of already. Bounded: what is beyond is counted as
//! missed.

use crate::detect::Bulk;
use model::address::network;
use model::id::{ApplicationKey, SourceId, TaskId};
use model::name::Name;
use std::collections::hash_map::RandomState;
use std::collections::{HashMap, HashSet};
use std::hash::BuildHasher as _;
use std::net::IpAddr;

/// So many sources, applications and callers are told apart in a minute.
const GATHERED_MAX: usize = 20_000;
/// So many types and networks are remembered as told of, at 8 bytes each.
const TOLD_MAX: usize = 200_000;
/// So much background work is followed at a time.
pub(super) const FOLLOWED_MAX: usize = 256;

/// Whose traffic it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Of {
    Source(SourceId),
    Application(ApplicationKey),
}

/// How much of it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Amount {
    pub(super) total: u64,
    pub(super) failed: u64,
}

/// Who did something in bulk.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Doer {
    pub(super) by: String,
    pub(super) application: Option<ApplicationKey>,
    pub(super) is_export: bool,
}

impl Doer {
    pub(super) fn what(&self) -> Bulk {
        match self.is_export {
            true => Bulk::Export,
            false => Bulk::Replay,
        }
    }
}

/// Background work that sends many again.
#[derive(Debug, Clone)]
pub(super) struct Followed {
    pub(super) task: TaskId,
    pub(super) doer: Doer,
    /// What of it was told.
    pub(super) told: u64,
}

/// See the file's head.
#[derive(Default)]
pub(super) struct Gathered {
    traffic: HashMap<Of, Amount>,
    bulk: HashMap<Doer, u64>,
    begun: Vec<Followed>,
    told: HashSet<u64>,
    hasher: RandomState,
}

/// What a minute came to.
#[derive(Default)]
pub(super) struct Minute {
    pub(super) traffic: HashMap<Of, Amount>,
    pub(super) bulk: HashMap<Doer, u64>,
    pub(super) begun: Vec<Followed>,
}

impl Gathered {
    /// Counts one more. `false`: there is no room.
    pub(super) fn count(&mut self, of: Of, failed: bool) -> bool {
        if self.traffic.len() >= GATHERED_MAX && !self.traffic.contains_key(&of) {
            return false;
        }
        let amount = self.traffic.entry(of).or_default();
        amount.total += 1;
        amount.failed += u64::from(failed);
        true
    }

    /// Counts what somebody did. `false`: there is no room.
    pub(super) fn count_bulk(&mut self, doer: Doer, count: u64) -> bool {
        if self.bulk.len() >= GATHERED_MAX && !self.bulk.contains_key(&doer) {
            return false;
        }
        let done = self.bulk.entry(doer).or_default();
        *done = done.saturating_add(count);
        true
    }

    /// Follows work that was begun. `false`: there is no room.
    pub(super) fn follow(&mut self, followed: Followed) -> bool {
        let has_room = self.begun.len() < FOLLOWED_MAX;
        if has_room {
            self.begun.push(followed);
        }
        has_room
    }

    /// Whether nobody was told yet that this came to a source from there. Now and then all is told
    /// again, which does no harm.
    pub(super) fn is_new(&mut self, source: SourceId, event_type: &Name, from: IpAddr) -> bool {
        let hash = self.hasher.hash_one((source, event_type, network(from)));
        if self.told.len() >= TOLD_MAX {
            self.told.clear();
        }
        self.told.insert(hash)
    }

    /// Lets all be told again.
    pub(super) fn forget_told(&mut self) {
        self.told.clear();
    }

    /// Ends a minute.
    pub(super) fn take(&mut self) -> Minute {
        Minute {
            traffic: std::mem::take(&mut self.traffic),
            bulk: std::mem::take(&mut self.bulk),
            begun: std::mem::take(&mut self.begun),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::id::{Key, SourceKey};

    fn source(number: i64) -> SourceId {
        SourceId::new(SourceKey::from_integer(number), [0; 12])
    }

    #[test]
    fn what_comes_is_counted_until_the_minute_is_over() {
        let mut gathered = Gathered::default();
        let of = Of::Source(source(1));
        for failed in [false, true, false] {
            assert!(gathered.count(of, failed));
        }
        let amount = gathered.take().traffic[&of];
        assert_eq!((amount.total, amount.failed), (3, 1));
        assert!(gathered.take().traffic.is_empty());
    }

    #[test]
    fn more_than_is_told_apart_is_refused_and_what_is_known_is_not() {
        let mut gathered = Gathered::default();
        let most = i64::try_from(GATHERED_MAX).expect("it is small");
        for key in 0..most {
            let of = Of::Application(Key::from_integer(key));
            assert!(gathered.count(of, false));
        }
        assert!(!gathered.count(Of::Source(source(1)), false));
        assert!(gathered.count(Of::Application(Key::from_integer(0)), false));
        assert_eq!(gathered.take().traffic.len(), GATHERED_MAX);
    }

    #[test]
    fn a_type_and_a_network_are_new_once() {
        let mut gathered = Gathered::default();
        let name = |text: &str| -> Name { text.parse().expect("it is a name") };
        let address = |text: &str| -> IpAddr { text.parse().expect("it is an address") };
        let (paid, sent) = (name("paid"), name("sent"));
        let here = address("2001:db8::1");
        assert!(gathered.is_new(source(1), &paid, here));
        assert!(!gathered.is_new(source(1), &paid, address("2001:db8::2")));
        assert!(gathered.is_new(source(1), &sent, here));
        assert!(gathered.is_new(source(2), &paid, here));
        assert!(gathered.is_new(source(1), &paid, address("192.0.2.1")));
        gathered.forget_told();
        assert!(gathered.is_new(source(1), &paid, here));
    }
}
