//! What was observed of attempts' requests: reading it with its attempt, and keeping chains, one
//! row for all attempts that name it, whichever node made them. The rest of it is in the rows of
//! attempts and excerpts.

use crate::columns::{get, optional_sealed, unreadable};
use crate::failure::Failure;
use crate::sql::{Sql, Statement, params};
use model::chain_seen::ShownChain;
use model::id::AttemptKey;
use model::phases::Phases;
use std::sync::{Arc, Mutex, MutexGuard};
use store::chains::{FreshChains, WrittenChains, day_of};
use store::rows::ObservedRow;
use store::work::SweepLimits;
use tokio_postgres::Row;

/// What [`read`] reads of an attempt's row, in a statement whose `$1` is the application.
pub(crate) const COLUMNS: &str = "phases,
    (SELECT x.head FROM excerpt x WHERE x.application = $1 AND x.attempt = attempt.id),
    (SELECT c.certificates FROM chain_shown c WHERE c.key = attempt.chain)";
/// In their place, where it is not asked for.
pub(crate) const NOT_READ: &str = "NULL::bytea, NULL::bytea, NULL::bytea";

/// [`COLUMNS`] from this place on.
pub(crate) fn read(row: &Row, first: usize) -> Result<ObservedRow, Failure> {
    let phases = get::<Option<&[u8]>>(row, first)?.unwrap_or_default();
    let shown = get::<Option<&[u8]>>(row, first + 2)?;
    let shown = shown.map(ShownChain::certificates).transpose();
    Ok(ObservedRow {
        phases: Phases::from_stored(phases).map_err(|_| unreadable(row, first))?,
        head: optional_sealed(row, first + 1)?,
        certificates: shown
            .map_err(|_| unreadable(row, first + 2))?
            .unwrap_or_default(),
    })
}

/// The chains that this node need not write again, in one history of the database: a standby that
/// is promoted may lack the last that its primary had.
#[derive(Default)]
pub(crate) struct KeptChains {
    timeline: String,
    written: WrittenChains,
}

impl KeptChains {
    /// What was written in another history is worth nothing in this one.
    pub(crate) fn in_history(&mut self, timeline: &str) {
        if self.timeline != timeline {
            *self = Self {
                timeline: timeline.to_owned(),
                written: WrittenChains::default(),
            };
        }
    }

    /// Adds the chain that an attempt names to those that a transaction is to write, unless that
    /// was done on its day already.
    pub(crate) fn name(&mut self, fresh: &mut FreshChains, of: (AttemptKey, &Arc<ShownChain>)) {
        fresh.name(&mut self.written, of);
    }

    /// These were committed.
    pub(crate) fn add(&mut self, fresh: &FreshChains) {
        self.written.add(fresh);
    }
}

/// For as long as this is held.
pub(crate) fn kept(chains: &Mutex<KeptChains>) -> MutexGuard<'_, KeptChains> {
    chains
        .lock()
        .expect("nothing panics while it holds this lock")
}

/// What keeps chains. Two nodes that keep the same wait for each other: so they do it in the same
/// order, with the last statement that locks what is not a node's own.
pub(crate) fn keep(chains: &FreshChains) -> Option<Statement<'_>> {
    if chains.is_empty() {
        return None;
    }
    let all: Vec<(i64, &ShownChain)> = chains.iter().collect();
    Some(Statement {
        text: "INSERT INTO chain_shown (key, day, certificates)
         SELECT * FROM unnest($1, $2, $3)
         ON CONFLICT (key) DO UPDATE SET day = greatest(chain_shown.day, excluded.day)",
        params: params![
            all.iter().map(|(_, chain)| chain.key).collect::<Vec<_>>(),
            all.iter().map(|(day, _)| *day).collect::<Vec<_>>(),
            all.iter()
                .map(|(_, chain)| &chain.stored[..])
                .collect::<Vec<_>>()
        ],
    })
}

/// Removes a slice of the chains that no attempt names any more, since all below this one are gone.
/// Whether there is more. One that a node is about to name again stays.
pub(crate) async fn sweep(
    sql: &Sql<'_>,
    (below, limits): (AttemptKey, SweepLimits),
) -> Result<bool, Failure> {
    let limit = i64::try_from(limits.rows_max).unwrap_or(i64::MAX);
    let removed = sql.run(
        "DELETE FROM chain_shown WHERE day < $1 AND key = ANY(ARRAY(
             SELECT key FROM chain_shown WHERE day < $1 ORDER BY day LIMIT $2
             FOR UPDATE SKIP LOCKED))",
        params![day_of(below.time()), limit],
    );
    Ok(removed.await? >= limits.rows_max)
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::Timestamp;
    use model::id::Key;

    /// A standby that is promoted may lack what was committed last.
    #[test]
    fn what_was_written_in_another_history_is_written_again() {
        let stored = Vec::new();
        let chain = Arc::new(ShownChain { key: 1, stored });
        let attempt = Key::first_at(Timestamp::from_seconds(1_767_227_400));
        let mut kept = KeptChains::default();
        let mut is_written = |timeline| {
            let mut fresh = FreshChains::default();
            kept.in_history(timeline);
            kept.name(&mut fresh, (attempt, &chain));
            kept.add(&fresh);
            fresh.is_empty()
        };
        let written = ["00000001", "00000001", "00000002", "00000002"].map(&mut is_written);
        assert_eq!(written, [false, true, false, true]);
    }
}
