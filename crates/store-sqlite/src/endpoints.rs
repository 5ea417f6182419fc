//! Endpoints as rows: reading them. Writing them is [`crate::change`]'s.

use crate::columns::{
    metadata, optional_name, optional_sealed, optional_text, optional_time, optional_words, proof,
    rate, sealed, tail, time,
};
use crate::failure::Failure;
use model::endpoint::Endpoint;
use model::id::{ApplicationKey, DeliveryKey, EndpointId, EndpointKey};
use rusqlite::{Connection, OptionalExtension, Params, Row, params};
use store::rows::{EndpointRow, SealedParts};

const SELECT: &str = "SELECT id, tail, application, uid, url, description, disabled, event_types,
    channels, rate_limit, metadata, version, secrets, headers, revision, failing_since, created_at,
    updated_at, deleted, cancelled_up_to, protection, proof FROM endpoint";

/// All live endpoints of an application, by ascending key.
pub(crate) fn live_of(
    connection: &Connection,
    application: ApplicationKey,
) -> Result<Vec<EndpointRow>, Failure> {
    let condition = "application = ?1 AND deleted = 0 ORDER BY id";
    all(connection, condition, [application.integer()])
}

/// Live endpoints of an application whose keys lie between two, by ascending key, at most `limit`.
pub(crate) fn live_between(
    connection: &Connection,
    application: ApplicationKey,
    (above, below): (i64, i64),
    limit: usize,
) -> Result<Vec<EndpointRow>, Failure> {
    let condition = "application = ?1 AND deleted = 0 AND id > ?2 AND id < ?3 ORDER BY id LIMIT ?4";
    let params = params![application.integer(), above, below, limit as i64];
    all(connection, condition, params)
}

/// Live endpoints of all applications to which deliveries have been failing, at most `limit`.
pub(crate) fn failing(
    connection: &Connection,
    disabled: bool,
    limit: usize,
) -> Result<Vec<EndpointRow>, Failure> {
    let order = if disabled { "DESC" } else { "ASC" };
    let condition = format!(
        "deleted = 0 AND failing_since IS NOT NULL AND disabled = ?1
         ORDER BY failing_since {order} LIMIT ?2"
    );
    all(connection, &condition, params![disabled, limit as i64])
}

/// The endpoint with this key, deleted or not.
pub(crate) fn by_key(
    connection: &Connection,
    key: EndpointKey,
) -> Result<Option<EndpointRow>, Failure> {
    Ok(all(connection, "id = ?1", [key.integer()])?.pop())
}

/// The URL that an endpoint had at a revision of its own.
pub(crate) fn url_at(
    connection: &Connection,
    endpoint: EndpointKey,
    revision: u32,
) -> Result<String, Failure> {
    let mut select = connection.prepare_cached(
        "SELECT url FROM endpoint_url WHERE endpoint = ?1 AND revision <= ?2
         ORDER BY revision DESC LIMIT 1",
    )?;
    let url = select.query_row(params![endpoint.integer(), revision], |row| row.get(0));
    Ok(url.optional()?.unwrap_or_default())
}

/// What a receiver was last verified by.
pub(crate) fn chain(connection: &Connection, key: EndpointKey) -> Result<Option<Vec<u8>>, Failure> {
    let mut select = connection.prepare_cached("SELECT chain FROM endpoint WHERE id = ?1")?;
    let chain = select.query_row([key.integer()], |row| row.get(0));
    Ok(chain.optional()?.flatten())
}

fn all(
    connection: &Connection,
    condition: &str,
    params: impl Params,
) -> Result<Vec<EndpointRow>, Failure> {
    let mut select = connection.prepare_cached(&format!("{SELECT} WHERE {condition}"))?;
    let mut rows = select.query(params)?;
    let mut endpoints = Vec::new();
    while let Some(row) = rows.next()? {
        endpoints.push(read(row)?);
    }
    Ok(endpoints)
}

fn read(row: &Row<'_>) -> Result<EndpointRow, Failure> {
    let text =
        |column| Ok::<_, Failure>(optional_text(row, column)?.unwrap_or_default().to_owned());
    let endpoint = Endpoint {
        id: EndpointId::new(EndpointKey::from_integer(row.get(0)?), tail(row, 1)?),
        application: ApplicationKey::from_integer(row.get(2)?),
        uid: optional_name(row, 3)?,
        url: text(4)?,
        description: text(5)?,
        disabled: row.get(6)?,
        event_types: optional_words(row, 7)?,
        channels: optional_words(row, 8)?,
        rate_limit: rate(row, 9)?,
        metadata: metadata(row, 10)?,
        version: row.get(11)?,
        created_at: time(row, 16)?,
        updated_at: time(row, 17)?,
    };
    Ok(EndpointRow {
        endpoint,
        sealed: SealedParts {
            secrets: sealed(row, 12)?,
            headers: optional_sealed(row, 13)?,
            protection: optional_sealed(row, 20)?,
        },
        revision: row.get(14)?,
        failing_since: optional_time(row, 15)?,
        deleted: row.get(18)?,
        cancelled_up_to: DeliveryKey::from_integer(row.get(19)?),
        kept_proof: proof(row, 21)?,
    })
}
