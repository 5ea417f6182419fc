//! Changes of who may come in. Each makes the version of it grow, in the same transaction.

use super::{Refused, source};
use crate::access::{KEY_COLUMNS, read_key};
use crate::batch::Batch;
use crate::failure::Failure;
use model::Timestamp;
use model::api_key::ApiKey;
use model::id::{ApiKeyId, ApiKeyKey};
use rusqlite::{Connection, OptionalExtension as _, params};
use store::access::{
    AccessChange, AccessChanged, ApiKeyRow, OneTimeToken, RevokedToken, TokenFloor, TokenHash,
};
use store::change::{ChangeError, Changed};
use store::encoding::scopes_text;

pub(super) fn change(batch: &mut Batch<'_>, change: &AccessChange) -> Result<Changed, Refused> {
    let connection = batch.connection;
    let changed = match change {
        AccessChange::RevokeToken(token) => {
            revoke(connection, token)?;
            AccessChanged::Done
        }
        AccessChange::ExpireTokens(floors) => {
            let version = grow(connection)?;
            for floor in floors {
                expire(connection, floor, (version, batch.now))?;
            }
            AccessChanged::Done
        }
        AccessChange::CreateApiKey {
            key,
            hash,
            keys_max,
        } => AccessChanged::ApiKey(create_key(batch, key, (hash, *keys_max))?),
        AccessChange::ReplaceApiKey { key, version } => {
            AccessChanged::ApiKey(replace_key(connection, key, *version)?)
        }
        AccessChange::UseApiKeys(used) => {
            use_keys(connection, used)?;
            AccessChanged::Done
        }
        AccessChange::CreateSource {
            source,
            token,
            sealed,
            sources_max,
        } => {
            let created = source::create(batch, source, (token, sealed), *sources_max)?;
            AccessChanged::Source(created)
        }
        AccessChange::ReplaceSource {
            source,
            token,
            sealed,
            version,
        } => AccessChanged::Source(source::replace(batch, source, (token, sealed), *version)?),
        AccessChange::DeleteSource(key) => {
            source::delete(batch, *key)?;
            AccessChanged::Done
        }
        AccessChange::CreateOneTimeToken(token) => {
            create_one_time_token(connection, token)?;
            AccessChanged::Done
        }
        AccessChange::TakeOneTimeToken(hash) => {
            AccessChanged::Taken(take_one_time_token(connection, hash, batch.now)?)
        }
    };
    Ok(Changed::Access(changed))
}

/// The next version.
pub(super) fn grow(connection: &Connection) -> Result<i64, Failure> {
    let grown = connection
        .prepare_cached(
            "INSERT INTO access_version (one, version) VALUES (0, 1)
             ON CONFLICT (one) DO UPDATE SET version = version + 1 RETURNING version",
        )?
        .query_row([], |row| row.get(0))?;
    Ok(grown)
}

/// Revokes a token, in the transaction that is open.
pub(crate) fn revoke(connection: &Connection, token: &RevokedToken) -> Result<(), Failure> {
    let version = grow(connection)?;
    connection
        .prepare_cached(
            "INSERT INTO revoked_token (token, ends_at, version) VALUES (?1, ?2, ?3)
             ON CONFLICT (token) DO UPDATE
             SET ends_at = max(ends_at, excluded.ends_at), version = excluded.version",
        )?
        .execute(params![token.id, token.ends_at.micros(), version])?;
    Ok(())
}

/// Those of the same tokens that have nothing to say beside it are gone then.
fn expire(
    connection: &Connection,
    floor: &TokenFloor,
    (version, now): (i64, Timestamp),
) -> Result<(), Failure> {
    let (application, session) = (
        floor.application.integer(),
        floor.session.as_deref().unwrap_or_default(),
    );
    connection
        .prepare_cached(
            "INSERT INTO token_floor
             (application, session, issued_before, holds_from, ends_at, version)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)
             ON CONFLICT (application, session, issued_before) DO UPDATE
             SET holds_from = min(holds_from, excluded.holds_from),
             ends_at = max(ends_at, excluded.ends_at), version = excluded.version",
        )?
        .execute(params![
            application,
            session,
            floor.issued_before.micros(),
            floor.holds_from.micros(),
            floor.ends_at.micros(),
            version,
        ])?;
    connection
        .prepare_cached(
            "DELETE FROM token_floor WHERE application = ?1 AND session = ?2 AND issued_before <
             (SELECT max(issued_before) FROM token_floor
              WHERE application = ?1 AND session = ?2 AND holds_from <= ?3)",
        )?
        .execute(params![application, session, now.micros()])?;
    Ok(())
}

fn create_key(
    batch: &mut Batch<'_>,
    key: &ApiKey,
    (hash, keys_max): (&TokenHash, usize),
) -> Result<ApiKeyRow, Refused> {
    let connection = batch.connection;
    let there: i64 = connection
        .prepare_cached("SELECT count(*) FROM api_key")?
        .query_row([], |row| row.get(0))?;
    if there as usize >= keys_max {
        return Err(ChangeError::TooMany.into());
    }
    let version = grow(connection)?;
    let id = ApiKeyId::new(batch.key(), key.id.tail());
    connection
        .prepare_cached(
            "INSERT INTO api_key (id, tail, hash, name, shown, scopes, created_at, expires_at,
             version) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        )?
        .execute(params![
            id.key().integer(),
            id.tail(),
            hash,
            key.name,
            key.shown,
            key.scopes.as_deref().map(scopes_text),
            batch.now.micros(),
            key.expires_at.map(Timestamp::micros),
            version,
        ])?;
    Ok(find_key(connection, id)?.ok_or_else(|| Failure::unreadable("api_key"))?)
}

fn replace_key(connection: &Connection, key: &ApiKey, version: u64) -> Result<ApiKeyRow, Refused> {
    let before = find_key(connection, key.id)?.ok_or(ChangeError::Missing)?;
    if before.version != version {
        return Err(ChangeError::Stale.into());
    }
    let grown = grow(connection)?;
    connection
        .prepare_cached(
            "UPDATE api_key SET name = ?2, scopes = ?3, expires_at = ?4, version = ?5
             WHERE id = ?1",
        )?
        .execute(params![
            key.id.key().integer(),
            key.name,
            key.scopes.as_deref().map(scopes_text),
            key.expires_at.map(Timestamp::micros),
            grown,
        ])?;
    Ok(find_key(connection, key.id)?.ok_or(ChangeError::Missing)?)
}

fn find_key(connection: &Connection, id: ApiKeyId) -> Result<Option<ApiKeyRow>, Failure> {
    let sql = format!("SELECT {KEY_COLUMNS} FROM api_key WHERE id = ?1 AND tail = ?2");
    let mut select = connection.prepare_cached(&sql)?;
    let mut rows = select.query(params![id.key().integer(), id.tail()])?;
    rows.next()?.map(read_key).transpose()
}

fn use_keys(connection: &Connection, used: &[(ApiKeyKey, Timestamp)]) -> Result<(), Failure> {
    let version = grow(connection)?;
    let mut update = connection.prepare_cached(
        "UPDATE api_key SET used_at = max(coalesce(used_at, ?2), ?2), version = ?3 WHERE id = ?1",
    )?;
    for (key, at) in used {
        update.execute(params![key.integer(), at.micros(), version])?;
    }
    Ok(())
}

fn create_one_time_token(connection: &Connection, token: &OneTimeToken) -> Result<(), Failure> {
    connection
        .prepare_cached(
            "INSERT INTO one_time_token (hash, granted, expires_at) VALUES (?1, ?2, ?3)",
        )?
        .execute(params![
            token.hash,
            token.granted,
            token.expires_at.micros()
        ])?;
    Ok(())
}

fn take_one_time_token(
    connection: &Connection,
    hash: &TokenHash,
    now: Timestamp,
) -> Result<OneTimeToken, Refused> {
    let taken = connection
        .prepare_cached(
            "DELETE FROM one_time_token WHERE hash = ?1 AND expires_at > ?2
             RETURNING granted, expires_at",
        )?
        .query_row(params![hash, now.micros()], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .optional()?;
    let (granted, expires_at) = taken.ok_or(ChangeError::Missing)?;
    Ok(OneTimeToken {
        hash: *hash,
        granted,
        expires_at: Timestamp::from_micros(expires_at),
    })
}
