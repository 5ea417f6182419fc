//! The part that a private PostgreSQL is held by: says where it is, and waits until nobody needs it
//! any more. The binary starts it before, and takes it away afterwards.

use crate::process::{KEYS, POSTMASTER};
use crate::stdin;
use std::path::Path;

/// A PostgreSQL that runs.
#[derive(Debug, Clone, Copy)]
pub struct Running<'a> {
    /// The URL of its database.
    pub url: &'a str,
    /// The process whose children are all others of it.
    pub postmaster: u32,
    /// The directory that holds the keys of its nodes.
    pub keys: &'a Path,
}

/// Says where it is, as a part of a bench, until that is gone; or a terminal ends both, which must
/// not keep what runs from being taken away.
pub async fn part(running: Running<'_>) {
    eprintln!("{POSTMASTER}{}", running.postmaster);
    eprintln!("{KEYS}{}", running.keys.display());
    eprintln!("listening on {}", running.url);
    tokio::select! {
        () = stdin::closed() => {}
        _ = tokio::signal::ctrl_c() => {}
    }
}
