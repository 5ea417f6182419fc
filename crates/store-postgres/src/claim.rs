//! Claiming due deliveries, lane by lane. A lane's rows stand together in the order they are to be
//! sent, so that what another lane holds, or has waiting, costs nothing.
//!
//! A claimed row names this node's epoch as its owner. A hold that is dropped without an outcome is
//! only forgotten in memory: the row stays this node's, and it alone claims it again, for as long
//! as its lease lasts. Rows stay locked until holds were taken, so that no outcome comes in
//! between.

use crate::columns::key;
use crate::deliveries::{self, COLUMNS, Columns};
use crate::failure::Failure;
use crate::messages;
use crate::sql::{Sql, params};
use model::Timestamp;
use model::delivery::{Class, Delivery};
use model::id::EndpointKey;
use std::sync::Arc;
use store::encoding::class_number;
use store::owned::Owned;
use store::rows::{CLAIM_BYTES_MAX, Claimed, LaneDue};
use store::{Hold, Lane};

const CLASSES: [Class; 2] = [Class::Live, Class::Replayed];

/// Takes hold of a lane's due deliveries, in a transaction that is to be committed then. The node's
/// row is locked with it, so that whoever ends this lease waits, and finds what was claimed. To
/// renew it, nobody waits.
pub(crate) async fn claim(
    sql: &Sql<'_>,
    (owned, slot, epoch): (&Arc<Owned>, u16, i64),
    (lane, due_by, limit): (Lane, Timestamp, usize),
) -> Result<Vec<Claimed>, Failure> {
    require_lease(sql, slot, epoch).await?;
    let mut held: Vec<(Delivery, Hold)> = Vec::new();
    for class in CLASSES {
        let room = limit - held.len();
        for delivery in due(sql, (owned, epoch), (lane.endpoint, class, due_by), room).await? {
            if let Some(hold) = owned.hold(lane.endpoint, delivery.key) {
                held.push((delivery, hold));
            }
        }
    }
    if held.is_empty() {
        return Ok(Vec::new());
    }
    let claimed = with_messages(sql, lane, held).await?;
    take(sql, epoch, &claimed).await?;
    Ok(claimed)
}

/// Locks the node's row, so that whoever ends this lease waits.
pub(crate) async fn require_lease(sql: &Sql<'_>, slot: u16, epoch: i64) -> Result<(), Failure> {
    let held = sql.run(
        "SELECT 1 FROM node WHERE slot = $1 AND epoch = $2 AND expires_at > clock_timestamp()
         FOR KEY SHARE",
        params![i32::from(slot), epoch],
    );
    match held.await? {
        0 => Err(Failure::LeaseLost),
        _ => Ok(()),
    }
}

/// At most `limit` deliveries of a lane and class that are due and nobody's, the earliest first.
async fn due(
    sql: &Sql<'_>,
    (owned, epoch): (&Owned, i64),
    (endpoint, class, due_by): (EndpointKey, Class, Timestamp),
    limit: usize,
) -> Result<Vec<Delivery>, Failure> {
    if limit == 0 {
        return Ok(Vec::new());
    }
    let statement = format!(
        "SELECT {COLUMNS} FROM delivery
         WHERE endpoint = $1 AND class = $2 AND due <= $3
         AND (owner = 0 OR (owner = $4 AND NOT id = ANY($5)))
         ORDER BY due, id LIMIT $6 FOR UPDATE SKIP LOCKED"
    );
    let taken = owned
        .of_lane(endpoint, || Ok::<_, Failure>(()))?
        .into_iter()
        .map(|key| key.integer())
        .collect::<Vec<i64>>();
    let rows = sql.rows(
        &statement,
        params![
            endpoint.integer(),
            i16::from(class_number(class)),
            due_by.micros(),
            epoch,
            taken,
            limit as i64
        ],
    );
    rows.await?.iter().map(deliveries::read).collect()
}

/// About as much as may be claimed at once, and the first one whatever its size.
async fn with_messages(
    sql: &Sql<'_>,
    lane: Lane,
    held: Vec<(Delivery, Hold)>,
) -> Result<Vec<Claimed>, Failure> {
    const AT_ONCE: usize = 32;
    let mut claimed: Vec<Claimed> = Vec::with_capacity(held.len());
    let mut bytes = 0;
    let mut held = held.into_iter();
    loop {
        let some: Vec<(Delivery, Hold)> = held.by_ref().take(AT_ONCE).collect();
        if some.is_empty() {
            return Ok(claimed);
        }
        let keys: Vec<_> = some.iter().map(|(delivery, _)| delivery.message).collect();
        let found = messages::load_many(sql, lane.application, &keys, true).await?;
        for (delivery, hold) in some {
            if bytes >= CLAIM_BYTES_MAX {
                return Ok(claimed);
            }
            let message = found
                .get(&delivery.message)
                .ok_or_else(|| Failure::Unreadable("a delivery has no message".to_owned()))?;
            bytes += message.payload.bytes();
            claimed.push(Claimed {
                delivery,
                message: message.clone(),
                hold,
            });
        }
    }
}

async fn take(sql: &Sql<'_>, epoch: i64, claimed: &[Claimed]) -> Result<(), Failure> {
    let columns = Columns::of(claimed.iter().map(|claimed| &claimed.delivery));
    let taken = sql.run(
        "UPDATE delivery d SET owner = $5 FROM unnest($1, $2, $3, $4) AS g (e, c, u, i)
         WHERE d.endpoint = ANY(ARRAY[g.e]) AND d.class = g.c AND d.due = g.u AND d.id = g.i",
        params![
            columns.endpoints,
            columns.classes,
            columns.dues,
            columns.ids,
            epoch
        ],
    );
    taken.await.map(drop)
}

/// Every lane's earliest delivery that nobody holds: jumps from lane to lane. Without those that
/// another node alone works on.
pub(crate) async fn lanes(
    sql: &Sql<'_>,
    (owned, epoch): (&Owned, i64),
    after: EndpointKey,
    limit: usize,
) -> Result<Vec<LaneDue>, Failure> {
    let owned = owned.of_all_lanes(|| Ok::<_, Failure>(()))?;
    let taken: Vec<i64> = owned.values().flatten().map(|key| key.integer()).collect();
    let rows = sql.rows(
        "WITH RECURSIVE each_lane (endpoint) AS (
             (SELECT endpoint FROM delivery WHERE endpoint > $1 ORDER BY endpoint LIMIT 1)
             UNION ALL
             (SELECT next.endpoint FROM each_lane, LATERAL (
                  SELECT endpoint FROM delivery WHERE endpoint > each_lane.endpoint
                  ORDER BY endpoint LIMIT 1) AS next))
         SELECT each_lane.endpoint, first.application, first.due FROM each_lane, LATERAL (
             SELECT each.application, each.due FROM unnest('{0,1}'::smallint[]) AS c (class),
             LATERAL (SELECT application, due FROM delivery
                 WHERE endpoint = each_lane.endpoint AND class = c.class
                 AND (owner = 0 OR (owner = $2 AND NOT id = ANY($3)))
                 ORDER BY due, id LIMIT 1) AS each
             ORDER BY each.due LIMIT 1) AS first
         WHERE NOT EXISTS (SELECT FROM lane s WHERE s.scope = each_lane.endpoint AND s.epoch <> $2)
         AND NOT EXISTS (SELECT FROM lane s WHERE s.scope = first.application AND s.epoch <> $2)
         LIMIT $4",
        params![after.integer(), epoch, taken, limit as i64],
    );
    let mut found = Vec::new();
    for row in rows.await? {
        found.push(LaneDue {
            endpoint: key(&row, 0)?,
            application: key(&row, 1)?,
            due: crate::columns::time(&row, 2)?,
        });
    }
    // The recursion goes up by itself; that it stays so, nobody promises.
    found.sort_unstable_by_key(|lane| lane.endpoint);
    Ok(found)
}
