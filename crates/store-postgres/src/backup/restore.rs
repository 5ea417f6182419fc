//! A database from a backup. It never touches one that holds anything, and either all of the backup
//! is there in the end, or nothing. It does not look at keys.

use super::manifest::{self, Manifest, Table};
use super::{BUFFER_BYTES, TABLES};
use crate::OpenError;
use crate::config::PostgresConfig;
use crate::failure::Failure;
use crate::partitions::{Partition, Partitions};
use crate::pools::Pools;
use crate::schema;
use bytes::{Bytes, BytesMut};
use futures_util::SinkExt as _;
use std::io;
use std::path::{Path, PathBuf};
use std::pin::pin;
use tokio::io::AsyncReadExt as _;
use tokio_postgres::{Client, Transaction};

/// Why there is no copy.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    /// There is no backup, or one that was not finished.
    #[error("{} is not a backup of a PostgreSQL store, or one that was not finished", .0.display())]
    NotABackup(PathBuf),
    /// The target holds something.
    #[error("the database is not empty: name a new one")]
    NotEmpty,
    /// An older version made it.
    #[error(
        "the backup has schema version {found}, this program restores {known}: restore it with the \
         program that made it, then start this one, which brings it up to date"
    )]
    OlderSchema {
        /// The version found.
        found: u32,
        /// The only one that is restored.
        known: u32,
    },
    /// It can't be read.
    #[error("can't read {}: {source}", path.display())]
    Io {
        /// What.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// What was to be copied is not whole.
    #[error("the backup is damaged: {0}")]
    Damaged(String),
    /// The database refused, or is not there.
    #[error(transparent)]
    Open(#[from] OpenError),
}

impl From<Failure> for CopyError {
    fn from(failure: Failure) -> Self {
        OpenError::from(failure).into()
    }
}

impl From<tokio_postgres::Error> for CopyError {
    fn from(error: tokio_postgres::Error) -> Self {
        OpenError::from(error).into()
    }
}

/// Puts a backup into a database, which must be new or empty. What the nodes of the backup held is
/// taken over by the first that starts.
pub async fn restore(directory: &Path, config: &PostgresConfig) -> Result<(), CopyError> {
    let manifest = read_manifest(directory).await?;
    let mut client = Pools::new(config)?.direct().await?;
    require_unused(&client).await?;
    schema::migrate(&mut client).await?;
    make_partitions(&client, &manifest).await?;
    let transaction = client.transaction().await?;
    require_empty(&transaction).await?;
    for table in &manifest.tables {
        fill(&transaction, table, directory).await?;
    }
    end_leases(&transaction, manifest.epoch).await?;
    Ok(transaction.commit().await?)
}

async fn read_manifest(directory: &Path) -> Result<Manifest, CopyError> {
    let path = manifest::path(directory);
    let text = match tokio::fs::read_to_string(&path).await {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(CopyError::NotABackup(directory.to_owned()));
        }
        read => read.map_err(|source| CopyError::Io {
            path: path.clone(),
            source,
        })?,
    };
    let unreadable = || CopyError::Damaged(format!("{} can't be read", path.display()));
    let manifest = Manifest::parse(&text).ok_or_else(unreadable)?;
    if !manifest.tables.iter().map(|table| &*table.name).eq(TABLES) {
        return Err(unreadable());
    }
    let (found, known) = (manifest.schema, schema::VERSION);
    match found.cmp(&known) {
        std::cmp::Ordering::Less => Err(CopyError::OlderSchema { found, known }),
        std::cmp::Ordering::Greater => Err(OpenError::NewerSchema { found, known }.into()),
        std::cmp::Ordering::Equal => Ok(manifest),
    }
}

/// Before anything is done to it: a store that was ever opened has nodes.
async fn require_unused(client: &Client) -> Result<(), CopyError> {
    let row = client
        .query_one("SELECT to_regclass('schema_version') IS NOT NULL", &[])
        .await?;
    if !row.try_get(0)? {
        return Ok(());
    }
    let row = client
        .query_one("SELECT EXISTS (SELECT FROM node)", &[])
        .await?;
    match row.try_get(0)? {
        true => Err(CopyError::NotEmpty),
        false => Ok(()),
    }
}

async fn make_partitions(client: &Client, manifest: &Manifest) -> Result<(), CopyError> {
    let named = manifest.partitions.iter().map(|name| {
        let unknown = || CopyError::Damaged(format!("{name} is not a partition"));
        Partition::named(name).ok_or_else(unknown)
    });
    let partitions = named.collect::<Result<_, _>>()?;
    Ok(Partitions::default().make(client, partitions).await?)
}

/// Keeps nodes out until the end, and looks for rows.
async fn require_empty(transaction: &Transaction<'_>) -> Result<(), CopyError> {
    let locked = format!("LOCK TABLE {} IN EXCLUSIVE MODE", TABLES.join(", "));
    transaction.batch_execute(&locked).await?;
    let there = TABLES.map(|table| format!("EXISTS (SELECT FROM {table})"));
    let looked = format!("SELECT {}", there.join(" OR "));
    let holds_something: bool = transaction.query_one(&looked, &[]).await?.try_get(0)?;
    match holds_something {
        true => Err(CopyError::NotEmpty),
        false => Ok(()),
    }
}

async fn fill(
    transaction: &Transaction<'_>,
    table: &Table,
    directory: &Path,
) -> Result<(), CopyError> {
    let path = manifest::file(directory, &table.name);
    let unreadable = |source| CopyError::Io {
        path: path.clone(),
        source,
    };
    let mut file = tokio::fs::File::open(&path).await.map_err(unreadable)?;
    let statement = format!(
        "COPY {} ({}) FROM STDIN (FORMAT binary)",
        table.name,
        table.columns.join(", ")
    );
    let mut rows = pin!(transaction.copy_in::<_, Bytes>(&statement).await?);
    loop {
        let mut read = BytesMut::with_capacity(BUFFER_BYTES);
        if file.read_buf(&mut read).await.map_err(unreadable)? == 0 {
            break;
        }
        rows.feed(read.freeze()).await?;
    }
    match rows.as_mut().finish().await {
        Ok(found) if found == table.rows => Ok(()),
        Ok(found) => Err(CopyError::Damaged(format!(
            "{} has {found} rows, and had {} when it was made",
            path.display(),
            table.rows
        ))),
        Err(error) if is_about_data(&error) => {
            let reason = Failure::from(error);
            Err(CopyError::Damaged(format!("{}: {reason}", path.display())))
        }
        Err(error) => Err(error.into()),
    }
}

/// Bad data, rows that can't be together or have no partition, a length beyond all limits.
fn is_about_data(error: &tokio_postgres::Error) -> bool {
    let state = error.code().map_or("", |state| state.code());
    ["22", "23", "54"]
        .iter()
        .any(|class| state.starts_with(class))
}

/// The nodes of the backup are gone, and none to come gets an epoch that one of them had.
async fn end_leases(transaction: &Transaction<'_>, epoch: i64) -> Result<(), CopyError> {
    transaction
        .execute(
            "UPDATE node SET expires_at = 'epoch' WHERE expires_at > '-infinity'",
            &[],
        )
        .await?;
    transaction
        .query_one("SELECT setval('node_epoch', $1)", &[&epoch])
        .await?;
    Ok(())
}
