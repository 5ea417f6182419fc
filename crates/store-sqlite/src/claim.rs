//! Claiming due deliveries, lane by lane. A lane's rows stand together in the order they are to be
//! sent, so that what another lane holds, or has waiting, costs nothing. See [`store::owned`] for
//! what keeps a delivery from being handed out twice.

use crate::deliveries::{self, COLUMNS};
use crate::failure::Failure;
use crate::messages;
use model::Timestamp;
use model::delivery::{Class, Delivery};
use model::id::{DeliveryKey, EndpointKey};
use rusqlite::{Connection, params};
use std::collections::BTreeSet;
use std::sync::Arc;
use store::Lane;
use store::encoding::class_number;
use store::owned::Owned;
use store::rows::{CLAIM_BYTES_MAX, Claimed, LaneDue};

const CLASSES: [Class; 2] = [Class::Live, Class::Replayed];

/// Takes hold of a lane's due deliveries.
pub(crate) fn claim(
    connection: &Connection,
    owned: &Arc<Owned>,
    (lane, due_by, limit): (Lane, Timestamp, usize),
) -> Result<Vec<Claimed>, Failure> {
    let snapshot = connection.unchecked_transaction()?;
    let taken = owned.of_lane(lane.endpoint, || pin(connection))?;
    let mut claimed = Vec::new();
    let mut bytes = 0;
    for class in CLASSES {
        let room = limit - claimed.len();
        for delivery in due(connection, (lane.endpoint, class, due_by), &taken, room)? {
            if bytes >= CLAIM_BYTES_MAX {
                return Ok(claimed);
            }
            let Some(message) = messages::load(connection, delivery.message, true)? else {
                return Err(Failure::Unreadable("a delivery has no message".to_owned()));
            };
            if let Some(hold) = owned.hold(lane.endpoint, delivery.key) {
                bytes += message.payload.bytes();
                claimed.push(Claimed {
                    delivery,
                    message,
                    hold,
                });
            }
        }
    }
    drop(snapshot);
    Ok(claimed)
}

/// Every lane's earliest delivery that nobody holds: jumps from lane to lane.
pub(crate) fn lanes(
    connection: &Connection,
    owned: &Owned,
    after: EndpointKey,
    limit: usize,
) -> Result<Vec<LaneDue>, Failure> {
    let snapshot = connection.unchecked_transaction()?;
    let owned = owned.of_all_lanes(|| pin(connection))?;
    let nothing = BTreeSet::new();
    let mut found = Vec::new();
    let mut last = after;
    while found.len() < limit {
        let Some(endpoint) = next_lane(connection, last)? else {
            break;
        };
        last = endpoint;
        let taken = owned.get(&endpoint).unwrap_or(&nothing);
        let mut earliest: Option<Delivery> = None;
        for class in CLASSES {
            let first = due(connection, (endpoint, class, Timestamp::MAX), taken, 1)?.pop();
            let earlier = |first: &Delivery| earliest.as_ref().is_none_or(|e| first.due < e.due);
            if let Some(first) = first.filter(earlier) {
                earliest = Some(first);
            }
        }
        found.extend(earliest.map(|delivery| LaneDue {
            endpoint,
            application: delivery.application,
            due: delivery.due,
        }));
    }
    drop(snapshot);
    Ok(found)
}

/// Makes the open transaction see the database as it is now.
fn pin(connection: &Connection) -> Result<(), Failure> {
    let mut select = connection.prepare_cached("SELECT last FROM sequence")?;
    select.query_row([], |_| Ok(()))?;
    Ok(())
}

fn next_lane(connection: &Connection, after: EndpointKey) -> Result<Option<EndpointKey>, Failure> {
    let mut select =
        connection.prepare_cached("SELECT min(endpoint) FROM delivery WHERE endpoint > ?1")?;
    let next: Option<i64> = select.query_row([after.integer()], |row| row.get(0))?;
    Ok(next.map(EndpointKey::from_integer))
}

/// At most `limit` deliveries of a lane and class that are due and not taken, the earliest first.
fn due(
    connection: &Connection,
    (endpoint, class, due_by): (EndpointKey, Class, Timestamp),
    taken: &BTreeSet<DeliveryKey>,
    limit: usize,
) -> Result<Vec<Delivery>, Failure> {
    let sql = format!(
        "SELECT {COLUMNS} FROM delivery WHERE endpoint = ?1 AND class = ?2 AND due <= ?3
         ORDER BY due, id"
    );
    let mut select = connection.prepare_cached(&sql)?;
    let mut rows = select.query(params![
        endpoint.integer(),
        class_number(class),
        due_by.micros()
    ])?;
    let mut found = Vec::new();
    while found.len() < limit {
        let Some(row) = rows.next()? else {
            break;
        };
        if !taken.contains(&DeliveryKey::from_integer(row.get(0)?)) {
            found.push(deliveries::read(row)?);
        }
    }
    Ok(found)
}
