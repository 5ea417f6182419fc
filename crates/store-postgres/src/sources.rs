//! Sources as rows. What of them is sealed is opaque here; the version that they share with all
//! else of who may come in is `access`'s.

use crate::batch::Batch;
use crate::columns::{get, metadata, name, number, optional_name, optional_sealed};
use crate::columns::{key, tail, time, unreadable};
use crate::failure::Failure;
use crate::sql::{Sql, blob, params};
use model::id::{SourceId, SourceKey};
use model::name::Name;
use model::source::Source;
use store::Sealed;
use store::access::{SourceRow, TokenHash};
use store::encoding::metadata_text;
use tokio_postgres::Row;

/// The columns of a source, for [`read`].
const COLUMNS: &str = "id, tail, uid, name, source_type, metadata, created_at, updated_at,
    token, sealed, version";

/// What was written behind a version.
pub(crate) async fn since(sql: &Sql<'_>, version: i64) -> Result<Vec<SourceRow>, Failure> {
    let statement = format!("SELECT {COLUMNS} FROM source WHERE version > $1");
    let rows = sql.rows(&statement, params![version]).await?;
    rows.iter().map(read).collect()
}

fn read(row: &Row) -> Result<SourceRow, Failure> {
    let token: &[u8] = get(row, 8)?;
    let source = Source {
        id: SourceId::new(key(row, 0)?, tail(row, 1)?),
        uid: optional_name(row, 2)?,
        name: get(row, 3)?,
        source_type: name(row, 4)?,
        metadata: metadata(row, 5)?,
        created_at: time(row, 6)?,
        updated_at: time(row, 7)?,
    };
    Ok(SourceRow {
        source,
        token: token.try_into().map_err(|_| unreadable(row, 8))?,
        sealed: optional_sealed(row, 9)?,
        version: number(row, 10)?,
    })
}

/// A live source.
pub(crate) async fn live(sql: &Sql<'_>, key: SourceKey) -> Result<Option<SourceRow>, Failure> {
    let statement = format!("SELECT {COLUMNS} FROM source WHERE id = $1 AND sealed IS NOT NULL");
    let row = sql.row(&statement, params![key.integer()]).await?;
    row.as_ref().map(read).transpose()
}

/// How many live ones there are.
pub(crate) async fn count(sql: &Sql<'_>) -> Result<usize, Failure> {
    let counted = sql.row(
        "SELECT count(*) FROM source WHERE sealed IS NOT NULL",
        params![],
    );
    let counted = counted.await?;
    Ok(counted.map(|row| number(&row, 0)).transpose()?.unwrap_or(0))
}

/// Whose the uid is.
pub(crate) async fn with_uid(sql: &Sql<'_>, uid: &Name) -> Result<Option<SourceKey>, Failure> {
    let found = sql.row(
        "SELECT id FROM source WHERE uid = $1",
        params![uid.as_str()],
    );
    found.await?.map(|row| key(&row, 0)).transpose()
}

/// What of a source is not its users' business.
#[derive(Clone, Copy)]
pub(crate) struct Inside<'a> {
    pub(crate) token: &'a TokenHash,
    pub(crate) sealed: &'a Sealed,
    /// Of the change that writes it.
    pub(crate) version: i64,
}

/// Writes a new one.
pub(crate) async fn insert(
    batch: &Batch<'_>,
    (id, source): (SourceId, &Source),
    inside: Inside<'_>,
) -> Result<(), Failure> {
    let tail = id.tail();
    let inserted = batch.sql.run(
        "INSERT INTO source (id, tail, uid, name, source_type, metadata, created_at, updated_at,
         token, sealed, version) VALUES ($1, $2, $3, $4, $5, $6, $7, $7, $8, $9, $10)",
        params![
            id.key().integer(),
            &tail[..],
            source.uid.as_ref().map(Name::as_str),
            source.name.as_str(),
            source.source_type.as_str(),
            metadata_text(&source.metadata),
            batch.now.micros(),
            &inside.token[..],
            blob(inside.sealed),
            inside.version,
        ],
    );
    inserted.await.map(drop)
}

/// Writes one over.
pub(crate) async fn update(
    batch: &Batch<'_>,
    source: &Source,
    inside: Inside<'_>,
) -> Result<(), Failure> {
    let updated = batch.sql.run(
        "UPDATE source SET uid = $2, name = $3, source_type = $4, metadata = $5, updated_at = $6,
         token = $7, sealed = $8, version = $9 WHERE id = $1",
        params![
            source.id.key().integer(),
            source.uid.as_ref().map(Name::as_str),
            source.name.as_str(),
            source.source_type.as_str(),
            metadata_text(&source.metadata),
            batch.now.micros(),
            &inside.token[..],
            blob(inside.sealed),
            inside.version,
        ],
    );
    updated.await.map(drop)
}

/// Leaves nothing of one but that it was there.
pub(crate) async fn clear(batch: &Batch<'_>, key: SourceKey, version: i64) -> Result<(), Failure> {
    let cleared = batch.sql.run(
        "UPDATE source SET uid = NULL, name = '', metadata = '{}', sealed = NULL,
         updated_at = $2, version = $3 WHERE id = $1",
        params![key.integer(), batch.now.micros(), version],
    );
    cleared.await.map(drop)
}
