//! A consistent copy of the database while it is in use: a directory with a file for each table, in
//! the database's own binary form, and a manifest.
//!
//! Everything is read from one state of the database, and nobody waits. The manifest is written
//! last: a directory without one is no backup. Keys that seal what is in it are not part of it.

mod manifest;
mod restore;

pub use restore::{CopyError, restore};

use crate::OpenError;
use crate::config::PostgresConfig;
use crate::failure::Failure;
use crate::pools::Pools;
use crate::schema;
use bytes::Bytes;
use futures_util::StreamExt as _;
use manifest::{Manifest, Table};
use std::fs::{DirBuilder, File};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::pin::pin;
use tokio::io::{AsyncWriteExt as _, BufWriter};
use tokio_postgres::{Client, IsolationLevel, Transaction};

/// All that there is to copy; a partitioned table is one.
const TABLES: [&str; 31] = [
    "setting",
    "node",
    "application",
    "data_key",
    "endpoint",
    "endpoint_url",
    "event_type",
    "retry_schedule",
    "message",
    "payload",
    "event_key",
    "delivery",
    "open_count",
    "attempt",
    "excerpt",
    "chain_shown",
    "rollup",
    "idempotency",
    "task",
    "access_version",
    "revoked_token",
    "token_floor",
    "api_key",
    "source",
    "replay_key",
    "one_time_token",
    "security_event",
    "audit_entry",
    "audit_checkpoint",
    "audit_left",
    "audit_start",
];
const BUFFER_BYTES: usize = 1 << 20;

/// Copies the database of `config`, as it is at this moment, into `directory`, which must be new or
/// empty: the way of a process that has no store open.
pub async fn backup(config: &PostgresConfig, directory: &Path) -> Result<(), OpenError> {
    let mut client = Pools::new(config)?.direct().await?;
    Ok(copy(&mut client, directory).await?)
}

/// Copies into `directory`, which is made if it is not there, and must be empty if it is. What is
/// there when this returns is on disk; when it fails, nothing is.
pub(crate) async fn copy(client: &mut Client, directory: &Path) -> Result<(), Failure> {
    let unusable = |error: io::Error| {
        Failure::Unavailable(format!("no copy in {}: {error}", directory.display()))
    };
    let mut target = Unfinished::begin(directory).map_err(unusable)?;
    let transaction = client
        .build_transaction()
        .isolation_level(IsolationLevel::RepeatableRead)
        .read_only(true)
        .start()
        .await?;
    let manifest = copy_all(&transaction, &mut target).await?;
    transaction.commit().await?;
    target.finish(&manifest).map_err(unusable)
}

async fn copy_all(
    transaction: &Transaction<'_>,
    target: &mut Unfinished,
) -> Result<Manifest, Failure> {
    // The locks come before the state that is seen: no partition of it is dropped any more. Tables
    // are read as a whole here, for which an index is the longest way; and what was read is synced
    // in between, however long that takes.
    let begin = format!(
        "LOCK TABLE {} IN ACCESS SHARE MODE; SET LOCAL enable_seqscan = on;
         SET LOCAL idle_in_transaction_session_timeout = 0",
        TABLES.join(", ")
    );
    transaction.batch_execute(&begin).await?;
    let version: i32 = transaction
        .query_one("SELECT max(version) FROM schema_version", &[])
        .await?
        .try_get(0)?;
    if version.unsigned_abs() != schema::VERSION {
        let newer = format!(
            "the database has schema version {version}, this program copies {}: take the backup \
             with a newer one",
            schema::VERSION
        );
        return Err(Failure::Unreadable(newer));
    }
    let mut tables = Vec::with_capacity(TABLES.len());
    for name in TABLES {
        tables.push(copy_table(transaction, name, target).await?);
    }
    // It moves on without regard to what is seen: never below an epoch that was copied.
    let epoch = transaction
        .query_one("SELECT last_value FROM node_epoch", &[])
        .await?
        .try_get(0)?;
    Ok(Manifest {
        schema: version.unsigned_abs(),
        epoch,
        partitions: partitions(transaction).await?,
        tables,
    })
}

async fn copy_table(
    transaction: &Transaction<'_>,
    name: &str,
    target: &mut Unfinished,
) -> Result<Table, Failure> {
    let columns = columns(transaction, name).await?;
    let statement = format!(
        "COPY (SELECT {} FROM {name}) TO STDOUT (FORMAT binary)",
        columns.join(", ")
    );
    let path = target.file(name);
    let unwritable =
        |error: io::Error| Failure::Unavailable(format!("{}: {error}", path.display()));
    let file = private_file(&path).map_err(unwritable)?;
    let mut file = BufWriter::with_capacity(BUFFER_BYTES, tokio::fs::File::from_std(file));
    let mut messages = pin!(transaction.copy_out(&statement).await?);
    let mut rows = Rows::default();
    while let Some(message) = messages.next().await {
        let message: Bytes = message?;
        rows.count(&message);
        file.write_all(&message).await.map_err(unwritable)?;
    }
    file.flush().await.map_err(unwritable)?;
    file.get_ref().sync_all().await.map_err(unwritable)?;
    Ok(Table {
        name: name.to_owned(),
        rows: rows.seen,
        columns,
    })
}

async fn columns(transaction: &Transaction<'_>, table: &str) -> Result<Vec<String>, Failure> {
    let rows = transaction
        .query(
            "SELECT attname::text FROM pg_attribute
             WHERE attrelid = $1::text::regclass AND attnum > 0 AND NOT attisdropped
             ORDER BY attnum",
            &[&table],
        )
        .await?;
    Ok(rows
        .iter()
        .map(|row| row.try_get(0))
        .collect::<Result<_, _>>()?)
}

async fn partitions(transaction: &Transaction<'_>) -> Result<Vec<String>, Failure> {
    let rows = transaction
        .query(
            "SELECT child.relname::text FROM pg_inherits
             JOIN pg_class child ON child.oid = inhrelid
             WHERE inhparent = ANY($1::text[]::regclass[]) ORDER BY 1",
            &[&TABLES.as_slice()],
        )
        .await?;
    Ok(rows
        .iter()
        .map(|row| row.try_get(0))
        .collect::<Result<_, _>>()?)
}

/// Counts the rows of a copy as it passes: each has a message of its own. The first one begins with
/// the header, and a mark of two bytes is the end.
#[derive(Default)]
struct Rows {
    begun: bool,
    seen: u64,
}

impl Rows {
    fn count(&mut self, message: &[u8]) {
        const HEADER_BYTES: usize = 19;
        const END_BYTES: usize = 2;
        let header = if self.begun { 0 } else { HEADER_BYTES };
        self.begun = true;
        if message.len() > header + END_BYTES {
            self.seen += 1;
        }
    }
}

/// A copy in the making. What was written is removed when this is dropped, unless it was finished.
struct Unfinished {
    directory: PathBuf,
    files: Vec<PathBuf>,
}

impl Unfinished {
    /// Makes the directory (0700) unless it is there. One that holds something is refused, and left
    /// as it is.
    fn begin(directory: &Path) -> io::Result<Self> {
        let is_missing = |path: &&Path| !path.as_os_str().is_empty() && !path.exists();
        let missing: Vec<&Path> = directory.ancestors().take_while(is_missing).collect();
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(directory)?;
        missing.into_iter().try_for_each(sync_name)?;
        if directory.read_dir()?.next().is_some() {
            return Err(io::Error::other(
                "it is not empty; name an empty or a new directory",
            ));
        }
        Ok(Self {
            directory: directory.to_owned(),
            files: Vec::new(),
        })
    }

    /// Where to write a table.
    fn file(&mut self, table: &str) -> PathBuf {
        let path = manifest::file(&self.directory, table);
        self.files.push(path.clone());
        path
    }

    /// All files are on disk: makes it a backup, which it is on disk when this returns.
    fn finish(mut self, manifest: &Manifest) -> io::Result<()> {
        use std::io::Write as _;
        let whole = manifest::path(&self.directory);
        let path = whole.with_extension("unfinished");
        self.files.push(path.clone());
        let mut file = private_file(&path)?;
        file.write_all(manifest.to_string().as_bytes())?;
        file.sync_all()?;
        std::fs::rename(&path, &whole)?;
        self.files.push(whole.clone());
        sync_name(&whole)?;
        self.files.clear();
        Ok(())
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        for path in &self.files {
            // Some may not have been made yet; what failed is told already.
            let _ = std::fs::remove_file(path);
        }
    }
}

/// Puts on disk what a directory says of this name: syncing the file alone does not.
fn sync_name(path: &Path) -> io::Result<()> {
    let parent = path.parent().filter(|path| !path.as_os_str().is_empty());
    File::open(parent.unwrap_or(Path::new(".")))?.sync_all()
}

fn private_file(path: &Path) -> io::Result<File> {
    let mut options = File::options();
    options.write(true).create_new(true).mode(0o600).open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_counted_whether_the_header_comes_alone_or_not() {
        let header = [0; 19];
        let row = [0, 1, 0, 0, 0, 1, 7];
        let end = [0xff, 0xff];
        for (messages, expected) in [
            (vec![[&header[..], &end].concat()], 0),
            (vec![header.to_vec(), end.to_vec()], 0),
            (vec![[&header[..], &row].concat(), end.to_vec()], 1),
            (
                vec![header.to_vec(), row.to_vec(), row.to_vec(), end.to_vec()],
                2,
            ),
        ] {
            let mut rows = Rows::default();
            for message in &messages {
                rows.count(message);
            }
            assert_eq!(rows.seen, expected, "{messages:?}");
        }
    }
}
