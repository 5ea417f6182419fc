//! Which open deliveries this process holds, which sole rights it has, and which work it does
//! outside the store: sets in memory. Entries let go when their [`Hold`], [`Sole`] or [`WorkHold`]
//! is dropped. Of which lanes something was held is kept besides, until they are released. Whether
//! another process may hold any is the store's own matter: of an embedded store the locked data
//! directory makes this process the only one, a shared one writes down whose they are.
//!
//! A hold is made before the commit that makes its row visible, and dropped after the commit that
//! removes it, so that a delivery is not handed out while its outcome commits. Whoever claims has
//! to see the set and the rows at one moment, or lock the rows while it takes hold.

use crate::Hold;
use crate::lanes::{LetGo, Scope, Sole};
use model::id::{DeliveryKey, EndpointKey, TaskKey};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

/// A sole right that was given out here.
#[derive(Debug, Default)]
struct Given {
    /// How often it was, and not yet given up.
    users: usize,
    /// Which time was the last: the store's own count.
    turn: i64,
}

/// What is held, and was.
#[derive(Debug, Default)]
struct Held {
    lanes: HashMap<EndpointKey, BTreeSet<DeliveryKey>>,
    /// Lanes of which something was held since they were last released. One key for each endpoint
    /// that was sent to: which deliveries were dropped as they were is not kept, since nothing
    /// tells of those that others ended since then, so that they would become more and more.
    touched: HashSet<EndpointKey>,
}

/// Work that is done outside the store.
#[derive(Debug, Default)]
struct Works {
    held: BTreeSet<TaskKey>,
    /// What was taken last.
    last: Option<TaskKey>,
}

/// The set of owned deliveries, by lane, and of sole rights.
#[derive(Debug, Default)]
pub struct Owned {
    held: Mutex<Held>,
    soles: Mutex<BTreeMap<Scope, Given>>,
    works: Mutex<Works>,
    ended: AtomicBool,
}

/// Keeps others off work that is done outside the store, until it is dropped.
#[derive(Debug)]
pub struct WorkHold {
    owned: Arc<Owned>,
    work: TaskKey,
    epoch: i64,
}

impl WorkHold {
    /// Of which work.
    pub fn work(&self) -> TaskKey {
        self.work
    }

    /// Under which lease it was taken: the store's own name for that.
    pub fn epoch(&self) -> i64 {
        self.epoch
    }
}

impl Drop for WorkHold {
    fn drop(&mut self) {
        self.owned.lock_works().held.remove(&self.work);
    }
}

impl Owned {
    /// Takes hold of work under a lease; `None` if somebody here has it already.
    pub fn hold_work(self: &Arc<Self>, work: TaskKey, epoch: i64) -> Option<WorkHold> {
        let mut works = self.lock_works();
        works.last = Some(work);
        let new = works.held.insert(work);
        drop(works);
        new.then(|| WorkHold {
            owned: self.clone(),
            work,
            epoch,
        })
    }

    /// The work that somebody here has, and what was taken last: the others come first.
    pub fn works(&self) -> (Vec<TaskKey>, TaskKey) {
        let works = self.lock_works();
        let held = works.held.iter().copied().collect();
        (held, works.last.unwrap_or(TaskKey::MIN))
    }

    /// Takes hold of a delivery; `None` if it is owned already.
    pub fn hold(self: &Arc<Self>, endpoint: EndpointKey, delivery: DeliveryKey) -> Option<Hold> {
        let mut held = self.lock();
        held.touched.insert(endpoint);
        let new = held.lanes.entry(endpoint).or_default().insert(delivery);
        drop(held);
        new.then(|| Hold::new(self.clone(), endpoint, delivery))
    }

    /// Gives out a sole right that this process has, as of this turn: the store's own count, which
    /// only grows.
    pub fn sole(self: &Arc<Self>, scope: Scope, turn: i64) -> Sole {
        let mut soles = self.lock_soles();
        let given = soles.entry(scope).or_default();
        given.users += 1;
        given.turn = given.turn.max(turn);
        Sole::new(self.clone(), scope)
    }

    /// Sole rights that all have given up to whom they were given out, with their last turn, and
    /// forgets them.
    pub fn take_given_up(&self) -> Vec<(Scope, i64)> {
        let mut soles = self.lock_soles();
        let unused = soles.iter().filter(|(_, given)| given.users == 0);
        let unused = unused.map(|(scope, given)| (*scope, given.turn)).collect();
        soles.retain(|_, given| given.users > 0);
        unused
    }

    /// Rights that were to be given up still are.
    pub fn put_back_given_up(&self, rights: &[(Scope, i64)]) {
        let mut soles = self.lock_soles();
        for (scope, turn) in rights {
            let given = soles.entry(*scope).or_default();
            given.turn = given.turn.max(*turn);
        }
    }

    /// A lane is to be released: whether anything of it may be left that was held here. That is
    /// forgotten unless something of it is held now, which may yet be dropped as it is.
    pub fn begin_release(&self, endpoint: EndpointKey) -> bool {
        let mut held = self.lock();
        match held.lanes.contains_key(&endpoint) {
            true => true,
            false => held.touched.remove(&endpoint),
        }
    }

    /// The lane could not be released: what may be left of it still is.
    pub fn not_released(&self, endpoint: EndpointKey) {
        self.lock().touched.insert(endpoint);
    }

    /// The lease has ended under which holds were given: none of them is worth anything.
    pub fn end(&self) {
        self.ended.store(true, Ordering::SeqCst);
    }

    /// Whether somebody owns it.
    pub fn is_held(&self, endpoint: EndpointKey, delivery: DeliveryKey) -> bool {
        let held = self.lock();
        let lane = held.lanes.get(&endpoint);
        lane.is_some_and(|lane| lane.contains(&delivery))
    }

    /// How many deliveries are owned.
    pub fn count(&self) -> usize {
        self.lock().lanes.values().map(BTreeSet::len).sum()
    }

    /// What is owned of one lane, at the moment when `pin` runs.
    pub fn of_lane<E>(
        &self,
        endpoint: EndpointKey,
        pin: impl FnOnce() -> Result<(), E>,
    ) -> Result<BTreeSet<DeliveryKey>, E> {
        let held = self.lock();
        pin()?;
        Ok(held.lanes.get(&endpoint).cloned().unwrap_or_default())
    }

    /// What is owned of every lane, at the moment when `pin` runs.
    pub fn of_all_lanes<E>(
        &self,
        pin: impl FnOnce() -> Result<(), E>,
    ) -> Result<HashMap<EndpointKey, BTreeSet<DeliveryKey>>, E> {
        let held = self.lock();
        pin()?;
        Ok(held.lanes.clone())
    }

    fn lock(&self) -> MutexGuard<'_, Held> {
        self.held
            .lock()
            .expect("nothing panics while it holds this lock")
    }

    fn lock_works(&self) -> MutexGuard<'_, Works> {
        self.works
            .lock()
            .expect("nothing panics while it holds this lock")
    }

    fn lock_soles(&self) -> MutexGuard<'_, BTreeMap<Scope, Given>> {
        self.soles
            .lock()
            .expect("nothing panics while it holds this lock")
    }
}

impl LetGo for Owned {
    fn let_go(&self, endpoint: EndpointKey, delivery: DeliveryKey) {
        let mut held = self.lock();
        if let Some(lane) = held.lanes.get_mut(&endpoint) {
            lane.remove(&delivery);
            if lane.is_empty() {
                held.lanes.remove(&endpoint);
            }
        }
    }

    fn give_up(&self, scope: Scope) {
        if let Some(given) = self.lock_soles().get_mut(&scope) {
            given.users -= 1;
        }
    }

    fn has_ended(&self) -> bool {
        self.ended.load(Ordering::SeqCst)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_delivery_has_one_holder_until_it_is_dropped() {
        let owned = Arc::new(Owned::default());
        let (lane, delivery) = (EndpointKey::from_integer(1), DeliveryKey::from_integer(2));
        let hold = owned.hold(lane, delivery);
        assert!(hold.is_some());
        assert!(owned.hold(lane, delivery).is_none());
        drop(hold);
        assert!(owned.lock().lanes.is_empty());
        let hold = owned.hold(lane, delivery).expect("it is nobody's");
        assert!(!hold.has_ended());
        owned.end();
        assert!(hold.has_ended());
    }

    #[test]
    fn work_has_one_holder_until_it_is_dropped() {
        let owned = Arc::new(Owned::default());
        let work = TaskKey::from_integer(1);
        let hold = owned.hold_work(work, 7).expect("it is nobody's");
        assert!(owned.hold_work(work, 7).is_none());
        assert_eq!((owned.works().0, hold.epoch()), (vec![work], 7));
        drop(hold);
        assert_eq!(owned.works(), (vec![], work));
        assert!(owned.hold_work(work, 8).is_some());
    }

    #[test]
    fn a_lane_is_released_once_after_the_last_of_it_was_dropped() {
        let owned = Arc::new(Owned::default());
        let [lane, other] = [1, 2].map(EndpointKey::from_integer);
        let hold = owned.hold(lane, DeliveryKey::from_integer(3));
        assert!(!owned.begin_release(other), "nothing of it was held");
        assert!(owned.begin_release(lane) && owned.begin_release(lane));
        drop(hold);
        assert!(owned.begin_release(lane), "it was dropped since");
        assert!(!owned.begin_release(lane));
        owned.not_released(lane);
        assert!(owned.begin_release(lane));
    }

    #[test]
    fn a_sole_right_is_given_up_with_the_last_that_was_given_out() {
        let owned = Arc::new(Owned::default());
        let scope = Scope::Endpoint(EndpointKey::from_integer(1));
        let (first, second) = (owned.sole(scope, 7), owned.sole(scope, 8));
        drop(first);
        assert_eq!(owned.take_given_up(), []);
        drop(second);
        assert_eq!(owned.take_given_up(), [(scope, 8)]);
        assert_eq!(owned.take_given_up(), []);
        owned.put_back_given_up(&[(scope, 8)]);
        assert_eq!(owned.take_given_up(), [(scope, 8)]);
        assert!(!owned.sole(scope, 9).has_ended());
        owned.end();
        assert!(owned.sole(scope, 10).has_ended());
    }
}
