//! Building an index while others write, also of a partitioned table, whose partitions each get it
//! by themselves. Interrupted, it goes on with what is not there yet.

use super::migration::Index;
use super::{SCHEMA_LOCK, Stopped};
use tokio_postgres::Client;

/// Builds an index that may be there already, or a part of it.
pub(super) async fn build(client: &mut Client, index: &Index) -> Result<(), Stopped> {
    let (name, table, rest) = (&index.name, &index.table, &index.rest);
    let partitioned = client
        .query_one(
            "SELECT relkind = 'p' FROM pg_class WHERE oid = $1::text::regclass",
            &[table],
        )
        .await?;
    if !partitioned.try_get::<_, bool>(0)? {
        return build_one(client, (name, table), rest).await;
    }
    // Whatever partition is made from here on comes with it.
    let transaction = client.transaction().await?;
    let whole = format!(
        "SET LOCAL lock_timeout = {}; SELECT pg_advisory_xact_lock({SCHEMA_LOCK});
         CREATE INDEX IF NOT EXISTS {name} ON ONLY {table} {rest}",
        super::LOCK_TIMEOUT_MS
    );
    transaction.batch_execute(&whole).await?;
    transaction.commit().await?;
    while let Some(partition) = without(client, index).await? {
        let part = format!("{partition}_of_{name}");
        build_one(client, (&part, &partition), rest).await?;
        let attach = format!(
            "SET lock_timeout = {}; ALTER INDEX {name} ATTACH PARTITION {part}; RESET lock_timeout",
            super::LOCK_TIMEOUT_MS
        );
        if let Err(error) = client.batch_execute(&attach).await {
            client.batch_execute("RESET lock_timeout").await?;
            return Err(error.into());
        }
    }
    Ok(())
}

/// A partition that has no part of the index yet.
async fn without(client: &Client, index: &Index) -> Result<Option<String>, Stopped> {
    let row = client
        .query_opt(
            "SELECT p.inhrelid::regclass::text FROM pg_inherits p
             WHERE p.inhparent = $1::text::regclass AND NOT EXISTS (
                 SELECT FROM pg_inherits i JOIN pg_index x ON x.indexrelid = i.inhrelid
                 WHERE i.inhparent = $2::text::regclass AND x.indrelid = p.inhrelid)
             ORDER BY 1 LIMIT 1",
            &[&index.table, &index.name],
        )
        .await?;
    Ok(row.map(|row| row.try_get(0)).transpose()?)
}

/// One that is there and not valid was interrupted: it is of no use.
async fn build_one(
    client: &Client,
    (name, table): (&str, &str),
    rest: &str,
) -> Result<(), Stopped> {
    let there = client
        .query_opt(
            "SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass($1::text)",
            &[&name],
        )
        .await?;
    match there.map(|row| row.try_get(0)).transpose()? {
        Some(true) => return Ok(()),
        Some(false) => {
            let remove = format!("DROP INDEX CONCURRENTLY {name}");
            client.batch_execute(&remove).await?;
        }
        None => {}
    }
    let create = format!("CREATE INDEX CONCURRENTLY {name} ON {table} {rest}");
    Ok(client.batch_execute(&create).await?)
}
