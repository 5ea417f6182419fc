//! Ending the open deliveries of an endpoint that was disabled or deleted. It has no position: what
//! is ended is gone. One that is being tried is ended too; its outcome then finds it gone.

use crate::batch::Batch;
use crate::deliveries::{self, COLUMNS};
use crate::failure::Failure;
use crate::sql::{Sql, params};
use model::delivery::{Delivery, EndReason};
use model::id::{DeliveryKey, EndpointKey};
use store::work::{Progress, SLICE_MAX};

pub(super) async fn advance(
    batch: &mut Batch<'_>,
    endpoint: EndpointKey,
    (reason, up_to): (EndReason, DeliveryKey),
) -> Result<Progress, Failure> {
    let open = open_up_to(batch.sql, endpoint, up_to).await?;
    Ok(Progress {
        done: deliveries::end(batch, &open, reason).await?,
        finished: open.len() < SLICE_MAX,
        ..Progress::default()
    })
}

/// Locked, so that none is rescheduled before it is ended.
async fn open_up_to(
    sql: &Sql<'_>,
    endpoint: EndpointKey,
    up_to: DeliveryKey,
) -> Result<Vec<Delivery>, Failure> {
    let statement = format!(
        "SELECT {COLUMNS} FROM delivery WHERE endpoint = $1 AND id <= $2
         ORDER BY class, due, id LIMIT $3 FOR UPDATE"
    );
    let params = params![endpoint.integer(), up_to.integer(), SLICE_MAX as i64];
    let rows = sql.rows(&statement, params).await?;
    rows.iter().map(deliveries::read).collect()
}
