//! The hand-over: how what `app` has accepted reaches the sender without being read back, although
//! neither knows the other. The engine implements [`Lanes`]; the binary brings them together.

use crate::Registry;
use crate::rows::Claimed;
use bytes::Bytes;
use model::Timestamp;
use model::id::{ApplicationKey, DeliveryKey, EndpointKey};
use std::fmt;
use std::sync::Arc;

/// An endpoint's share of the engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Lane {
    /// The application, between which slots are shared first.
    pub application: ApplicationKey,
    /// The endpoint.
    pub endpoint: EndpointKey,
}

/// What is known of a delivery that is handed over, beside what the store has of it.
pub struct Fresh {
    /// The payload, in the clear.
    pub payload: Bytes,
    /// Its application's revision, read before the delivery was committed: once it has grown,
    /// somebody may have ended the delivery.
    pub revision: u64,
}

/// Where accepted deliveries go.
///
/// Every call returns at once: nothing here waits, and what is forgotten in a crash is found in the
/// store at the next start.
pub trait Lanes: Send + Sync {
    /// Asks for a place, before the delivery is written: a delivery that has one is written owned
    /// and handed over from memory; one that has none is written unowned, and claimed later. The
    /// place is given back when it is dropped. Where a rate limit holds, of the endpoint or of its
    /// application, there is none but on the node that has the [`Sole`] right.
    fn grant(&self, lane: Lane, limited: bool) -> Option<Place>;

    /// Hands over what was committed, with the place that was granted for it, and what is known of
    /// it in memory.
    fn hand_over(&self, claimed: Claimed, fresh: Fresh, place: Place);

    /// An unowned delivery was written that is due then: the lane must look for it.
    fn waiting(&self, lane: Lane, due: Timestamp);

    /// An application or an endpoint changed: no attempt may start by what it was before.
    fn changed(&self, application: ApplicationKey);

    /// Background work was started.
    fn work(&self);

    /// Since when due deliveries have not been looked for, where that is far too long ago: then
    /// something is wrong.
    fn overdue(&self) -> Option<Timestamp> {
        None
    }
}

/// The lanes of a node that makes no attempts: it grants no place, so that what it accepts is
/// written unowned, and found in the store by the nodes that deliver.
pub struct NoLanes {
    registry: Arc<Registry>,
}

impl NoLanes {
    /// Beside the registry of those who accept.
    pub fn new(registry: Arc<Registry>) -> Self {
        Self { registry }
    }
}

impl Lanes for NoLanes {
    fn grant(&self, _: Lane, _: bool) -> Option<Place> {
        None
    }

    /// Never asked for: no place was granted. The delivery is let go of, and found in the store.
    fn hand_over(&self, _: Claimed, _: Fresh, _: Place) {}

    fn waiting(&self, _: Lane, _: Timestamp) {}

    fn changed(&self, application: ApplicationKey) {
        self.registry.forget(application);
    }

    fn work(&self) {}
}

/// A place in a lane, given back when dropped.
pub struct Place {
    _token: Box<dyn Send + Sync>,
}

impl Place {
    /// Keeps `token` until the place is given back: the token's drop does the giving.
    pub fn new(token: impl Send + Sync + 'static) -> Self {
        Self {
            _token: Box::new(token),
        }
    }
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Place")
    }
}

/// What one node alone makes the attempts of where a rate limit holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Scope {
    /// One lane.
    Endpoint(EndpointKey),
    /// All of an application's.
    Application(ApplicationKey),
}

/// What lets go of a delivery that is owned, or of a sole right.
pub trait LetGo: Send + Sync {
    /// The delivery is nobody's again: if it is still open, it can be claimed.
    fn let_go(&self, endpoint: EndpointKey, delivery: DeliveryKey);

    /// Somebody here needs the sole right no more.
    fn give_up(&self, _: Scope) {}

    /// Whether all that it gave ended with its lease.
    fn has_ended(&self) -> bool {
        false
    }
}

/// Ownership of an open delivery. Lets go when dropped, also by a panicking holder, so that nothing
/// stays owned by nobody.
pub struct Hold {
    owner: Arc<dyn LetGo>,
    endpoint: EndpointKey,
    delivery: DeliveryKey,
}

impl Hold {
    /// A hold that tells `owner` when it ends.
    pub fn new(owner: Arc<dyn LetGo>, endpoint: EndpointKey, delivery: DeliveryKey) -> Self {
        Self {
            owner,
            endpoint,
            delivery,
        }
    }

    /// Whether the lease under which it was given has ended: somebody else may hold the delivery
    /// now, so that no attempt may start, and an outcome is stale.
    pub fn has_ended(&self) -> bool {
        self.owner.has_ended()
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        self.owner.let_go(self.endpoint, self.delivery);
    }
}

impl fmt::Debug for Hold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Hold({:?}, {:?})", self.endpoint, self.delivery)
    }
}

/// The sole right to make a scope's attempts. Given up when dropped, and ended with the lease under
/// which it was given.
pub struct Sole {
    owner: Arc<dyn LetGo>,
    scope: Scope,
}

impl Sole {
    /// A right that tells `owner` when it is given up.
    pub fn new(owner: Arc<dyn LetGo>, scope: Scope) -> Self {
        Self { owner, scope }
    }

    /// Whether the lease under which it was given has ended: another node may have it now.
    pub fn has_ended(&self) -> bool {
        self.owner.has_ended()
    }
}

impl Drop for Sole {
    fn drop(&mut self) {
        self.owner.give_up(self.scope);
    }
}

impl fmt::Debug for Sole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sole({:?})", self.scope)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;

    #[derive(Default)]
    struct Owner(Mutex<Vec<(EndpointKey, DeliveryKey)>>);

    impl LetGo for Owner {
        fn let_go(&self, endpoint: EndpointKey, delivery: DeliveryKey) {
            self.0.lock().unwrap().push((endpoint, delivery));
        }
    }

    fn hold(owner: &Arc<Owner>) -> (Hold, (EndpointKey, DeliveryKey)) {
        let names = (EndpointKey::from_integer(5), DeliveryKey::from_integer(7));
        (Hold::new(owner.clone(), names.0, names.1), names)
    }

    #[test]
    fn a_hold_lets_go_once_and_only_when_dropped() {
        let owner = Arc::new(Owner::default());
        let (hold, names) = hold(&owner);
        let moved = Box::new(hold);
        assert_eq!(*owner.0.lock().unwrap(), []);
        drop(moved);
        assert_eq!(*owner.0.lock().unwrap(), [names]);
    }

    #[tokio::test]
    async fn a_panicking_holder_lets_go() {
        let owner = Arc::new(Owner::default());
        let (hold, names) = hold(&owner);
        let holder = tokio::spawn(async move {
            let _hold = hold;
            panic!("a holder that this test makes panic");
        });
        assert!(holder.await.unwrap_err().is_panic());
        assert_eq!(*owner.0.lock().unwrap(), [names]);
    }

    #[test]
    fn a_place_is_given_back_when_dropped() {
        let lane = Arc::new(());
        let place = Place::new(lane.clone());
        assert_eq!(Arc::strong_count(&lane), 2);
        drop(place);
        assert_eq!(Arc::strong_count(&lane), 1);
    }

    #[test]
    fn holds_and_places_print_without_what_they_keep() {
        let (hold, _) = hold(&Arc::new(Owner::default()));
        assert_eq!(format!("{hold:?}"), "Hold(#5, #7)");
        assert_eq!(format!("{:?}", Place::new("a secret")), "Place");
    }
}
