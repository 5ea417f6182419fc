//! A database for one test.

use crate::server::Server;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};

/// An empty database in the shared server, under a name that no other has. Gone when dropped, with
/// whoever is still connected to it.
pub struct Database {
    name: String,
    url: String,
}

impl Database {
    /// Makes one.
    ///
    /// # Panics
    /// As [`Server::shared`].
    pub fn new() -> Self {
        static COUNTER: AtomicU64 = AtomicU64::new(0);
        let (process, count) = (std::process::id(), COUNTER.fetch_add(1, Ordering::Relaxed));
        // A process of this number may have left one when it was killed.
        let chance = RandomState::new().hash_one(count) & 0xffff_ffff;
        let name = format!("test_{process}_{count}_{chance:08x}");
        let url = Server::shared().database(&name);
        Self { name, url }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its URL.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Runs statements in it, and gives their rows, one a line.
    ///
    /// # Panics
    /// When one of them fails: with what the server said.
    pub fn psql(&self, statements: &str) -> String {
        Server::shared().psql(&self.name, statements)
    }
}

impl Default for Database {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let statement = format!("DROP DATABASE IF EXISTS \"{}\" WITH (FORCE)", self.name);
        let mut dropping = Server::shared().psql_command("postgres", &statement);
        // What is left goes with the server, and a test that fails has more to say.
        let _ = dropping.output();
    }
}
