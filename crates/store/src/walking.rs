//! The way every list is walked: up to a limit of rows that pass, up to [`EXAMINED_MAX`] that were
//! looked at and [`WALK_BYTES_MAX`] of their content, and with the position of the last of these.
//! How rows are read is each store's own.

use crate::query::{EXAMINED_MAX, WALK_BYTES_MAX, Walk};

/// A walk under way.
pub struct Walking<T, P> {
    walk: Walk<T, P>,
    looked_at: usize,
    bytes: usize,
    limit: usize,
}

impl<T, P> Walking<T, P> {
    /// At the start of a walk for at most `limit` rows.
    pub fn new(limit: usize) -> Self {
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
    pub fn looks_at(&mut self, position: P) -> bool {
        if self.room() == 0 {
            self.walk.more = true;
            return false;
        }
        self.looked_at += 1;
        self.walk.examined = Some(position);
        true
    }

    /// How many more rows can pass before the walk is over, as far as is known now.
    pub fn room(&self) -> usize {
        if self.bytes >= WALK_BYTES_MAX {
            return 0;
        }
        let rows = self.limit.saturating_sub(self.walk.rows.len());
        rows.min(EXAMINED_MAX - self.looked_at)
    }

    /// The row passes.
    pub fn keep(&mut self, row: T) {
        self.walk.rows.push(row);
    }

    /// The row passes, with so many bytes of payload and excerpt.
    pub fn keep_with_content(&mut self, row: T, bytes: usize) {
        self.bytes += bytes;
        self.keep(row);
    }

    /// What was found.
    pub fn end(self) -> Walk<T, P> {
        self.walk
    }
}
