//! Ending the open deliveries of an endpoint that was disabled or deleted. It has no position: what
//! is ended is gone. One that is being tried is ended too; its outcome then finds it gone.

use crate::batch::Batch;
use crate::deliveries::{self, COLUMNS};
use crate::failure::Failure;
use model::delivery::{Delivery, EndReason};
use model::id::{DeliveryKey, EndpointKey};
use rusqlite::Connection;
use store::work::{Progress, SLICE_MAX};

pub(super) fn advance(
    batch: &mut Batch<'_>,
    endpoint: EndpointKey,
    (reason, up_to): (EndReason, DeliveryKey),
) -> Result<Progress, Failure> {
    let open = open_up_to(batch.connection, endpoint, up_to)?;
    for delivery in &open {
        deliveries::end(batch, delivery, reason)?;
    }
    Ok(Progress {
        done: open.len(),
        finished: open.len() < SLICE_MAX,
        ..Progress::default()
    })
}

fn open_up_to(
    connection: &Connection,
    endpoint: EndpointKey,
    up_to: DeliveryKey,
) -> Result<Vec<Delivery>, Failure> {
    let sql = format!("SELECT {COLUMNS} FROM delivery WHERE endpoint = ?1 AND id <= ?2 LIMIT ?3");
    let mut select = connection.prepare_cached(&sql)?;
    let mut rows = select.query([endpoint.integer(), up_to.integer(), SLICE_MAX as i64])?;
    let mut open = Vec::new();
    while let Some(row) = rows.next()? {
        open.push(deliveries::read(row)?);
    }
    Ok(open)
}
