//! Endpoints as rows: reading them. Writing them is [`crate::change`]'s.

use crate::columns::{
    get, key, metadata, number, optional_name, optional_sealed, optional_time, optional_words,
    proof, rate, sealed, tail, time,
};
use crate::failure::Failure;
use crate::paging;
use crate::sql::{Params, Sql, columns_of, params};
use model::endpoint::Endpoint;
use model::id::{ApplicationKey, EndpointId, EndpointKey, Tail};
use std::collections::HashMap;
use store::rows::{EndpointRow, SealedParts};
use tokio_postgres::Row;

const SELECT: &str = "SELECT id, tail, application, uid, url, description, disabled, event_types,
    channels, rate_limit, metadata, version, secrets, headers, revision, failing_since, created_at,
    updated_at, deleted, cancelled_up_to, protection, proof FROM endpoint";

/// All live endpoints of an application, by ascending key.
pub(crate) async fn live_of(
    sql: &Sql<'_>,
    application: ApplicationKey,
) -> Result<Vec<EndpointRow>, Failure> {
    let condition = "application = $1 AND NOT deleted ORDER BY id";
    all(sql, condition, params![application.integer()]).await
}

/// Live endpoints of an application whose keys lie between two, by ascending key, at most `limit`.
pub(crate) async fn live_between(
    sql: &Sql<'_>,
    application: ApplicationKey,
    (above, below): (i64, i64),
    limit: usize,
) -> Result<Vec<EndpointRow>, Failure> {
    let condition = "application = $1 AND NOT deleted AND id > $2 AND id < $3 ORDER BY id LIMIT $4";
    let limit = paging::limit(limit);
    let params = params![application.integer(), above, below, limit];
    all(sql, condition, params).await
}

/// Live endpoints of all applications to which deliveries have been failing, at most `limit`.
pub(crate) async fn failing(
    sql: &Sql<'_>,
    disabled: bool,
    limit: usize,
) -> Result<Vec<EndpointRow>, Failure> {
    let order = if disabled { "DESC" } else { "ASC" };
    let condition = format!(
        "NOT deleted AND failing_since IS NOT NULL AND disabled = $1
         ORDER BY failing_since {order} LIMIT $2"
    );
    let params = params![disabled, paging::limit(limit)];
    all(sql, &condition, params).await
}

/// The endpoint with this key, deleted or not.
pub(crate) async fn by_key(
    sql: &Sql<'_>,
    key: EndpointKey,
) -> Result<Option<EndpointRow>, Failure> {
    Ok(all(sql, "id = $1", params![key.integer()]).await?.pop())
}

/// The endpoints with these keys, deleted or not.
pub(crate) async fn by_keys(
    sql: &Sql<'_>,
    keys: &[EndpointKey],
) -> Result<HashMap<EndpointKey, EndpointRow>, Failure> {
    let keys = columns_of(keys, |key| key.integer());
    let found = all(sql, "id = ANY($1)", params![keys]).await?;
    let by_key = found.into_iter().map(|row| (row.endpoint.id.key(), row));
    Ok(by_key.collect())
}

/// An endpoint as an attempt names it: by its key, and its revision at that time.
pub(crate) type AtRevision = (EndpointKey, u32);

/// The tails of endpoints, and the URLs that they had at revisions of their own.
pub(crate) async fn at_revisions(
    sql: &Sql<'_>,
    mut named: Vec<AtRevision>,
) -> Result<HashMap<AtRevision, (Tail, String)>, Failure> {
    named.sort_unstable();
    named.dedup();
    let rows = sql.rows(
        "SELECT g.key, g.revision, (SELECT e.tail FROM endpoint e WHERE e.id = g.key),
             (SELECT u.url FROM endpoint_url u
              WHERE u.endpoint = g.key AND u.revision <= g.revision
              ORDER BY u.revision DESC LIMIT 1)
         FROM unnest($1, $2) AS g (key, revision)",
        params![
            columns_of(&named, |(endpoint, _)| endpoint.integer()),
            columns_of(&named, |(_, revision)| i64::from(*revision))
        ],
    );
    let read = |row: &Row| {
        let tail = match get::<Option<&[u8]>>(row, 2)? {
            Some(_) => tail(row, 2)?,
            None => Tail::default(),
        };
        let url: Option<String> = get(row, 3)?;
        let named = (key(row, 0)?, number(row, 1)?);
        Ok((named, (tail, url.unwrap_or_default())))
    };
    rows.await?.iter().map(read).collect()
}

/// What a receiver was last verified by.
pub(crate) async fn chain(sql: &Sql<'_>, key: EndpointKey) -> Result<Option<Vec<u8>>, Failure> {
    let chain = sql.row(
        "SELECT chain FROM endpoint WHERE id = $1",
        params![key.integer()],
    );
    chain.await?.map_or(Ok(None), |row| get(&row, 0))
}

async fn all(
    sql: &Sql<'_>,
    condition: &str,
    params: Params<'_>,
) -> Result<Vec<EndpointRow>, Failure> {
    let statement = format!("{SELECT} WHERE {condition}");
    let rows = sql.rows(&statement, params).await?;
    rows.iter().map(read).collect()
}

fn read(row: &Row) -> Result<EndpointRow, Failure> {
    let endpoint = Endpoint {
        id: EndpointId::new(key(row, 0)?, tail(row, 1)?),
        application: key(row, 2)?,
        uid: optional_name(row, 3)?,
        url: get(row, 4)?,
        description: get(row, 5)?,
        disabled: get(row, 6)?,
        event_types: optional_words(row, 7)?,
        channels: optional_words(row, 8)?,
        rate_limit: rate(row, 9)?,
        metadata: metadata(row, 10)?,
        version: number(row, 11)?,
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
        revision: number(row, 14)?,
        failing_since: optional_time(row, 15)?,
        deleted: get(row, 18)?,
        cancelled_up_to: key(row, 19)?,
        kept_proof: proof(row, 21)?,
    })
}
