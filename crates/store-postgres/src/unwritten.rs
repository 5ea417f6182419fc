//! What a transaction has still to write: new rows, and what was counted beside them, which is
//! written once per transaction.

use crate::pending::Pending;
use crate::sql::{Statement, columns_of, params};
use model::id::EndpointKey;
use store::counts::{Counts, Group, Opened};

/// See the file's head.
pub(crate) struct Unwritten {
    slot: u16,
    /// The largest key that was taken, or 0.
    pub(crate) last_key: i64,
    /// Rows.
    pub(crate) pending: Pending,
    /// What is counted beside them.
    pub(crate) counts: Counts,
}

impl Unwritten {
    /// Nothing yet, of the node in this slot.
    pub(crate) fn new(slot: u16) -> Self {
        Self {
            slot,
            last_key: 0,
            pending: Pending::default(),
            counts: Counts::default(),
        }
    }

    /// What writes all of it.
    pub(crate) fn statements(&self) -> Vec<Statement<'_>> {
        let counts = [self.attempts(), self.open()];
        let mut statements = self.pending.statements();
        statements.extend(counts.into_iter().flatten());
        statements
    }

    fn attempts(&self) -> Option<Statement<'_>> {
        let counted: Vec<(&Group, i64)> = self.counts.attempts().collect();
        if counted.is_empty() {
            return None;
        }
        let endpoints = columns_of(&counted, |(group, _)| group.endpoint.integer());
        let hours = columns_of(&counted, |(group, _)| group.hour);
        let types = columns_of(&counted, |(group, _)| group.event_type.as_str());
        let results = columns_of(&counted, |(group, _)| i16::from(group.result));
        let attempts = columns_of(&counted, |(_, attempts)| *attempts);
        let slot = i32::from(self.slot);
        Some(Statement {
            text: "INSERT INTO rollup (endpoint, hour, event_type, result, slot, attempts)
             SELECT e, h, t, r, $6, a FROM unnest($1, $2, $3, $4, $5) AS g (e, h, t, r, a)
             ON CONFLICT (endpoint, hour, event_type, result, slot)
             DO UPDATE SET attempts = rollup.attempts + excluded.attempts",
            params: params![endpoints, hours, types, results, attempts, slot],
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
