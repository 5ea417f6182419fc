//! What was observed of attempts' requests: reading it with its attempt, and keeping chains, one
//! row for all attempts that name it. The rest of it is in the rows of attempts and excerpts.

use crate::batch::Batch;
use crate::columns::{optional_sealed, unreadable};
use crate::failure::Failure;
use model::chain_seen::ShownChain;
use model::id::AttemptKey;
use model::phases::Phases;
use rusqlite::{Connection, params};
use std::sync::Arc;
use store::chains::day_of;
use store::rows::ObservedRow;
use store::work::SweepLimits;

/// Of one attempt, if it is there.
pub(crate) fn of(
    connection: &Connection,
    attempt: AttemptKey,
) -> Result<Option<ObservedRow>, Failure> {
    let mut select = connection.prepare_cached(
        "SELECT a.phases, x.head, c.certificates FROM attempt a
         LEFT JOIN excerpt x ON x.attempt = a.id LEFT JOIN chain_shown c ON c.key = a.chain
         WHERE a.id = ?1",
    )?;
    let mut rows = select.query([attempt.integer()])?;
    let Some(row) = rows.next()? else {
        return Ok(None);
    };
    let phases = optional_sealed(row, 0)?.unwrap_or_default();
    let shown = optional_sealed(row, 2)?;
    let shown = shown.map(|stored| ShownChain::certificates(&stored));
    Ok(Some(ObservedRow {
        phases: Phases::from_stored(&phases).map_err(|_| unreadable(row, 0))?,
        head: optional_sealed(row, 1)?,
        certificates: shown
            .transpose()
            .map_err(|_| unreadable(row, 2))?
            .unwrap_or_default(),
    }))
}

/// Keeps the chain that an attempt names, unless that was done on its day already.
pub(crate) fn keep_chain(
    batch: &mut Batch<'_>,
    (attempt, chain): (AttemptKey, &Arc<ShownChain>),
) -> Result<(), Failure> {
    let written = &mut batch.rounds.chains;
    if !batch.fresh.chains.name(written, (attempt, chain)) {
        return Ok(());
    }
    batch
        .connection
        .prepare_cached(
            "INSERT INTO chain_shown (key, day, certificates) VALUES (?1, ?2, ?3)
             ON CONFLICT (key) DO UPDATE SET day = max(day, excluded.day)",
        )?
        .execute(params![chain.key, day_of(attempt.time()), chain.stored])?;
    Ok(())
}

/// Removes a slice of the chains that no attempt names any more: none is there from before the
/// limit. True: there is more.
pub(crate) fn sweep(batch: &Batch<'_>, limits: SweepLimits) -> Result<bool, Failure> {
    let removed = batch
        .connection
        .prepare_cached(
            "DELETE FROM chain_shown WHERE key IN
             (SELECT key FROM chain_shown WHERE day < ?1 ORDER BY day LIMIT ?2)",
        )?
        .execute(params![day_of(limits.keep_since), limits.rows_max as i64])?;
    Ok(removed >= limits.rows_max)
}
