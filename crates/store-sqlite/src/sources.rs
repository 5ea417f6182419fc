//! Sources as rows. What of them is sealed is opaque here; the version that they share with all
//! else of who may come in is `access`'s.

use crate::batch::Batch;
use crate::columns::{metadata, name, optional_name, optional_sealed, tail, time};
use crate::failure::Failure;
use model::id::{Key, SourceId, SourceKey};
use model::name::Name;
use model::source::Source;
use rusqlite::{Connection, Row, params};
use store::Sealed;
use store::access::{SourceRow, TokenHash};
use store::encoding::metadata_text;

/// The columns of a source, for [`read`].
pub(crate) const COLUMNS: &str =
    "id, tail, uid, name, source_type, metadata, created_at, updated_at,
    token, sealed, version";

/// A source, whose columns are [`COLUMNS`].
pub(crate) fn read(row: &Row<'_>) -> Result<SourceRow, Failure> {
    let source = Source {
        id: SourceId::new(Key::from_integer(row.get(0)?), tail(row, 1)?),
        uid: optional_name(row, 2)?,
        name: row.get(3)?,
        source_type: name(row, 4)?,
        metadata: metadata(row, 5)?,
        created_at: time(row, 6)?,
        updated_at: time(row, 7)?,
    };
    Ok(SourceRow {
        source,
        token: row.get(8)?,
        sealed: optional_sealed(row, 9)?,
        version: row.get::<_, i64>(10)?.unsigned_abs(),
    })
}

/// A live source.
pub(crate) fn live(connection: &Connection, key: SourceKey) -> Result<Option<SourceRow>, Failure> {
    let sql = format!("SELECT {COLUMNS} FROM source WHERE id = ?1 AND sealed IS NOT NULL");
    let mut select = connection.prepare_cached(&sql)?;
    let mut rows = select.query([key.integer()])?;
    rows.next()?.map(read).transpose()
}

/// How many live ones there are.
pub(crate) fn count(connection: &Connection) -> Result<usize, Failure> {
    let counted: i64 = connection
        .prepare_cached("SELECT count(*) FROM source WHERE sealed IS NOT NULL")?
        .query_row([], |row| row.get(0))?;
    Ok(counted as usize)
}

/// Whose the uid is.
pub(crate) fn with_uid(connection: &Connection, uid: &Name) -> Result<Option<SourceKey>, Failure> {
    let mut select = connection.prepare_cached("SELECT id FROM source WHERE uid = ?1")?;
    let mut rows = select.query([uid.as_str()])?;
    let found = rows.next()?.map(|row| row.get(0)).transpose()?;
    Ok(found.map(Key::from_integer))
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
pub(crate) fn insert(
    batch: &Batch<'_>,
    (id, source): (SourceId, &Source),
    inside: Inside<'_>,
) -> Result<(), Failure> {
    batch
        .connection
        .prepare_cached(
            "INSERT INTO source (id, tail, uid, name, source_type, metadata, created_at,
             updated_at, token, sealed, version)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7, ?8, ?9, ?10)",
        )?
        .execute(params![
            id.key().integer(),
            id.tail(),
            source.uid.as_ref().map(Name::as_str),
            source.name,
            source.source_type.as_str(),
            metadata_text(&source.metadata),
            batch.now.micros(),
            inside.token,
            &inside.sealed[..],
            inside.version,
        ])?;
    Ok(())
}

/// Writes one over.
pub(crate) fn update(
    batch: &Batch<'_>,
    source: &Source,
    inside: Inside<'_>,
) -> Result<(), Failure> {
    batch
        .connection
        .prepare_cached(
            "UPDATE source SET uid = ?2, name = ?3, source_type = ?4, metadata = ?5,
             updated_at = ?6, token = ?7, sealed = ?8, version = ?9 WHERE id = ?1",
        )?
        .execute(params![
            source.id.key().integer(),
            source.uid.as_ref().map(Name::as_str),
            source.name,
            source.source_type.as_str(),
            metadata_text(&source.metadata),
            batch.now.micros(),
            inside.token,
            &inside.sealed[..],
            inside.version,
        ])?;
    Ok(())
}

/// Leaves nothing of one but that it was there.
pub(crate) fn clear(batch: &Batch<'_>, key: SourceKey, version: i64) -> Result<(), Failure> {
    batch
        .connection
        .prepare_cached(
            "UPDATE source SET uid = NULL, name = '', metadata = '{}', sealed = NULL,
             updated_at = ?2, version = ?3 WHERE id = ?1",
        )?
        .execute(params![key.integer(), batch.now.micros(), version])?;
    Ok(())
}
