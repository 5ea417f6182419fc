//! Applications as rows: reading them, alone, in lists, and with their endpoints as the registry
//! wants them. Writing them is [`crate::change`]'s.

use crate::columns::{direction, get, key, metadata, number, optional_name, rate, tail, time};
use crate::endpoints;
use crate::failure::Failure;
use crate::paging::{self, Listing, Seen, SeenIn};
use crate::sql::{Params, Sql, columns_of, params};
use model::application::Application;
use model::id::{ApplicationId, ApplicationKey};
use std::collections::HashMap;
use store::Sealed;
use store::query::{ApplicationQuery, Walk};
use store::rows::{ApplicationRef, ApplicationRow, RegistryRow};
use tokio_postgres::Row;

const SELECT: &str = "SELECT a.id, a.tail, a.uid, a.name, a.rate_limit, a.metadata, a.revision,
    a.created_at, a.updated_at,
    ARRAY(SELECT k.sealed FROM data_key k WHERE k.application = a.id ORDER BY k.position)
    FROM application a";

/// A live application with all its live endpoints.
pub(crate) async fn registry(
    sql: &Sql<'_>,
    application: &ApplicationRef,
) -> Result<Option<RegistryRow>, Failure> {
    let Some(application) = find(sql, application).await? else {
        return Ok(None);
    };
    let endpoints = endpoints::live_of(sql, application.application.id.key()).await?;
    Ok(Some(RegistryRow {
        application,
        endpoints,
    }))
}

/// A live application.
pub(crate) async fn find(
    sql: &Sql<'_>,
    application: &ApplicationRef,
) -> Result<Option<ApplicationRow>, Failure> {
    match application {
        ApplicationRef::Id(id) => {
            let found = by_key(sql, id.key()).await?;
            Ok(found.filter(|row| row.application.id == *id))
        }
        ApplicationRef::Key(key) => by_key(sql, *key).await,
        ApplicationRef::Uid(uid) => {
            let condition = "a.uid = $1 AND NOT a.deleted";
            Ok(all(sql, condition, params![uid.as_str()]).await?.pop())
        }
    }
}

/// The live application with this key.
pub(crate) async fn by_key(
    sql: &Sql<'_>,
    key: ApplicationKey,
) -> Result<Option<ApplicationRow>, Failure> {
    let condition = "a.id = $1 AND NOT a.deleted";
    Ok(all(sql, condition, params![key.integer()]).await?.pop())
}

/// A list of live applications.
pub(crate) async fn list(
    sql: &Sql<'_>,
    query: &ApplicationQuery,
) -> Result<Walk<ApplicationRow, ApplicationKey>, Failure> {
    paging::walk(&Applications { sql, query }, query.window.limit).await
}

struct Applications<'q> {
    sql: &'q Sql<'q>,
    query: &'q ApplicationQuery,
}

impl Listing for Applications<'_> {
    type Position = ApplicationKey;
    type Passed = ();
    type Row = ApplicationRow;

    async fn look(
        &self,
        beyond: Option<&ApplicationKey>,
        rows: usize,
    ) -> Result<Vec<SeenIn<Self>>, Failure> {
        let (above, below) = paging::behind(&self.query.window, beyond);
        // One endpoint tells, of an application that may have thousands.
        let sql = format!(
            "SELECT a.id,
                 CASE WHEN $4 THEN coalesce((SELECT true FROM endpoint e
                     WHERE e.application = a.id AND NOT e.deleted LIMIT 1), false)
                 ELSE true END
                 AND CASE WHEN $5 THEN coalesce((SELECT false FROM endpoint e
                     WHERE e.application = a.id AND NOT e.deleted AND e.disabled LIMIT 1), true)
                 ELSE true END
             FROM application a WHERE NOT a.deleted AND a.id > $1 AND a.id < $2
             ORDER BY a.id {} LIMIT $3",
            direction(self.query.window.ascending)
        );
        let params = params![
            above,
            below,
            paging::limit(rows),
            self.query.with_endpoints,
            self.query.without_disabled_endpoints
        ];
        let read = |row: &Row| {
            Ok(Seen {
                position: key(row, 0)?,
                passes: get::<bool>(row, 1)?.then_some(()),
            })
        };
        self.sql
            .rows(&sql, params)
            .await?
            .iter()
            .map(read)
            .collect()
    }

    async fn load(
        &self,
        passed: &[(ApplicationKey, ())],
    ) -> Result<HashMap<ApplicationKey, ApplicationRow>, Failure> {
        let keys = columns_of(passed, |(key, ())| key.integer());
        let condition = "a.id = ANY($1) AND NOT a.deleted";
        let found = all(self.sql, condition, params![keys]).await?;
        let by_key = found.into_iter().map(|row| (row.application.id.key(), row));
        Ok(by_key.collect())
    }
}

async fn all(
    sql: &Sql<'_>,
    condition: &str,
    params: Params<'_>,
) -> Result<Vec<ApplicationRow>, Failure> {
    let statement = format!("{SELECT} WHERE {condition}");
    let rows = sql.rows(&statement, params).await?;
    rows.iter().map(read).collect()
}

fn read(row: &Row) -> Result<ApplicationRow, Failure> {
    let application = Application {
        id: ApplicationId::new(key(row, 0)?, tail(row, 1)?),
        uid: optional_name(row, 2)?,
        name: get(row, 3)?,
        rate_limit: rate(row, 4)?,
        metadata: metadata(row, 5)?,
        created_at: time(row, 7)?,
        updated_at: time(row, 8)?,
    };
    let data_keys = get::<Vec<&[u8]>>(row, 9)?.into_iter();
    Ok(ApplicationRow {
        application,
        data_keys: data_keys.map(Sealed::copy_from_slice).collect(),
        revision: number(row, 6)?,
    })
}
