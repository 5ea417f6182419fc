//! Opened data keys, bounded in number, so that an application that comes back soon costs no
//! decryption.
//!
//! A full cache lets go of all keys that nobody else holds: opening one anew takes microseconds, so
//! there is no order of use to keep. A key that somebody still holds stays: opened a second time,
//! it would be counted in two places. What a dropped key was used for is kept until it is told of:
//! a few dozen bytes for each application that ever sealed something.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use model::id::ApplicationId;

use crate::{DataKey, DataKeyId};

/// Which application's key.
pub(crate) type KeyName = (ApplicationId, DataKeyId);

pub(crate) struct KeyCache {
    /// How many keys are kept that nobody else holds.
    capacity: usize,
    state: Mutex<State>,
}

struct State {
    keys: BTreeMap<KeyName, Arc<DataKey>>,
    /// With so many keys the cache is full: those that were held when it was last full, and as many
    /// again as its capacity.
    full_at: usize,
    /// Uses that were not told of yet, beside those that the cached keys themselves count.
    left_over: BTreeMap<KeyName, u64>,
}

impl KeyCache {
    pub(crate) fn new(capacity: usize) -> Self {
        let state = State {
            keys: BTreeMap::new(),
            full_at: capacity,
            left_over: BTreeMap::new(),
        };
        Self {
            capacity,
            state: Mutex::new(state),
        }
    }

    pub(crate) fn get(&self, name: KeyName) -> Option<Arc<DataKey>> {
        self.lock().keys.get(&name).cloned()
    }

    /// Keeps a key and gives it back; or the one that another thread kept in the meantime, so that
    /// there is one of each.
    pub(crate) fn keep(&self, name: KeyName, key: DataKey) -> Arc<DataKey> {
        let mut state = self.lock();
        if state.keys.len() >= state.full_at {
            state.drop_unheld();
            state.full_at = state.keys.len() + self.capacity;
        }
        state
            .keys
            .entry(name)
            .or_insert_with(|| Arc::new(key))
            .clone()
    }

    /// Takes the counts of all keys that have been used at least so often since theirs was last
    /// taken.
    pub(crate) fn take_uses(&self, uses_min: u64) -> BTreeMap<KeyName, u64> {
        let mut state = self.lock();
        let State {
            keys, left_over, ..
        } = &mut *state;
        for (name, key) in keys {
            add(left_over, *name, key.take_uses());
        }
        let enough = |_: &KeyName, uses: &mut u64| *uses >= uses_min;
        left_over.extract_if(.., enough).collect()
    }

    /// Gives back a count that was taken.
    pub(crate) fn put_back(&self, name: KeyName, uses: u64) {
        add(&mut self.lock().left_over, name, uses);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state
            .lock()
            .expect("nothing panics while it holds this lock")
    }
}

impl State {
    fn drop_unheld(&mut self) {
        self.keys.retain(|name, key| {
            // Keys are given out under the lock only: nobody gets hold of this one meanwhile.
            let held = Arc::strong_count(key) > 1;
            if !held {
                add(&mut self.left_over, *name, key.take_uses());
            }
            held
        });
    }
}

fn add(uses: &mut BTreeMap<KeyName, u64>, name: KeyName, count: u64) {
    if count > 0 {
        *uses.entry(name).or_default() += count;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::seeded;
    use model::id::{Key, Tail};

    const TAIL: Tail = [7; 12];

    fn named(key: &DataKey) -> KeyName {
        (ApplicationId::new(Key::MIN, TAIL), key.id())
    }

    fn keep(cache: &KeyCache, number: u8) -> Arc<DataKey> {
        let key = DataKey::new(TAIL, DataKeyId([number; 8]), &[number; 32], seeded(1));
        cache.keep(named(&key), key)
    }

    #[test]
    fn it_holds_no_more_than_its_capacity_and_what_others_hold() {
        let cache = KeyCache::new(4);
        let held: Vec<_> = (0..10).map(|number| keep(&cache, number)).collect();
        for number in 10..100 {
            keep(&cache, number);
            assert!(cache.lock().keys.len() <= held.len() + 4);
        }
        for key in &held {
            let cached = cache.get(named(key)).expect("held keys stay");
            assert!(Arc::ptr_eq(&cached, key));
        }
    }

    #[test]
    fn of_two_threads_that_opened_the_same_key_one_wins() {
        let cache = KeyCache::new(4);
        assert!(Arc::ptr_eq(&keep(&cache, 1), &keep(&cache, 1)));
    }
}
