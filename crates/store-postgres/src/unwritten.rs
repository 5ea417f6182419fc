//! What a transaction has still to write: new rows, and what was counted beside them, which is
//! written once per transaction.

use crate::observed;
use crate::pending::Pending;
use crate::sql::{Statement, columns_of, params};
use model::id::EndpointKey;
use std::collections::BTreeMap;
use store::chains::FreshChains;
use store::counts::{Counts, Group, Opened};
use store::tally::{SLOTS, hour_of};

macro_rules! counts {
    ($($minute:ident)*) => {
        [$(concat!(
            "INSERT INTO rollup (endpoint, hour, event_type, result, slot, attempts, ",
            stringify!($minute),
            ") SELECT e, h, t, r, $6, a, a FROM unnest($1, $2, $3, $4, $5) AS g (e, h, t, r, a)
             ON CONFLICT (endpoint, hour, event_type, result, slot)
             DO UPDATE SET attempts = rollup.attempts + excluded.attempts, ",
            stringify!($minute), " = coalesce(rollup.", stringify!($minute), ", 0) + excluded.",
            stringify!($minute),
        )),*]
    };
}

/// What counts attempts, by the slot of their hour.
const COUNT: [&str; SLOTS] = counts!(m00 m05 m10 m15 m20 m25 m30 m35 m40 m45 m50 m55);

/// See the file's head.
pub(crate) struct Unwritten {
    slot: u16,
    /// The largest key that was taken, or 0.
    pub(crate) last_key: i64,
    /// Rows.
    pub(crate) pending: Pending,
    /// What is counted beside them.
    pub(crate) counts: Counts,
    /// Chains that attempts name.
    pub(crate) chains: FreshChains,
}

impl Unwritten {
    /// Nothing yet, of the node in this slot.
    pub(crate) fn new(slot: u16) -> Self {
        Self {
            slot,
            last_key: 0,
            pending: Pending::default(),
            counts: Counts::default(),
            chains: FreshChains::default(),
        }
    }

    /// What writes all of it.
    pub(crate) fn statements(&self) -> Vec<Statement<'_>> {
        let mut statements = self.pending.statements();
        statements.extend(self.attempts());
        statements.extend(self.open());
        statements.extend(observed::keep(&self.chains));
        statements
    }

    /// One statement for each slot of an hour: nearly always one.
    fn attempts(&self) -> impl Iterator<Item = Statement<'_>> {
        let mut by_slot: BTreeMap<i64, Vec<(&Group, i64)>> = BTreeMap::new();
        for (group, attempts) in self.counts.attempts() {
            by_slot
                .entry(group.slot)
                .or_default()
                .push((group, attempts));
        }
        let node = i32::from(self.slot);
        by_slot.into_iter().map(move |(slot, counted)| {
            let (hour, within) = hour_of(slot);
            let endpoints = columns_of(&counted, |(group, _)| group.endpoint.integer());
            let hours = columns_of(&counted, |_| hour);
            let types = columns_of(&counted, |(group, _)| group.event_type.as_str());
            let results = columns_of(&counted, |(group, _)| i16::from(group.result));
            let attempts = columns_of(&counted, |(_, attempts)| *attempts);
            Statement {
                text: COUNT[within],
                params: params![endpoints, hours, types, results, attempts, node],
            }
        })
    }

    fn open(&self) -> Option<Statement<'_>> {
        let opened: Vec<(EndpointKey, Opened)> = self.counts.opened().collect();
        if opened.is_empty() {
            return None;
        }
        let endpoints = columns_of(&opened, |(endpoint, _)| endpoint.integer());
        let pending = columns_of(&opened, |(_, opened)| opened.pending);
        let retrying = columns_of(&opened, |(_, opened)| opened.retrying);
        let slot = i32::from(self.slot);
        Some(Statement {
            text: "INSERT INTO open_count (endpoint, slot, pending, retrying)
             SELECT e, $4, p, r FROM unnest($1, $2, $3) AS g (e, p, r)
             ON CONFLICT (endpoint, slot) DO UPDATE
             SET pending = open_count.pending + excluded.pending,
                 retrying = open_count.retrying + excluded.retrying",
            params: params![endpoints, pending, retrying, slot],
        })
    }
}
