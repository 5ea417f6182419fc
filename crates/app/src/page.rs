//! Lists: which part of one is asked for, and what comes back.
//!
//! A list has a natural order. A page is a run of its rows in that order; its iterator names its
//! last row, and `-` before an iterator asks for the run that ends before the row it names. Lists
//! of what happened are limited in time: 90 days from where one looks. A page may be short, or
//! empty, while there is more: the store stops after so many rows that it had to look at, and the
//! iterator then names the row it came to.
//!
//! [`ListInput`] becomes a `Part`, whose window is what the store is asked for; the store's walk
//! goes back through it as a [`Page`].

use crate::error::{AppError, Violation};
use model::Timestamp;
use model::id::{Id, Key, Kind};
use model::name::{Name, NameError};
use std::time::Duration;
use store::query::{Walk, Window};

/// How many rows a page has unless asked otherwise.
pub const LIMIT_DEFAULT: u64 = 50;
/// The most rows that may be asked for.
pub const LIMIT_MAX: u64 = 250;
/// How far a list of what happened reaches from where one looks.
pub const SPAN: Duration = Duration::from_secs(90 * 86_400);
/// How far into the future such a list reaches, for clocks that differ.
const AHEAD: Duration = Duration::from_secs(3_600);

/// What is asked of a list.
#[derive(Debug, Clone, Default)]
pub struct ListInput {
    /// How many rows; at most [`LIMIT_MAX`].
    pub limit: Option<u64>,
    /// Where to go on.
    pub iterator: Option<String>,
    /// The order, where a list lets one choose.
    pub order: Option<Order>,
    /// Only what is older, in lists of what happened.
    pub before: Option<Timestamp>,
    /// Only what is newer, in lists of what happened.
    pub after: Option<Timestamp>,
}

impl ListInput {
    /// The same, if it can be a part of a list of these: to be asked before anything is looked up,
    /// so that a bad query is refused whoever asks.
    ///
    /// # Errors
    /// [`AppError::Invalid`] for a limit beyond [`LIMIT_MAX`] or a malformed iterator.
    pub fn checked<K: Kind>(self) -> Result<Self, AppError> {
        limit(&self)?;
        Start::<K>::parse(&self)?;
        Ok(self)
    }

    /// The same for a list by name.
    ///
    /// # Errors
    /// As [`ListInput::checked`].
    pub fn checked_by_name(self) -> Result<Self, AppError> {
        limit(&self)?;
        self.start_by_name()?;
        Ok(self)
    }

    /// The row that the iterator names, to go on behind or before.
    pub(crate) fn start<K: Kind>(&self) -> Option<Id<K>> {
        let (_, name) = split_iterator(self.iterator.as_deref()?);
        name.parse().ok()
    }

    /// Where to go on in a list by name, and whether backwards.
    pub(crate) fn start_by_name(&self) -> Result<(bool, Option<Name>), AppError> {
        let Some(iterator) = &self.iterator else {
            return Ok((false, None));
        };
        let (backwards, name) = split_iterator(iterator);
        let name = name
            .parse()
            .map_err(|error: NameError| malformed_iterator(error.to_string()))?;
        Ok((backwards, Some(name)))
    }
}

/// The order of a list's rows by id, or by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// The oldest first.
    Ascending,
    /// The newest first.
    Descending,
}

/// A run of a list's rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// The rows, in the list's natural order.
    pub data: Vec<T>,
    /// Goes on behind this page; `None` only where there is nothing to go on from.
    pub iterator: Option<String>,
    /// Goes back before this page.
    pub prev_iterator: Option<String>,
    /// Whether nothing follows, in the direction that was asked for.
    pub done: bool,
}

impl<T> Page<T> {
    /// The page of a list that has nothing in it.
    pub fn empty() -> Self {
        Self {
            data: Vec::new(),
            iterator: None,
            prev_iterator: None,
            done: true,
        }
    }

    /// The same page of something else.
    pub fn map<U>(self, turn: impl FnMut(T) -> U) -> Page<U> {
        Page {
            data: self.data.into_iter().map(turn).collect(),
            iterator: self.iterator,
            prev_iterator: self.prev_iterator,
            done: self.done,
        }
    }

    /// The same page of something else, if every row can be turned into it.
    pub fn try_map<U, E>(self, turn: impl FnMut(T) -> Result<U, E>) -> Result<Page<U>, E> {
        Ok(Page {
            data: self.data.into_iter().map(turn).collect::<Result<_, _>>()?,
            iterator: self.iterator,
            prev_iterator: self.prev_iterator,
            done: self.done,
        })
    }
}

/// The part of a list that is asked for, as a range of keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Part<K> {
    above: Key<K>,
    below: Key<K>,
    direction: Direction,
    limit: usize,
}

/// How a list is walked, and how its rows are put back in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Direction {
    /// From the smallest key up.
    pub(crate) ascending: bool,
    /// Against the list's natural order.
    pub(crate) backwards: bool,
}

impl Direction {
    pub(crate) fn new(natural: Order, backwards: bool) -> Self {
        let ascending = (natural == Order::Ascending) != backwards;
        Self {
            ascending,
            backwards,
        }
    }
}

impl<K: Kind> Part<K> {
    /// Of a list that isn't limited in time.
    pub(crate) fn of_all(input: &ListInput, natural: Order) -> Result<Self, AppError> {
        let limit = limit(input)?;
        let start = Start::parse(input)?;
        let natural = input.order.unwrap_or(natural);
        let direction = Direction::new(natural, start.backwards());
        let mut part = Self {
            above: Key::MIN,
            below: Key::MAX,
            direction,
            limit,
        };
        part.start_behind(start.key());
        Ok(part)
    }

    /// Of a list of what happened: the newest first, and 90 days from where one looks.
    pub(crate) fn of_recent(input: &ListInput, now: Timestamp) -> Result<Self, AppError> {
        let limit = limit(input)?;
        let start = Start::parse(input)?;
        let oldest_first = matches!(
            (&start, input.before, input.after),
            (Start::Edge, None, Some(_))
        );
        let direction = Direction::new(Order::Descending, start.backwards() || oldest_first);
        let (from, to) = span(input, start.key(), now);
        let mut part = Self {
            above: just_before(from),
            below: Key::first_at(to),
            direction,
            limit,
        };
        part.start_behind(start.key());
        Ok(part)
    }

    /// What to ask the store for. For a limit of 0 that is one row, which tells whether there are
    /// any.
    pub(crate) fn window(&self) -> Window<K> {
        Window {
            above: self.above,
            below: self.below,
            ascending: self.direction.ascending,
            limit: self.limit.max(1),
        }
    }

    /// The part of rows that are all in memory, by ascending key: as a store would find it.
    pub(crate) fn walk<T>(&self, rows: Vec<T>, key: impl Fn(&T) -> Key<K>) -> Walk<T, Key<K>> {
        let window = self.window();
        let is_within = |row: &T| window.above < key(row) && key(row) < window.below;
        let mut rows: Vec<_> = rows.into_iter().filter(is_within).collect();
        if !window.ascending {
            rows.reverse();
        }
        let more = rows.len() > window.limit;
        rows.truncate(window.limit);
        Walk {
            examined: rows.last().map(&key),
            rows,
            more,
        }
    }

    /// The page of what the store found.
    pub(crate) fn page<T>(&self, walk: Walk<T, Key<K>>, id: impl Fn(&T) -> Id<K>) -> Page<T> {
        let key = |row: &T| id(row).key();
        // Of an iterator only the key counts.
        let passed = |key| Id::<K>::new(key, [0; 12]).to_string();
        self.page_by(walk, (key, passed), |row| id(row).to_string())
    }

    /// The same of a list that goes by other positions: where a row stands, and what names a place
    /// that was passed over, then what names a row.
    pub(crate) fn page_by<T, P: PartialEq>(
        &self,
        walk: Walk<T, P>,
        (position, passed): (impl Fn(&T) -> P, impl FnOnce(P) -> String),
        name: impl Fn(&T) -> String,
    ) -> Page<T> {
        let found = Found::new(walk, position, passed);
        found.page(self.direction, self.limit, name)
    }

    fn start_behind(&mut self, start: Option<Key<K>>) {
        let Some(start) = start else { return };
        if self.direction.ascending {
            self.above = self.above.max(start);
        } else {
            self.below = self.below.min(start);
        }
    }
}

/// What a walk along a list found, in the walk's order.
pub(crate) struct Found<T> {
    rows: Vec<T>,
    /// The name of a row to go on behind that is not among them: the last one looked at.
    passed: Option<String>,
    more: bool,
}

impl<T> Found<T> {
    /// What this walk found. Where it went on behind its last row and there is more, going on from
    /// where it came to saves looking again: `passed` names that position.
    pub(crate) fn new<P: PartialEq>(
        walk: Walk<T, P>,
        position: impl Fn(&T) -> P,
        passed: impl FnOnce(P) -> String,
    ) -> Self {
        let last = walk.rows.last().map(position);
        let examined = walk.examined.filter(|_| walk.more);
        Self {
            passed: examined
                .filter(|examined| last.as_ref() != Some(examined))
                .map(passed),
            rows: walk.rows,
            more: walk.more,
        }
    }

    /// Puts the rows in the list's natural order, and names the page's two ends.
    pub(crate) fn page(
        mut self,
        direction: Direction,
        limit: usize,
        name: impl Fn(&T) -> String,
    ) -> Page<T> {
        if limit == 0 {
            return Page {
                done: self.rows.is_empty() && !self.more,
                data: Vec::new(),
                iterator: None,
                prev_iterator: None,
            };
        }
        let begin = self.rows.first().map(&name);
        let end = self.passed.or_else(|| self.rows.last().map(&name));
        let (last, first) = if direction.backwards {
            self.rows.reverse();
            (begin, end)
        } else {
            (end, begin)
        };
        Page {
            data: self.rows,
            iterator: last,
            prev_iterator: first.map(|first| format!("-{first}")),
            done: !self.more,
        }
    }
}

/// The limit that was asked for.
pub(crate) fn limit(input: &ListInput) -> Result<usize, AppError> {
    let limit = input.limit.unwrap_or(LIMIT_DEFAULT);
    if limit > LIMIT_MAX {
        let text = format!("Given limit must not exceed {LIMIT_MAX}");
        return Err(Violation::query(&["limit", "limit"], text).into());
    }
    Ok(usize::try_from(limit).expect("at most 250"))
}

/// An iterator: whether it goes backwards, and the row it names.
fn split_iterator(iterator: &str) -> (bool, &str) {
    match iterator.strip_prefix('-') {
        Some(name) => (true, name),
        None => (false, iterator),
    }
}

/// What a malformed iterator is refused with.
fn malformed_iterator(reason: impl Into<String>) -> AppError {
    Violation::query(&["iterator"], reason).into()
}

/// Where a page starts.
enum Start<K> {
    /// At the list's edge.
    Edge,
    /// Behind the row of this key, in the natural order.
    Behind(Key<K>),
    /// Before it.
    Before(Key<K>),
}

impl<K: Kind> Start<K> {
    fn parse(input: &ListInput) -> Result<Self, AppError> {
        let Some(iterator) = &input.iterator else {
            return Ok(Self::Edge);
        };
        let (backwards, text) = split_iterator(iterator);
        let id: Id<K> = text
            .parse()
            .map_err(|error| malformed_iterator(format!("{error}")))?;
        Ok(if backwards {
            Self::Before(id.key())
        } else {
            Self::Behind(id.key())
        })
    }

    fn backwards(&self) -> bool {
        matches!(self, Self::Before(_))
    }

    fn key(&self) -> Option<Key<K>> {
        match self {
            Self::Edge => None,
            Self::Behind(key) | Self::Before(key) => Some(*key),
        }
    }
}

/// The times between which a list of what happened is looked at: `before` and `after` each reach 90
/// days, an iterator alone as far in either direction.
fn span<K>(input: &ListInput, start: Option<Key<K>>, now: Timestamp) -> (Timestamp, Timestamp) {
    let end = now.plus(AHEAD);
    let (from, to) = match (input.before, input.after, start) {
        (None, None, None) => (now.minus(SPAN), end),
        (None, None, Some(start)) => (start.time().minus(SPAN), start.time().plus(SPAN)),
        (before, after, _) => (
            after
                .into_iter()
                .chain(before.map(|time| time.minus(SPAN)))
                .max()
                .unwrap_or(Timestamp::MIN),
            before
                .into_iter()
                .chain(after.map(|time| time.plus(SPAN)))
                .min()
                .unwrap_or(Timestamp::MAX),
        ),
    };
    (from, to.min(end))
}

/// The largest key before `time`. A key tells time to 4 ms, and what was made in the same step as
/// `time` is shown, so that a client that goes on from the last time it saw misses nothing.
pub(crate) fn just_before<K>(time: Timestamp) -> Key<K> {
    let first = Key::<K>::first_at(time).integer();
    Key::from_integer(first.saturating_sub(1).max(0))
}

#[cfg(test)]
mod tests;
