//! What can be set on the embedded store. The defaults are the measured ones; together they stay
//! well inside a process of 150 MiB.

use crate::faults::Faults;
use std::time::Duration;

/// The embedded store's settings.
#[derive(Debug, Clone)]
pub struct SqliteConfig {
    /// The writer's page cache.
    pub writer_cache_kib: u32,
    /// Each reader's page cache.
    pub reader_cache_kib: u32,
    /// Read-only connections for lists and lookups, and so many of these at the same time. What is
    /// on a message's way has two more of its own.
    pub readers: usize,
    /// The most bytes of requests that may wait for the writer: callers wait beyond it.
    pub inbox_kib: u32,
    /// How long a commit of outcomes alone is put off; under load, any commit twice as long
    /// at the most: see `inbox`.
    pub commit_patience: Duration,
    /// A checkpoint starts in the background when the write-ahead log is larger.
    pub checkpoint_bytes: u64,
    /// The writer itself makes the log start anew when it is larger.
    pub wal_bytes_max: u64,
    /// Idempotency keys that are indexed in memory, at about 30 bytes each, and as many keys of
    /// what came in at sources; older ones are found through sorted runs on disk, at 2 bytes each.
    pub indexed_keys_max: usize,
    /// What this node is called in lists of nodes.
    pub name: String,
    /// The version that it runs.
    pub version: String,
    /// Faults that tests provoke.
    pub faults: Faults,
}

impl Default for SqliteConfig {
    fn default() -> Self {
        Self {
            writer_cache_kib: 32 * 1024,
            reader_cache_kib: 4 * 1024,
            readers: 4,
            inbox_kib: 32 * 1024,
            commit_patience: Duration::from_millis(2),
            checkpoint_bytes: 64 << 20,
            wal_bytes_max: 512 << 20,
            indexed_keys_max: 256 * 1024,
            name: String::new(),
            version: String::new(),
            faults: Faults::default(),
        }
    }
}
