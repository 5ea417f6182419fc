//! Applications as rows: reading them, alone, in lists, and with their endpoints as the registry
//! wants them. Writing them is [`crate::change`]'s.

use crate::columns::direction;
use crate::columns::{metadata, optional_name, optional_text, rate, sealed, tail, time};
use crate::endpoints;
use crate::failure::Failure;
use model::application::Application;
use model::id::{ApplicationId, ApplicationKey};
use rusqlite::{Connection, Params, Row, params};
use store::Sealed;
use store::query::{ApplicationQuery, Walk};
use store::rows::{ApplicationRef, ApplicationRow, RegistryRow};
use store::walking::Walking;

const SELECT: &str = "SELECT id, tail, uid, name, rate_limit, metadata, revision, created_at,
    updated_at FROM application";

/// A live application with all its live endpoints.
pub(crate) fn registry(
    connection: &Connection,
    application: &ApplicationRef,
) -> Result<Option<RegistryRow>, Failure> {
    let Some(application) = find(connection, application)? else {
        return Ok(None);
    };
    let endpoints = endpoints::live_of(connection, application.application.id.key())?;
    Ok(Some(RegistryRow {
        application,
        endpoints,
    }))
}

/// A live application.
pub(crate) fn find(
    connection: &Connection,
    application: &ApplicationRef,
) -> Result<Option<ApplicationRow>, Failure> {
    match application {
        ApplicationRef::Id(id) => {
            let found = by_key(connection, id.key())?;
            Ok(found.filter(|row| row.application.id == *id))
        }
        ApplicationRef::Key(key) => by_key(connection, *key),
        ApplicationRef::Uid(uid) => one(connection, "uid = ?1 AND deleted = 0", [uid.as_str()]),
    }
}

/// The live application with this key.
pub(crate) fn by_key(
    connection: &Connection,
    key: ApplicationKey,
) -> Result<Option<ApplicationRow>, Failure> {
    one(connection, "id = ?1 AND deleted = 0", [key.integer()])
}

/// The revision of the live application with this key.
pub(crate) fn revision(
    connection: &Connection,
    key: ApplicationKey,
) -> Result<Option<u64>, Failure> {
    let mut select = connection
        .prepare_cached("SELECT revision FROM application WHERE id = ?1 AND deleted = 0")?;
    let mut rows = select.query([key.integer()])?;
    let revision = rows.next()?.map(|row| row.get::<_, i64>(0)).transpose()?;
    Ok(revision.map(i64::cast_unsigned))
}

/// A list of live applications.
pub(crate) fn list(
    connection: &Connection,
    query: &ApplicationQuery,
) -> Result<Walk<ApplicationRow, ApplicationKey>, Failure> {
    let sql = format!(
        "{SELECT} INDEXED BY application_live WHERE deleted = 0 AND id > ?1 AND id < ?2 ORDER BY id {}",
        direction(query.window.ascending)
    );
    let window = params![query.window.above.integer(), query.window.below.integer()];
    let mut select = connection.prepare_cached(&sql)?;
    let mut rows = select.query(window)?;
    let mut walking = Walking::new(query.window.limit);
    while let Some(row) = rows.next()? {
        let key = ApplicationKey::from_integer(row.get(0)?);
        if !walking.looks_at(key) {
            break;
        }
        if passes(connection, key, query)? {
            walking.keep(read(connection, row)?);
        }
    }
    Ok(walking.end())
}

fn passes(
    connection: &Connection,
    key: ApplicationKey,
    query: &ApplicationQuery,
) -> Result<bool, Failure> {
    if !query.with_endpoints && !query.without_disabled_endpoints {
        return Ok(true);
    }
    let (endpoints, disabled): (i64, i64) = connection
        .prepare_cached(
            "SELECT count(*), coalesce(sum(disabled), 0) FROM endpoint
             WHERE application = ?1 AND deleted = 0",
        )?
        .query_row([key.integer()], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let empty = query.with_endpoints && endpoints == 0;
    let broken = query.without_disabled_endpoints && disabled > 0;
    Ok(!empty && !broken)
}

fn one(
    connection: &Connection,
    condition: &str,
    params: impl Params,
) -> Result<Option<ApplicationRow>, Failure> {
    let mut select = connection.prepare_cached(&format!("{SELECT} WHERE {condition}"))?;
    let mut rows = select.query(params)?;
    rows.next()?.map(|row| read(connection, row)).transpose()
}

fn read(connection: &Connection, row: &Row<'_>) -> Result<ApplicationRow, Failure> {
    let key = ApplicationKey::from_integer(row.get(0)?);
    let application = Application {
        id: ApplicationId::new(key, tail(row, 1)?),
        uid: optional_name(row, 2)?,
        name: optional_text(row, 3)?.unwrap_or_default().to_owned(),
        rate_limit: rate(row, 4)?,
        metadata: metadata(row, 5)?,
        created_at: time(row, 7)?,
        updated_at: time(row, 8)?,
    };
    Ok(ApplicationRow {
        application,
        data_keys: data_keys(connection, key)?,
        revision: row.get::<_, i64>(6)?.cast_unsigned(),
    })
}

fn data_keys(connection: &Connection, key: ApplicationKey) -> Result<Vec<Sealed>, Failure> {
    let mut select = connection
        .prepare_cached("SELECT sealed FROM data_key WHERE application = ?1 ORDER BY position")?;
    let mut rows = select.query([key.integer()])?;
    let mut keys = Vec::new();
    while let Some(row) = rows.next()? {
        keys.push(sealed(row, 0)?);
    }
    Ok(keys)
}
