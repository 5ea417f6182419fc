//! A database at rest, as one side of a transfer: see [`store::transfer`].
//!
//! For as long as the connection lasts, a lock keeps nodes out, and other transfers. A target holds
//! a mark until it is whole, for which no node joins. The lock is the session's: this needs the
//! database itself, not a pooler that hands out connections by transaction.

mod rest;
mod rows;
mod statements;

pub(crate) use rest::refuse_unfinished;

use crate::OpenError;
use crate::config::PostgresConfig;
use crate::failure::Failure;
use crate::open::require_durability;
use crate::partitions::Partitions;
use crate::pools::Pools;
use crate::schema;
use async_trait::async_trait;
use rest::{lock, require_known, require_rest, schema_version};
use store::transfer::{
    Chunk, Cursor, Found, Keys, MARKER, Row, Source, State, TABLES, Table, Target, TransferError,
};
use tokio_postgres::{Client, Transaction};

/// A database without nodes, to read or fill it.
pub struct PostgresTransfer {
    client: Client,
    version: String,
    partitions: Partitions,
}

impl PostgresTransfer {
    /// What is to be moved: a store without living nodes. `place` is how it is told of.
    pub async fn source(config: &PostgresConfig, place: &str) -> Result<Self, TransferError> {
        let mut client = connect(config).await?;
        lock(&client, place).await?;
        let found = schema_version(&client).await.map_err(failed)?;
        if found == 0 {
            return Err(TransferError::NoStore(place.to_owned()));
        }
        require_known(found, place)?;
        require_rest(&mut client, place).await?;
        if read_state(&client).await.map_err(failed)?.is_some() {
            return Err(TransferError::UnfinishedSource(place.to_owned()));
        }
        Ok(Self::new(client, config))
    }

    /// Where it is to be moved to: an empty database, or one with an unfinished store.
    pub async fn target(config: &PostgresConfig, place: &str) -> Result<Self, TransferError> {
        let mut client = connect(config).await?;
        require_durability(&client)
            .await
            .map_err(TransferError::store)?;
        lock(&client, place).await?;
        let found = schema_version(&client).await.map_err(failed)?;
        if found < schema::VERSION {
            if !may_be_migrated(&client, found).await.map_err(failed)? {
                return Err(TransferError::NotEmpty);
            }
            let migrated = schema::migrate(&mut client).await;
            migrated.map_err(TransferError::store)?;
        }
        require_known(found.max(schema::VERSION), place)?;
        require_rest(&mut client, place).await?;
        Ok(Self::new(client, config))
    }

    fn new(client: Client, config: &PostgresConfig) -> Self {
        Self {
            client,
            version: config.version.clone(),
            partitions: Partitions::default(),
        }
    }

    async fn look(&self) -> Result<Found, Failure> {
        match read_state(&self.client).await? {
            Some(state) => State::from_bytes(&state)
                .map(Found::Unfinished)
                .ok_or_else(|| Failure::unreadable("the mark of a transfer")),
            None if self.holds_something().await? => Ok(Found::Something),
            None => Ok(Found::Nothing),
        }
    }

    /// A store that was ever opened has nodes.
    async fn holds_something(&self) -> Result<bool, Failure> {
        let names = TABLES.iter().map(|table| table.name).chain(["node"]);
        let there = names.map(|name| format!("EXISTS (SELECT FROM {name})"));
        let looked = format!("SELECT {}", there.collect::<Vec<_>>().join(" OR "));
        Ok(self.client.query_one(&looked, &[]).await?.try_get(0)?)
    }

    async fn write_all(
        &mut self,
        table: &Table,
        rows: &[Row],
        state: &State,
    ) -> Result<(), Failure> {
        let missing = self.partitions.missing(rows::partitions(table, rows));
        self.partitions.make(&self.client, missing).await?;
        let transaction = self.client.transaction().await?;
        if !rows.is_empty() {
            rows::write(&transaction, table, rows).await?;
        }
        transaction
            .execute(
                "INSERT INTO setting (name, value) VALUES ($1, $2)
                 ON CONFLICT (name) DO UPDATE SET value = excluded.value",
                &[&MARKER, &state.to_bytes()],
            )
            .await?;
        Ok(transaction.commit().await?)
    }

    async fn end(&mut self, keys: Keys) -> Result<(), Failure> {
        let transaction = self.client.transaction().await?;
        leave_slots(&transaction, keys, &self.version).await?;
        transaction
            .execute("DELETE FROM setting WHERE name = $1", &[&MARKER])
            .await?;
        Ok(transaction.commit().await?)
    }

    async fn last_keys(&self) -> Result<Keys, Failure> {
        let row = self
            .client
            .query_one(
                "SELECT coalesce(max(last_key), 0), coalesce(max(slot), 0) FROM node",
                &[],
            )
            .await?;
        let (last, slots): (i64, i32) = (row.try_get(0)?, row.try_get(1)?);
        Ok(Keys {
            last,
            slots: u16::try_from(slots).map_err(|_| Failure::unreadable("slot"))?,
        })
    }
}

#[async_trait]
impl Source for PostgresTransfer {
    async fn keys(&mut self) -> Result<Keys, TransferError> {
        self.last_keys().await.map_err(failed)
    }

    async fn count(&mut self, table: &Table) -> Result<u64, TransferError> {
        rows::count(&mut self.client, table).await.map_err(failed)
    }

    async fn read(
        &mut self,
        table: &Table,
        after: Option<&Cursor>,
        rows_max: usize,
    ) -> Result<Chunk, TransferError> {
        let read = rows::read(&mut self.client, table, (after, rows_max));
        read.await.map_err(failed)
    }
}

#[async_trait]
impl Target for PostgresTransfer {
    async fn found(&mut self) -> Result<Found, TransferError> {
        self.look().await.map_err(failed)
    }

    async fn write(
        &mut self,
        table: &Table,
        rows: Vec<Row>,
        state: &State,
    ) -> Result<(), TransferError> {
        self.write_all(table, &rows, state).await.map_err(failed)
    }

    async fn finish(&mut self, keys: Keys) -> Result<(), TransferError> {
        self.end(keys).await.map_err(failed)
    }
}

async fn connect(config: &PostgresConfig) -> Result<Client, TransferError> {
    let pools = Pools::new(config).map_err(TransferError::store)?;
    pools.direct().await.map_err(failed)
}

/// Nothing is there, or an unfinished transfer that an older program began.
async fn may_be_migrated(client: &Client, found: u32) -> Result<bool, Failure> {
    if found > 0 {
        return Ok(read_state(client).await?.is_some());
    }
    // Another program's, for all that is known.
    let row = client
        .query_one(
            "SELECT NOT EXISTS (SELECT FROM pg_class
             WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p'))",
            &[],
        )
        .await?;
    Ok(row.try_get(0)?)
}

async fn read_state(client: &Client) -> Result<Option<Vec<u8>>, Failure> {
    let row = client
        .query_opt("SELECT value FROM setting WHERE name = $1", &[&MARKER])
        .await?;
    Ok(row.map(|row| row.try_get(0)).transpose()?)
}

/// Leaves slots of nodes that are gone: whoever takes one, or a new one, goes on behind every key
/// that was given.
async fn leave_slots(
    transaction: &Transaction<'_>,
    keys: Keys,
    version: &str,
) -> Result<(), Failure> {
    let slots = i32::from(keys.slots.max(1));
    transaction
        .execute(
            "INSERT INTO node (slot, epoch, expires_at, started_at, name, version, roles, last_key,
                               floor, batch)
             SELECT slot, nextval('node_epoch'), '-infinity', clock_timestamp(), 'transfer', $2, '',
                    $3, $3, 0
             FROM generate_series(1, $1) AS slot",
            &[&slots, &version, &keys.behind()],
        )
        .await?;
    Ok(())
}

fn failed(failure: Failure) -> TransferError {
    TransferError::store(OpenError::from(failure))
}
