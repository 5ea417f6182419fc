//! The way every list is walked: up to a limit of rows that pass, up to [`EXAMINED_MAX`] that were
//! looked at and [`WALK_BYTES_MAX`] of their content, and with the position of the last of these.

use store::query::{EXAMINED_MAX, WALK_BYTES_MAX, Walk};

/// A walk under way.
pub(crate) struct Walking<T, P> {
    walk: Walk<T, P>,
    looked_at: usize,
    bytes: usize,
    limit: usize,
}

impl<T, P> Walking<T, P> {
    /// At the start of a walk for at most `limit` rows.
    pub(crate) fn new(limit: usize) -> Self {
        let walk = Walk {
            rows: Vec::new(),
            examined: None,
            more: false,
        };
        Self {
            walk,
            looked_at: 0,
            bytes: 0,
            limit,
        }
    }

    /// There is a row at `position`. Whether it is to be looked at: if not, the walk is over.
    pub(crate) fn looks_at(&mut self, position: P) -> bool {
        let full = self.walk.rows.len() >= self.limit || self.bytes >= WALK_BYTES_MAX;
        if full || self.looked_at >= EXAMINED_MAX {
            self.walk.more = true;
            return false;
        }
        self.looked_at += 1;
        self.walk.examined = Some(position);
        true
    }

    /// The row passes.
    pub(crate) fn keep(&mut self, row: T) {
        self.walk.rows.push(row);
    }

    /// The row passes, with so many bytes of payload and excerpt.
    pub(crate) fn keep_with_content(&mut self, row: T, bytes: usize) {
        self.bytes += bytes;
        self.keep(row);
    }

    /// What was found.
    pub(crate) fn end(self) -> Walk<T, P> {
        self.walk
    }
}

/// The end of a statement that walks along keys.
pub(crate) fn direction(ascending: bool) -> &'static str {
    if ascending { "ASC" } else { "DESC" }
}
