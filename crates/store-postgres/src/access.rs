//! Who may come in: reading what is new of it, and removing what has no more to say.

use crate::OpenError;
use crate::change::revoke as revoke_in;
use crate::columns::{get, key, number, optional_time, tail, time, unreadable};
use crate::config::PostgresConfig;
use crate::failure::Failure;
use crate::pools::Pools;
use crate::sql::{Sql, params};
use crate::{audit, settings, sources};
use model::Timestamp;
use model::api_key::ApiKey;
use model::id::ApiKeyId;
use store::access::{
    AccessRows, ApiKeyRow, DELETED_SOURCE_KEPT, ENVIRONMENT, RevokedToken, TokenFloor,
};
use store::audit::AuditEntry;
use store::encoding::scopes;
use store::work::SweepLimits;
use tokio_postgres::Row;

/// The columns of an API key, for [`read_key`].
pub(crate) const KEY_COLUMNS: &str =
    "id, tail, hash, name, shown, scopes, created_at, expires_at, used_at, version";

/// Revokes a token in a database without joining its nodes: the way of a process that has no store
/// open. No lease is needed for it: to revoke a token again changes nothing. The entry is for the
/// audit log, which a node puts it into.
pub async fn revoke(
    config: &PostgresConfig,
    token: &RevokedToken,
    entry: &AuditEntry,
) -> Result<(), OpenError> {
    let pools = Pools::new(config)?;
    let mut client = pools.client().await?;
    let sql = pools.begin(&mut client);
    revoke_in(&sql, token).await?;
    audit::leave(&sql, entry).await?;
    Ok(sql.commit().await?)
}

/// What was written behind a version.
pub(crate) async fn since(sql: &Sql<'_>, since: u64) -> Result<Option<AccessRows>, Failure> {
    let version = version(sql).await?;
    if version == since {
        return Ok(None);
    }
    let behind = if version < since { 0 } else { since };
    let behind = i64::try_from(behind).unwrap_or(i64::MAX);
    let revoked = sql.rows(
        "SELECT token, ends_at FROM revoked_token WHERE version > $1",
        params![behind],
    );
    let revoked = revoked.await?;
    let floors = sql.rows(
        "SELECT application, session, issued_before, holds_from, ends_at
         FROM token_floor WHERE version > $1",
        params![behind],
    );
    let floors = floors.await?;
    let keys = format!("SELECT {KEY_COLUMNS} FROM api_key WHERE version > $1");
    let keys = sql.rows(&keys, params![behind]).await?;
    let sources = sources::since(sql, behind).await?;
    let environment = settings::get(sql, ENVIRONMENT).await?;
    Ok(Some(AccessRows {
        version,
        environment,
        sources,
        revoked: revoked.iter().map(read_revoked).collect::<Result<_, _>>()?,
        floors: floors.iter().map(read_floor).collect::<Result<_, _>>()?,
        keys: keys.iter().map(read_key).collect::<Result<_, _>>()?,
    }))
}

async fn version(sql: &Sql<'_>) -> Result<u64, Failure> {
    let found = sql.row(
        "SELECT version FROM access_version WHERE one = 0",
        params![],
    );
    let found = found.await?;
    Ok(found.map(|row| number(&row, 0)).transpose()?.unwrap_or(0))
}

fn read_revoked(row: &Row) -> Result<RevokedToken, Failure> {
    Ok(RevokedToken {
        id: get(row, 0)?,
        ends_at: time(row, 1)?,
    })
}

fn read_floor(row: &Row) -> Result<TokenFloor, Failure> {
    let session: String = get(row, 1)?;
    Ok(TokenFloor {
        application: key(row, 0)?,
        session: Some(session).filter(|session| !session.is_empty()),
        issued_before: time(row, 2)?,
        holds_from: time(row, 3)?,
        ends_at: time(row, 4)?,
    })
}

/// An API key, whose columns are [`KEY_COLUMNS`].
pub(crate) fn read_key(row: &Row) -> Result<ApiKeyRow, Failure> {
    let read = |text| scopes(text).ok_or_else(|| unreadable(row, 5));
    let hash: &[u8] = get(row, 2)?;
    let key = ApiKey {
        id: ApiKeyId::new(key(row, 0)?, tail(row, 1)?),
        name: get(row, 3)?,
        shown: get(row, 4)?,
        scopes: get::<Option<&str>>(row, 5)?.map(read).transpose()?,
        created_at: time(row, 6)?,
        expires_at: optional_time(row, 7)?,
        used_at: optional_time(row, 8)?,
    };
    Ok(ApiKeyRow {
        key,
        hash: hash.try_into().map_err(|_| unreadable(row, 2))?,
        version: number(row, 9)?,
    })
}

/// A slice of what has no more to say. True: there is more.
pub(crate) async fn sweep(
    sql: &Sql<'_>,
    now: Timestamp,
    limits: SweepLimits,
) -> Result<bool, Failure> {
    let slices = [
        (
            "DELETE FROM revoked_token WHERE token = ANY(ARRAY(SELECT token FROM revoked_token
             WHERE ends_at <= $1 ORDER BY ends_at LIMIT $2))",
            now,
        ),
        (
            "DELETE FROM token_floor WHERE (application, session, issued_before) IN
             (SELECT application, session, issued_before FROM token_floor
              WHERE ends_at <= $1 ORDER BY ends_at LIMIT $2)",
            now,
        ),
        (
            "DELETE FROM replay_key WHERE key = ANY(ARRAY(SELECT key FROM replay_key
             WHERE until < $1 ORDER BY until LIMIT $2))",
            now,
        ),
        (
            "DELETE FROM one_time_token WHERE hash = ANY(ARRAY(SELECT hash FROM one_time_token
             WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2))",
            now,
        ),
        (
            "DELETE FROM api_key WHERE id = ANY(ARRAY(SELECT id FROM api_key
             WHERE expires_at <= $1 ORDER BY id LIMIT $2))",
            limits.keep_since,
        ),
        (
            "DELETE FROM source WHERE id = ANY(ARRAY(SELECT id FROM source
             WHERE sealed IS NULL AND updated_at <= $1 ORDER BY id LIMIT $2))",
            now.minus(DELETED_SOURCE_KEPT),
        ),
    ];
    let rows_max = i64::try_from(limits.rows_max).unwrap_or(i64::MAX);
    let mut more = false;
    for (statement, border) in slices {
        let removed = sql
            .run(statement, params![border.micros(), rows_max])
            .await?;
        more |= removed >= limits.rows_max;
    }
    Ok(more)
}
