//! Who waits for what is accepted, on this node: how many there may be, how they hear of it at
//! once, and how all of them end when the node does.

use crate::AppError;
use model::id::ApplicationKey;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::watch;

/// The most listeners that wait on one node at a time: each looks into the store once a second.
pub const LISTENERS_MAX: usize = 256;
/// The most that wait for one application.
pub const LISTENERS_OF_ONE_MAX: usize = 32;

/// All of a node.
#[derive(Default)]
pub struct Listeners {
    /// Looked at with every accept: nothing else is, where nobody listens.
    count: AtomicUsize,
    waiting: Mutex<HashMap<ApplicationKey, Waiting>>,
    closing: watch::Sender<bool>,
}

/// Those of one application.
struct Waiting {
    count: usize,
    accepted: watch::Sender<()>,
}

/// One that waits, until it is dropped.
pub(super) struct Listener {
    all: Arc<Listeners>,
    application: ApplicationKey,
    accepted: watch::Receiver<()>,
    closing: watch::Receiver<bool>,
}

impl Listeners {
    /// The node is to end: nobody waits any more.
    pub fn close(&self) {
        self.closing.send_replace(true);
    }

    /// Whether the node is to end, for whoever waits for something else.
    pub fn closing(&self) -> watch::Receiver<bool> {
        self.closing.subscribe()
    }

    /// How many wait.
    pub fn count(&self) -> usize {
        self.count.load(Ordering::Relaxed)
    }

    /// Something was accepted for this application.
    pub(crate) fn tell(&self, application: ApplicationKey) {
        if self.count() == 0 {
            return;
        }
        if let Some(waiting) = self.lock().get(&application) {
            waiting.accepted.send_replace(());
        }
    }

    /// One more for this application.
    pub(super) fn enter(
        self: &Arc<Self>,
        application: ApplicationKey,
    ) -> Result<Listener, AppError> {
        let mut waiting = self.lock();
        if self.count() >= LISTENERS_MAX {
            return Err(AppError::TooManyListeners {
                most: LISTENERS_MAX,
            });
        }
        let of_one = waiting.entry(application).or_insert_with(|| Waiting {
            count: 0,
            accepted: watch::Sender::default(),
        });
        if of_one.count >= LISTENERS_OF_ONE_MAX {
            return Err(AppError::TooManyListeners {
                most: LISTENERS_OF_ONE_MAX,
            });
        }
        of_one.count += 1;
        self.count.fetch_add(1, Ordering::Relaxed);
        Ok(Listener {
            all: self.clone(),
            application,
            accepted: of_one.accepted.subscribe(),
            closing: self.closing.subscribe(),
        })
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<ApplicationKey, Waiting>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Listener {
    /// What was accepted up to now is being looked for.
    pub(super) fn has_looked(&mut self) {
        self.accepted.mark_unchanged();
    }

    /// Waits until something was accepted since; `false`: the node is to end.
    pub(super) async fn told(&mut self) -> bool {
        tokio::select! {
            biased;
            // Their senders are there for as long as this is.
            _ = self.closing.wait_for(|closing| *closing) => false,
            _ = self.accepted.changed() => true,
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        let mut waiting = self.all.lock();
        self.all.count.fetch_sub(1, Ordering::Relaxed);
        if let Entry::Occupied(mut of_one) = waiting.entry(self.application) {
            of_one.get_mut().count -= 1;
            if of_one.get().count == 0 {
                of_one.remove();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::id::Key;

    const ONE: ApplicationKey = Key::from_integer(1);
    const OTHER: ApplicationKey = Key::from_integer(2);

    #[tokio::test]
    async fn a_listener_hears_of_its_own_application_also_when_it_did_not_wait_yet() {
        let all = Arc::new(Listeners::default());
        let (mut one, mut other) = (all.enter(ONE).unwrap(), all.enter(OTHER).unwrap());
        one.has_looked();
        all.tell(ONE);
        assert!(one.told().await);
        one.has_looked();
        let mut waiting = std::pin::pin!(async { tokio::join!(one.told(), other.told()) });
        tokio::select! {
            biased;
            _ = &mut waiting => panic!("nothing was accepted"),
            () = std::future::ready(()) => all.close(),
        }
        assert_eq!(waiting.await, (false, false), "and all end with the node");
        assert!(!all.enter(ONE).unwrap().told().await);
    }

    #[test]
    fn there_are_no_more_listeners_than_there_may_be_and_each_leaves_its_place() {
        let all = Arc::new(Listeners::default());
        let crowded = |key| matches!(all.enter(key), Err(AppError::TooManyListeners { .. }));
        let mut inside = Vec::new();
        for key in 0..LISTENERS_MAX / LISTENERS_OF_ONE_MAX {
            let key = Key::from_integer(1 + i64::try_from(key).unwrap());
            inside.extend((0..LISTENERS_OF_ONE_MAX).map(|_| all.enter(key).unwrap()));
            assert!(crowded(key));
        }
        assert!(crowded(Key::from_integer(99)));
        inside.pop();
        inside.push(all.enter(Key::from_integer(99)).unwrap());
        inside.clear();
        assert_eq!((all.count(), all.lock().len()), (0, 0));
        all.tell(ONE);
    }
}
