//! How lists are read in few statements: first what decides whether rows pass, many at a time, then
//! the rows that do, no more at a time than a walk may hold. Where a walk ends is for
//! [`store::walking`] to say, and what is read for each list itself.

use crate::failure::Failure;
use model::id::Key;
use std::collections::HashMap;
use std::future::Future;
use std::hash::Hash;
use store::query::{EXAMINED_MAX, WALK_BYTES_MAX, Walk, Window};
use store::walking::Walking;

/// The most rows that one statement looks at.
const LOOKED_AT_MAX: usize = 1_000;
/// The most rows that one statement loads.
const LOADED_MAX: usize = 500;
/// So many with content at first: they tell how large the others may be.
const FIRST_LOADED: usize = 8;

/// A row that was looked at.
pub(crate) struct Seen<P, L> {
    /// Where it stands in the list.
    pub(crate) position: P,
    /// What it is loaded by; `None`: it does not pass.
    pub(crate) passes: Option<L>,
}

/// A list, as its walk reads it.
pub(crate) trait Listing: Sync {
    /// Where a row stands.
    type Position: Clone + Eq + Hash + Send + Sync;
    /// What is known of a row that passes before it is loaded.
    type Passed: Clone + Send + Sync;
    /// A row.
    type Row: Send;

    /// The next rows of the walk behind a position, as many as there are, but at most `rows`.
    fn look(
        &self,
        beyond: Option<&Self::Position>,
        rows: usize,
    ) -> impl Future<Output = Result<Vec<SeenIn<Self>>, Failure>> + Send;

    /// Rows that pass, of those that are still there.
    fn load(
        &self,
        passed: &[(Self::Position, Self::Passed)],
    ) -> impl Future<Output = Result<HashMap<Self::Position, Self::Row>, Failure>> + Send;

    /// Whether rows come with content that may be large.
    fn with_content(&self) -> bool {
        false
    }

    /// How much of it came.
    fn content_bytes(_row: &Self::Row) -> usize {
        0
    }
}

/// A row of a list that was looked at.
pub(crate) type SeenIn<L> = Seen<<L as Listing>::Position, <L as Listing>::Passed>;

/// Walks a list.
pub(crate) async fn walk<L: Listing>(
    list: &L,
    limit: usize,
) -> Result<Walk<L::Row, L::Position>, Failure> {
    let mut reading = Reading {
        list,
        walking: Walking::new(limit),
        looked_at: 0,
        loaded: 0,
        bytes: 0,
    };
    let mut beyond = None;
    loop {
        let rows = reading.rows_to_look_at();
        let seen = list.look(beyond.as_ref(), rows).await?;
        let all = seen.len() < rows;
        beyond = seen.last().map(|row| row.position.clone());
        if !reading.walk(seen).await? || all {
            return Ok(reading.walking.end());
        }
    }
}

/// The part of a window that lies behind a position, as the keys that are above and below.
pub(crate) fn behind<K>(window: &Window<K>, position: Option<&Key<K>>) -> (i64, i64) {
    let (above, below) = (window.above.integer(), window.below.integer());
    match position {
        None => (above, below),
        Some(position) if window.ascending => (position.integer(), below),
        Some(position) => (above, position.integer()),
    }
}

/// A limit as a parameter.
pub(crate) fn limit(rows: usize) -> i64 {
    i64::try_from(rows).unwrap_or(i64::MAX)
}

/// A walk under way.
struct Reading<'l, L: Listing> {
    list: &'l L,
    walking: Walking<L::Row, L::Position>,
    looked_at: usize,
    loaded: usize,
    bytes: usize,
}

impl<L: Listing> Reading<'_, L> {
    /// A page and one more row, which tells whether there is more; where many don't pass, more.
    fn rows_to_look_at(&mut self) -> usize {
        let rows = match (self.walking.room(), self.looked_at) {
            (0, _) => 1,
            (room, 0) => room + 1,
            _ => LOOKED_AT_MAX,
        };
        let rows = rows
            .min(LOOKED_AT_MAX)
            .min(EXAMINED_MAX + 1 - self.looked_at);
        self.looked_at += rows;
        rows
    }

    /// Whether the walk goes on behind these.
    async fn walk(&mut self, seen: Vec<SeenIn<L>>) -> Result<bool, Failure> {
        let mut rest = &seen[..];
        while !rest.is_empty() {
            let count = self.rows_to_load();
            let (part, behind) = rest.split_at(through_passing(rest, count));
            rest = behind;
            let passed: Vec<_> = part
                .iter()
                .filter_map(|row| Some((row.position.clone(), row.passes.clone()?)))
                .take(count)
                .collect();
            let mut loaded = match passed.is_empty() {
                true => HashMap::new(),
                false => self.list.load(&passed).await?,
            };
            for row in part {
                if !self.walking.looks_at(row.position.clone()) {
                    return Ok(false);
                }
                if let Some(row) = loaded.remove(&row.position) {
                    self.keep(row);
                }
            }
        }
        Ok(true)
    }

    fn keep(&mut self, row: L::Row) {
        let bytes = L::content_bytes(&row);
        self.loaded += 1;
        self.bytes += bytes;
        self.walking.keep_with_content(row, bytes);
    }

    /// How many rows to load at once; 0: the walk is over with the next row.
    fn rows_to_load(&self) -> usize {
        let rows = match self.list.with_content() {
            false => LOADED_MAX,
            true => rows_with_content(self.loaded, self.bytes),
        };
        rows.min(self.walking.room())
    }
}

/// How many rows with content to load behind so many with so many bytes: if they are as large as
/// those, the walk hardly reads more than it keeps.
fn rows_with_content(loaded: usize, bytes: usize) -> usize {
    if loaded == 0 {
        return FIRST_LOADED;
    }
    let each = bytes.div_ceil(loaded).max(1);
    let rows = WALK_BYTES_MAX.saturating_sub(bytes).div_ceil(each);
    rows.clamp(1, LOADED_MAX)
}

/// How many of these rows there are up to the `count`th that passes; at least one.
fn through_passing<P, L>(rows: &[Seen<P, L>], count: usize) -> usize {
    let rows_and_places = rows.iter().enumerate();
    let mut passing = rows_and_places.filter(|(_, row)| row.passes.is_some());
    let last = passing.nth(count.saturating_sub(1));
    last.map_or(rows.len(), |(place, _)| place + 1)
}

#[cfg(test)]
mod tests;
