//! What is known beforehand to happen: records, and what changes how much comes or fails for a
//! while.

use super::{DAY, Place, Record, What};

/// For a while it is otherwise.
#[derive(Debug, Clone, Copy)]
pub(super) struct Effect {
    pub(super) place: Place,
    pub(super) from: i64,
    pub(super) until: i64,
    pub(super) change: Change,
}

/// How.
#[derive(Debug, Clone, Copy)]
pub(super) enum Change {
    /// So many times what would come.
    Times(f64),
    /// So many more in each minute.
    More(f64),
    /// This part fails.
    Fails(f64),
}

/// All of it.
#[derive(Debug, Default)]
pub(super) struct Planned {
    records: Vec<Record>,
    effects: Vec<Effect>,
}

impl Planned {
    /// Something happens.
    pub(super) fn happens(&mut self, at: i64, what: What) {
        self.records.push(Record { at, what });
    }

    /// It is otherwise for a while.
    pub(super) fn changes(&mut self, place: Place, (from, until): (i64, i64), change: Change) {
        self.effects.push(Effect {
            place,
            from,
            until,
            change,
        });
    }

    pub(super) fn sort(&mut self) {
        self.records.sort_by_key(|record| record.at);
    }

    /// What happens on a day.
    pub(super) fn of_day(&self, begin: i64) -> Vec<Record> {
        let first = self.records.partition_point(|record| record.at < begin);
        let end = self
            .records
            .partition_point(|record| record.at < begin + DAY);
        self.records[first..end].to_vec()
    }

    /// What is otherwise at a place on a day.
    pub(super) fn effects(&self, place: Place, begin: i64) -> Vec<Effect> {
        let is_then =
            |one: &&Effect| one.place == place && one.from < begin + DAY && one.until > begin;
        self.effects.iter().filter(is_then).copied().collect()
    }

    /// Whether nothing else was planned for a place about then.
    pub(super) fn is_free(&self, place: Place, (from, until): (i64, i64)) -> bool {
        let meets = |one: &Effect| one.place == place && one.from < until && one.until > from;
        !self.effects.iter().any(meets)
    }
}
