//! Changes of who may come in. Each makes the version of it grow, in the same transaction, and
//! locks it first: they are done one after the other, whichever node does them.

use super::{Refused, source};
use crate::access::{KEY_COLUMNS, read_key};
use crate::batch::Batch;
use crate::columns::{get, number, time};
use crate::failure::Failure;
use crate::sql::{Sql, columns_of, params};
use model::Timestamp;
use model::api_key::ApiKey;
use model::id::{ApiKeyId, ApiKeyKey};
use store::access::{
    AccessChange, AccessChanged, ApiKeyRow, OneTimeToken, RevokedToken, TokenFloor, TokenHash,
};
use store::change::{ChangeError, Changed};
use store::encoding::scopes_text;

pub(super) async fn change(
    batch: &mut Batch<'_>,
    change: &AccessChange,
) -> Result<Changed, Refused> {
    let sql = batch.sql;
    let changed = match change {
        AccessChange::RevokeToken(token) => {
            revoke(sql, token).await?;
            AccessChanged::Done
        }
        AccessChange::ExpireTokens(floors) => {
            let version = grow(sql).await?;
            for floor in floors {
                expire(sql, floor, (version, batch.now)).await?;
            }
            AccessChanged::Done
        }
        AccessChange::CreateApiKey {
            key,
            hash,
            keys_max,
        } => AccessChanged::ApiKey(create_key(batch, key, (hash, *keys_max)).await?),
        AccessChange::ReplaceApiKey { key, version } => {
            AccessChanged::ApiKey(replace_key(sql, key, *version).await?)
        }
        AccessChange::UseApiKeys(used) => {
            use_keys(sql, used).await?;
            AccessChanged::Done
        }
        AccessChange::CreateSource {
            source,
            token,
            sealed,
            sources_max,
        } => {
            let created = source::create(batch, source, (token, sealed), *sources_max).await?;
            AccessChanged::Source(created)
        }
        AccessChange::ReplaceSource {
            source,
            token,
            sealed,
            version,
        } => {
            let replaced = source::replace(batch, source, (token, sealed), *version).await?;
            AccessChanged::Source(replaced)
        }
        AccessChange::DeleteSource(key) => {
            source::delete(batch, *key).await?;
            AccessChanged::Done
        }
        AccessChange::CreateOneTimeToken(token) => {
            create_one_time_token(sql, token).await?;
            AccessChanged::Done
        }
        AccessChange::TakeOneTimeToken(hash) => {
            AccessChanged::Taken(take_one_time_token(sql, hash, batch.now).await?)
        }
    };
    Ok(Changed::Access(changed))
}

/// The next version.
pub(super) async fn grow(sql: &Sql<'_>) -> Result<i64, Failure> {
    let grown = sql.row(
        "INSERT INTO access_version (one, version) VALUES (0, 1)
         ON CONFLICT (one) DO UPDATE SET version = access_version.version + 1 RETURNING version",
        params![],
    );
    let grown = grown.await?;
    number(
        &grown.ok_or_else(|| Failure::unreadable("access_version"))?,
        0,
    )
}

/// Revokes a token, in the transaction that is open.
pub(crate) async fn revoke(sql: &Sql<'_>, token: &RevokedToken) -> Result<(), Failure> {
    let version = grow(sql).await?;
    let revoked = sql.run(
        "INSERT INTO revoked_token AS r (token, ends_at, version) VALUES ($1, $2, $3)
         ON CONFLICT (token) DO UPDATE
         SET ends_at = greatest(r.ends_at, excluded.ends_at), version = excluded.version",
        params![token.id.as_str(), token.ends_at.micros(), version],
    );
    revoked.await.map(drop)
}

/// Those of the same tokens that have nothing to say beside it are gone then.
async fn expire(
    sql: &Sql<'_>,
    floor: &TokenFloor,
    (version, now): (i64, Timestamp),
) -> Result<(), Failure> {
    let application = floor.application.integer();
    let session = floor.session.as_deref().unwrap_or_default();
    let written = sql.run(
        "INSERT INTO token_floor AS f
         (application, session, issued_before, holds_from, ends_at, version)
         VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (application, session, issued_before) DO UPDATE
         SET holds_from = least(f.holds_from, excluded.holds_from),
         ends_at = greatest(f.ends_at, excluded.ends_at), version = excluded.version",
        params![
            application,
            session,
            floor.issued_before.micros(),
            floor.holds_from.micros(),
            floor.ends_at.micros(),
            version,
        ],
    );
    written.await?;
    let pruned = sql.run(
        "DELETE FROM token_floor WHERE application = $1 AND session = $2 AND issued_before <
         (SELECT max(issued_before) FROM token_floor
          WHERE application = $1 AND session = $2 AND holds_from <= $3)",
        params![application, session, now.micros()],
    );
    pruned.await.map(drop)
}

async fn create_key(
    batch: &mut Batch<'_>,
    key: &ApiKey,
    (hash, keys_max): (&TokenHash, usize),
) -> Result<ApiKeyRow, Refused> {
    let version = grow(batch.sql).await?;
    let there = batch.sql.row("SELECT count(*) FROM api_key", params![]);
    let there = there.await?.map(|row| number(&row, 0)).transpose()?;
    if there.unwrap_or(0) >= keys_max as u64 {
        return Err(ChangeError::TooMany.into());
    }
    let id = ApiKeyId::new(batch.key(), key.id.tail());
    let tail = id.tail();
    let created = batch.sql.run(
        "INSERT INTO api_key (id, tail, hash, name, shown, scopes, created_at, expires_at, version)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        params![
            id.key().integer(),
            &tail[..],
            &hash[..],
            key.name.as_str(),
            key.shown.as_str(),
            key.scopes.as_deref().map(scopes_text),
            batch.now.micros(),
            key.expires_at.map(Timestamp::micros),
            version,
        ],
    );
    created.await?;
    let row = find_key(batch.sql, id).await?;
    Ok(row.ok_or_else(|| Failure::unreadable("api_key"))?)
}

async fn replace_key(sql: &Sql<'_>, key: &ApiKey, version: u64) -> Result<ApiKeyRow, Refused> {
    // What is read behind this lock is the newest.
    let grown = grow(sql).await?;
    let before = find_key(sql, key.id).await?.ok_or(ChangeError::Missing)?;
    if before.version != version {
        return Err(ChangeError::Stale.into());
    }
    let replaced = sql.run(
        "UPDATE api_key SET name = $2, scopes = $3, expires_at = $4, version = $5 WHERE id = $1",
        params![
            key.id.key().integer(),
            key.name.as_str(),
            key.scopes.as_deref().map(scopes_text),
            key.expires_at.map(Timestamp::micros),
            grown,
        ],
    );
    replaced.await?;
    Ok(find_key(sql, key.id).await?.ok_or(ChangeError::Missing)?)
}

async fn find_key(sql: &Sql<'_>, id: ApiKeyId) -> Result<Option<ApiKeyRow>, Failure> {
    let statement = format!("SELECT {KEY_COLUMNS} FROM api_key WHERE id = $1 AND tail = $2");
    let tail = id.tail();
    let row = sql.row(&statement, params![id.key().integer(), &tail[..]]);
    row.await?.as_ref().map(read_key).transpose()
}

async fn use_keys(sql: &Sql<'_>, used: &[(ApiKeyKey, Timestamp)]) -> Result<(), Failure> {
    let version = grow(sql).await?;
    let written = sql.run(
        "UPDATE api_key k SET used_at = greatest(k.used_at, u.at), version = $3
         FROM unnest($1, $2) AS u (id, at) WHERE k.id = u.id",
        params![
            columns_of(used, |(key, _)| key.integer()),
            columns_of(used, |(_, at)| at.micros()),
            version,
        ],
    );
    written.await.map(drop)
}

async fn create_one_time_token(sql: &Sql<'_>, token: &OneTimeToken) -> Result<(), Failure> {
    let created = sql.run(
        "INSERT INTO one_time_token (hash, granted, expires_at) VALUES ($1, $2, $3)",
        params![
            &token.hash[..],
            token.granted.as_str(),
            token.expires_at.micros()
        ],
    );
    created.await.map(drop)
}

async fn take_one_time_token(
    sql: &Sql<'_>,
    hash: &TokenHash,
    now: Timestamp,
) -> Result<OneTimeToken, Refused> {
    let taken = sql.row(
        "DELETE FROM one_time_token WHERE hash = $1 AND expires_at > $2
         RETURNING granted, expires_at",
        params![&hash[..], now.micros()],
    );
    let row = taken.await?.ok_or(ChangeError::Missing)?;
    Ok(OneTimeToken {
        hash: *hash,
        granted: get(&row, 0)?,
        expires_at: time(&row, 1)?,
    })
}
