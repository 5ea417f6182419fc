//! What a transaction has still to write: new rows, and what was counted beside them, which is
//! written once per transaction.

use crate::pending::Pending;
use crate::sql::{Statement, params};
use model::attempt::AttemptResult;
use model::id::{AttemptKey, EndpointKey};
use model::name::Name;
use std::collections::BTreeMap;
use store::encoding::HOUR;

/// By how much an endpoint's open deliveries became more, or fewer.
#[derive(Default, PartialEq, Eq)]
struct Opened {
    pending: i64,
    retrying: i64,
}

/// See the file's head.
pub(crate) struct Unwritten {
    slot: u16,
    /// The largest key that was taken, or 0.
    pub(crate) last_key: i64,
    /// Rows.
    pub(crate) pending: Pending,
    counted: BTreeMap<(i64, i64, Name, u8), i64>,
    opened: BTreeMap<i64, Opened>,
}

impl Unwritten {
    /// Nothing yet, of the node in this slot.
    pub(crate) fn new(slot: u16) -> Self {
        Self {
            slot,
            last_key: 0,
            pending: Pending::default(),
            counted: BTreeMap::new(),
            opened: BTreeMap::new(),
        }
    }

    /// Counts an attempt for the statistics.
    pub(crate) fn count(
        &mut self,
        attempt: AttemptKey,
        endpoint: EndpointKey,
        event_type: &Name,
        result: AttemptResult,
    ) {
        let hour = attempt.time().micros().div_euclid(HOUR);
        let result = match result {
            AttemptResult::Success => 0,
            AttemptResult::Failure => 1,
            AttemptResult::Cancelled(_) => 2,
        };
        let group = (endpoint.integer(), hour, event_type.clone(), result);
        *self.counted.entry(group).or_default() += 1;
    }

    /// Counts open deliveries of an endpoint, with so many attempts behind them, that came; below
    /// zero, that went.
    pub(crate) fn count_open(&mut self, endpoint: EndpointKey, attempts: u16, by: i64) {
        let opened = self.opened.entry(endpoint.integer()).or_default();
        match attempts {
            0 => opened.pending += by,
            _ => opened.retrying += by,
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
        if self.counted.is_empty() {
            return None;
        }
        let groups = self.counted.iter();
        let endpoints: Vec<i64> = groups
            .clone()
            .map(|((endpoint, ..), _)| *endpoint)
            .collect();
        let hours: Vec<i64> = groups.clone().map(|((_, hour, ..), _)| *hour).collect();
        let types: Vec<&str> = groups
            .clone()
            .map(|((_, _, name, _), _)| name.as_str())
            .collect();
        let results: Vec<i16> = groups
            .clone()
            .map(|((.., result), _)| (*result).into())
            .collect();
        let attempts: Vec<i64> = groups.map(|(_, attempts)| *attempts).collect();
        let slot = i32::from(self.slot);
        Some(Statement {
            text: "INSERT INTO rollup (endpoint, hour, event_type, result, slot, attempts)
             SELECT e, h, t, r, $6, a FROM unnest($1, $2, $3, $4, $5) AS g (e, h, t, r, a)
             ON CONFLICT (endpoint, hour, event_type, result, slot)
             DO UPDATE SET attempts = rollup.attempts + excluded.attempts",
            params: params![endpoints, hours, types, results, attempts, slot],
        })
    }

    /// Nothing for an endpoint of which as many came as went: at full load, most of them.
    fn open(&self) -> Option<Statement<'_>> {
        let changed = self
            .opened
            .iter()
            .filter(|(_, opened)| **opened != Opened::default());
        let endpoints: Vec<i64> = changed.clone().map(|(endpoint, _)| *endpoint).collect();
        if endpoints.is_empty() {
            return None;
        }
        let pending: Vec<i64> = changed.clone().map(|(_, opened)| opened.pending).collect();
        let retrying: Vec<i64> = changed.map(|(_, opened)| opened.retrying).collect();
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
