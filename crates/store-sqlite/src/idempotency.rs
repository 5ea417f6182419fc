//! Idempotency keys: how they are kept, and found again in the transaction that does the work. See
//! [`remembered`](crate::remembered) for where they lie.

use crate::batch::Batch;
use crate::columns::tail;
use crate::failure::Failure;
use crate::remembered::{Hash, Kept, Remembered, Statements, statements};
use model::Timestamp;
use rusqlite::{Row, params};
use store::encoding::HOUR;
use store::idempotency::{IdempotencyKey, Made, Prior};

const INSERT: &str = "INSERT INTO idempotency
    (hour, id, fingerprint, body, status, made, made_tail) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";

/// A row of the table `idempotency`.
pub(crate) struct IdempotencyRow;

impl Kept for IdempotencyRow {
    type Told = Prior;
    const STATEMENTS: &'static Statements = statements!(
        "idempotency",
        "fingerprint",
        "status, body, made, made_tail"
    );

    fn read(row: &Row<'_>, _: Hash) -> Result<Prior, Failure> {
        let (key, tail) = (row.get(2)?, tail(row, 3)?);
        Ok(Prior {
            status: row.get(0)?,
            body: row.get(1)?,
            made: Made { key, tail },
        })
    }

    fn is_live(_: &Prior, _: Timestamp) -> bool {
        true
    }
}

/// What became of the first request with this key, also if that was in this very transaction.
pub(crate) fn prior(batch: &Batch<'_>, key: &IdempotencyKey) -> Result<Option<Prior>, Failure> {
    if let Some(remembered) = batch.fresh.idempotency.get(&key.fingerprint) {
        return Ok(Some(remembered.told));
    }
    let index = &batch.indices.idempotency;
    index.find(batch.connection, batch.now, &key.fingerprint)
}

/// Keeps the key of a request that was done. `id` is unique among them: the key of what it made, or
/// a new one.
pub(crate) fn remember(
    batch: &mut Batch<'_>,
    key: &IdempotencyKey,
    (made, id): (Made, i64),
) -> Result<(), Failure> {
    let end = batch.now.plus(key.life).micros();
    let hour = end.div_euclid(HOUR) + i64::from(end.rem_euclid(HOUR) > 0);
    batch.statement(INSERT)?.execute(params![
        hour,
        id,
        key.fingerprint,
        key.body,
        key.status,
        made.key,
        made.tail
    ])?;
    let told = Prior {
        status: key.status,
        body: key.body,
        made,
    };
    let remembered = Remembered { hour, id, told };
    batch.fresh.idempotency.insert(key.fingerprint, remembered);
    Ok(())
}
