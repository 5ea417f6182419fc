//! What is kept in memory of a sorted run: whether looking there is worth it.

use crate::failure::Failure;
use rusqlite::Connection;

/// A Bloom filter over prefixes that are random already: 16 bits and 6 places for each key let one
/// in a thousand pass that is not there.
pub(super) struct Filter(Vec<u64>);

impl Filter {
    const BITS_PER_KEY: usize = 16;
    const PLACES: u64 = 6;

    /// An empty one for so many keys.
    pub(super) fn with_room_for(keys: usize) -> Self {
        Self(vec![0; (keys * Self::BITS_PER_KEY).div_ceil(64).max(1)])
    }

    /// That of a run on disk.
    pub(super) fn load(
        connection: &Connection,
        prefixes: &str,
        (hour, run): (i64, i64),
    ) -> Result<Self, Failure> {
        let mut select = connection.prepare_cached(prefixes)?;
        let prefixes = select.query_map([hour, run], |row| row.get(0))?;
        let prefixes = prefixes.collect::<Result<Vec<i64>, _>>()?;
        let mut filter = Self::with_room_for(prefixes.len());
        prefixes
            .into_iter()
            .for_each(|prefix| filter.insert(prefix));
        Ok(filter)
    }

    /// Puts a prefix in.
    pub(super) fn insert(&mut self, prefix: i64) {
        for (word, bit) in self.places(prefix) {
            self.0[word] |= bit;
        }
    }

    /// False: it was never put in.
    pub(super) fn may_hold(&self, prefix: i64) -> bool {
        self.places(prefix)
            .all(|(word, bit)| self.0[word] & bit != 0)
    }

    fn places(&self, prefix: i64) -> impl Iterator<Item = (usize, u64)> + use<> {
        let bits = self.0.len() as u64 * 64;
        let (first, step) = (prefix as u64 >> 32, prefix as u64 & 0xffff_ffff | 1);
        (0..Self::PLACES).map(move |place| {
            let bit = (first + place * step) % bits;
            ((bit / 64) as usize, 1 << (bit % 64))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_knows_its_keys_and_few_others() {
        let prefix = |number: i64| number.wrapping_mul(0x9e37_79b9_7f4a_7c15_u64.cast_signed());
        let mut filter = Filter::with_room_for(10_000);
        (0..10_000).for_each(|number| filter.insert(prefix(number)));
        assert!((0..10_000).all(|number| filter.may_hold(prefix(number))));
        let others = (10_000..110_000).filter(|number| filter.may_hold(prefix(*number)));
        let wrong = others.count();
        assert!(wrong < 500, "{wrong} of 100,000");
    }
}
