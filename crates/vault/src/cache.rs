//! Opened data keys, bounded in number, so that an application that comes back soon costs no
//! decryption.
//!
//! A full cache lets go of all keys that nobody else holds: opening one anew takes microseconds, so
//! there is no order of use to keep. A key that somebody still holds stays: opened a second time,
//! it would be counted in two places. What a dropped key was used for is kept until it is asked
//! for.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use model::id::Tail;

use crate::{DataKey, DataKeyId};

/// Which application's key.
pub(crate) type KeyName = (Tail, DataKeyId);

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
    /// Uses of keys that are no longer cached.
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

    /// Uses since the last call, of all keys that had any.
    pub(crate) fn take_uses(&self) -> BTreeMap<KeyName, u64> {
        let mut state = self.lock();
        let mut uses = std::mem::take(&mut state.left_over);
        for (name, key) in &state.keys {
            add(&mut uses, *name, key.take_uses());
        }
        uses
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

    fn keep(cache: &KeyCache, number: u8) -> Arc<DataKey> {
        let name = ([number; 12], DataKeyId([number; 8]));
        let key = DataKey::new(name.0, name.1, &[number; 32], seeded(1));
        cache.keep(name, key)
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
            let cached = cache
                .get(([key.id().0[0]; 12], key.id()))
                .expect("held keys stay");
            assert!(Arc::ptr_eq(&cached, key));
        }
    }

    #[test]
    fn of_two_threads_that_opened_the_same_key_one_wins() {
        let cache = KeyCache::new(4);
        assert!(Arc::ptr_eq(&keep(&cache, 1), &keep(&cache, 1)));
    }
}
