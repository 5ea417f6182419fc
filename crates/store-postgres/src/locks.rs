//! Which rows are locked, until the transaction ends, while something is decided by what they say.
//! It decides nothing itself.
//!
//! - Whoever changes an application or one of its endpoints locks the application's row, and then
//!   the endpoint's: what is read after that is the newest, and stays so.
//! - Whoever opens a delivery of a message that is there keeps the application's row as it is, and
//!   then the payload's. So nobody opens one to an endpoint that is gone, or of a payload that is.
//! - Whoever removes a payload does that first, and looks for open deliveries then: those that were
//!   opened before are there to be seen, and whoever comes later finds the payload gone.
//!
//! What locks in another order meets the database's deadlock detection at worst, which is a
//! conflict: the transaction begins again.

use crate::columns::{get, key, number};
use crate::deliveries::{self, COLUMNS};
use crate::failure::Failure;
use crate::sql::{Sql, columns_of, params};
use model::delivery::Delivery;
use model::id::{ApplicationKey, EndpointKey, MessageKey};
use model::message::Message;
use std::collections::HashSet;
use std::time::Duration;

/// What the sweeping node locks: `PsSw`.
const SWEEP_LOCK: i64 = 0x5073_5377;
/// One that has not swept for so long leaves it to the others.
const SWEEPER_SILENT_MAX: Duration = Duration::from_secs(300);

/// Locks a live application for a change of it or of its endpoints. Its revision.
pub(crate) async fn application(
    sql: &Sql<'_>,
    key: ApplicationKey,
) -> Result<Option<u64>, Failure> {
    let locked = sql.row(
        "SELECT revision FROM application WHERE id = $1 AND NOT deleted FOR UPDATE",
        params![key.integer()],
    );
    locked.await?.map(|row| number(&row, 0)).transpose()
}

/// Keeps a live application and its endpoints as they are. Its revision.
pub(crate) async fn endpoints_of(
    sql: &Sql<'_>,
    key: ApplicationKey,
) -> Result<Option<u64>, Failure> {
    let kept = sql.row(
        "SELECT revision FROM application WHERE id = $1 AND NOT deleted FOR SHARE",
        params![key.integer()],
    );
    kept.await?.map(|row| number(&row, 0)).transpose()
}

/// Locks an endpoint, deleted or not.
pub(crate) async fn endpoint(sql: &Sql<'_>, key: EndpointKey) -> Result<(), Failure> {
    let locked = sql.run(
        "SELECT 1 FROM endpoint WHERE id = $1 FOR UPDATE",
        params![key.integer()],
    );
    locked.await.map(drop)
}

/// Keeps a message's payload. False: it is gone.
pub(crate) async fn payload(sql: &Sql<'_>, message: &Message) -> Result<bool, Failure> {
    let kept = sql.run(
        "SELECT 1 FROM payload WHERE application = $1 AND message = $2 AND expires_at = $3
         FOR KEY SHARE",
        params![
            message.application.integer(),
            message.id.key().integer(),
            message.expires_at.micros()
        ],
    );
    Ok(kept.await? > 0)
}

/// Keeps messages' payloads. Those that are there.
pub(crate) async fn payloads(
    sql: &Sql<'_>,
    messages: &[&Message],
) -> Result<HashSet<MessageKey>, Failure> {
    let expiries = columns_of(messages, |one| one.expires_at.micros());
    let (Some(first), Some(last)) = (expiries.iter().min(), expiries.iter().max()) else {
        return Ok(HashSet::new());
    };
    let (first, last) = (*first, *last);
    let rows = sql.rows(
        "SELECT g.m FROM unnest($1, $2, $3) AS g (e, a, m) CROSS JOIN LATERAL (
             SELECT 1 FROM payload p WHERE p.expires_at = g.e AND p.application = g.a
             AND p.message = g.m AND p.expires_at BETWEEN $4 AND $5
             LIMIT 1 FOR KEY SHARE) AS found",
        params![
            expiries,
            columns_of(messages, |one| one.application.integer()),
            columns_of(messages, |one| one.id.key().integer()),
            first,
            last
        ],
    );
    rows.await?.iter().map(|row| key(row, 0)).collect()
}

/// Locks the open deliveries of messages, and reads them as they are now.
pub(crate) async fn open_deliveries(
    sql: &Sql<'_>,
    messages: Vec<i64>,
) -> Result<Vec<Delivery>, Failure> {
    let statement =
        format!("SELECT {COLUMNS} FROM delivery WHERE message = ANY($1) ORDER BY id FOR UPDATE");
    let rows = sql.rows(&statement, params![messages]).await?;
    rows.iter().map(deliveries::read).collect()
}

/// Whether this node is the one that sweeps from here on. It goes on with it for as long as it is
/// alive and does: how far it has come is in its memory.
pub(crate) async fn sweeper(sql: &Sql<'_>, epoch: i64) -> Result<bool, Failure> {
    if !sweep(sql).await? {
        return Ok(false);
    }
    let marked = sql.run(
        "UPDATE node SET swept_at = clock_timestamp() WHERE epoch = $1 AND NOT EXISTS (
             SELECT FROM node WHERE epoch <> $1 AND expires_at > clock_timestamp()
             AND swept_at > clock_timestamp() - make_interval(secs => $2))
         RETURNING 1",
        params![epoch, SWEEPER_SILENT_MAX.as_secs_f64()],
    );
    Ok(marked.await? > 0)
}

/// Whether nobody else sweeps while this transaction lasts.
pub(crate) async fn sweep(sql: &Sql<'_>) -> Result<bool, Failure> {
    let locked = sql.row("SELECT pg_try_advisory_xact_lock($1)", params![SWEEP_LOCK]);
    match locked.await? {
        Some(row) => get(&row, 0),
        None => Ok(false),
    }
}
