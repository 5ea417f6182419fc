//! Counts of what is yet to be told. Bounded: of so many it is known what they are, and of all how
//! many there were of each kind.

use model::Timestamp;
use model::security::{SecurityKind, Severity, Subject};
use std::collections::BTreeMap;
use std::net::IpAddr;

/// So many are told apart.
pub(super) const TOLD_APART_MAX: usize = 200;

/// What makes events the same, for those who are told of them: where they come from does not.
pub(super) type Same = (SecurityKind, Subject);

/// What has happened, once or more often.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Heard {
    pub(super) kind: SecurityKind,
    pub(super) severity: Severity,
    pub(super) subject: Subject,
    /// From where, of one of them.
    pub(super) remote_address: Option<IpAddr>,
    pub(super) count: u64,
    pub(super) first_seen: Timestamp,
    pub(super) last_seen: Timestamp,
    /// A sentence for people.
    pub(super) description: String,
}

impl Heard {
    pub(super) fn same(&self) -> Same {
        (self.kind, self.subject.clone())
    }

    /// Adds more of the same.
    pub(super) fn add(&mut self, more: Heard) {
        self.count = self.count.saturating_add(more.count);
        self.severity = self.severity.max(more.severity);
        self.first_seen = self.first_seen.min(more.first_seen);
        self.last_seen = self.last_seen.max(more.last_seen);
        self.remote_address = self.remote_address.or(more.remote_address);
    }

    fn weight(&self) -> (Severity, u64) {
        (self.severity, self.count)
    }
}

/// Counts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Tally {
    by_kind: BTreeMap<SecurityKind, u64>,
    told_apart: BTreeMap<Same, Heard>,
}

impl Tally {
    pub(super) fn is_empty(&self) -> bool {
        self.by_kind.is_empty()
    }

    /// Adds what was heard. Where there is no room to tell it apart, the least bad makes room.
    pub(super) fn add(&mut self, heard: Heard) {
        let count = self.by_kind.entry(heard.kind).or_default();
        *count = count.saturating_add(heard.count);
        self.tell_apart(heard);
    }

    /// Adds all of another.
    pub(super) fn absorb(&mut self, other: Tally) {
        for (kind, more) in other.by_kind {
            let count = self.by_kind.entry(kind).or_default();
            *count = count.saturating_add(more);
        }
        for heard in other.told_apart.into_values() {
            self.tell_apart(heard);
        }
    }

    /// How many there were of each kind, the most first.
    pub(super) fn kinds(&self) -> Vec<(SecurityKind, u64)> {
        let mut kinds: Vec<_> = self.by_kind.iter().map(|(kind, n)| (*kind, *n)).collect();
        kinds.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        kinds
    }

    /// What is known of, the worst first.
    pub(super) fn worst(&self) -> Vec<&Heard> {
        let mut all: Vec<_> = self.told_apart.values().collect();
        all.sort_by_key(|heard| std::cmp::Reverse(heard.weight()));
        all
    }

    /// All of them.
    pub(super) fn count(&self) -> u64 {
        self.by_kind
            .values()
            .fold(0, |sum, n| sum.saturating_add(*n))
    }

    fn tell_apart(&mut self, heard: Heard) {
        let same = heard.same();
        if let Some(known) = self.told_apart.get_mut(&same) {
            known.add(heard);
            return;
        }
        self.told_apart.insert(same, heard);
        if self.told_apart.len() > TOLD_APART_MAX {
            let least = self
                .told_apart
                .iter()
                .min_by_key(|(_, heard)| heard.weight());
            let least = least.map(|(same, _)| same.clone()).expect("there are some");
            self.told_apart.remove(&least);
        }
    }
}
