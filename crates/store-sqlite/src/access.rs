//! Who may come in: reading what is new of it, and removing what has no more to say.

use crate::OpenError;
use crate::batch::Batch;
use crate::change::revoke as revoke_in;
use crate::columns::{optional_text, optional_time, tail, time};
use crate::failure::Failure;
use crate::{audit, settings, sources};
use model::Timestamp;
use model::api_key::ApiKey;
use model::id::{ApiKeyId, ApplicationKey, Key};
use rusqlite::{Connection, OptionalExtension as _, Row, TransactionBehavior, params};
use std::path::Path;
use store::access::{
    AccessRows, ApiKeyRow, DELETED_SOURCE_KEPT, ENVIRONMENT, RevokedToken, TokenFloor,
};
use store::audit::AuditEntry;
use store::encoding::scopes;
use store::work::SweepLimits;

/// The columns of an API key, for [`read_key`].
pub(crate) const KEY_COLUMNS: &str =
    "id, tail, hash, name, shown, scopes, created_at, expires_at, used_at, version";

/// Revokes a token in the store of `data_dir`: the way of a process that has no store open. A
/// server may be at work there, whose writer waits for this one small commit; nothing of what it
/// keeps in memory is touched. The entry is for the audit log, which the next server or this one
/// puts it into.
pub fn revoke(data_dir: &Path, token: &RevokedToken, entry: &AuditEntry) -> Result<(), OpenError> {
    let mut connection = settings::beside(data_dir)?;
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    revoke_in(&transaction, token)?;
    audit::leave(&transaction, entry)?;
    Ok(transaction.commit()?)
}

/// What was written behind a version.
pub(crate) fn since(connection: &Connection, since: u64) -> Result<Option<AccessRows>, Failure> {
    let version = version(connection)?;
    if version == since {
        return Ok(None);
    }
    let behind = if version < since { 0 } else { since };
    let behind = i64::try_from(behind).unwrap_or(i64::MAX);
    Ok(Some(AccessRows {
        version,
        revoked: rows(
            connection,
            (
                "SELECT token, ends_at FROM revoked_token WHERE version > ?1",
                behind,
            ),
            read_revoked,
        )?,
        floors: rows(
            connection,
            (
                "SELECT application, session, issued_before, holds_from, ends_at
                 FROM token_floor WHERE version > ?1",
                behind,
            ),
            read_floor,
        )?,
        keys: rows(
            connection,
            (
                &format!("SELECT {KEY_COLUMNS} FROM api_key WHERE version > ?1 ORDER BY id"),
                behind,
            ),
            read_key,
        )?,
        sources: rows(
            connection,
            (
                &format!(
                    "SELECT {} FROM source WHERE version > ?1 ORDER BY id",
                    sources::COLUMNS
                ),
                behind,
            ),
            sources::read,
        )?,
        environment: settings::get(connection, ENVIRONMENT)?,
    }))
}

fn version(connection: &Connection) -> Result<u64, Failure> {
    let found = connection
        .prepare_cached("SELECT version FROM access_version")?
        .query_row([], |row| row.get::<_, i64>(0));
    Ok(found.optional()?.map_or(0, i64::unsigned_abs))
}

fn rows<T>(
    connection: &Connection,
    (sql, since): (&str, i64),
    read: fn(&Row<'_>) -> Result<T, Failure>,
) -> Result<Vec<T>, Failure> {
    let mut select = connection.prepare_cached(sql)?;
    let mut found = select.query([since])?;
    let mut rows = Vec::new();
    while let Some(row) = found.next()? {
        rows.push(read(row)?);
    }
    Ok(rows)
}

fn read_revoked(row: &Row<'_>) -> Result<RevokedToken, Failure> {
    Ok(RevokedToken {
        id: row.get(0)?,
        ends_at: time(row, 1)?,
    })
}

fn read_floor(row: &Row<'_>) -> Result<TokenFloor, Failure> {
    let session: String = row.get(1)?;
    Ok(TokenFloor {
        application: ApplicationKey::from_integer(row.get(0)?),
        session: Some(session).filter(|session| !session.is_empty()),
        issued_before: time(row, 2)?,
        holds_from: time(row, 3)?,
        ends_at: time(row, 4)?,
    })
}

/// An API key, whose columns are [`KEY_COLUMNS`].
pub(crate) fn read_key(row: &Row<'_>) -> Result<ApiKeyRow, Failure> {
    let read = |text| scopes(text).ok_or_else(|| Failure::unreadable("api_key.scopes"));
    let key = ApiKey {
        id: ApiKeyId::new(Key::from_integer(row.get(0)?), tail(row, 1)?),
        name: row.get(3)?,
        shown: row.get(4)?,
        scopes: optional_text(row, 5)?.map(read).transpose()?,
        created_at: time(row, 6)?,
        expires_at: optional_time(row, 7)?,
        used_at: optional_time(row, 8)?,
    };
    Ok(ApiKeyRow {
        key,
        hash: row.get(2)?,
        version: row.get::<_, i64>(9)?.unsigned_abs(),
    })
}

/// A slice of what has no more to say. True: there is more.
pub(crate) fn sweep(batch: &Batch<'_>, limits: SweepLimits) -> Result<bool, Failure> {
    let removed = |sql: &str, border: Timestamp| -> Result<bool, Failure> {
        let removed = batch
            .connection
            .prepare_cached(sql)?
            .execute(params![border.micros(), limits.rows_max as i64])?;
        Ok(removed >= limits.rows_max)
    };
    let now = batch.now;
    let more = [
        removed(
            "DELETE FROM revoked_token WHERE token IN (SELECT token FROM revoked_token
             WHERE ends_at <= ?1 ORDER BY ends_at LIMIT ?2)",
            now,
        )?,
        removed(
            "DELETE FROM token_floor WHERE (application, session, issued_before) IN
             (SELECT application, session, issued_before FROM token_floor
              WHERE ends_at <= ?1 ORDER BY ends_at LIMIT ?2)",
            now,
        )?,
        removed(
            "DELETE FROM one_time_token WHERE hash IN (SELECT hash FROM one_time_token
             WHERE expires_at <= ?1 ORDER BY expires_at LIMIT ?2)",
            now,
        )?,
        removed(
            "DELETE FROM api_key WHERE id IN (SELECT id FROM api_key
             WHERE expires_at <= ?1 ORDER BY id LIMIT ?2)",
            limits.keep_since,
        )?,
        removed(
            "DELETE FROM source WHERE id IN (SELECT id FROM source
             WHERE sealed IS NULL AND updated_at <= ?1 ORDER BY id LIMIT ?2)",
            now.minus(DELETED_SOURCE_KEPT),
        )?,
    ];
    Ok(more.contains(&true))
}
